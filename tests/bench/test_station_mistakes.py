"""What is wrong with a station file is said in one line each: file, line, place, reason, and what would be right."""

# ruff: noqa: E501  # a mistake and its message stand on one line each
# A case is one row: what the file says, and the line it is refused with.

import re
from pathlib import Path

import pytest
import yaml

from bench.drivers.capabilities import Capability
from bench.errors import Exit, UsageError
from bench.station import StationFileError, load_station, source, station_schema
from bench.station.source import LARGEST_FILE
from simulators.faults.registry import load

RIGHT = """\
schema: 1
name: lab
links:
  a: {type: sim}
  b: {type: tcp, host: gateway}
devices:
  old: {model: CM2350, link: a, address: 3}
  new: {model: PM850, link: b, address: 1}
"""

MODELS = "CM2350, CM3350, CM4250, PM820, PM850, PM870, CM2000, CM3000, CM4000, A1120, A1140, A1700"
DEVICE_KEYS = "model, link, address, outstation, password, wake, serial, protection, identity, power, load, simulate"
CAPABILITIES = ", ".join(Capability)
DEFECTS = ", ".join(sorted(id_ for id_, found in load().items() if found.family == "powerlogic"))
ENERGIES = (
    "real_energy_in, reactive_energy_in, real_energy_out, reactive_energy_out, real_energy_total, "
    "reactive_energy_total, apparent_energy_total"
)
FRAMINGS = "allowed: 7 or 8 data bits, parity N, E or O, 1 or 2 stop bits, as in 8N1"
BAUDS = "300, 600, 1200, 2400, 4800, 9600, 14400, 19200, 38400, 57600, 115200, 230400"
DURATIONS = "ns, us, ms, s, min, h"
ID = "is not an id; allowed: up to 63 letters, digits, - and _, no - or _ in front"


def mistakes(folder: Path, content: str | bytes) -> list[str]:
    """The lines that a file with this content is refused with, without the file's name."""
    file = folder / "lab.yaml"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(StationFileError) as error:
        load_station(file)
    lines = str(error.value).splitlines()
    assert all(line.startswith(f"{file}:") for line in lines)
    return [line.removeprefix(f"{file}:") for line in lines]


@pytest.mark.parametrize("password", ["{envv: FEDC0003}", "{FEDC0003: 1}", "{env: [FEDC0003]}", "[FEDC0003]"])
def test_a_wrong_key_in_a_password_is_told_without_what_stands_there(tmp_path: Path, password: str) -> None:
    text = RIGHT.replace("PM850, link: b, address: 1", f"A1140, link: b, password: {password}")
    (tmp_path / "lab.yaml").write_text(text)
    with pytest.raises(StationFileError) as refused:
        load_station(tmp_path / "lab.yaml")
    assert "8: devices.new.password: write {env: NAME}" in str(refused.value)
    assert "FEDC0003" not in str(refused.value)


def test_the_file_that_the_others_are_made_of_is_right(tmp_path: Path) -> None:
    file = tmp_path / "lab.yaml"
    file.write_text(RIGHT)
    assert list(load_station(file).devices) == ["old", "new"]


# What each case changes in RIGHT, and the line it must be refused with.
TOP = [
    ("schema: 1", "schema: 2", "1: schema: 2 is not a schema of this release; allowed: 1"),
    ("schema: 1", 'schema: "1"', '1: schema: "1" is not a schema of this release; allowed: 1'),
    ("schema: 1\n", "", "1: schema is missing"),
    ("name: lab", "name:", "2: name: nothing is not text"),
    ("name: lab", "name: true", "2: name: true is not text; put it in quotes"),
    ("name: lab", "name: ' '", "2: name: must not be empty"),
    ("name: lab", 'name: "a\\nb"', '2: name: "a\\nb" must be one line of printable characters'),
    ("name: lab", "name: lab\nlocation: Leeds", '3: location: must be a mapping, not "Leeds"'),
    ("name: lab", "name: lab\nlocation: {site: [1]}", "3: location.site: a list is not text"),
    (
        "name: lab",
        "nmae: x\nname: lab",
        '2: unknown key "nmae"; did you mean name? allowed: schema, name, location, links, devices, policy',
    ),
    (
        "name: lab",
        "name: lab\npolicy: {on_nothing_verified: ignore}",
        '3: policy.on_nothing_verified: "ignore" is not a policy; allowed: fail, warn',
    ),
    ("name: lab", "name: lab\npolicy: {required: identify}", '3: policy.required: must be a list, not "identify"'),
    (
        "name: lab",
        "name: lab\npolicy: {required: [identify, set clock]}",
        f'3: policy.required.1: "set clock" is not a capability; did you mean set-clock? allowed: {CAPABILITIES}',
    ),
]

