"""The station: what a right file gives, and what one can ask it."""

import json
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from bench.errors import Exit, UsageError
from bench.station import (
    MODELS,
    Device,
    Rfc2217Link,
    SerialLink,
    SimLink,
    Station,
    TcpLink,
    builtin_station,
    find_station,
    load_station,
    station_schema,
)
from bench.station.devices import FLAG_MODELS, MODBUS_MODELS
from bench.station.schema import schema_text
from protocols.elster import tables as elster
from protocols.powerlogic.tables import models

STATIONS = Path(__file__).parents[2] / "fixtures" / "stations"

CONTRACT = """\
# station file
schema: 1
name: lab-3
links:
  gateway: {type: tcp, host: 127.0.0.1, port: 1502}
  rs485:   {type: serial, port: /dev/ttyUSB1, baud: 9600, framing: 8N1}
  desk:    {type: sim, medium: rs485, baud: 9600, framing: 8E1}
devices:
  old: {model: CM2350, link: desk, address: 3}
  new: {model: PM850, link: gateway, address: 1, protection: sacrificial,
        power: {type: command, cycle: "relay.sh 4 cycle"}}      # or off: and on:
policy: {on_nothing_verified: fail}
"""


@pytest.fixture
def contract(tmp_path: Path) -> Station:
    return load(tmp_path, CONTRACT)


def load(folder: Path, text: str) -> Station:
    file = folder / "lab.yaml"
    file.write_text(text, encoding="utf-8")
    return load_station(file)


def with_device(entries: str) -> str:
    """A station with one device, which has these entries beside its model and link."""
    return f"""\
schema: 1
name: x
links: {{desk: {{type: sim}}}}
devices:
  dut: {{model: PM850, link: desk, {entries}}}
"""


class TestContract:
    def test_links_are_of_their_types(self, contract: Station) -> None:
        gateway, rs485, desk = contract.links.values()
        assert isinstance(gateway, TcpLink)
        assert (gateway.id, gateway.host, gateway.port, gateway.modbus) == ("gateway", "127.0.0.1", 1502, "tcp")
        assert isinstance(rs485, SerialLink)
        assert (rs485.port, rs485.baud, rs485.framing, rs485.echo) == ("/dev/ttyUSB1", 9600, "8N1", False)
        assert isinstance(desk, SimLink)
        assert (desk.medium, desk.baud, desk.framing) == ("rs485", 9600, "8E1")

    def test_devices_know_their_ids_and_links(self, contract: Station) -> None:
        old, new = contract.devices.values()
        assert (old.id, old.model, old.address, old.sacrificial) == ("old", "CM2350", 3, False)
        assert (new.id, new.model, new.address, new.sacrificial) == ("new", "PM850", 1, True)
        assert contract.link_of(new).id == "gateway"
        assert new.power is not None
        assert new.power.cycle == "relay.sh 4 cycle"

    def test_it_knows_its_lines(self, contract: Station) -> None:
        assert contract.line("devices", "old", "address") == 9
        assert contract.line("devices", "new", "power") == 11
        assert contract.line("devices", "new", "serial") == 10  # not given: the line of the device

    def test_it_is_not_built_in_and_keeps_its_file(self, contract: Station, tmp_path: Path) -> None:
        assert not contract.builtin
        assert contract.file == str(tmp_path / "lab.yaml")

    def test_the_shipped_example_is_the_contract(self, contract: Station) -> None:
        example = load_station(STATIONS / "example-lab.yaml")
        assert example.links == contract.links
        assert {id_: device.model_dump() for id_, device in example.devices.items()} == {
            id_: device.model_dump() for id_, device in contract.devices.items()
        }


class TestDefaults:
    def test_times_are_nanoseconds(self, tmp_path: Path) -> None:
        desk = load(tmp_path, with_device("address: 1")).links["desk"]
        assert isinstance(desk, SimLink)
        assert (desk.turnaround, desk.delay, desk.timeout) == (20_000_000, 1_000_000, 1_000_000_000)

    def test_a_device_is_protected(self, tmp_path: Path) -> None:
        assert load(tmp_path, with_device("address: 1")).device("dut").protection == "read-only"

    def test_nothing_verified_is_red(self, tmp_path: Path) -> None:
        assert load(tmp_path, with_device("address: 1")).policy.on_nothing_verified == "fail"

    def test_tcp_is_modbus_tcp_on_its_port(self, tmp_path: Path) -> None:
        text = with_device("address: 1").replace("{type: sim}", "{type: tcp, host: meter}")
        link = load(tmp_path, text).links["desk"]
        assert isinstance(link, TcpLink)
        assert (link.port, link.modbus) == (502, "tcp")


