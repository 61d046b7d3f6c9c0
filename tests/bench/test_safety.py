"""The rule of the three keys: a write happens only when scenario, station and command line agree."""

import dataclasses
from pathlib import Path

import pytest

from bench.errors import Exit, NotArmed, UsageError
from bench.safety import Armed, Safety, refuse_broadcast
from bench.station import Station, builtin_station, load_station

REASON = "overwrites the billing registers of the new meter"


@pytest.fixture
def station(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Station:
    monkeypatch.chdir(tmp_path)
    Path("lab.yaml").write_text(
        """\
schema: 1
name: lab
links: {gw: {type: tcp, host: gateway}, desk: {type: sim}}
devices:
  old: {model: CM2350, link: gw, address: 3}
  new: {model: PM850, link: gw, address: 1, serial: "4411", protection: sacrificial}
  spare:
    model: PM820
    link: gw
    address: 2
    protection: read-only
"""
    )
    return load_station(Path("lab.yaml"))


class TestThreeKeys:
    @pytest.mark.parametrize("name", ["new", "4411"])
    def test_with_all_three_it_is_armed(self, station: Station, name: str) -> None:
        armed = Safety(station, [name]).arm("new", REASON)
        assert (armed.device, armed.reason) == ("new", REASON)
        armed.check("new")

    @pytest.mark.parametrize("reason", [None, ""])
    def test_without_a_destructive_scenario(self, station: Station, reason: str | None) -> None:
        with pytest.raises(NotArmed) as error:
            Safety(station, ["new"]).arm("new", reason)
        assert str(error.value) == "new is not armed: the scenario is not marked destructive (mark it, with a reason)"

    def test_without_the_command_line(self, station: Station) -> None:
        with pytest.raises(NotArmed) as error:
            Safety(station).arm("new", REASON)
        assert str(error.value) == ("new is not armed: the command line does not name it (add --allow-destructive new)")

    def test_without_the_station(self, station: Station) -> None:
        with pytest.raises(NotArmed) as error:
            Safety(station).arm("spare", REASON)
        assert str(error.value) == (
            "spare is not armed: the station protects it "
            "(lab.yaml:11: write protection: sacrificial if it may be overwritten); "
            "the command line does not name it (add --allow-destructive spare)"
        )

    def test_without_any(self, station: Station) -> None:
        with pytest.raises(NotArmed) as error:
            Safety(station, ["new"]).arm("old", None)
        assert str(error.value).count("; ") == 2
        assert "\n" not in str(error.value)
        assert error.value.exit is Exit.USAGE

    def test_the_key_for_one_device_is_not_for_another(self, station: Station) -> None:
        armed = Safety(station, ["new"]).arm("new", REASON)
        with pytest.raises(NotArmed) as error:
            armed.check("old")
        assert str(error.value) == f"old is not armed: the permission to write is for new ({REASON})"

    def test_a_device_that_the_station_does_not_have(self, station: Station) -> None:
        with pytest.raises(UsageError, match='no device "nwe"; did you mean new'):
            Safety(station, ["new"]).arm("nwe", REASON)


class TestCommandLine:
    def test_a_misspelt_device_is_guessed(self, station: Station) -> None:
        with pytest.raises(UsageError, match='no device "nwe"; did you mean new'):
            Safety(station, ["nwe"])

    @pytest.mark.parametrize(("name", "line"), [("old", 5), ("spare", 11)])
    def test_a_protected_device_names_the_line_to_change(self, station: Station, name: str, line: int) -> None:
        with pytest.raises(UsageError) as error:
            Safety(station, [name])
        assert str(error.value) == (
            f"lab.yaml:{line}: devices.{name}: --allow-destructive {name}, but the station protects it; "
            "write protection: sacrificial if it may be overwritten"
        )


class TestBuiltinStation:
    def test_it_turns_two_keys_itself(self) -> None:
        sim = builtin_station("sim")
        for device_id in sim.devices:
            Safety(sim).arm(device_id, REASON).check(device_id)

    def test_the_scenario_must_still_be_destructive(self) -> None:
        with pytest.raises(NotArmed, match="not marked destructive"):
            Safety(builtin_station("sim")).arm("pm850", None)

    def test_its_names_are_checked_too(self) -> None:
        with pytest.raises(UsageError, match='no device "pm855"'):
            Safety(builtin_station("sim"), ["pm855"])

    def test_a_copy_of_its_file_needs_the_third_key(self) -> None:
        copied = load_station(Path(__file__).parents[2] / "fixtures" / "stations" / "sim.yaml")
        with pytest.raises(NotArmed, match="add --allow-destructive pm850"):
            Safety(copied).arm("pm850", REASON)


class TestArmed:
    def test_it_cannot_be_made_by_hand(self) -> None:
        with pytest.raises(TypeError, match=r"only Safety\.arm"):
            Armed("new", REASON, object())

    def test_it_cannot_be_turned_to_another_device(self, station: Station) -> None:
        armed = Safety(station, ["new"]).arm("new", REASON)
        with pytest.raises(dataclasses.FrozenInstanceError):
            armed.device = "old"  # type: ignore[misc]  # what the test is about
        with pytest.raises(ValueError, match="must be specified with replace"):
            dataclasses.replace(armed, device="old")  # type: ignore[call-arg]  # what the test is about

    def test_it_shows_device_and_reason_and_no_more(self, station: Station) -> None:
        assert repr(Safety(station, ["new"]).arm("new", "why")) == "Armed(device='new', reason='why')"


class TestBroadcast:
    def test_it_is_refused_on_a_real_line(self, station: Station) -> None:
        with pytest.raises(NotArmed) as error:
            refuse_broadcast(station.links["gw"], 0)
        assert str(error.value) == "broadcast refused on link gw: every device on a real line would obey"

    def test_it_goes_on_a_simulated_line(self, station: Station) -> None:
        refuse_broadcast(station.links["desk"], 0)

    def test_a_unit_is_no_broadcast(self, station: Station) -> None:
        refuse_broadcast(station.links["gw"], 1)