LINKS = [
    ("type: sim", "type: simm", '4: links.a.type: "simm" is not a link type; did you mean sim? allowed: sim, serial, tcp, rfc2217, replay'),
    ("type: sim", "type: [sim]", "4: links.a.type: a list is not a link type; allowed: sim, serial, tcp, rfc2217, replay"),
    ("{type: sim}", "{}", "4: links.a: type is missing; allowed: sim, serial, tcp, rfc2217, replay"),
    ("{type: sim}", "sim", '4: links.a: must be a mapping, not "sim"'),
    ("type: sim", "type: serial", "4: links.a: port is missing"),
    ("type: sim", "type: sim, medium: rs-485", '4: links.a.medium: "rs-485" is not a medium; did you mean rs485? allowed: rs485, rs232, ethernet, optical, network, pstn, gsm, paknet'),
    ("type: sim", "type: sim, turnaround: 20 m s", f'4: links.a.turnaround: "20 m s" has the unit "m s"; a duration has one of {DURATIONS}'),
    ("type: sim", "type: sim, turnaround: 20", f'4: links.a.turnaround: "20" has no unit; write a duration as in 20 ms ({DURATIONS})'),
    ("type: sim", "type: sim, turnaround: 20 MS", f'4: links.a.turnaround: "20 MS" has the unit "MS"; a duration has one of {DURATIONS}; did you mean ms?'),
    ("type: sim", "type: sim, turnaround: -20 ms", '4: links.a.turnaround: "-20 ms" is outside 0 ns to 24 h'),
    ("type: sim", "type: sim, turnaround: 0.5 ns", '4: links.a.turnaround: "0.5 ns" is finer than 1 ns'),
    ("type: sim", "type: sim, turnaround: 1:30", '4: links.a.turnaround: "1:30" is not a duration; write a number and a unit, such as 20 ms'),
    ("type: sim", "type: sim, timeout: true", "4: links.a.timeout: true is not a duration; write it as in 20 ms"),
    ("type: sim", "type: sim, timeout: 0 s", "4: links.a.timeout: must be more than nothing"),
    ("type: sim", "type: sim, baud: 9601", f"4: links.a.baud: 9601 is not a speed; allowed: {BAUDS}"),
    ("type: sim", 'type: sim, baud: "9600"', f'4: links.a.baud: "9600" is not a speed; allowed: {BAUDS}'),
    ("type: sim", "type: sim, framing: 8n1", f'4: links.a.framing: "8n1" is not a character framing; did you mean 8N1? {FRAMINGS}'),
    ("type: sim", "type: sim, framing: 9N1", f'4: links.a.framing: "9N1" is not a character framing; {FRAMINGS}'),
    ("type: sim", "type: sim, echo: yes", '4: links.a.echo: "yes" is neither true nor false'),
    ("type: sim", "type: sim, delay: 1 ms", "4: links.a: without meaning on medium rs485, remove: delay"),
    ("type: sim", "type: sim, medium: ethernet, baud: 9600, echo: true", "4: links.a: without meaning on medium ethernet, remove: baud, echo"),
    ("type: sim", "type: sim, port: COM3", '4: links.a: unknown key "port"; allowed: type, medium, baud, framing, echo, turnaround, delay, timeout, faults'),
    ("type: sim", "type: serial, port: COM3, badu: 9600", '4: links.a: unknown key "badu"; did you mean baud? allowed: type, port, baud, framing, echo, modem, pad, timeout'),
    ("type: sim", "type: serial, port: 'sockets://x:1'", '4: links.a.port: "sockets://x:1" is not a URL that pyserial knows; did you mean socket? allowed: a device name or one of alt://, cp2110://, hwgrep://, loop://, rfc2217://, socket://, spy://'),
    ("type: sim", "type: serial, port: ~", "4: links.a.port: nothing is not text"),
    ("host: gateway", "host: gateway, port: 0", "5: links.b.port: 0 is outside 1..65535"),
    ("host: gateway", "host: gateway, port: 65536", "5: links.b.port: 65536 is outside 1..65535"),
    ("host: gateway", "host: gateway, port: 1:30", '5: links.b.port: "1:30" is not a whole number'),
    ("host: gateway", "host: gateway, port: '502'", '5: links.b.port: "502" is not a whole number; write it without quotes'),
    ("host: gateway", "host: '127.0.0.1:502'", '5: links.b.host: "127.0.0.1:502" holds a port; write host: 127.0.0.1 and port: 502'),
    ("host: gateway", "host: http://gateway", '5: links.b.host: "http://gateway" is not a host name or an address'),
    ("host: gateway", "host: gateway, modbus: ascii", '5: links.b.modbus: "ascii" is not a Modbus framing; allowed: tcp, rtu'),
    ("type: tcp, host: gateway", "type: rfc2217, host: gateway", "5: links.b: needs either url, or host and port"),
    ("type: tcp, host: gateway", "type: rfc2217, host: x, url: 'rfc2217://x:1'", "5: links.b: needs either url, or host and port"),
    ("type: tcp, host: gateway", "type: rfc2217, url: 'telnet://x:1'", '5: links.b.url: "telnet://x:1" is not an RFC 2217 URL; write it as in rfc2217://192.0.2.7:4001'),
    ("type: tcp, host: gateway", "type: rfc2217, url: 'rfc2217://x:99999'", '5: links.b.url: "rfc2217://x:99999" is not an RFC 2217 URL; write it as in rfc2217://192.0.2.7:4001'),
    ("  a: {", "  a b: {", f'4: links."a b": "a b" {ID}'),
]  # fmt: skip