class TestYamlTraps:
    def test_on_and_off_are_keys(self, tmp_path: Path) -> None:
        text = with_device('address: 1, power: {type: command, off: "relay 4 0", on: "relay 4 1", boot: 2 min}')
        power = load(tmp_path, text).device("dut").power
        assert power is not None
        assert (power.cycle, power.off, power.on, power.boot) == (None, "relay 4 0", "relay 4 1", 120_000_000_000)

    @pytest.mark.parametrize("serial", ["094", "07E123456", "4411", "1:30", "12.10", "0x1F", "no", "1_000", "'094'"])
    def test_a_serial_number_stays_as_written(self, tmp_path: Path, serial: str) -> None:
        assert load(tmp_path, with_device(f"address: 1, serial: {serial}")).device("dut").serial == serial.strip("'")

    def test_framing_is_text(self, tmp_path: Path) -> None:
        text = with_device("address: 1").replace("{type: sim}", "{type: sim, framing: 7E1}")
        link = load(tmp_path, text).links["desk"]
        assert isinstance(link, SimLink)
        assert link.framing == "7E1"

    def test_a_byte_order_mark_and_crlf_are_fine(self, tmp_path: Path) -> None:
        file = tmp_path / "windows.yaml"
        file.write_bytes(b"\xef\xbb\xbf" + CONTRACT.replace("\n", "\r\n").encode())
        assert load_station(file).line("devices", "old") == 9


class TestSimulation:
    def test_quantities_are_exact(self, tmp_path: Path) -> None:
        entries = "address: 1, simulate: {load: -12.5 kW, power_factor: -0.95, energies: {real_energy_in: 99999985}}"
        simulate = load(tmp_path, with_device(entries)).device("dut").simulate
        assert simulate is not None
        assert (simulate.load, simulate.power_factor) == (-12_500_000, Decimal("-0.95"))
        assert simulate.energies.real_energy_in == 99_999_985
        assert simulate.energies.apparent_energy_total == 0

    def test_transformers_defects_and_profile(self, tmp_path: Path) -> None:
        entries = """address: 1, simulate: {ct: {primary: 400, secondary: 5}, pt: {primary: 14400, secondary: 120},
            defects: [D04, D15],
            profile: {rollover: saturate, exec_delay: 2 s, atomic_block_read: false, function_codes: [3, 16]}}"""
        simulate = load(tmp_path, with_device(entries)).device("dut").simulate
        assert simulate is not None
        assert (simulate.ct.primary, simulate.ct.secondary) == (400, 5)
        assert simulate.pt is not None
        assert (simulate.pt.primary, simulate.pt.secondary) == (14_400, 120)
        assert simulate.defects == ("D04", "D15")
        assert simulate.profile == {
            "rollover": "saturate",
            "exec_delay": "2 s",
            "atomic_block_read": False,
            "function_codes": (3, 16),
        }


class TestRealDevices:
    def test_a_load_command_gets_its_watts(self, tmp_path: Path) -> None:
        text = with_device('address: 1, load: {type: command, set: "source.py --watts {watts} | awk {print}"}')
        load_control = load(tmp_path, text).device("dut").load
        assert load_control is not None
        assert load_control.command_for(30_000) == "source.py --watts 30000 | awk {print}"

    def test_identity_pins(self, tmp_path: Path) -> None:
        text = with_device("address: 1, identity: {product_id: 481, vendor: Square D, revision: V12.200}")
        identity = load(tmp_path, text).device("dut").identity
        assert (identity.product_id, identity.vendor, identity.name) == (481, "Square D", None)
        assert identity.revision == "V12.200"

    @pytest.mark.parametrize(
        ("entries", "target"),
        [
            ("host: 192.0.2.7, port: 4001", "rfc2217://192.0.2.7:4001"),
            ('host: "2001:db8::7", port: 4001', "rfc2217://[2001:db8::7]:4001"),
            ("url: rfc2217://192.0.2.7:4001?ign_set_control", "rfc2217://192.0.2.7:4001?ign_set_control"),
        ],
    )
    def test_rfc2217_by_host_or_by_url(self, tmp_path: Path, entries: str, target: str) -> None:
        text = with_device("address: 1").replace("{type: sim}", f"{{type: rfc2217, {entries}}}")
        link = load(tmp_path, text).links["desk"]
        assert isinstance(link, Rfc2217Link)
        assert link.target == target

    @pytest.mark.parametrize("port", ["COM3", "loop://", "socket://192.0.2.7:4001", "hwgrep://0403:6001"])
    def test_serial_takes_what_pyserial_takes(self, tmp_path: Path, port: str) -> None:
        text = with_device("address: 1").replace("{type: sim}", f'{{type: serial, port: "{port}"}}')
        link = load(tmp_path, text).links["desk"]
        assert isinstance(link, SerialLink)
        assert link.port == port


