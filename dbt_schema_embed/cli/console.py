"""What people see: results on stdout, everything else on stderr; a live line only on a terminal."""

import os
import shutil
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from dbt_schema_embed.colors import painted
from dbt_schema_embed.errors import printable

if TYPE_CHECKING:
    from dbt_schema_embed.decide.decisions import Changed

PATIENCE = 2.0
"""Seconds of one kind of work after which counts and the time left are shown."""

_REDRAW = 0.1
_WARNINGS = 20


def color_wanted(stream: TextIO) -> bool:
    """Whether ``stream`` is a terminal that shows colour, and nobody set NO_COLOR (https://no-color.org)."""
    return _is_terminal(stream) and not os.environ.get("NO_COLOR")


def _is_terminal(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM") != "dumb"


class Live:
    """Progress as one line on stderr that is drawn over; nothing at all where stderr is no terminal."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._alive = _is_terminal(self._stream) and not os.environ.get("CI")
        self._what = ""
        self._since = 0.0
        self._drawn = 0.0
        self._shown = ""

    def __call__(self, what: str, done: int = 0, total: int = 0) -> None:
        """Show that ``done`` of ``total`` are through."""
        if not self._alive:
            return
        now = time.monotonic()
        if what != self._what:
            self._what, self._since, self._drawn = what, now, 0.0
        if now - self._drawn >= _REDRAW:
            self._drawn = now
            self._draw(_line(what, done, total, now - self._since))

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            self._draw("")
        self._what = ""

    def _draw(self, line: str) -> None:
        cut = line[: max(20, shutil.get_terminal_size().columns - 1)]
        self._stream.write(f"\r\x1b[K{cut}")
        self._stream.flush()
        self._shown = cut


def _line(what: str, done: int, total: int, seconds: float) -> str:
    if not total or seconds < PATIENCE:
        return f"{what} ..."
    left = f", {_duration(seconds / done * (total - done))} left" if done else ""
    return f"{what}: {done:,} of {total:,}{left}"


def _duration(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole} s" if whole < 90 else f"{whole // 60} min {whole % 60:02} s"


live = Live()
"""The one live line of this process."""


def settle() -> None:
    """End the live line, so that what follows starts a line of its own."""
    live.clear()


def show(text: str, output: Path | None = None) -> None:
    """Print a result, or write it to the file ``output`` ("-": stdout)."""
    settle()
    if output is None or str(output) == "-":
        click.echo(text, nl=not text.endswith("\n"))
        return
    from dbt_schema_embed.pipeline import save

    save(output, text)
    say(f"wrote {printable(output)}")


def say(line: str) -> None:
    """A line about the work, on stderr."""
    settle()
    click.echo(line, err=True)


def say_written(names: Iterable[str], otherwise: str = "") -> None:
    """Which files were written, a line each; ``otherwise`` where there is none."""
    lines = [f"wrote {printable(name)}" for name in names]
    for line in lines or ([otherwise] if otherwise else []):
        say(line)


def say_changed(changed: "Changed", form: str, *, dry_run: bool = False, otherwise: str = "") -> None:
    """What a command changed: as JSON, as the diff of a dry run, or the files that were written."""
    if form == "json":
        from dbt_schema_embed.pipeline import json_text

        show(json_text(changed.to_dict()))
    elif dry_run:
        show(changed.diff or "nothing would change\n")
    else:
        say_written(changed.files, otherwise=otherwise)


def say_next(changed: "Changed", form: str, command: str) -> None:
    """The command that comes next, ready to paste, where files have changed and a person reads."""
    if changed.files and command and form != "json":
        say(f"next: {command}")


def warn(lines: Iterable[str]) -> None:
    """Warnings, a line each, on stderr."""
    every = list(lines)
    for line in every[:_WARNINGS]:
        say(painted("warning", "warning", color_wanted(sys.stderr)) + ": " + printable(line, 1000))
    if len(every) > _WARNINGS:
        say(painted("warning", "warning", color_wanted(sys.stderr)) + f": and {len(every) - _WARNINGS} more like these")


def complain(message: str, hint: str = "") -> None:
    """An error and what to do next, on stderr."""
    say(painted("error", "error", color_wanted(sys.stderr)) + ": " + _clean(message))
    if hint:
        say(f"  {_clean(hint)}")


def _clean(text: str) -> str:
    return "\n  ".join(printable(line, 2000) for line in text.splitlines())
