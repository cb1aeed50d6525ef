"""What a report shows, as compact JSON: numbers for names, and no sample values."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

from dbt_schema_embed.errors import printable
from dbt_schema_embed.records import CERTAIN, LIKELY, Column, MappingFile, Problem, Relation, Suggestion, Suggestions
from dbt_schema_embed.show.report_changes import changes
from dbt_schema_embed.show.report_map import map_data
from dbt_schema_embed.show.words import evidence_words, reason, short_name

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

VERSION = 1
SCALE = 10_000
"""Confidences are whole numbers from 0 to this."""

LARGE = 4000
"""Source columns above which a row is told in fewer words, so that the file opens fast."""

DECISIONS_LEAST = 20
"""Decisions below which the share of accepted ones says nothing."""

STATUSES = ("suggested", "existing", "accepted", "rejected")
_HEADINGS = ("name", "habit", "table", "type", "values")


@dataclass(frozen=True, slots=True)
class ReportInput:
    """What a report is made from."""

    project: str
    made: str  # when, as people read it
    suggestions: Suggestions
    relations: Sequence[Relation]
    # relation id -> (n_columns, d): the vectors of its columns' names
    vectors: Mapping[str, "NDArray[np.float32]"] = field(default_factory=dict)
    # when `evaluate` measured, and of each tenth of confidence: its mean, the share of right answers, answers
    measured: tuple[str, Sequence[tuple[float, float, int]]] = ("", ())
    decisions: Sequence[tuple[float, bool]] = ()  # confidence said, and whether a person accepted
    notes: Sequence[str] = ()  # lines for its foot
    problems: Sequence[Problem] = ()  # what `check` found
    files: Mapping[str, MappingFile] = field(default_factory=dict)  # by unique_id of the source
    base: str = ""  # the way from the report's folder to the project's, ending in "/"; "": no links


def report_data(given: ReportInput, previous: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The data of `report.to_html`; ``previous`` is that of the report before, None when there is none."""
    by_id = {r.id: r for r in given.relations}
    writer = _Writer(by_id, given.files, large=len(given.suggestions.rows) > LARGE)
    rows = sorted(given.suggestions.rows, key=lambda row: row.source)
    tables = [writer.table(source, list(group)) for source, group in groupby(rows, key=lambda row: row.source)]
    data: dict[str, Any] = {
        "version": VERSION,
        "project": printable(given.project),
        "made": given.made,
        "levels": {"certain": round(CERTAIN * SCALE), "likely": round(LIKELY * SCALE)},
        "base": given.base,
        "goals": _goals(given, by_id, writer),
        "problems": [
            [p.severity, printable(p.message, 500), printable(p.path), p.line, printable(p.hint, 300), p.code]
            for p in given.problems
        ],
        "models": list(writer.models),
        "targets": list(map(list, writer.targets)),
        "signals": list(writer.signals),
        "tables": tables,
        "map": map_data([r for r in given.relations if r.id in given.vectors], given.vectors),
        "measured": {"made": given.measured[0], "tenths": list(map(list, given.measured[1]))},
        "decided": _decided(given.decisions),
        "notes": [*map(printable, given.notes), *writer.notes(), *_undrawn(given)],
    }
    return data | {"changes": changes(data, previous)}


def _undrawn(given: ReportInput) -> list[str]:
    """What the map has no dots for."""
    rest = [r for r in given.relations if r.id not in given.vectors]
    if not rest or not given.vectors:
        return []
    columns = sum(len(r.columns) for r in rest)
    return [f"Left out of the map: {columns:,} columns of the {len(rest):,} smallest tables and models."]


