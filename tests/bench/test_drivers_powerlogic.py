"""What a driver shows is what the simulated meter knows: every named register of every model against the truth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from bench_stand import GOLDEN, LAN, Stand, stand, two_meters

from bench.drivers.capabilities import Capability
from bench.drivers.finding import Finding
from bench.drivers.powerlogic import CM2, PowerLogic, Series
from bench.drivers.powerlogic.driver import Ratios, _blocks
from bench.drivers.powerlogic.values import PowerFactor, decode_register
from bench.errors import ForeignAnswer, NoAnswer, Refused
from protocols.powerlogic.energy import Quantity
from protocols.powerlogic.tables import register_map
from protocols.powerlogic.words import NOT_AVAILABLE
from simulators.meters.powerlogic import Meter
from simulators.world import SECOND

MODELS = ("CM2350", "CM3350", "CM4250", "PM820", "PM850", "PM870", "CM2000", "CM3000", "CM4000")
SERIES = tuple(model for model in MODELS if not model.startswith("CM2"))
#: What a reading of the simulator counts in, for each unit of the tables.
THOUSANDTHS = {"A": 1000, "V": 1000, "Hz": 1000, "kW": 10**6, "kvar": 10**6, "kVA": 10**6}


@contextmanager
def meter_of(model: str, folder: Path, *, extra: str = "", link: str = LAN) -> Iterator[tuple[Stand, PowerLogic]]:
    """A meter of a model under load, and its driver."""
    text = two_meters(old=model, link=link, load="48 kW", of_old=f", power_factor: 0.92{extra}")
    text = text.replace("address: 3, simulate", "address: 3, protection: sacrificial, simulate")
    with stand(text, folder) as on:
        yield on, on.old


def truth(meter: Meter, name: str, now: int) -> object:
    return meter.reading(name, now)


# -- named values ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_every_named_value_is_the_meters_own(model: str, tmp_path: Path) -> None:
    """Measured quantities to half the last digit that their register shows; energies, dates and set-up exactly."""
    with meter_of(model, tmp_path) as (on, driver):
        meter = on.meter("old")
        compared = 0
        for row in driver.map.rows:
            if row.kind == "block":
                continue
            try:
                shown = driver.value(row.name)
            except Refused:
                continue
            expected = truth(meter, row.name, on.host.world.now)
            if expected is None or row.kind in {"float", "energy"}:
                continue
            compared += 1
            if isinstance(expected, tuple):
                assert shown == PowerFactor(Decimal(expected[0]) / 1000, expected[1]), row.name
            elif isinstance(expected, datetime):
                assert isinstance(shown, datetime)
                assert abs(shown - expected) < timedelta(seconds=1), row.name
            else:
                assert isinstance(shown, Decimal | int), row.name
                digit = Decimal(1).scaleb(Decimal(shown).as_tuple().exponent)  # type: ignore[arg-type]
                exact = Decimal(expected) / THOUSANDTHS.get(row.unit, 1)  # type: ignore[arg-type]
                assert abs(Decimal(shown) - exact) <= digit, row.name
        assert compared > 15


@pytest.mark.parametrize("model", MODELS)
def test_the_seven_energies_come_in_their_places(model: str, tmp_path: Path) -> None:
    """A CM2 shows them in another order; the driver's do not differ."""
    with stand(two_meters(old=model, link=LAN), tmp_path) as on:
        reading = on.old.read_energies()
        assert reading.values == GOLDEN
        assert reading[Quantity.REACTIVE_TOTAL] == -42
        assert reading.asked_at < reading.answered_at
        assert on.old.energy_register == (1601 if model.startswith("CM2") else 1700)


@pytest.mark.parametrize("model", MODELS)
def test_what_a_meter_says_of_its_setup(model: str, tmp_path: Path) -> None:
    with meter_of(model, tmp_path, extra=", ct: {primary: 400, secondary: 5}") as (_, driver):
        assert driver.ratios().current == Fraction(400, 5)
        assert driver.ratios().voltage == 1
        assert str(driver.ratios()) == "CT 400:5, PT direct"
        assert driver.nominal_frequency() in (50, 60)
        assert driver.signed_mode() is False
        assert driver.rating() == 3 * 347 * 400 * 6 // 5