class TestAsking:
    def test_a_misspelt_device_is_guessed(self, contract: Station) -> None:
        with pytest.raises(UsageError) as error:
            contract.device("nwe")
        assert str(error.value) == 'station lab-3 has no device "nwe"; did you mean new? it has: old, new'
        assert error.value.exit is Exit.USAGE

    def test_selecting_drops_the_links_that_lead_nowhere(self, contract: Station) -> None:
        selected = contract.select(["new"])
        assert (list(selected.devices), list(selected.links)) == (["new"], ["gateway"])
        assert list(contract.devices) == ["old", "new"]
        assert selected.line("devices", "new") == 10

    def test_who_is_not_selected_is_still_on_its_line(self, contract: Station) -> None:
        link = contract.device("old").link
        for station in (contract, contract.select(["new"]), contract.select(["old", "new"]).select(["new"])):
            assert [device.id for device in station.on_link(link)] == ["old"]

    def test_selecting_nothing_selects_all(self, contract: Station) -> None:
        assert contract.select([]) is contract

    def test_selecting_keeps_the_order_of_the_file(self, contract: Station) -> None:
        assert list(contract.select(["new", "old", "new"]).devices) == ["old", "new"]

    def test_selecting_a_stranger_is_refused(self, contract: Station) -> None:
        with pytest.raises(UsageError, match='no device "dut"; it has: old, new'):
            contract.select(["new", "dut"])

    def test_it_cannot_be_changed(self, contract: Station) -> None:
        with pytest.raises(ValueError, match="frozen"):
            contract.name = "other"
        with pytest.raises(ValueError, match="frozen"):
            contract.device("old").protection = "sacrificial"


class TestResolved:
    def test_it_is_json_with_the_defaults(self, contract: Station) -> None:
        resolved = json.loads(json.dumps(contract.resolved()))
        assert resolved["links"]["gateway"]["timeout"] == "1 s"
        assert resolved["devices"]["new"]["power"]["boot"] == "10 s"
        assert resolved["schema"] == 1

    @pytest.mark.parametrize("name", ["sim", str(STATIONS / "example-lab.yaml")])
    def test_it_is_a_station_file_that_means_the_same(self, tmp_path: Path, name: str) -> None:
        station = find_station(name)
        again = load(tmp_path, json.dumps(station.resolved(), indent=1))
        assert again.resolved() == station.resolved()

    @pytest.mark.parametrize(
        "command",
        [
            "curl https://bench:hunter2@relay/4/cycle",
            "relay --password hunter2 4 cycle",
            "relay --token=hunter2 4 cycle",
            "env RELAY_API_KEY=hunter2 relay 4 cycle",
            "relay --secret 'hunter2' cycle",
        ],
    )
    def test_secrets_are_cut_out(self, tmp_path: Path, command: str) -> None:
        station = load(tmp_path, CONTRACT.replace("relay.sh 4 cycle", command))
        assert "hunter2" not in json.dumps(station.resolved())
        assert "cycle" in json.dumps(station.resolved())
        power = station.device("new").power
        assert power is not None
        assert power.cycle == command


MODBUS_DEVICES = [device for device in builtin_station("sim").devices.values() if device.protocol == "modbus"]


