from __future__ import annotations

import re
import subprocess
import sys
from decimal import Decimal
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from bench.evidence import Evidence, RunFacts, ScenarioRecord, Step
from bench.measure import Measure, Unit
from bench.measurement import Measurement
from bench.reports import html
from bench.reports.html import render
from bench.reports.run import load
from bench.reports.wire import FIRST_EVENTS, LAST_EVENTS
from bench.trace import TraceWriter
from bench.verdicts import Verdict
from protocols.modbus.frames import encode_rtu

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = """<script>alert('x')</script>"><img src=http://evil.example/x onerror=alert(1)>"""


class Page(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.targets: list[str] = []
        self.ids: list[str] = []
        self.handlers: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "br", "img", "link", "input"):
            self.open.append(tag)
        for name, value in attrs:
            if name in ("href", "src", "action", "data", "xlink:href"):
                self.targets.append(value or "")
            elif name == "id":
                self.ids.append(value or "")
            elif name.startswith("on"):
                self.handlers.append(name)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def run_folder(folder: Path, text: str = "voltage", events: int = 3) -> Path:
    """A run of four scenarios with `text` wherever somebody else may choose it."""
    evidence = Evidence(folder, durable=False)
    devices = {text: {"model": "PM850", "address": 1}}
    evidence.begin(RunFacts(station=text, host="virtual", resolved={"devices": devices}, seed=7, argv=["run", text]))
    evidence.identify(text, serial=text)
    evidence.audit("write registers", device=text, t=5, address=8022, words=[1, 2], why=text)
    for old in ("CM2350", "CM3350"):
        for new in ("PM850", "CM4250"):
            evidence.scenario(*scenario(evidence, f"scenarios/a/test_b.py::test_c[{old}-{new}]", text, events))
    evidence.close(digest="d1", exit=1)
    return folder


def scenario(evidence: Evidence, node: str, text: str, events: int) -> tuple[ScenarioRecord, list[Measurement]]:
    measure = Measure(node, lambda: 1_500_000_000)
    measure(text, Decimal("1234567.8"), Unit.WH, device=text, expanded_u=Decimal("0.5"), note=text).between(0, 10)
    measure(text, text).is_(text)
    measure.not_determinable(text, f"no power control: {text}", text)
    taken = TraceWriter(node, text, model=text, link={"type": text})
    for k in range(events):
        taken.tx(k * 1_000_000_000, bytes([1, 3, k % 256]))
    trace = evidence.trace(taken)
    record = ScenarioRecord(
        scenario=node, title=text, outcome="failed", verdict=measure.worst, reason=text, start="1.0", end="3601.0",
        devices=(text,), traces=(trace or "",), steps=(Step(text, "1.0", "2.0", text),),
    )  # fmt: skip
    return record, measure.flush()


def words(page: str) -> str:
    """What a reader sees; digit groups are a matter of style and leave no space."""
    body = re.sub(r"</?i>", "", page.partition("</style>")[2])
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>|&nbsp;", " ", body))


def test_the_page_is_a_pure_function_of_the_run_folder(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "e")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert render(load(folder)) == render(load(folder))
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_no_foreign_host_no_script_and_no_broken_link(tmp_path: Path) -> None:
    text = render(load(run_folder(tmp_path / "e")))
    page = Page(text)
    assert "//" not in text
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(page.tags)
    assert page.targets
    assert all(target.startswith("#") and target[1:] in page.ids for target in page.targets)
    assert len(page.ids) == len(set(page.ids))
    assert page.open == []
    assert "default-src 'none'" in text


def test_hostile_names_stay_words(tmp_path: Path) -> None:
    text = render(load(run_folder(tmp_path / "e", HOSTILE)))
    page = Page(text)
    assert not {"script", "img"} & set(page.tags)
    assert page.handlers == []
    assert all(target.startswith("#") for target in page.targets)
    assert HOSTILE not in text
    assert "&lt;script&gt;" in text


