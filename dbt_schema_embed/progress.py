"""How far long work has come, told to whoever wants to show it."""

from collections.abc import Callable
from typing import Protocol

Counted = Callable[[int, int], object]
"""Is told how many of how many are done."""


class Progress(Protocol):
    """Is told what goes on. ``total`` 0: nobody knows how much there is."""

    def __call__(self, what: str, done: int = 0, total: int = 0) -> None:
        """``done`` of ``total`` things of ``what`` are through."""


def silent(what: str, done: int = 0, total: int = 0) -> None:
    """Progress that nobody looks at."""