class TestBuiltin:
    def test_everything_is_simulated_and_sacrificial(self) -> None:
        sim = builtin_station("sim")
        assert sim.builtin
        assert all(link.type == "sim" for link in sim.links.values())
        assert all(device.sacrificial and device.simulate for device in sim.devices.values())

    def test_every_type_hands_over_and_every_writable_type_takes_over(self) -> None:
        sim = builtin_station("sim")
        bus = [device.model for device in sim.devices.values() if device.link == "bus"]
        lan = [device.model for device in sim.devices.values() if device.link == "lan"]
        assert bus == [model for model in MODBUS_MODELS if not model.endswith("000")]
        assert lan == bus[1:]

    def test_all_meters_have_the_same_transformers(self) -> None:
        ratios = {(d.simulate.ct, d.simulate.pt) for d in MODBUS_DEVICES if d.simulate}
        assert [(ct.primary, ct.secondary, pt) for ct, pt in ratios] == [(400, 5, None)]

    @pytest.mark.parametrize("device", MODBUS_DEVICES, ids=lambda device: device.id)
    def test_its_readings_agree(self, device: Device) -> None:
        assert device.simulate is not None
        energies = device.simulate.energies
        assert energies.real_energy_total == energies.real_energy_in + energies.real_energy_out
        assert energies.reactive_energy_total == energies.reactive_energy_in + energies.reactive_energy_out
        assert energies.apparent_energy_total >= abs(energies.real_energy_total)
        assert any(dict(energies).values()) is (device.link == "bus")

    def test_its_readings_are_difficult(self) -> None:
        sims = [device.simulate for device in builtin_station("sim").devices.values() if device.simulate]
        values = [value for simulate in sims for value in dict(simulate.energies).values()]
        assert max(values) >= 10**12  # all four words
        assert min(values) < 0
        assert any(value % 10_000 >= 9_985 for value in values)  # next to a carry
        assert (
            {simulate.load > 0 for simulate in sims}
            == {simulate.power_factor > 0 for simulate in sims}
            == {True, False}
        )

    def test_selecting_keeps_it_built_in(self) -> None:
        assert builtin_station("sim").select(["pm850"]).builtin

    def test_it_loads_quickly(self) -> None:
        builtin_station("sim")
        best = min(timed(lambda: builtin_station("sim")) for _ in range(20))
        assert best < 0.05  # 1 ms where it was measured; this only keeps away a slow parser

    def test_a_copy_of_its_file_is_not_built_in(self) -> None:
        assert not load_station(STATIONS / "sim.yaml").builtin

    def test_others_are_refused(self) -> None:
        with pytest.raises(UsageError, match='"sin" is not a built-in station; did you mean sim'):
            builtin_station("sin")


def timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


class TestFinding:
    def test_sim_is_the_built_in_one_whatever_lies_about(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "sim").write_text(CONTRACT)
        monkeypatch.chdir(tmp_path)
        assert find_station("sim").builtin
        assert find_station("./sim").name == "lab-3"

    def test_a_near_miss_is_guessed(self) -> None:
        with pytest.raises(UsageError) as error:
            find_station("simm")
        assert str(error.value) == 'there is neither a file nor a built-in station "simm"; did you mean sim?'

    def test_a_missing_file_is_named(self) -> None:
        with pytest.raises(UsageError) as error:
            find_station("nowhere/lab.yaml")
        assert str(error.value) == f"{Path('nowhere/lab.yaml')}:1: there is no such file"


def test_the_models_are_those_that_the_tables_describe() -> None:
    assert set(MODBUS_MODELS) == set(models())
    assert set(FLAG_MODELS) == set(elster.models())


class TestSchema:
    def test_the_published_one_is_up_to_date(self) -> None:
        published = (STATIONS / "station.schema.json").read_text("utf-8")
        assert published == schema_text(), "run: python -m bench.station > fixtures/stations/station.schema.json"

    def test_it_knows_models_links_and_ranges(self) -> None:
        definitions = station_schema()["$defs"]
        assert definitions["Device"]["properties"]["model"]["enum"] == list(MODELS)
        assert definitions["Device"]["properties"]["address"] | {"title": ""} == {
            "type": "integer",
            "minimum": 1,
            "maximum": 247,
            "default": 0,
            "description": "Modbus unit; a FLAG meter has an outstation",
            "title": "",
        }
        assert definitions["PowerControl"]["additionalProperties"] is False
        assert set(station_schema()["properties"]) == {"schema", "name", "location", "links", "devices", "policy"}
        assert station_schema()["required"] == ["schema", "name", "links", "devices"]