def test_the_page_says_what_a_meeting_wants_to_know(tmp_path: Path) -> None:
    run = load(run_folder(tmp_path / "e"))
    told = words(render(run))
    for fact in (
        "Failed",
        "4 of 4 scenarios failed; 4 checks failed, 4 passed, 4 not determinable.",
        "no power control: voltage",
        "Seed 7",
        "Digest d1",
        f"Seal of the evidence {run.seal}",
        "passes only if value ± U lies wholly inside",
        "from ↓ to → PM850 CM4250",
        "1234567.8",
        "0 … 10",
        "0.5 k=2",
        "1 h 0 min",
        "address 8022 words 1 2",
        "01 03 00",
    ):
        assert fact in told, fact


def test_what_failed_comes_first(tmp_path: Path) -> None:
    told = words(render(load(run_folder(tmp_path / "e"))))
    assert told.index("To look at first") < told.index("What the station could not tell") < told.index("Scenarios Each")


def failed_run(folder: Path, *, value: bool = True, answer: str = "", reason: str = "out of limits\nFAIL") -> Path:
    """A run whose only scenario failed: it read something twice at 1 s and 2 s, and judged at 2 s."""
    evidence = Evidence(folder, durable=False)
    evidence.begin(RunFacts(station="lab", host="virtual", resolved={"devices": {"new": {"model": "PM850"}}}))
    taken = TraceWriter("a.py::test_b", "new", model="PM850")
    for t in (1, 2):
        taken.tx(t * 1_000_000_000 - 5_000_000, encode_rtu(1, b"\x03\x1f\x54\x00\x01"))
        taken.rx(t * 1_000_000_000, bytes.fromhex(answer) or encode_rtu(1, b"\x03\x02\x00" + bytes([80 + t])))
    taken.tx(3_000_000_000, encode_rtu(1, b"\x06\x1f\x50\x00\x00"))
    measure = Measure("a.py::test_b", lambda: 2_000_000_000)
    if value:
        measure("result word", 82, device="new").is_(0)
    evidence.scenario(
        ScenarioRecord(scenario="a.py::test_b", outcome="failed", verdict=Verdict.FAIL, reason=reason,
                       devices=("new",), traces=(evidence.trace(taken) or "",)), measure.flush()
    )  # fmt: skip
    evidence.close(digest="", exit=1)
    return folder


def test_the_page_shows_where_a_failed_value_was_read(tmp_path: Path) -> None:
    text = render(load(failed_run(tmp_path / "e")))
    _, point = re.findall(r'(?s)<div class="point">.*?</div></div>', text)  # the first: nobody wrote that 81 there
    before, here = point.split('<tbody class="here">')
    assert "result word was read here" in before
    assert "8021 = 81" in before
    assert "read 8021" in here
    assert "8021 = 82" in here
    assert "8017" not in point
    assert "out of limits" not in text  # the table says it


def test_the_page_shows_the_first_answer_that_no_healthy_meter_gives(tmp_path: Path) -> None:
    folder = tmp_path / "e"
    told = [sys.executable, "-m", "bench", "run", "energy_preset/test_transfer.py", "--device", "cm2350", "--device",
            "new-pm850", "--defect", "new-pm850:D11", "--evidence", str(folder)]  # fmt: skip
    assert subprocess.run(told, cwd=tmp_path, capture_output=True, check=False).returncode == 1
    text = render(load(folder))
    point = re.search(r'(?s)<div class="point">.*?</div></div>', text)
    assert point is not None
    assert "the first answer that no healthy PM850 gives" in point[0]
    assert "is 32767, and 0 belongs there" in point[0]
    assert "8021 = 32767" in point[0].split('<tbody class="here">')[1]


def test_the_page_shows_what_ended_a_scenario(tmp_path: Path) -> None:
    reason = "the device: no answer from unit 1"
    text = words(render(load(failed_run(tmp_path / "e", value=False, reason=reason))))
    assert "it ended here , new: no answer came" in text
    assert "write pointer status (8017) := 0" in text
    assert reason in text


def test_what_is_masked_is_not_told_in_words(tmp_path: Path) -> None:
    folder = failed_run(tmp_path / "e")
    (file,) = (folder / "traces").iterdir()
    shown = encode_rtu(1, b"\x03\x02\x00\x52").hex()
    file.write_text(file.read_text().replace(shown, shown[:6] + "xxxx" + shown[10:]))
    text = render(load(folder))
    assert "01 03 02 xx xx" in text
    assert "8021 = 0" not in text


