"""The profile file: whole or not at all, the same bytes for the same run, no secrets, and a station can take it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from characterised import SERIAL, ask, content_of, station

from bench import cli
from bench.characterisation.profile_file import write_whole
from bench.errors import StationError, UsageError
from bench.station import StationFileError, load_station

FAST = "characterisation/test_identity.py"
OTHERWISE = {"vendor_label": 1, "most_registers": 100, "undefined_read": "refuse"}


def test_the_same_run_writes_the_same_bytes(tmp_path: Path) -> None:
    lab = station(tmp_path)
    _, first = ask(lab, to="first.yaml")
    _, second = ask(lab, to="second.yaml")
    assert first.read_text("utf-8").replace("first.yaml", "second.yaml") == second.read_text("utf-8")


def test_it_says_of_what_how_and_when(tmp_path: Path) -> None:
    _, file = ask(station(tmp_path), FAST)
    content = content_of(file)
    assert file.read_text("utf-8").startswith("# What one meter does where no document says it")
    assert content["of"]["model"] == "PM850"
    assert content["of"]["firmware"] == "V12.200"
    assert content["measured"]["host"] == "virtual"
    entry = content["profile"]["clock_drift_ppm"]
    assert entry["value"] == 12
    assert entry["uncertainty"] == "+- 1 ppm"
    assert entry["how"].startswith("two steps of the clock, 86400 s apart")
    assert entry["when"].startswith("virtual time ")
    assert content["undetermined"]["exec_delay"] == "not asked in this run"
    assert content["link"]["turnaround"]["value"] == "21 ms"


def test_the_serial_number_is_not_in_it(tmp_path: Path) -> None:
    _, file = ask(station(tmp_path), FAST)
    assert SERIAL not in file.read_text("utf-8")
    assert content_of(file)["of"]["serial"].startswith("pbkdf2-sha256 100000 ")


def test_a_station_takes_it(tmp_path: Path) -> None:
    """What was found out about one meter makes the next simulated one behave so."""
    _, file = ask(station(tmp_path, profile=OTHERWISE), FAST)
    second = tmp_path / "second"
    second.mkdir()
    lab = station(second, profile="../found.yaml")
    simulate = load_station(lab).devices["meter"].simulate
    assert simulate is not None
    assert OTHERWISE.items() <= simulate.profile.items()
    _, again = ask(lab, FAST)
    assert content_of(again)["profile"].keys() == content_of(file)["profile"].keys()
    assert {name: content_of(again)["profile"][name]["value"] for name in OTHERWISE} == OTHERWISE


def test_an_earlier_file_stays_unless_it_may_go(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lab = station(tmp_path)
    (tmp_path / "found.yaml").write_text("mine", "utf-8")
    code, file = ask(lab, FAST)
    assert (code, file.read_text("utf-8")) == (4, "mine")
    assert capsys.readouterr().err == f"{file}: there is a file already; add --force to replace it\n"
    code, file = ask(lab, FAST, "--force")
    assert code == 0
    assert content_of(file)["of"]["model"] == "PM850"


def test_what_the_disk_refuses_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "found.yaml"
    file.write_text("old", "utf-8")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StationError, match="the profile cannot be written: No space left"):
        write_whole(file, "new", overwrite=True)
    assert [path.read_text("utf-8") for path in tmp_path.iterdir()] == ["old"]


def test_a_file_that_came_meanwhile_stays(tmp_path: Path) -> None:
    file = tmp_path / "found.yaml"
    file.write_text("theirs", "utf-8")
    with pytest.raises(UsageError, match="there is a file already"):
        write_whole(file, "new", overwrite=False)
    assert [path.read_text("utf-8") for path in tmp_path.iterdir()] == ["theirs"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--write-profile", "p.yaml"],
            "--write-profile writes the profile of one meter: add --device ID, one of",
        ),
        (["--write-profile", "no/p.yaml", "--device", "new-pm850"], "no/p.yaml: no file can be written there"),
        (["--also-ask", "brick"], "--also-ask brick: there is no such question; there are: revenue-lock (locks"),
        (["--watch-clock", "long"], '--watch-clock: "long" is not a duration'),
    ],
)
def test_wrong_usage_is_one_line_before_anything_happens(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.call(["run", "characterisation", *words]) == 4
    shown = capsys.readouterr()
    assert shown.err.startswith(said)
    assert (shown.err.count("\n"), list(tmp_path.iterdir())) == (1, [])


def test_nothing_found_out_writes_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, file = ask(station(tmp_path), "reading/test_identity.py")
    assert (code, file.exists()) == (0, False)
    assert f"profile: {file} is not written, nothing was found out" in capsys.readouterr().out


# -- files that a station does not take --------------------------------------------------------------------------------

HEAD = "format: meterbench-profile\nversion: 1\nof: {model: PM850}\n"
WRONG: list[tuple[str, Any]] = [
    ("", "1: the file is empty; a profile file begins with format: meterbench-profile"),
    ("[]", "1: a profile file is a mapping and not a list"),
    ("schema: 1", "1: format: must begin with format: meterbench-profile and version: 1"),
    (HEAD + "profil: {}", '4: unknown key "profil"; did you mean profile? allowed: format, version, of, measured'),
    (HEAD + "profile:", "4: profile: must be a mapping, not nothing"),
    (HEAD + "profile: {rollover: stop}", "4: profile.rollover: profile value rollover is one of wrap, saturate, not"),
    (HEAD + "profile:\n  boot: {value: soon}", "5: profile.boot: 'soon' is no duration: a number with ms, s or min"),
    (HEAD + "profile:\n  boot: {how: so}", "5: profile.boot: value is missing"),
    (HEAD + "profile:\n  boot: {value: 1 s, sure: yes}", '5: profile.boot: unknown key "sure"'),
    (HEAD + "profile: {boots: 1 s}", "4: profile.boots: unknown profile value 'boots'; known: "),
    (HEAD + "profile: {boot: 1 s}\nprofile: {boot: 2 s}", "5: profile: given twice, first on line 4"),
    (HEAD.replace("PM850", "CM4250") + "profile: {}", "3: of.model: this is the profile of a CM4250, and the"),
    (HEAD.replace("PM850", "PM85O") + "profile: {}", '3: of.model: "PM85O" is not a known model; did you mean PM850?'),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), WRONG, ids=lambda value: value.splitlines()[-1] if value else "empty")
def test_what_is_wrong_with_a_profile_file_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "pm850.yaml").write_text(text, "utf-8")
    with pytest.raises(StationFileError) as caught:
        load_station(station(tmp_path, profile="pm850.yaml"))
    assert str(caught.value).startswith(f"{tmp_path / 'pm850.yaml'}:{said}")


def test_a_profile_of_the_same_family_and_bare_values_will_do(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        HEAD.replace("PM850", "PM820") + "profile: {boot: 3 s, clear_command: true, product_name: PM820}", "utf-8"
    )
    simulate = load_station(station(tmp_path, profile="p.yaml")).devices["meter"].simulate
    assert simulate is not None
    assert simulate.profile == {"boot": "3 s", "clear_command": True}  # it stays a PM850


def test_a_profile_file_that_is_not_there_is_told_on_the_line_of_its_name(tmp_path: Path) -> None:
    lab = station(tmp_path, profile="gone.yaml")
    line = 1 + next(n for n, text in enumerate(lab.read_text("utf-8").splitlines()) if "gone.yaml" in text)
    with pytest.raises(StationFileError) as caught:
        load_station(lab)
    assert str(caught.value).startswith(f"{lab}:{line}: devices.meter.simulate.profile: there is no profile file ")
