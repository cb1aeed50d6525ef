"""Readers take time in proportion to what they read: an input twice as long may take 2.5 times as long, no more.

Asked of three doublings at once: linear is 8 times as long and quadratic 64 times, so that busy neighbours do not
decide: the limit is 15.6.
"""

import gc
import time
from collections.abc import Callable

MOST = 2.5
_DOUBLINGS = 3
_NOISE = 0.005
"""Seconds below which a time says nothing."""
_TRIES = 3


def assert_linear(work: Callable[[int], object], size: int) -> None:
    """Run ``work`` on inputs of ``size / 4`` and of ``2 * size``, thrice each; the best counts (seconds of thread)."""
    told = ""
    for _ in range(_TRIES):
        short, long = (min(_seconds(work, n) for _ in range(3)) for n in (size // 4, 2 * size))
        if long <= MOST**_DOUBLINGS * max(short, _NOISE):
            return
        told = f"{size // 4}: {short:.3f} s, eight times that: {long:.3f} s"
    raise AssertionError(told)


def _seconds(work: Callable[[int], object], size: int) -> float:
    gc.disable()  # as timeit does: a collection looks through all that other tests have left
    try:
        start = time.thread_time()
        work(size)
        return time.thread_time() - start
    finally:
        gc.enable()
