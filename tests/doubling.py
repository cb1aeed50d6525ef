"""Readers take time in proportion to what they read: an input twice as long may take 2.5 times as long, no more."""

import gc
import time
from collections.abc import Callable

MOST = 2.5
_NOISE = 0.05
"""Seconds below which a time says nothing."""


def assert_linear(work: Callable[[int], object], size: int) -> None:
    """Run ``work`` on inputs of ``size`` and twice that, thrice each; the best counts, in seconds of this thread."""
    single, double = (min(_seconds(work, n) for _ in range(3)) for n in (size, 2 * size))
    assert double <= MOST * max(single, _NOISE), f"{size}: {single:.3f} s, twice that: {double:.3f} s"


def _seconds(work: Callable[[int], object], size: int) -> float:
    gc.disable()  # as timeit does: a collection looks through all that other tests have left
    try:
        start = time.thread_time()
        work(size)
        return time.thread_time() - start
    finally:
        gc.enable()
