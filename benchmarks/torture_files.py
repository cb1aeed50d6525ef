"""`suggest --write` and `apply` are killed while they write the files that people own; see torture.py.

Each try forks a process that does the whole call, and kills it between its first write and a little after its last.
Then every file must be the old one or the new one, byte for byte, the new one where the process had said so. The new
ones hold every line of a person. The same call once more must end where an undisturbed one does, without a temporary
file.
"""

import os
import random
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torture_kit import Tally

from dbt_schema_embed.pipeline import SchemaEmbed
from dbt_schema_embed.settings import Settings
from dbt_schema_embed.write import rewrite

ROOT = Path(__file__).resolve().parent.parent
SCRATCH = shutil.ignore_patterns("schema_mappings", "dbt_packages", "logs", "*.duckdb", "schema_embed")
MARK = "kept by hand"
SECONDS_OLD = 7200  # temporary files younger than an hour may be another machine's
Files = dict[str, bytes]


def example(place: Path) -> Path:
    """A copy of the example, whose columns are all in a memo beside it."""
    project = Path(shutil.copytree(ROOT / "example_project", place / "shop", ignore=SCRATCH))
    if pid := os.fork():
        if os.waitpid(pid, 0)[1]:
            raise OSError("the encoder cannot be loaded here")
    else:  # in a process of its own: one that has loaded the encoder has threads, and is not to be forked
        os._exit(forked(lambda: engine(project).suggest(project, write=True)))
    return project


def forked(call: Callable[[], object]) -> int:
    """Do ``call`` in a forked process and give its exit code: it must end here, and in no caller."""
    try:
        call()
    except BaseException as problem:
        print(f"in the child: {problem!r}", file=sys.stderr)
        return 1
    return 0


def engine(project: Path) -> SchemaEmbed:
    """An engine with a memo beside the project."""
    return SchemaEmbed(Settings(cache_dir=str(project.parent / "cache")))


