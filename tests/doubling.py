"""Readers take time in proportion to what they read: an input twice as long may take 2.5 times as long, no more."""

import gc
import time
from collections.abc import Callable

MOST = 2.5
_NOISE = 0.05
"""Seconds below which a time says nothing."""
_TRIES = 3


def assert_linear(work: Callable[[int], object], size: int) -> None:
    """Run ``work`` on inputs of ``size`` and twice that, thrice each; the best counts, in seconds of this thread.

    Busy neighbours slow one of the two by half at times, but not each of three tries: what is quadratic fails them all.
    """
    told = ""
    for _ in range(_TRIES):
        single, double = (min(_seconds(work, n) for _ in range(3)) for n in (size, 2 * size))
        if double <= MOST * max(single, _NOISE):
            return
        told = f"{size}: {single:.3f} s, twice that: {double:.3f} s"
    raise AssertionError(told)


def _seconds(work: Callable[[int], object], size: int) -> float:
    gc.disable()  # as timeit does: a collection looks through all that other tests have left
    try:
        start = time.thread_time()
        work(size)
        return time.thread_time() - start
    finally:
        gc.enable()