DEVICES = [
    ("PM850", "PM855", f'8: devices.new.model: "PM855" is not a known model; did you mean PM850? allowed: {MODELS}'),
    ("PM850", "pm850", f'8: devices.new.model: "pm850" is not a known model; did you mean PM850? allowed: {MODELS}'),
    ("PM850", "A1140", "8: devices.new: an A1140 has an outstation; remove: address"),
    ("PM850, link: b, address: 1", "A1140, link: a", "8: devices.new.link: an A1140 cannot share link a with devices.old (line 7)"),
    ("PM850, link: b, address: 1", "A1140, link: b, outstation: 94", '8: devices.new.outstation: 94 is a number, and its leading zeros are lost; write it as in "094"'),
    ("PM850, link: b, address: 1", "A1140, link: b, outstation: 09-4", '8: devices.new.outstation: "09-4" is not an outstation: up to 32 digits, letters and blanks (IEC 62056-21, 6.3.1)'),
    ("PM850, link: b, address: 1", "A1140, link: b, password: FEDC0003", "8: devices.new.password: write {env: NAME}, the environment variable that holds the password, or simulated"),
    ("PM850, link: b, address: 1", "A1140, link: b, wake: slowly", '8: devices.new.wake: "slowly" is not a wake-up; did you mean slow? allowed: slow, fast'),
    ("PM850, link: b", "PM850, link: b, wake: slow", "8: devices.new: a PM850 has an address; remove: wake"),
    ("PM850, link: b", "PM850, link: b, outstation: '1'", "8: devices.new: a PM850 has an address; remove: outstation"),
    (", address: 1", "", "8: devices.new: address is missing"),
    ("address: 1", "address: 0", "8: devices.new.address: 0 is outside 1..247"),
    ("address: 1", "address: 248", "8: devices.new.address: 248 is outside 1..247"),
    ("address: 1", "address: 094", '8: devices.new.address: "094" is not a whole number; write 94'),
    ("address: 1", "address: 1.0", "8: devices.new.address: 1.0 is not a whole number"),
    ("address: 1", "address: true", "8: devices.new.address: true is not a whole number"),
    ("address: 1", "adress: 1", f'8: devices.new: unknown key "adress"; did you mean address? allowed: {DEVICE_KEYS}'),
    ("link: b", "link: bb", '8: devices.new.link: there is no link "bb"; did you mean b? the station has: a, b'),
    ("link: b", "link: lan", '8: devices.new.link: there is no link "lan"; the station has: a, b'),
    ("link: b, address: 1", "link: a, address: 3", "8: devices.new.address: address 3 on link a already belongs to devices.old (line 7)"),
    ("  new: {", "  old: {", "8: devices.old: given twice, first on line 7"),
    ("address: 1", "address: 1, address: 2", "8: devices.new.address: given twice, first on line 8"),
    ("address: 1", "address: 1, protection: sacrifical", '8: devices.new.protection: "sacrifical" is not a protection; did you mean sacrificial? allowed: read-only, sacrificial'),
    ("address: 1", "address: 1, protection: no", '8: devices.new.protection: "no" is not a protection; allowed: read-only, sacrificial'),
    ("address: 1", "address: 1, serial: old", '8: devices.new.serial: "old" already means devices.old (line 7)'),
    ("address: 1", "address: 1, identity: {model: x}", '8: devices.new.identity: unknown key "model"; allowed: product_id, vendor, name, revision'),
    ("address: 1", "address: 1, identity: {product_id: 70000}", "8: devices.new.identity.product_id: 70000 is outside 0..65535"),
    ("address: 1", "address: 1, power: {type: command}", "8: devices.new.power: needs either cycle, or both off and on"),
    ("address: 1", "address: 1, power: {type: command, off: x}", "8: devices.new.power: needs either cycle, or both off and on"),
    ("address: 1", "address: 1, power: {type: command, cycle: x, on: y}", "8: devices.new.power: needs either cycle, or both off and on"),
    ("address: 1", "address: 1, power: {type: relay, cycle: x}", '8: devices.new.power.type: "relay" is not a power control; allowed: command'),
    ("address: 1", "address: 1, power: off", '8: devices.new.power: must be a mapping, not "off"'),
    ("address: 1", "address: 1, power: {type: command, cycle: relay 'four}", '8: devices.new.power.cycle: "relay \'four" is no command: no closing quotation'),
    ("address: 1", "address: 1, load: {type: command, set: \"source '{watts}\"}", '8: devices.new.load.set: "source \'{watts}" is no command: no closing quotation'),
    ("address: 1", "address: 1, load: {type: command, set: source 5}", '8: devices.new.load.set: "source 5" lacks the placeholder {watts}, which stands for the power to set'),
    ("address: 1", "address: 1, load: {type: command, sett: x}", '8: devices.new.load: unknown key "sett"; did you mean set? allowed: type, set'),
    ("address: 1", "address: 1, simulate: {}", "8: devices.new.simulate: only a device on a sim link is simulated, and link b is of type tcp"),
    ("address: 3", "address: 3, simulate: {load: 5 kg}", '7: devices.old.simulate.load: "5 kg" has the unit "kg"; a power has one of mW, W, kW, MW'),
    ("address: 3", "address: 3, simulate: {load: 5 mw}", '7: devices.old.simulate.load: "5 mw" has the unit "mw"; a power has one of mW, W, kW, MW; did you mean mW or MW?'),
    ("address: 3", "address: 3, simulate: {power_factor: 0}", "7: devices.old.simulate.power_factor: 0 is no power factor; allowed: -1..1 without 0, negative when leading"),
    ("address: 3", "address: 3, simulate: {power_factor: 92 %}", '7: devices.old.simulate.power_factor: "92 %" is not a decimal number'),
    ("address: 3", "address: 3, simulate: {energies: {real: 1}}", f'7: devices.old.simulate.energies: unknown key "real"; allowed: {ENERGIES}'),
    ("address: 3", "address: 3, simulate: {energies: {real_energy_in: 10000000000000000}}", "7: devices.old.simulate.energies.real_energy_in: 10000000000000000 is outside -9999999999999999..9999999999999999"),
    ("address: 3", "address: 3, simulate: {ct: {primary: 400, secondary: 2}}", "7: devices.old.simulate.ct.secondary: 2 is not a CT secondary current; allowed: 1, 5"),
    ("address: 3", "address: 3, simulate: {ct: 400/5}", '7: devices.old.simulate.ct: must be a mapping, not "400/5"'),
    ("address: 3", "address: 3, simulate: {pt: {primary: 400, secondary: 400}}", "7: devices.old.simulate.pt.secondary: 400 is not a PT secondary voltage; allowed: 100, 110, 115, 120"),
    ("address: 3", "address: 3, simulate: {profile: {rollover: {a: 1}}}", "7: devices.old.simulate.profile.rollover: a mapping is neither a single value nor a list of them"),
    ("address: 3", "address: 3, simulate: {profile: {rollover: stop}}", "7: devices.old.simulate.profile.rollover: profile value rollover is one of wrap, saturate, not 'stop'"),
    ("address: 3", "address: 3, simulate: {profile: {atomic_block_read: 1}}", "7: devices.old.simulate.profile.atomic_block_read: profile value atomic_block_read is true or false, not 1"),
    ("address: 3", "address: 3, simulate: {profile: {exec_delay: 2 hours}}", "7: devices.old.simulate.profile.exec_delay: '2 hours' is no duration: a number with ms, s or min"),
    ("address: 3", "address: 3, simulate: {defects: [D04, D4]}", f'7: devices.old.simulate.defects.1: there is no defect "D4"; did you mean D42? there are: {DEFECTS}'),
    ("  new: {", "  -new: {", f'8: devices.-new: "-new" {ID}'),
]  # fmt: skip