def files(folder: Path, pattern: str) -> Files:
    """The files of a folder by name, hidden ones included."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob(pattern)) if p.is_file()}


def by_hand(text: str) -> str:
    """A mapping file a person has worked in: comments, notes, two decisions; all other rows are out of date."""
    rows = text.split("- source_column:")
    for number, row in enumerate(rows[1:], 1):
        if number <= 2:
            status = ("accepted", "rejected")[number - 1]
            rows[number] = row.replace("status: suggested", f"status: {status}\n    note: {MARK}")
        else:
            rows[number] = re.sub(r"confidence: [\d.]+", "confidence: 0.01", row)
    return f"# {MARK}\n" + "- source_column:".join(rows) + f"# {MARK}, too\n"


class Writing:
    """A call of the engine that brings ``old`` files in ``folder`` to ``new`` ones."""

    def __init__(self, title: str, call: Callable[[], object], folder: Path, rng: random.Random) -> None:
        self.title = title
        self._call, self._folder, self._rng = call, folder, rng
        self.old = files(folder, "*.*")
        call()  # imports what forked processes would import otherwise
        self.restore()
        self.phase = self._measured()
        self.new = files(folder, "*.*")
        if self.old == self.new or not all(self.kept(name, content) for name, content in self.new.items()):
            raise ValueError(f"{title} alone changes nothing, or loses a person's lines")

    def kept(self, name: str, content: bytes) -> bool:
        """Whether a person's lines in the old file are in ``content``."""
        lines = [line for line in self.old.get(name, b"").splitlines() if MARK.encode() in line]
        return all(line in content.splitlines() for line in lines)

    def restore(self) -> None:
        """Bring the old files back, and nothing else."""
        shutil.rmtree(self._folder)
        for name, content in self.old.items():
            (self._folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self._folder / name).write_bytes(content)

    def kill(self) -> Tally:
        """One try; see `torture_kit.Work`."""
        self.restore()
        done, killed = self._killed()
        self.phase *= 1.02 if killed else 0.9
        found = files(self._folder, "*.*")
        tally = Tally(acknowledged=len(done), kills=int(killed))
        for name, content in self.new.items():
            now = found.pop(name, None)
            tally.wrong += now not in (content, self.old.get(name))
            tally.losses += name in done and now != content
            tally.losses += name in self.old and (now is None or not self.kept(name, now))
        tally.wrong += sum(not Path(name).name.startswith(".schema-embed-") for name in found)
        for name in found:
            os.utime(self._folder / name, (time.time() - SECONDS_OLD,) * 2)
        self._call()
        # One killed between its exchange and its end leaves its temporary file; the next write in that folder takes it.
        after = {n: c for n, c in files(self._folder, "*.*").items() if not Path(n).name.startswith(".schema-embed-")}
        tally.wrong += after != self.new
        return tally

    def _started(self) -> tuple[int, int]:
        """A process that does the call and sends a line before the first write, and one after each write."""
        receive, send = os.pipe()
        pid = os.fork()
        if pid:
            os.close(send)
            return pid, receive
        write_text: Any = vars(rewrite)["write_text"]
        os.close(receive)

        def told(path: Path, text: str, *, root: Path, expected_hash: str | None = None) -> bool:
            if not hasattr(told, "begun"):
                told.begun = True  # type: ignore[attr-defined]
                os.write(send, b"\n")
            changed: bool = write_text(path, text, root=root, expected_hash=expected_hash)
            os.write(send, os.fsencode(path.resolve().relative_to(self._folder.resolve())) + b"\n")
            return changed

        vars(rewrite)["write_text"] = told
        os._exit(forked(self._call))

    def _killed(self) -> tuple[set[str], bool]:
        """The files a killed process said it had written, and whether it was killed before its end."""
        pid, receive = self._started()
        os.read(receive, 1)
        time.sleep(self._rng.uniform(0, self.phase))
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        with os.fdopen(receive, "rb") as stream:
            return set(os.fsdecode(stream.read()).split("\n")) - {""}, os.WIFSIGNALED(status)

    def _measured(self) -> float:
        """Seconds between the first write of an undisturbed call and its end."""
        pid, receive = self._started()
        os.read(receive, 1)
        began = time.monotonic()
        _, status = os.waitpid(pid, 0)
        os.close(receive)
        if status:
            raise ValueError(f"{self.title} alone fails")
        return time.monotonic() - began


class Suggesting:
    """`suggest --write` over mapping files that a person has worked in."""

    title = "suggest --write"

    def __init__(self, place: Path, rng: random.Random) -> None:
        project = example(place)
        folder = project / "schema_mappings"
        for number, path in enumerate(sorted(folder.glob("*.yml"))):
            if number % 5:
                path.write_text(by_hand(path.read_text("utf-8")), "utf-8")
            else:  # and some tables are new
                path.unlink()
        (folder / "mapping.schema.json").unlink()
        self._engine = engine(project)
        self._writing = Writing(self.title, lambda: self._engine.suggest(project, write=True), folder, rng)

    def kill(self, number: int) -> Tally:  # noqa: ARG002
        """See `torture_kit.Work`."""
        return self._writing.kill()

    def end(self) -> Tally:
        """Nothing more."""
        self._engine.close()
        return Tally()


class Applying:
    """`apply` and `apply --revert` in turn, over YAML that a person has worked in."""

    title = "apply"

    def __init__(self, place: Path, rng: random.Random) -> None:
        project = example(place)
        for path in (project / "models").rglob("*sources.yml"):
            path.write_text(f"# {MARK}\n{path.read_text('utf-8')}# {MARK}, too\n", "utf-8")
        self._engine = engine(project)
        decisions = self._engine.decisions
        decisions.accept_confident(project, 0.5)
        self._writings = [
            Writing("apply", lambda: decisions.apply(project), project / "models", rng),
            Writing("apply --revert", lambda: decisions.apply(project, revert=True), project / "models", rng),
        ]

    def kill(self, number: int) -> Tally:
        """See `torture_kit.Work`."""
        return self._writings[number % 2].kill()

    def end(self) -> Tally:
        """Nothing more."""
        self._engine.close()
        return Tally()
