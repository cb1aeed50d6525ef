"""Whatever people and runs do in turn: no decision, note, comment or hand-written line goes."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbt_schema_embed.decide.rows import Decision, decide
from dbt_schema_embed.errors import SchemaEmbedError
from dbt_schema_embed.records import MappingFile, MappingRow, Suggestion
from dbt_schema_embed.write.mapping import read_mapping
from dbt_schema_embed.write.merge import selected_names
from dbt_schema_embed.write.stage import stage
from dbt_schema_embed.write.update import update_mapping
from tests.write.test_stage import PROJECT

COLUMNS = ("id", "amount", "createdAt", "livemode")
TARGETS = ("charge_id", "amount", "created_at", "refunded_at")
SOURCE = "source.shop.stripe.charges"

ANSWER = st.one_of(st.sampled_from(TARGETS), st.sampled_from(["nothing", "undecided"]))
RUN = st.tuples(st.just("run"), st.dictionaries(st.sampled_from(COLUMNS), ANSWER), st.booleans())
DECIDE = st.tuples(
    st.sampled_from(["accepted", "rejected", "suggested"]), st.sampled_from(COLUMNS),
    st.none() | st.sampled_from(TARGETS), st.booleans(),
)  # fmt: skip
NOTE = st.tuples(st.just("note"), st.sampled_from(COLUMNS))
COMMENT = st.tuples(st.just("comment"), st.integers(0, 30))
STAGE = st.tuples(st.just("stage"))
HAND = st.tuples(st.just("hand"), st.integers(0, 30))
STEPS = st.lists(st.one_of(RUN, DECIDE, NOTE, COMMENT, STAGE, HAND), min_size=3, max_size=14)


class Story:
    """A mapping file and a model, and what must still be in them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / "charges.yml"
        self.sql = folder / "models/staging/stg_charges.sql"
        self.kept: list[str] = []  # texts that people wrote into the mapping file
        self.lines: list[str] = []  # lines that people wrote into the model
        self.count = 0

    def file(self) -> MappingFile:
        return read_mapping(self.path, "charges.yml")

    def run(self, answers: dict[str, str], *, complete: bool) -> None:
        rows = [
            Suggestion(SOURCE, c, None, None, 0.9, undecided=a == "undecided")
            if a in ("nothing", "undecided")
            else Suggestion(SOURCE, c, "model.shop.stg_charges", a, 0.9)
            for c, a in answers.items()
        ]
        before = self.decisions() if self.path.exists() else []
        names = {"model.shop.stg_charges": "stg_charges"}
        update_mapping(self.path, rows, source="stripe.charges", names=names, complete=complete).write(self.folder)
        assert self.decisions() == before

    def decisions(self, but: str = "") -> list[MappingRow]:
        rows = (replace(row, line=0) for row in self.file().columns if row.source_column != but)
        return [row for row in rows if row.status in ("accepted", "rejected")]

    def decide(self, status: str, column: str, target: str | None, *, also: bool) -> None:
        model = "stg_charges" if target else None
        decision = Decision(column, status, model, target, also=also, by="Ana", at="2026-05-03")  # type: ignore[arg-type]
        before = self.decisions(but=column)
        try:
            decide(self.path, [decision]).write(self.folder)
        except SchemaEmbedError:  # no such column, several rows: said, and nothing has changed
            return
        assert self.decisions(but=column) == before
        if status != "suggested" and target:
            mine = [(r.model_column, r.status) for r in self.file().columns if r.source_column == column]
            assert (target, status) in mine

    def note(self, column: str) -> None:
        self.count += 1
        text = f"note {self.count}"
        try:
            decide(self.path, [Decision(column, note=text)]).write(self.folder)
        except SchemaEmbedError:
            return
        self.kept = [*(kept for kept in self.kept if kept in self.path.read_text()), text]

    def comment(self, line: int) -> None:
        self.count += 1
        lines = self.path.read_text().splitlines(keepends=True)
        at = line % len(lines)
        lines[at] = f"{lines[at].rstrip()}  # mine {self.count}.\n"
        self.path.write_text("".join(lines))
        self.kept.append(f"# mine {self.count}.")

    def stage(self) -> None:
        try:
            stage(PROJECT, self.file(), self.folder).sql.write(self.folder)
        except SchemaEmbedError:
            return
        wanted = {(r.model_column or "").lower() for r in self.file().columns if r.status == "accepted" and r.model}
        assert wanted <= selected_names(self.sql.read_text())

    def hand(self, line: int) -> None:
        if not self.sql.exists():
            return
        self.count += 1
        lines = self.sql.read_text().splitlines()
        mine = f"        upper('x{self.count}') as mine_{self.count},  -- by hand"
        first = next(i for i, text in enumerate(lines) if text == "    select") + 1
        lines.insert(first, mine)
        self.sql.write_text("\n".join(lines) + "\n")
        self.lines.append(mine)

    def check(self) -> None:
        text = self.path.read_text()
        for kept in self.kept:
            assert kept in text, (kept, text)
        if self.lines:
            lines = self.sql.read_text().splitlines()
            assert all(line in lines for line in self.lines)


@settings(max_examples=int(os.environ.get("SEQUENCES", "60")))  # SEQUENCES=1000 for the long run
@given(STEPS)
def test_any_sequence(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[object, ...]]) -> None:
    story = Story(tmp_path_factory.mktemp("story"))
    story.run({"id": "charge_id", "amount": "amount", "createdAt": "undecided", "livemode": "nothing"}, complete=True)
    for step in steps:
        name, *rest = step
        if name == "run":
            story.run(rest[0], complete=bool(rest[1]))  # type: ignore[arg-type]
        elif name in ("accepted", "rejected", "suggested"):
            story.decide(name, rest[0], rest[1], also=bool(rest[2]))  # type: ignore[arg-type]
        else:
            getattr(story, str(name))(*rest)
        story.check()