@pytest.mark.parametrize("case", [*TOP, *LINKS, *DEVICES], ids=lambda case: case[1].strip()[:60])
def test_one_mistake_is_one_line(tmp_path: Path, case: tuple[str, ...]) -> None:
    old, new, *expected = case
    assert old in RIGHT
    assert mistakes(tmp_path, RIGHT.replace(old, new, 1)) == expected


STRUCTURE: list[tuple[bytes | str, ...]] = [
    (b"", "1: the file is empty; a station file begins with schema: 1"),
    (b"# nothing but a comment\n", "1: the file is empty; a station file begins with schema: 1"),
    (b"---\n", "2: must be a mapping, not nothing"),
    (b"hello\n", '1: must be a mapping, not "hello"'),
    (b"- 1\n", "1: must be a mapping, not a list"),
    (b"schema: 1\nname: caf\xe9\n", "2: not UTF-8: byte E9; save the file as UTF-8"),
    ("schema: 1\n".encode("utf-16"), "1: not UTF-8: byte FF; save the file as UTF-8"),
    (b"schema: 1\nname: a\x00b\n", "2: not YAML: character U+0000 is not allowed"),
    (b"schema: 1\n---\nschema: 1\n", "2: a second document begins here; a station file is one document"),
    (b"schema: 1\nname: &n lab\n", "2: name: anchors (&) and aliases (*) are not supported; write the value out"),
    (b"schema: 1\nname: *n\n", "2: name: anchors (&) and aliases (*) are not supported; write the value out"),
    (b"schema: 1\nname: !!python/name:os.system x\n", '2: name: the tag "tag:yaml.org,2002:python/name:os.system" is not supported'),
    (b"schema: 1\n<<: {name: x}\n", "2: merge keys (<<) are not supported; write the entries out"),
    (b"schema: 1\n[a]: 1\n", "2: a key must be plain text"),
    (b"schema: 1\nlinks:\n  ? {a: 1}\n  : 1\n", "3: links: a key must be plain text"),
    (b"schema: 1\nname: " + b"[" * 5_000 + b"\n", "2: nested more than 16 deep"),
    (b"schema: 1\nname: " + b"x" * LARGEST_FILE, "1: larger than 1024 KiB; is this a station file?"),
    (b"schema: 1\nname: x\nlinks: {}\ndevices: {}\n", "3: links: must have at least one entry", "4: devices: must have at least one entry"),
]  # fmt: skip


