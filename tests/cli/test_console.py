"""What is shown on a terminal, and what is not shown elsewhere."""

import io
import sys
from pathlib import Path

import pytest

from dbt_schema_embed.cli import console
from dbt_schema_embed.cli.console import Live, complain, show, warn


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "40")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, to be set."""
    now = [100.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: now[0])
    return now


def test_a_word_at_once_counts_after_a_while(clock: list[float]) -> None:
    stream = Terminal()
    live = Live(stream)
    live("Encoding texts", 0, 1000)
    clock[0] += 0.05
    live("Encoding texts", 10, 1000)  # too soon to draw again
    clock[0] += 2.0
    live("Encoding texts", 250, 1000)
    clock[0] += 200
    live("Encoding texts", 500, 1000)
    live("Matching")
    live.clear()
    live.clear()
    assert stream.getvalue().split("\r\x1b[K") == [
        "",
        "Encoding texts ...",
        "Encoding texts: 250 of 1,000, 6 s left",
        "Encoding texts: 500 of 1,000, 3 min 22 ",
        "Matching ...",
        "",
    ]


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"CI": "true"}])
def test_nothing_is_drawn_where_nobody_sees_it(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stream = Terminal()
    Live(stream)("Encoding texts", 1, 2)
    assert stream.getvalue() == ""


def test_nothing_is_drawn_into_a_pipe() -> None:
    stream = io.StringIO()
    Live(stream)("Encoding texts", 1, 2)
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("environment", "painted"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_colour_is_for_terminals_whose_people_want_it(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], painted: bool
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    complain("no")
    assert stream.getvalue() == ("\x1b[31merror\x1b[0m: no\n" if painted else "error: no\n")


def test_a_pipe_gets_plain_text(capsys: pytest.CaptureFixture[str]) -> None:
    complain("no", "do\nthis")
    assert capsys.readouterr().err == "error: no\n  do\n  this\n"


def test_many_warnings_are_cut(capsys: pytest.CaptureFixture[str]) -> None:
    warn(f"line {number}\x07" for number in range(25))
    lines = capsys.readouterr().err.splitlines()
    assert (lines[0], lines[-1], len(lines)) == ("warning: line 0", "warning: and 5 more like these", 21)


def test_a_result_ends_in_one_line_break(capsys: pytest.CaptureFixture[str]) -> None:
    show("a")
    show("b\n")
    assert capsys.readouterr().out == "a\nb\n"


def test_a_result_goes_to_a_file_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show("a\n", tmp_path / "deep" / "a.txt")
    assert (tmp_path / "deep" / "a.txt").read_text() == "a\n"
    assert capsys.readouterr().out == ""
