"""npm's smartmeter-obis with serialport (both MIT): 300 Bd, the option select, 9600 Bd, on a pty."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from flag_desk import OUTSTATIONS, SHOWN, flag_desk, of_clients, of_meters
from served_desk import npm

pytestmark = [pytest.mark.peer, pytest.mark.skipif(sys.platform != "linux", reason="ptys are served on Linux only")]
READER = Path(__file__).parent / "obis_reader.js"


@pytest.fixture(scope="module")
def node() -> str:
    return npm("smartmeter-obis", "serialport")


def read(node: str, port: str, address: str = "") -> dict[str, str]:
    done = subprocess.run([node, str(READER), port, address], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_it_reads_the_registers_of_both_models_and_the_checker_finds_nothing(node: str, tmp_path: Path) -> None:
    """It takes C.1.0 for 96.1.0 and F.F for 97.97; its raw values keep their zeros."""
    with flag_desk(tmp_path) as desk:
        read_out = {
            device: read(node, desk.url(device, "pty"), address)
            for device, address in (("head", OUTSTATIONS["A1140"]), ("slow-A1700", ""))
        }
    for found in read_out.values():
        assert {code: found[code] for code in SHOWN} == {code: f"{v}*{unit}" for code, (v, unit) in SHOWN.items()}
        assert found["97.97"] == "00000000"
    assert read_out["head"]["0.0.0"] == OUTSTATIONS["A1140"]
    for device in read_out:
        judged = desk.judged(device)
        assert of_meters(judged) == []
        assert of_clients(judged) == set()
        assert sum(judged.report.messages.values()) == 4, "request, identification, option select, readout"
