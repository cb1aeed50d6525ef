"""People and programs at one project at once; see torture.py. A round is what a kill is to the others.

`Reviewing`: two reviews of one file; one accepts and takes back, the other decides about other columns. What the other
was told is saved must be in the file. `Editing`: an editor without our lock saves while we write with the hash of what
we read. Each save must be read by us, stand there, or lie beside the file. `Crowd`: eight processes of different kinds
on one project and one cache. What accept and reject said must hold at the end, every file must be readable, and one
more run must go well.
"""

import multiprocessing
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torture_files import engine, example
from torture_kit import Tally

from dbt_schema_embed.decide.reviewing import Item, Review
from dbt_schema_embed.errors import EditedError, SchemaEmbedError
from dbt_schema_embed.files import content_hash, write_text
from dbt_schema_embed.write.mapping import read_mapping

SOURCE = "stripe.disputes"
FILE = "schema_mappings/stripe__disputes.yml"
SECONDS = 300  # of a busy machine


def started(target: Callable[..., None], *args: Any) -> Any:
    """A process of its own, forked: the one that starts it has loaded no encoder."""
    process = multiprocessing.get_context("fork").Process(target=target, args=args)
    process.start()
    return process


def ended(*processes: Any) -> int:
    """How many of the processes did not end well in time."""
    for process in processes:
        process.join(SECONDS)
        if process.is_alive():
            process.kill()
            process.join()
    return sum(process.exitcode != 0 for process in processes)


class Reviewing:
    """Two reviews of one file."""

    title = "two reviews of one file"

    def __init__(self, place: Path, rng: random.Random) -> None:  # noqa: ARG002  as all kinds of work
        self._project = example(place)
        self._path = self._project / FILE
        self._engine = engine(self._project)
        self._review: Review = self._engine.review(self._project, select=[SOURCE])
        self._items = self._review.items
        self._start = self._path.read_bytes()

    def kill(self, number: int) -> Tally:
        """One round: a process accepts and takes back in a loop, this one decides about every other column."""
        self._path.write_bytes(self._start)
        stop = multiprocessing.get_context("fork").Event()
        other = started(self._back_and_forth, self._items[0], stop)
        tally, told = Tally(kills=1), {}
        for step, item in enumerate(self._items[1:]):
            item.state = "open"
            try:
                (self._review.reject if (step + number) % 3 == 0 and item.answer else self._review.accept)(item)
            except SchemaEmbedError:
                continue
            told[item.column] = item.state
            time.sleep(0.002)
        stop.set()
        tally.wrong += ended(other)
        found = {row.source_column: row.status for row in read_mapping(self._path, "it").columns}
        tally.acknowledged = len(told)
        tally.losses = sum(found.get(column) != state for column, state in told.items())
        tally.wrong += found.get(self._items[0].column, "suggested") != "suggested"
        return tally

    def _back_and_forth(self, item: Item, stop: Any) -> None:
        review = Review(self._items, (), self._project)
        while not stop.is_set():
            try:
                review.accept(item)
            except EditedError:
                continue
            while True:
                try:
                    review.undo()
                    break
                except EditedError:
                    continue

    def end(self) -> Tally:
        """Nothing more."""
        self._engine.close()
        return Tally()


class Editing:
    """An editor saves while we write."""

    title = "an editor that saves while we write"

    def __init__(self, place: Path, rng: random.Random) -> None:
        self._folder, self._rng = place / "edited", rng
        self._folder.mkdir()
        self._file = self._folder / "m.yml"
        self._tries = multiprocessing.get_context("fork").Value("Q")

    def kill(self, number: int) -> Tally:
        """One round: saves at random moments, by rename and in place in turn."""
        for path in self._folder.iterdir():
            path.unlink()
        self._file.write_bytes(b"start\n")
        stop = multiprocessing.get_context("fork").Event()
        ours = started(self._write, stop)
        saves = [self._save(f"save {number} {n}\n".encode(), in_place=bool(number % 2)) for n in range(20)]
        stop.set()
        tally = Tally(kills=1, acknowledged=len(saves), wrong=ended(ours))
        read = set((self._folder / "read").read_text().splitlines())
        beside = {path.read_bytes() for path in self._folder.glob("*.saved")}
        for save, seen in saves:
            tally.losses += seen != save and save.decode().strip() not in read and save not in beside
        return tally

    def _write(self, stop: Any) -> None:
        with (self._folder / "read").open("a", buffering=1) as read:
            while not stop.is_set():
                content = self._file.read_bytes()
                read.write(content.decode())
                try:
                    text = f"ours {time.monotonic_ns()}\n"
                    write_text(self._file, text, root=self._folder, expected_hash=content_hash(content))
                except EditedError:
                    pass
                self._tries.value += 1

    def _save(self, content: bytes, *, in_place: bool) -> tuple[bytes, bytes]:
        """Save, wait until we have tried to write twice, and look at what is there then."""
        time.sleep(self._rng.uniform(0, 0.003))
        if in_place:
            self._file.write_bytes(content)
        else:
            other = self._folder / "editor.tmp"
            other.write_bytes(content)
            other.replace(self._file)
        before, end = self._tries.value, time.monotonic() + SECONDS
        while self._tries.value < before + 2 and time.monotonic() < end:
            time.sleep(0.0005)
        return content, self._file.read_bytes()

    def end(self) -> Tally:
        """Nothing more."""
        return Tally()


