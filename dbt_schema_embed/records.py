"""The frozen values that cross rooms."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from dbt_schema_embed.tabular import Tabular

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

VALUES_LIMIT = 1000
"""Distinct sample values kept for one column, in memory only."""

MAX_COLUMNS = 20_000
"""Columns of a table that is compared with others, or that a mapping file may list."""

RelationKind = Literal["source", "model", "seed", "snapshot", "table"]
LineageKind = Literal["identical", "renamed", "cast", "derived"]
Status = Literal["suggested", "existing", "accepted", "rejected"]
Answer = Literal["match", "nothing", "undecided"]
Severity = Literal["error", "warning"]
Targets = Literal["auto", "all"]  # models that could be fed next, or all
Evidence = Mapping[str, float | str | None]

UNLIKE = 0.136
"""Mean cosine of unrelated names by all-MiniLM-L6-v2, on which the matcher was trained."""

PROPOSER = "suggest --propose"
"""Who proposes columns that no model has yet, in mapping files."""

NEW_COLUMN = "a new column"
"""How the reason begins of a row whose model column is to be made, also when it is accepted."""

NO_MODEL = "there is no model to feed"
"""The reason of a column that maps to nothing because the project has no model that it could feed."""

CERTAIN, LIKELY = 0.95, 0.7
"""From which confidence an answer is called certain, and likely; what is below is doubtful."""


def confidence_word(confidence: float) -> str:
    """A calibrated confidence in a word: "certain", "likely" or "doubtful"."""
    return "certain" if confidence >= CERTAIN else "likely" if confidence >= LIKELY else "doubtful"


def rounded(confidence: float) -> float:
    """A confidence as people see it, everywhere: two places, rounded down, for 0.999 shown as 1.00 claims too much."""
    return int(confidence * 100 + 1e-6) / 100


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a relation."""

    name: str  # as spelled in the warehouse or the YAML, e.g. "createdAt"
    type: str | None = None  # as declared, e.g. "timestamp without time zone"
    description: str = ""
    position: int = 0  # 0-based place in its relation
    quoted: bool = False  # True: the name compares with case
    unique: bool = False
    not_null: bool = False
    accepted_values: tuple[str, ...] = ()
    references: str | None = None  # unique_id or name of the relation a relationships test points to
    absent: bool = False  # True: the YAML lists it, and what is complete (catalog, SQL) has it not
    # Distinct non-null sample values as text, VALUES_LIMIT at most. Secrets perhaps: never shown, logged or stored.
    values: tuple[str, ...] = field(default=(), repr=False)
    value_count: int = 0  # rows the values were drawn from (nulls left out); 0: no data seen
    shapes: tuple[str, ...] = ()  # of profiled values, commonest first: letters as a, digits as 9, runs as one

    @property
    def key(self) -> str:
        """What the name compares by: lower case unless quoted."""
        return self.name if self.quoted else self.name.lower()


@dataclass(frozen=True, slots=True)
class Relation:
    """A source table, model, seed or snapshot of a dbt project, or a table read from a file."""

    id: str  # dbt's unique_id, e.g. "source.shop.stripe.charges"; a file's table: its name
    name: str  # e.g. "charges", "stg_stripe__charges"; a version of a model: "dim_customers.v2"
    kind: RelationKind
    columns: tuple[Column, ...] = ()
    source_name: str = ""  # sources only: "stripe"
    schema: str = ""  # schema in the warehouse
    description: str = ""
    package: str = ""  # dbt package it belongs to
    path: str = ""  # original_file_path: the SQL of a model, the YAML of a source
    yaml_path: str = ""  # where its columns are documented, relative to its package
    tags: tuple[str, ...] = ()
    has_sql: bool = False  # a model with SQL or Python code; False: planned, YAML or contract only
    off: bool = False  # a plan with `enabled: false`: dbt neither builds nor tests it
    parents: tuple[str, ...] = ()  # unique_ids it selects from
    contract: bool = False  # contract enforced: its types are promises
    in_catalog: bool = False  # its columns and types are the warehouse's; False: those that somebody wrote down
    complete: bool = False  # nothing but its columns exists; False: more may, so what is not listed is not absent

    @property
    def label(self) -> str:
        """What people call it: "stripe.charges" for a source table, else its name."""
        return f"{self.source_name}.{self.name}" if self.source_name else self.name

    def requires(self, column: Column) -> bool:
        """Whether a column of this model must not stay empty."""
        return column.not_null or column.unique or self.contract

    def column(self, name: str) -> Column | None:
        """The column called ``name`` (case-insensitive unless quoted), or None."""
        lowered = name.lower()
        return next((c for c in self.columns if c.name == name or (not c.quoted and c.key == lowered)), None)