class _Writer:
    """Turns rows into lists, and names that repeat into numbers."""

    def __init__(self, relations: Mapping[str, Relation], files: Mapping[str, MappingFile], *, large: bool) -> None:
        self.models: dict[str, int] = {}
        self.targets: dict[tuple[int, str], int] = {}
        self.signals: dict[str, int] = {}
        self._relations, self._files = relations, files
        self._numbers: dict[tuple[str, str], int] = {}  # by the names as they came: cleaning them takes its time
        self._large = large
        self._candidates, self._words, self._evidence = (3, 60, len(_HEADINGS)) if large else (10, 240, 100)

    def notes(self) -> list[str]:
        """What was left out."""
        if not self._large:
            return []
        return [
            f"Left out, for there are more than {LARGE:,} source columns: candidates after the third, evidence beside "
            f"{', '.join(_HEADINGS)}, and what descriptions say after {self._words} characters."
        ]

    def table(self, source: str, rows: Sequence[Suggestion]) -> dict[str, Any]:
        """One source table."""
        relation = self._relations.get(source)
        columns = {c.name: c for c in relation.columns} if relation else {}
        file = self._files.get(source)
        lines = {(r.source_column.lower(), r.model_column): r.line for r in reversed(file.columns)} if file else {}
        fed = Counter(row.model for row in rows if row.model is not None and row.status != "rejected")
        near = next((c.model for row in rows for c in row.candidates), None)
        model = fed.most_common(1)[0][0] if fed else near
        return {
            "id": source,
            "label": short_name(source),
            "about": printable(relation.description, self._words) if relation else "",
            "model": short_name(model) if model else "",  # whose columns its heat map shows
            "fed": [[short_name(name), count] for name, count in fed.most_common()],
            "file": file.path if file else "",
            "rows": [
                [
                    *self._row(columns.get(row.source_column), row),
                    int(row.undecided),
                    lines.get((row.source_column.lower(), row.model_column)) or _list_line(file, row),
                    printable(evidence_words(row.evidence, row.adds), 600),
                ]
                for row in rows
            ],
        }

    def _row(self, column: Column | None, row: Suggestion) -> list[Any]:
        return [
            printable(row.source_column),
            printable((column.type if column else None) or "", 40),
            printable(column.description, self._words) if column else "",
            self.target(row.model, row.model_column),
            round(row.confidence * SCALE),
            STATUSES.index(row.status),
            reason(row),
            list(self._evidence_of(row)),
            [
                number
                for c in row.candidates[: self._candidates]
                for number in (self.target(c.model, c.model_column), round(c.confidence * SCALE))
            ],
            [printable(name) for name in row.fed_by[:5]],
            printable(row.proposed_name or ""),
        ]

    def target(self, model: str | None, column: str | None) -> int:
        if model is None or column is None:
            return -1
        if (model, column) not in self._numbers:
            number = self.models.setdefault(short_name(model), len(self.models))
            self._numbers[model, column] = self.targets.setdefault((number, printable(column)), len(self.targets))
        return self._numbers[model, column]

    def _evidence_of(self, row: Suggestion) -> Iterator[Any]:
        """Signal, value, signal, value ...; what is None is left out."""
        known = [(name, value) for name, value in row.evidence.items() if value is not None]
        for name, value in known[: self._evidence]:
            yield self.signals.setdefault(printable(name), len(self.signals))
            yield round(value, 2) if isinstance(value, float) else printable(value)


def _list_line(file: MappingFile | None, row: Suggestion) -> int:
    """The line of the list that names a column without an answer; 0: unknown."""
    if file is None or row.model is not None or row.status != "suggested":
        return 0
    return file.undecided_line if row.undecided else file.unmapped_line


def _goals(given: ReportInput, relations: Mapping[str, Relation], writer: _Writer) -> list[list[Any]]:
    """The models that these tables feed, or are to feed: [name, path, columns].

    A column is [number of the target, type, 0: its SQL has it, 1: planned, 2: planned and nothing feeds it, 3: and it
    must not be empty].
    """
    unfed = {(u.model, u.model_column): 3 if u.required else 2 for u in given.suggestions.unfed}
    named = dict.fromkeys(row.model for row in given.suggestions.rows if row.model and row.status != "rejected")
    named |= dict.fromkeys(u.model for u in given.suggestions.unfed)
    goals = []
    for model in sorted(name for name in named if name in relations):
        relation = relations[model]
        columns = [
            [
                writer.target(model, column.name),
                printable(column.type or "", 40),
                unfed.get((model, column.name), int(not relation.has_sql or column.absent)),
            ]
            for column in relation.columns
        ]
        goals.append([short_name(model), printable(relation.path), columns])
    return goals


def _decided(decisions: Sequence[tuple[float, bool]]) -> dict[str, Any]:
    """Tenths of confidence with at least one decision: [mean confidence, share accepted, decisions]."""
    held: dict[int, list[tuple[float, bool]]] = {}
    if len(decisions) >= DECISIONS_LEAST:
        for confidence, right in decisions:
            held.setdefault(min(9, int(confidence * 10)), []).append((confidence, right))
    told = [
        [round(sum(c for c, _ in some) / len(some), 3), round(sum(r for _, r in some) / len(some), 3), len(some)]
        for _, some in sorted(held.items())
    ]
    return {"tenths": told, "count": len(decisions), "least": DECISIONS_LEAST}
