"""A call that may take only so long."""

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, call: Callable[[], T], *, stack: int = 0) -> T:
    """What ``call`` gives, in a thread of its own: looking a name up has no time limit, nor has a pipe.

    ``stack``: bytes for deep recursion; 0: as the system gives them.

    Raises:
        TimeoutError: it took longer; the thread is left to itself. What ``call`` raises passes through.
    """
    results: list[T] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as problem:  # handed over to the thread that waits
            failures.append(problem)

    thread = threading.Thread(target=run, name="deadline", daemon=True)  # daemon: Ctrl-C must end the process
    usual = threading.stack_size(stack)
    try:
        thread.start()
    finally:
        threading.stack_size(usual)
    thread.join(seconds)
    if failures:
        raise failures[0]
    if not results:
        raise TimeoutError(f"no full answer within {seconds:.1f} s")
    return results[0]
