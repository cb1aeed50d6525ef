"""What a forked child must do over: only the forking thread comes along, and locks that others held stay locked."""

import os
import threading
from typing import Any
from weakref import WeakSet

_LOCKS: "WeakSet[Any]" = WeakSet()


def new_lock() -> threading.Lock:
    """A lock that is free in a forked child, whoever held it in the parent."""
    lock = threading.Lock()
    _LOCKS.add(lock)
    return lock


def _free() -> None:
    for lock in list(_LOCKS):
        lock._at_fork_reinit()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_free)