@pytest.mark.parametrize("case", STRUCTURE, ids=lambda case: repr(case[0][:30]))
def test_what_is_no_station_file_at_all(tmp_path: Path, case: tuple[bytes | str, ...]) -> None:
    content, *expected = case
    assert mistakes(tmp_path, content) == expected


@pytest.mark.parametrize("parser", [yaml.SafeLoader, getattr(yaml, "CSafeLoader", None)], ids=["python", "libyaml"])
@pytest.mark.parametrize(
    ("content", "line"), [("a: 1\nb: [\n", 3), ("a: 1\n\tb: x\n", 2), ("a: 1\nb: 'x\n", 3), ("a: 1\nb: c: d\n", 2)]
)
def test_what_is_not_yaml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parser: type | None, content: str, line: int
) -> None:
    if parser is None:
        pytest.skip("this PyYAML was built without libyaml")
    monkeypatch.setattr(source, "_PARSER", parser)
    (told,) = mistakes(tmp_path, content)
    assert told.startswith(f"{line}: not YAML: ")


def test_an_alias_bomb_goes_off_nowhere(tmp_path: Path) -> None:
    bomb = "a: &a [x, x]\n" + "".join(f"{new}: &{new} [*{old}, *{old}]\n" for old, new in zip("abcdefgh", "bcdefghi"))  # noqa: B905  # the last has no next
    assert mistakes(tmp_path, bomb) == ["1: a: anchors (&) and aliases (*) are not supported; write the value out"]