class Crowd:
    """Eight processes of different kinds on one project and one cache."""

    title = "eight writers of different kinds"

    def __init__(self, place: Path, rng: random.Random) -> None:
        self._project, self._rng = example(place), rng
        self._texts = {p: p.read_text("utf-8") for p in (self._project / "schema_mappings").glob("*.yml")}
        self._columns = [row.source_column for row in read_mapping(self._project / FILE, "it").columns]
        self._kinds: list[Callable[[int], list[str]]] = [
            self._suggest, self._suggest, self._accept, self._accept,
            self._reject, self._report, self._apply, self._search,
        ]  # fmt: skip

    def kill(self, number: int) -> Tally:  # noqa: ARG002
        """One round: all of them at once, in random order."""
        for path, text in self._texts.items():
            path.write_text(text, "utf-8")
        context = multiprocessing.get_context("fork")
        told: Any = context.Queue()
        kinds = list(enumerate(self._kinds))
        self._rng.shuffle(kinds)
        processes = [started(self._tell, kind, place, told) for place, kind in kinds]
        said = [told.get(timeout=SECONDS) for _ in processes]
        tally = Tally(kills=1, wrong=ended(*processes))
        found = {(row.source_column, row.status) for row in read_mapping(self._project / FILE, "it").columns}
        for column, status in (line.split(" ") for lines in said for line in lines):
            tally.acknowledged += 1
            tally.losses += (column, status) not in found
        for path in (self._project / "schema_mappings").glob("*.yml"):
            read_mapping(path, path.name)
        return tally

    def end(self) -> Tally:
        """One more run of each kind goes well."""
        return Tally(wrong=ended(*(started(self._alone, kind, place) for place, kind in enumerate(self._kinds[-2:]))))

    def _tell(self, kind: Callable[[int], list[str]], place: int, told: Any) -> None:
        said: list[str] = []
        try:
            said = kind(place)
        except SchemaEmbedError as problem:  # refused, and said so: no promise was made
            print(f"refused: {problem.message}", file=sys.stderr)
        finally:
            told.put(said)

    def _alone(self, kind: Callable[[int], list[str]], place: int) -> None:
        kind(place)

    def _suggest(self, place: int) -> list[str]:  # noqa: ARG002
        with engine(self._project) as one:
            one.suggest(self._project, select=[SOURCE], write=True)
        return []

    def _accept(self, place: int) -> list[str]:
        return self._decide(self._columns[place % len(self._columns)], "accepted")

    def _reject(self, place: int) -> list[str]:
        return self._decide(self._columns[place % len(self._columns)], "rejected")

    def _decide(self, column: str, status: Any) -> list[str]:
        time.sleep(random.Random(os.getpid()).uniform(0, 0.5))
        with engine(self._project) as one:
            one.decisions.decide(self._project, SOURCE, [column], status)
        return [f"{column} {status}"]

    def _report(self, place: int) -> list[str]:  # noqa: ARG002
        with engine(self._project) as one:
            one.report(self._project, select=[SOURCE])
        return []

    def _apply(self, place: int) -> list[str]:
        with engine(self._project) as one:
            one.decisions.apply(self._project, revert=place % 2 == 0)
        return []

    def _search(self, place: int) -> list[str]:  # noqa: ARG002
        with engine(self._project) as one:
            one.search("amount", self._project)
        return []
