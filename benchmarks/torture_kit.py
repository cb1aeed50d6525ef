"""What benchmarks/torture.py and its kinds of work share."""

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass
class Tally:
    """What came of some kills."""

    acknowledged: int = 0  # writes that the killed processes had said were done
    losses: int = 0
    wrong: int = 0
    kills: int = 0  # of processes that were at work

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.acknowledged + other.acknowledged,
            self.losses + other.losses,
            self.wrong + other.wrong,
            self.kills + other.kills,
        )


class Work(Protocol):
    """A kind of writing that is interrupted."""

    title: str

    def kill(self, number: int) -> Tally:
        """Start it, kill it, and look at what it left. ``number`` counts from 0."""

    def end(self) -> Tally:
        """What is to hold after the last kill."""


class Doomed:
    """A process of ``python file arguments`` that prints the number of each write that is done, until it is killed."""

    def __init__(self, file: str, *arguments: str) -> None:
        self._process = subprocess.Popen([sys.executable, file, *arguments], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.acknowledged = [int(self._process.stdout.readline())]  # it is at work from here on

    def kill(self) -> None:
        """Kill it, and read what it said before its death."""
        self._process.kill()
        out, _ = self._process.communicate()
        self.acknowledged += [int(line) for line in out.split()]


def until(seconds: float, meanwhile: Callable[[], object] = lambda: time.sleep(0.001)) -> None:
    """Do ``meanwhile`` again and again for so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        meanwhile()
