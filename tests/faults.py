"""Calls of the operating system that fail when a test wants them to."""

import mmap
import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest

WRITES = ("open", "write", "fsync", "replace", "mkdir", "unlink")
"""Calls that only what writes makes; reading opens files in another way."""

CALLS = (*WRITES, "close", "fchmod", "fchown", "stat", "lstat", "rmdir", "scandir", "mmap", "read_bytes")


class Faults:
    """Counts ``calls`` and lets the ``fail_at``-th fail. A write that fails has written half, a close has closed."""

    def __init__(self, patch: pytest.MonkeyPatch, fail_at: int, error: int, calls: Collection[str] = CALLS) -> None:
        self.calls, self.fail_at, self.error, self.failed = 0, fail_at, error, ""
        for name in calls:
            if name == "mmap":
                patch.setattr(mmap, name, self._wrapped_class(mmap.mmap))
            else:
                owner = Path if name == "read_bytes" else os
                patch.setattr(owner, name, self._wrapped(name, getattr(owner, name)))

    def _wrapped(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if self._turn(name):
                if name == "write":
                    real(args[0], bytes(args[1])[: len(args[1]) // 2])
                if name == "close":
                    real(*args)
                raise OSError(self.error, os.strerror(self.error))
            return real(*args, **kwargs)

        return call

    def _wrapped_class(self, real: type) -> type:
        faults = self

        class Counted(real):  # type: ignore[misc]
            def __new__(cls, *args: Any, **kwargs: Any) -> Any:
                if faults._turn("mmap"):
                    raise OSError(faults.error, os.strerror(faults.error))
                return super().__new__(cls, *args, **kwargs)

        return Counted

    def _turn(self, name: str) -> bool:
        self.calls += 1
        if self.calls == self.fail_at:
            self.failed = name
        return self.calls == self.fail_at