def test_a_key_out_of_place_is_said_once_for_all_versions_to_come(tmp_path: Path) -> None:
    assert mistakes(tmp_path, "schema: 7\nname: x\nfleets: {}\n") == [
        "1: schema: 7 is not a schema of this release; allowed: 1"
    ]


def test_all_mistakes_come_at_once_in_the_order_of_the_lines(tmp_path: Path) -> None:
    text = RIGHT.replace("sim}", "sim, baud: 1}").replace("PM850", "PM85").replace("name: lab", "name: lab\nname: two")
    assert [line.split(" ")[:2] for line in mistakes(tmp_path, text)] == [
        ["3:", "name:"],
        ["5:", "links.a.baud:"],
        ["9:", "devices.new.model:"],
    ]


def test_an_entry_over_several_lines_is_wrong_where_it_is_wrong(tmp_path: Path) -> None:
    text = RIGHT.replace("link: b, address: 1", "link: b,\n        address: 300")
    assert mistakes(tmp_path, text) == ["9: devices.new.address: 300 is outside 1..247"]


class TestSharedPorts:
    """Two links that open one port are one device under two names, and a meter may be copied onto itself."""

    @pytest.mark.parametrize(
        ("first", "second", "end"),
        [
            ("{type: serial, port: COM3}", "{type: serial, port: com3}", "com3"),
            ("{type: serial, port: COM3}", r"{type: serial, port: '\\.\COM3'}", "com3"),
            ("{type: rfc2217, host: x, port: 4}", "{type: rfc2217, url: 'rfc2217://x:4'}", "rfc2217://x:4"),
            ("{type: serial, port: 'rfc2217://x:4'}", "{type: rfc2217, host: x, port: 4}", "rfc2217://x:4"),
        ],
    )
    def test_they_are_refused(self, tmp_path: Path, first: str, second: str, end: str) -> None:
        text = RIGHT.replace("{type: sim}", first).replace("{type: tcp, host: gateway}", second)
        assert mistakes(tmp_path, text) == [
            f"5: links.b: {end} is already used by links.a (line 4); put all its devices on one link"
        ]

    def test_two_names_of_one_file_are_one_port(self, tmp_path: Path) -> None:
        (tmp_path / "tty").touch()
        (tmp_path / "by-id").symlink_to(tmp_path / "tty")
        text = RIGHT.replace("{type: sim}", f"{{type: serial, port: {tmp_path}/tty}}")
        text = text.replace("{type: tcp, host: gateway}", f"{{type: serial, port: {tmp_path}/by-id}}")
        assert mistakes(tmp_path, text) == [
            f"5: links.b: {tmp_path.resolve()}/tty is already used by links.a (line 4); put all its devices on one link"
        ]

    def test_a_tcp_port_takes_two_links_but_no_address_twice(self, tmp_path: Path) -> None:
        text = RIGHT.replace("{type: sim}", "{type: tcp, host: gw}").replace(
            "{type: tcp, host: gateway}", "{type: tcp, host: GW}"
        )
        file = tmp_path / "lab.yaml"
        file.write_text(text.replace("address: 1", "address: 9"))
        assert len(load_station(file).links) == 2
        both = text.replace("address: 1", "address: 3")
        assert [line for line in mistakes(tmp_path, both) if "already belongs" in line]

    def test_two_simulated_lines_are_two_lines(self, tmp_path: Path) -> None:
        file = tmp_path / "lab.yaml"
        file.write_text(RIGHT.replace("{type: tcp, host: gateway}", "{type: sim}"))
        assert len(load_station(file).links) == 2


