"""The answers about one project for a process that lives long: worked out once, again when a file changes."""

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dbt_schema_embed.decide.mappings import glossary_path, load_mappings, owners
from dbt_schema_embed.decide.named import files_called, the_one
from dbt_schema_embed.decide.proposing import Proposal, keep_proposal
from dbt_schema_embed.errors import printable
from dbt_schema_embed.files import inside, shown_path
from dbt_schema_embed.lookup import model_names, source_column, source_tables
from dbt_schema_embed.read.opening import Stamp, chosen_sources, file_stamps, files_read
from dbt_schema_embed.records import Artifacts, Column, Opened, Relation, Suggestion
from dbt_schema_embed.sensitive import hidden

if TYPE_CHECKING:
    from dbt_schema_embed.pipeline.engine import SchemaEmbed

_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Answers:
    """A project and the answer for each of its source columns."""

    opened: Opened
    rows: tuple[Suggestion, ...]
    names: dict[str, str]  # unique_id of what a column can feed -> its name in mapping files

    def source(self, row: Suggestion) -> tuple[Relation, Column]:
        """The source table and column of a row."""
        relation = self.opened.project.relation(row.source)
        column = relation.column(row.source_column) if relation else None
        assert relation is not None
        assert column is not None  # rows are about columns of the project
        return relation, column

    def target(self, model: str, column: str) -> tuple[str, str]:
        """A model column as "model.column", and its type."""
        relation = self.opened.project.relation(model)
        found = relation.column(column) if relation else None
        return f"{self.names.get(model, model)}.{column}", (found.type or "") if found else ""

    def table(self, said: str) -> list[Suggestion]:
        """The rows of one source table ("stripe.charges").

        Raises:
            ConfigError: there is none; the message names a near one.
        """
        meant = {r.id for r in source_tables(self.opened.project, said)}
        return [row for row in self.rows if row.source in meant]

    def of(self, selection: str) -> list[Suggestion]:
        """The rows of the source tables that a selection in dbt's syntax leaves; empty: all.

        Raises:
            ConfigError: it leaves none.
        """
        if not selection.strip():
            return list(self.rows)
        only = {r.id for r in chosen_sources(self.opened.project, [selection], [])}
        return [row for row in self.rows if row.source in only]


def examples(column: Column) -> list[str]:
    """Some of a column's values, with secrets replaced. They are nobody's but the person's who asked for them."""
    return [hidden(value) for value in column.values[:_EXAMPLES] if value.strip()]


class Kept:
    """What a project's agent asks. Threads may share one. From now on ``engine`` keeps what it reads."""

    def __init__(self, engine: "SchemaEmbed", project_dir: str | Path, artifacts: Artifacts) -> None:
        self.engine = engine
        self.root = Path(project_dir)
        self.artifacts = artifacts
        engine.session.keep = True
        self._lock = threading.RLock()
        self._answers: Answers | None = None
        self._stamp: dict[str, Stamp] = {}

    def answers(self) -> Answers:
        """The answers as the files stand. Raises as `SchemaEmbed.suggest`."""
        with self._lock:
            stamp = self._now()
            if self._answers is None or stamp != self._stamp:
                found = self.engine.suggest(self.root, **self.artifacts).rows
                opened = self.engine.session.open(self.root, self.artifacts)
                self._answers = Answers(opened, found, model_names(opened.project.relations))
                self._stamp = stamp
            return self._answers

    def propose(self, said: Proposal) -> str:
        """Keep an agent's proposal; the mapping file, made where there is none. Raises as `keep_proposal`."""
        with self._lock:
            known = self.answers()
            source, _ = source_column(known.opened.project, said.column)
            folder = self.engine.settings.mappings_dir
            if source.id not in owners(known.opened, load_mappings(self.root, folder)):
                self.engine.suggest(self.root, select=[f"source:{source.label}"], write=True, **self.artifacts)
            rows = [row for row in known.rows if row.source == source.id]
            path, changed = keep_proposal(known.opened, folder, rows, said)
            self._take_in(changed, path)
            return shown_path(self.root, path)

    def _take_in(self, changed: Sequence[Suggestion], path: Path) -> None:
        """Put rows in their place. A proposal changes no other answer, so nothing need be matched again."""
        known, now = self._answers, self._now()
        if known is not None and self._stamp | {str(path): now[str(path)]} == now:  # nobody else has written meanwhile
            new = {(row.source, row.source_column): row for row in changed}
            rows = (new.get((row.source, row.source_column), row) for row in known.rows)
            self._answers, self._stamp = replace(known, rows=tuple(rows)), now

    def file_text(self, source: str) -> str:
        """The mapping file of a source table ("stripe.charges"), of "" the glossary; "" where there is none.

        Raises:
            ConfigError: several packages have such a table, each with a file.
        """
        if not source:
            glossary = glossary_path(self.root, self.engine.settings.mappings_dir)
            return glossary.read_text("utf-8-sig", "replace") if glossary.is_file() else ""
        found = files_called(load_mappings(self.root, self.engine.settings.mappings_dir), source)
        return the_one(found, source)[0].read_text("utf-8-sig") if found else ""

    @staticmethod
    def mapping_schema() -> str:
        """The JSON Schema of mapping files."""
        from dbt_schema_embed.write.mapping import schema_text

        return schema_text()

    def habits(self) -> list[tuple[str, int]]:
        """How the project names things ("id -> <table>_id"), with the number of columns that show it."""
        seen = Counter(
            str(row.evidence["habit"]) for row in self.answers().rows if isinstance(row.evidence.get("habit"), str)
        )
        return [(printable(habit), count) for habit, count in seen.most_common()]

    def _now(self) -> dict[str, Stamp]:
        """What tells whether a file that the answers follow from has changed."""
        folder = self.root / self.engine.settings.mappings_dir
        files = sorted(folder.glob("*.y*ml")) if inside(folder, self.root) else ()
        return file_stamps([*files, *files_read(self.root, self.artifacts)])