def test_ratios_with_a_voltage_transformer() -> None:
    ratios = Ratios(ct_primary=200, ct_secondary=5, pt_primary=110, pt_primary_scale=2, pt_secondary=110)
    assert (ratios.current, ratios.voltage) == (Fraction(40), Fraction(100))
    assert str(ratios) == "CT 200:5, PT 110e2:110"


@pytest.mark.parametrize("model", ["CM2350", "PM850"])
@pytest.mark.parametrize(
    "shown", [(0, 5, 120, 0, 120), (100, 0, 120, 0, 120), (100, 5, 0, 0, 0), (100, 5, 120, 0, 0), (100, 5, 9, 32767, 9)]
)
def test_transformers_that_cannot_be_are_a_foreign_answer(
    model: str, shown: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A meter with a damaged set-up: no division by zero and no power with thousands of digits."""
    names = ("ct_primary", "ct_secondary", "pt_primary", "pt_primary_scale", "pt_secondary")
    with meter_of(model, tmp_path) as (_, driver):
        monkeypatch.setattr(driver, "values", lambda _names: dict(zip(names, shown, strict=True)))
        with pytest.raises(ForeignAnswer, match="old: the set-up shows impossible transformers: CT "):
            driver.rating()


@pytest.mark.parametrize("model", MODELS)
def test_the_power_ceiling_is_no_less_than_the_power(model: str, tmp_path: Path) -> None:
    with meter_of(model, tmp_path) as (_, driver):
        ceiling = driver.power_ceiling()
    assert 48_000 <= ceiling["real"] <= 49_100
    assert ceiling["apparent"] >= Decimal(48_000) / Decimal("0.92") - 1
    assert set(ceiling) == {"real", "reactive", "apparent"}


def test_neighbours_are_read_in_one_request_and_strangers_in_two(tmp_path: Path) -> None:
    with meter_of("PM850", tmp_path) as (_, driver):
        sent: list[bytes] = []
        driver.session.record = lambda way, data: sent.append(data) if way == "tx" else None
        driver.values(["ct_primary", "ct_secondary", "pt_primary", "pt_primary_scale", "pt_secondary"])
        assert len(sent) == 1
        driver.values(["ct_primary", "energy_preset_time"])
        assert len(sent) == 3


@pytest.mark.parametrize("model", ["CM2350", "PM850"])
def test_no_block_is_longer_than_a_request_can_be(model: str) -> None:
    rows = list(register_map("CM2" if model == "CM2350" else "PM8").rows)
    assert all(block[-1].end - block[0].number <= 125 for block in _blocks(rows) if len(block) > 1)


def test_what_does_not_apply_is_none_and_not_a_number() -> None:
    rows = register_map("PM8")
    scales = {"A": 0}
    assert decode_register(rows["energy_preset_time"], [NOT_AVAILABLE] * 4, scales) is None
    assert decode_register(rows["power_factor_total"], [NOT_AVAILABLE], scales) is None
    assert decode_register(rows["real_energy_in"], [NOT_AVAILABLE] * 4, scales) is None


def test_words_that_are_no_energy_are_a_foreign_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with meter_of("PM850", tmp_path) as (_, driver):
        monkeypatch.setattr(driver.session, "read", lambda *_, **__: [10_000] * 28)
        with pytest.raises(ForeignAnswer, match="old: energies at 1700"):
            driver.read_energies()


# -- identity ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_each_model_is_known_by_what_it_says(model: str, tmp_path: Path) -> None:
    with meter_of(model, tmp_path) as (_, driver):
        found, findings = driver.identify()
    assert all(finding.agrees for finding in findings)
    if model.startswith("PM"):
        assert found.name == model
        assert (found.vendor, found.revision) == ("Schneider Electric", "V12.200")
        assert found.report.startswith(bytes([250, 255]))
        assert str(found) == f"Schneider Electric {model} V12.200"
        assert [finding.assumed for finding in findings] == [False]
    else:
        assert found.report[:2] == bytes([0x64, 0xFF])
        assert found.name == ""
        assert str(found) == f"product id {found.product_id}"
        assert [finding.assumed for finding in findings] == [True]


IDENTITIES = {
    # promised model, what is simulated of it: what differs, is it refused, is it determinable
    "an assumed number differs": ("CM3350", ", profile: {product_id: 99}", "", False),
    "the same number pinned": ("CM3350", ", profile: {product_id: 99}", "product_id: 3350", True),
    "a number pinned and right": ("CM3350", ", profile: {product_id: 99}", "product_id: 99", None),
    "a documented name differs": ("PM850", ", profile: {product_name: PM820}", "", True),
    "a revision pinned and wrong": ("PM850", "", "revision: V1.000", True),
    "a revision pinned and right": ("PM850", "", "revision: V12.200", None),
    "a vendor pinned and wrong": ("PM850", "", "vendor: Square D", True),
}


@pytest.mark.parametrize("case", IDENTITIES)
def test_an_identity_is_refused_only_where_a_document_or_a_pin_says_so(case: str, tmp_path: Path) -> None:
    model, simulated, pin, refused = IDENTITIES[case]
    text = two_meters(old=model, link=LAN, of_old=simulated)
    text = text.replace("link: line, address: 3", f"link: line, address: 3, identity: {{{pin}}}")
    with stand(text, tmp_path) as on:
        _, findings = on.old.identify()
    wrong = [finding for finding in findings if not finding.agrees]
    if refused is None:
        assert wrong == []
    else:
        assert [finding.refuses for finding in wrong] == [refused]


def test_a_named_meter_where_a_numbered_one_is_promised_is_another_model(tmp_path: Path) -> None:
    """A PM850 at the address of a CM3350: function 17 gives a name and no number."""
    with stand(two_meters(old="PM850", link=LAN), tmp_path) as on:
        promised = two_meters(old="CM3350", link=LAN)
        with stand(promised, tmp_path / "promised") as other:
            other.old.session = on.old.session
            _, (finding,) = other.old.identify()
    assert finding == Finding("product name", "a Circuit Monitor Series 3000", "PM850", assumed=False)
    assert finding.refuses


def test_a_numbered_meter_where_a_named_one_is_promised_says_no_name(tmp_path: Path) -> None:
    real, promised = two_meters(old="CM3350", link=LAN), two_meters(old="PM850", link=LAN)
    with stand(real, tmp_path) as on, stand(promised, tmp_path / "promised") as other:
        other.old.session = on.old.session
        found, (finding,) = other.old.identify()
    assert found.product_id == 3350
    assert finding == Finding("product name", "PM850", None, assumed=False)
    assert finding.refuses


# -- clock, demand, extremes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_a_clock_is_set_and_shows_it(model: str, tmp_path: Path) -> None:
    wanted = datetime(2027, 2, 28, 23, 59, 57)  # noqa: DTZ001  # a meter keeps local time without a zone
    with meter_of(model, tmp_path) as (on, driver):
        driver.set_clock(on.bench.arm(driver), wanted.replace(microsecond=700_000))
        assert timedelta() <= driver.read_clock() - wanted < timedelta(seconds=2)
        on.host.clock.sleep(4 * SECOND)
        assert driver.read_clock().month == 3


@pytest.mark.parametrize("model", MODELS)
def test_resets_stamp_themselves(model: str, tmp_path: Path) -> None:
    stamp = "demand_reset_time" if model.startswith("CM2") else "power_demand_reset_time"
    with meter_of(model, tmp_path) as (on, driver):
        armed = on.bench.arm(driver)
        before = driver.value(stamp)
        on.host.clock.sleep(5 * SECOND)
        driver.reset_demand(armed)
        driver.reset_extremes(armed)
        after = driver.value(stamp)
    assert isinstance(after, datetime)
    assert after != before


# -- commands ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", SERIES)
def test_a_command_leaves_the_pointers_at_nothing(model: str, tmp_path: Path) -> None:
    with meter_of(model, tmp_path) as (on, driver):
        assert isinstance(driver, Series)
        driver.command(on.bench.arm(driver), "clear_energies")
        assert driver.read_pointers() == (0, 0, 0)


def test_a_command_that_is_refused_says_with_what(tmp_path: Path) -> None:
    with meter_of("PM850", tmp_path) as (on, driver):
        assert isinstance(driver, Series)
        with pytest.raises(Refused, match="leave_setup was answered with result 81") as refused:
            driver.command(on.bench.arm(driver), "leave_setup", [2])
        assert refused.value.code == 81
        assert driver.read_pointers() == (0, 0, 0)


def test_a_command_without_a_result_is_no_success(tmp_path: Path) -> None:
    """0 means done and is also what stands there before; the sentinel tells them apart."""
    with meter_of("PM850", tmp_path, extra=", profile: {exec_delay: 2 min}") as (on, driver):
        assert isinstance(driver, Series)
        began = on.host.clock.now()
        with pytest.raises(NoAnswer, match="the result word did not change"):
            driver.command(on.bench.arm(driver), "clear_energies")
        assert 5 * SECOND <= on.host.clock.now() - began < 7 * SECOND


@pytest.mark.parametrize("at", range(1, 7))
def test_an_interrupted_command_leaves_the_pointers_at_nothing(at: int, tmp_path: Path) -> None:
    with meter_of("PM850", tmp_path) as (on, driver):
        assert isinstance(driver, Series)
        armed = on.bench.arm(driver)
        left = [at]

        def interrupt(way: str, _data: bytes) -> None:
            left[0] -= way == "rx"
            if left[0] == 0:
                left[0] = -1
                raise KeyboardInterrupt

        driver.session.record = interrupt
        with pytest.raises(KeyboardInterrupt):
            driver.command(armed, "clear_energies")
        driver.session.record = None
        assert driver.read_pointers() == (0, 0, 0)


def test_what_breaks_a_command_off_is_told_and_not_that_the_pointers_stayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with meter_of("PM850", tmp_path) as (on, driver):
        assert isinstance(driver, Series)

        def gone(_armed: object) -> None:
            raise NoAnswer("also silent")

        def interrupted(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(driver, "clear_pointers", gone)
        monkeypatch.setattr(driver, "issue", interrupted)
        with pytest.raises(KeyboardInterrupt):
            driver.command(on.bench.arm(driver), "clear_energies")


def test_setup_is_saved_or_discarded(tmp_path: Path) -> None:
    with meter_of("PM850", tmp_path) as (on, driver):
        assert isinstance(driver, Series)
        armed = on.bench.arm(driver)
        driver.program(armed, {"ct_primary": 800}, save=False)
        assert driver.ratios().ct_primary == 100
        driver.program(armed, {"ct_primary": 800})
        assert driver.ratios().ct_primary == 800


def test_a_setup_that_is_refused_is_discarded(tmp_path: Path) -> None:
    with meter_of("PM850", tmp_path) as (on, driver):
        assert isinstance(driver, Series)
        armed = on.bench.arm(driver)
        with pytest.raises(Refused):
            driver.program(armed, {"ct_primary": 800, "ct_secondary": 3})
        assert driver.ratios().ct_primary == 100
        driver.program(armed, {"ct_primary": 800})  # the session was left: another one can begin
        assert driver.ratios().ct_primary == 800


def test_a_meter_that_stays_away_is_told_after_its_time(tmp_path: Path) -> None:
    with meter_of("PM850", tmp_path) as (on, driver):
        on.host.stage.switch_supply("old", on=False)
        with pytest.raises(NoAnswer, match="still silent 30 s after the reset: old: the gateway reports"):
            driver.wait_until_it_answers(30 * SECOND)
        on.host.stage.switch_supply("old", on=True)
        assert 7 * SECOND < driver.wait_until_it_answers(60 * SECOND) < 12 * SECOND


# -- capabilities ------------------------------------------------------------------------------------------------------


def test_a_cm2_has_no_preset_and_no_setup() -> None:
    assert Series.capabilities - CM2.capabilities == {
        Capability.PRESET_ENERGY,
        Capability.PROGRAM_SETUP,
        Capability.PARTIAL_ENERGY,
    }
    assert CM2.capabilities <= Series.capabilities
    assert not hasattr(CM2, "issue")