@dataclass(frozen=True, slots=True, order=True)
class Lineage:
    """A source column that already feeds a model column, read from SQL."""

    source: str  # unique_id of the source (or seed) relation
    source_column: str
    model: str  # unique_id of the model
    model_column: str
    kind: LineageKind


@dataclass(frozen=True, slots=True)
class Project:
    """A dbt project as its artifacts tell it."""

    name: str
    dialect: str | None  # sqlglot dialect, e.g. "postgres"
    relations: tuple[Relation, ...]  # sources, models, seeds, snapshots, sorted by id
    lineage: tuple[Lineage, ...] = ()  # sorted
    warnings: tuple[str, ...] = ()
    manifest: str = ""  # path of the manifest it was read from; selection reads dbt's graph there
    unread: tuple[str, ...] = ()  # its files that are newer than the manifest and that only dbt can read
    whole: bool = True  # False: packages that it declares are not installed, so more relations may exist

    def relation(self, unique_id: str) -> Relation | None:
        """The relation with that unique_id, or None."""
        return next((r for r in self.relations if r.id == unique_id), None)


class Artifacts(TypedDict, total=False):
    """Where dbt's artifacts are, if not where dbt puts them."""

    target_path: Path | None  # relative to the project
    manifest: Path | None
    catalog: Path | None


@dataclass(frozen=True, slots=True)
class Opened:
    """A project and the folders a call works in."""

    root: Path  # of the dbt project
    scratch: Path  # ours; may not exist yet
    project: Project


@dataclass(frozen=True, slots=True)
class Embedded:
    """A relation with its vectors. Rows follow ``relation.columns``; a row of zeros means that facet has no text."""

    relation: Relation
    facets: Mapping[str, "NDArray[np.float32]"]  # facet name -> (n_columns, d), rows of length 1 or 0
    table: "NDArray[np.float32]"  # (d,): the relation's own name
    values: tuple["NDArray[np.float32]", ...] = ()  # (v, d) a column: some of its values; empty in a project
    unlike: float = UNLIKE  # mean cosine that the encoder gives to unrelated names