def test_devices_that_took_no_part_are_named_only(tmp_path: Path) -> None:
    evidence = Evidence(tmp_path / "e", durable=False)
    devices = {"new": {"model": "PM850"}, "spare": {"model": "CM4250"}}
    evidence.begin(RunFacts(station="lab", host="virtual", resolved={"devices": devices}))
    evidence.scenario(ScenarioRecord(scenario="a", outcome="passed", verdict=Verdict.PASS, devices=("new",)))
    evidence.close(digest="", exit=0)
    told = words(render(load(tmp_path / "e")))
    assert "new model PM850" in told
    assert "No part in this run had: spare." in told
    assert "CM4250" not in told


def test_a_broken_station_is_not_the_doing_of_the_device(tmp_path: Path) -> None:
    reason = "the station broke: a relay"
    folder = failed_run(tmp_path / "e", value=False, reason=reason)
    scenarios = folder / "scenarios.jsonl"
    scenarios.write_text(scenarios.read_text().replace('"outcome": "failed"', '"outcome": "error"'))
    text = render(load(folder))
    assert reason in text
    assert '<div class="point">' not in text


def test_the_words_of_a_trace_name_registers(tmp_path: Path) -> None:
    told = words(render(load(failed_run(tmp_path / "e"))))
    assert "unit 1: read 8021" in told
    assert "unit 1: 8021 = 82" in told


def test_a_long_trace_is_shown_from_both_ends(tmp_path: Path) -> None:
    text = render(load(run_folder(tmp_path / "e", events=1000)))
    assert f"… {1000 - FIRST_EVENTS - LAST_EVENTS} further events are in traces" in text
    assert re.sub(r'(?s)<div class="point">.*?</div></div>', "", text).count('<tr class="tx">') == 4 * (
        FIRST_EVENTS + LAST_EVENTS
    )
    assert "999.000000" in text


@pytest.mark.parametrize("events", [FIRST_EVENTS, FIRST_EVENTS + LAST_EVENTS])
def test_a_trace_that_just_fits_is_shown_whole(tmp_path: Path, events: int) -> None:
    assert "further events" not in render(load(run_folder(tmp_path / "e", events=events)))


def test_a_trace_that_is_gone_or_outside_is_said_to_be(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "e")
    (tmp_path / "secret").write_text("top secret")
    lines = (folder / "scenarios.jsonl").read_text("utf-8")
    first, second = re.findall(r"traces/[^\"]+", lines)[:2]
    (folder / first).unlink()
    (folder / "scenarios.jsonl").write_text(lines.replace(second, "../secret"), "utf-8")
    told = words(render(load(folder)))
    assert "cannot be shown: cannot be read: No such file" in told
    assert "../secret: cannot be shown: it lies outside the run folder" in told
    assert "top secret" not in told


def test_a_changed_folder_is_said_to_be_changed(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "e")
    assert "The evidence itself" not in words(render(load(folder)))
    path = folder / "measurements.jsonl"
    path.write_text(path.read_text("utf-8").replace('"fail"', '"pass"'), "utf-8")
    told = words(render(load(folder)))
    assert "The evidence itself measurements.jsonl: changed" in told


def test_a_killed_run_has_a_page_too(tmp_path: Path) -> None:
    evidence = Evidence(tmp_path / "e")
    evidence.begin(RunFacts(station="lab-3", host="real"))
    evidence.audit("write registers", device="new", address=8022)
    evidence.abandon()
    told = words(render(load(tmp_path / "e")))
    assert "Aborted" in told
    assert "aborted run: no run.json" in told
    assert "address 8022" in told


def test_digits_are_grouped_by_style_only() -> None:
    assert html._figures(1234567) == "<i>1</i><i>234</i><i>567</i>"
    assert html._figures("12345 … 200") == "<i>12</i><i>345</i> … 200"
    assert html._figures("<b>") == "&lt;b&gt;"
