"""One dbt process for all tests: importing dbt costs seconds, a command after that a fraction of one."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

SERVER = Path(__file__).with_name("server.py")
FRAME = re.compile(r"<schema_embed>(.*?)</schema_embed>")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a dbt command ended and what it printed."""

    ok: bool
    output: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """What our macros reported, in order."""
        return [json.loads(frame) for frame in FRAME.findall(self.output)]

    def profile(self, table: str) -> dict[str, Any]:
        """The profile of ``table``, a unique_id."""
        (found,) = [e for e in self.events if e["event"] == "profile" and e["table"] == table]
        return found


class Dbt:
    """Runs dbt commands one after the other in a process of its own. A context manager."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(SERVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def __enter__(self) -> "Dbt":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, where: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        # Said, not shown by closing the pipe: a process that another test has forked may hold a copy of our end.
        self._process.stdin.write(json.dumps(None) + "\n")
        self._process.stdin.close()
        try:
            self._process.wait(timeout=30)
        finally:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()

    def __call__(self, project: Path, *args: str, **env: str) -> Outcome:
        """Run ``dbt ARGS`` in ``project``; ``env`` is added to the environment."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {"args": ["--no-use-colors", *args], "cwd": str(project), "env": env}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return Outcome(**json.loads(self._process.stdout.readline()))

    def must(self, project: Path, *args: str, **env: str) -> Outcome:
        """Run a command that has to succeed; its output is the failure's message."""
        outcome = self(project, *args, **env)
        assert outcome.ok, outcome.output
        return outcome