def test_a_point_to_point_line_has_one_device(tmp_path: Path) -> None:
    text = RIGHT.replace("{type: sim}", "{type: sim, medium: rs232}").replace("link: b", "link: a")
    assert mistakes(tmp_path, text) == [
        "8: devices.new.link: link a is point to point (rs232) and already leads to devices.old (line 7)"
    ]


def test_two_devices_with_one_serial_number(tmp_path: Path) -> None:
    text = RIGHT.replace("address: 3", "address: 3, serial: 4411").replace("address: 1", "address: 1, serial: '4411'")
    assert mistakes(tmp_path, text) == ['8: devices.new.serial: "4411" already means devices.old (line 7)']


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        load_station(tmp_path / "gone.yaml")
    assert str(error.value) == f"{tmp_path}/gone.yaml:1: there is no such file"
    assert error.value.exit is Exit.USAGE
    assert (error.value.file, error.value.line) == (f"{tmp_path}/gone.yaml", 1)


def test_a_directory(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        load_station(tmp_path)
    assert str(error.value) == f"{tmp_path}:1: this is a directory; name the station file in it"


@pytest.mark.parametrize("name", ["a\0b", "x" * 5_000, "lab.yaml/inside"])
def test_a_name_that_no_file_can_have(tmp_path: Path, name: str) -> None:
    (tmp_path / "lab.yaml").write_text(RIGHT)
    with pytest.raises(UsageError, match="cannot be read: "):
        load_station(tmp_path / name)


def test_a_key_that_would_break_the_line_is_quoted(tmp_path: Path) -> None:
    (line,) = mistakes(tmp_path, RIGHT.replace("address: 1", 'address: 1, "a\\nb": 1'))
    assert line.startswith('8: devices.new: unknown key "a\\nb"; allowed: ')


def test_a_long_value_is_shortened(tmp_path: Path) -> None:
    (line,) = mistakes(tmp_path, RIGHT.replace("PM850", "P" * 1_000))
    assert len(line) < 250
    assert 'PPP..." is not a known model' in line


DOCUMENT = (Path(__file__).parents[2] / "docs" / "stations.md").read_text("utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)
REFUSALS = {text.partition(".yaml")[0]: text for text in re.findall(r"```text\n(.*?)```", DOCUMENT, re.DOTALL)}


@pytest.mark.parametrize("text", EXAMPLES, ids=lambda text: text.split("name: ")[1].split("\n")[0])
def test_the_examples_of_the_documentation_are_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    name = text.split("name: ")[1].split("\n", maxsplit=1)[0]
    monkeypatch.chdir(tmp_path)
    Path(f"{name}.yaml").write_text(text)
    if name not in REFUSALS:
        assert load_station(Path(f"{name}.yaml")).name == name
        return
    with pytest.raises(StationFileError) as error:
        load_station(Path(f"{name}.yaml"))
    assert f"{error.value}\n" == REFUSALS[name]


def test_the_documentation_names_every_key() -> None:
    definitions = station_schema()["$defs"].values()
    keys = {key for definition in [station_schema(), *definitions] for key in definition["properties"]}
    assert {key for key in keys if f"`{key}`" not in DOCUMENT and f"{key}:" not in DOCUMENT} <= {"on", "off"}