@dataclass(frozen=True, slots=True)
class Candidate:
    """One model column a source column could feed."""

    model: str
    model_column: str
    confidence: float  # in [0, 1], rounded to 4 places
    evidence: Evidence = field(default_factory=dict)
    fed_by: tuple[str, ...] = ()  # "source.column" that feeds it today


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The answer for one source column. ``model`` and ``model_column`` None: it maps to nothing, or nobody can tell."""

    source: str
    source_column: str
    model: str | None
    model_column: str | None
    confidence: float  # that the answer (a column, or nothing) is right; in [0, 1]
    status: Status = "suggested"
    reason: str = ""  # one line of words
    evidence: Evidence = field(default_factory=dict)
    candidates: tuple[Candidate, ...] = ()  # best first
    proposed_name: str | None = None  # with --propose: what a new model column could be called
    proposed_model: str | None = None  # ... and the name of the model that it could go to
    fed_by: tuple[str, ...] = ()  # what feeds the model column today
    undecided: bool = False  # with no model: it may well feed one, and evidence does not say which
    note: str = ""  # a person's own words, from the mapping file
    rejections: str = ""  # likewise, of answers that were rejected: "not stg_x.amount: that is net"
    decided_by: str = ""  # who proposes it, where not the matcher: an agent, a language model
    adds: Mapping[str, float] = field(default_factory=dict)  # kind of evidence -> what confidence falls by without it

    @property
    def answer(self) -> Answer:
        """Which of the three answers this is."""
        if self.model is not None:
            return "match"
        return "undecided" if self.undecided else "nothing"

    @property
    def notes(self) -> str:
        """All that people noted about the column."""
        return "; ".join(filter(None, (self.note, self.rejections)))


@dataclass(frozen=True, slots=True, order=True)
class Unfed:
    """A planned model column that nothing feeds, not even a suggestion."""

    model: str
    model_column: str
    required: bool = False  # it must not be empty: not_null, unique, a primary key, an enforced contract


@dataclass(frozen=True, slots=True)
class Suggestions(Tabular):
    """What `suggest` and `match` answer: a row for every column of every selected source table.

    A column that people let feed several model columns has a row for each.
    """

    rows: tuple[Suggestion, ...]
    warnings: tuple[str, ...] = ()
    written: tuple[str, ...] = ()  # mapping files that changed, as people are told them
    unfed: tuple[Unfed, ...] = ()  # of the models that these tables can feed

    def to_dicts(self) -> list[dict[str, Any]]:
        """A row a column, without evidence and candidates."""
        names = ("source", "source_column", "model", "model_column", "answer", "confidence", "status", "reason")
        return [{name: getattr(s, name) for name in names} for s in self.rows]

    def to_compact(self) -> dict[str, Any]:
        """The answers alone: table -> a list a column, whose fields are named once."""
        tables: dict[str, list[list[Any]]] = {}
        for s in self.rows:
            row = [s.source_column, s.model, s.model_column, s.answer, rounded(s.confidence), s.status]
            tables.setdefault(s.source, []).append(row)
        fields = ["source_column", "model", "model_column", "answer", "confidence", "status"]
        return {"schema_version": 1, "fields": fields, "tables": tables}

    def to_dict(self) -> dict[str, Any]:
        """The JSON contract, schema_version 1."""
        unfed = [{"model": u.model, "model_column": u.model_column, "required": u.required} for u in self.unfed]
        return {"schema_version": 1, "suggestions": [_row(s) for s in self.rows], "unfed": unfed}


def _row(s: Suggestion) -> dict[str, Any]:
    row: dict[str, Any] = {
        "source": s.source,
        "source_column": s.source_column,
        "model": s.model,
        "model_column": s.model_column,
        "answer": s.answer,
        "confidence": s.confidence,
        "status": s.status,
        "reason": s.reason,
        "evidence": dict(s.evidence),
        "candidates": [
            {"model": c.model, "model_column": c.model_column, "confidence": c.confidence}
            | ({"fed_by": list(c.fed_by)} if c.fed_by else {})
            for c in s.candidates
        ],
    }
    if s.fed_by:
        row["fed_by"] = list(s.fed_by)
    if s.proposed_name:
        row["proposed_name"] = s.proposed_name
        row["proposed_model"] = s.proposed_model
    row |= {key: said for key, said in (("note", s.note), ("rejections", s.rejections)) if said}
    if s.decided_by:
        row["decided_by"] = s.decided_by
    return row


@dataclass(frozen=True, slots=True)
class MappingRow:
    """One column of a mapping file. ``line`` is 1-based, 0 when not read from a file.

    A row with status suggested and no model holds a note alone: its column is undecided or unmapped.
    """

    source_column: str
    model: str | None  # the model's name, not its unique_id
    model_column: str | None
    confidence: float | None = None
    status: Status = "suggested"
    reason: str = ""
    line: int = 0
    note: str = ""  # a person's own words; never changed by a re-run
    others: tuple[str, ...] = ()  # further columns of the source that the expression takes
    expression: str = ""  # SQL over the row's columns; "": the column itself
    decided_by: str = ""  # who decided, and with what, e.g. "Ana" or "Ana, confidence 0.95 and more"; or who proposes
    decided_at: str = ""  # the day, e.g. "2026-05-03"

    @property
    def source_columns(self) -> tuple[str, ...]:
        """All columns of the source that the row is about."""
        return (self.source_column, *self.others)

    @property
    def proposed(self) -> bool:
        """Whether it is the answer of an agent or a language model, which nobody has decided about yet."""
        return self.status == "suggested" and bool(self.decided_by)

    @property
    def invented(self) -> bool:
        """Whether it proposes a column that no model has yet: any answer of the matcher comes before it."""
        return self.proposed and self.decided_by == PROPOSER

    @property
    def pair(self) -> tuple[str | None, str | None]:
        """The model column it is about."""
        return self.model, self.model_column


@dataclass(frozen=True, slots=True)
class MappingFile:
    """schema_mappings/<source>__<table>.yml: the mapping of one source table."""

    path: str  # as shown to people: relative to the project where it can be
    source: str  # "stripe.charges"
    columns: tuple[MappingRow, ...] = ()
    unmapped: tuple[str, ...] = ()  # columns that feed nothing
    unmapped_line: int = 0
    package: str = ""  # only where two packages declare the same source
    undecided: tuple[str, ...] = ()  # columns that may feed something; a person should look
    undecided_line: int = 0
    into: tuple[str, ...] = ()  # models that people say the table feeds; empty: any
    not_into: tuple[str, ...] = ()  # those that it does not
    ignored: tuple[tuple[int, str], ...] = ()  # comments for `check`: line (0: the whole file), rule to pass over


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding of `check`."""

    code: str  # kebab-case rule name, e.g. "unknown-model-column"
    severity: Severity
    message: str  # what is wrong, one line
    path: str  # file, relative to the project
    line: int = 0  # 1-based; 0: the whole file
    hint: str = ""  # what to do next


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A column found by `search`."""

    relation: str  # unique_id
    column: str
    score: float  # likeness in meaning (cosine) and in words, half and half; in [-0.5, 1]
    type: str | None = None
    description: str = ""
    used_in: tuple[str, ...] = ()  # "model.column" it feeds
    fed_by: tuple[str, ...] = ()  # "source.table.column" that feeds it


class Hits(list[SearchHit], Tabular):
    """What `search` answers, best first."""

    def to_dicts(self) -> list[dict[str, Any]]:
        """A row a column."""
        return [asdict(hit) for hit in self]
