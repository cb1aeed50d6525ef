"""The tools: what each is told, what it answers, and what it may change."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta, Struct

from dbt_schema_embed.agent.kept import Answers, Kept, examples
from dbt_schema_embed.decide.proposing import Proposal, worth_asking
from dbt_schema_embed.errors import ConfigError
from dbt_schema_embed.records import rounded

if TYPE_CHECKING:
    from dbt_schema_embed.records import Suggestion

_CANDIDATES = 5
_MOST = 400
"""Most rows of an answer."""

Name = Annotated[str, Meta(min_length=1, max_length=400)]


class Asked(Struct, forbid_unknown_fields=True):
    """Arguments of a tool. An unknown one is refused."""


class Undecided(Asked):
    select: Annotated[str, Meta(max_length=400, description="dbt selection of sources; empty: all")] = ""
    limit: Annotated[int, Meta(ge=1, le=100)] = 20


class Table(Asked):
    source: Annotated[str, Meta(min_length=1, max_length=400, description="source.table")]


class OneColumn(Asked):
    source_column: Annotated[str, Meta(min_length=1, max_length=400, description="source.table.column")]


class Words(Asked):
    text: Annotated[str, Meta(min_length=1, max_length=400)]
    limit: Annotated[int, Meta(ge=1, le=50)] = 10


class Nothing(Asked):
    """No arguments."""


class Choice(Asked):
    source_column: Name
    why: Annotated[str, Meta(min_length=1, max_length=400, description="one sentence, for the person who decides")]
    model_column: Annotated[str, Meta(max_length=400, description="model.column")] = ""
    nothing: Annotated[bool, Meta(description="it feeds no model column")] = False


@dataclass(frozen=True, slots=True)
class Desk:
    """A project, and whether sample values may be shown."""

    kept: Kept
    samples: bool = False


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool: what an agent reads of it, and what runs when it is called."""

    name: str
    text: str
    asked: type[Asked]
    answer: Mapping[str, Any]  # JSON Schema of what is under `data`
    run: Callable[[Desk, Any], dict[str, Any]]
    writes: bool = False


def list_undecided(desk: Desk, asked: Undecided) -> dict[str, Any]:
    """The columns that somebody should look at, the most doubtful first."""
    known = desk.kept.answers()
    rows = worth_asking(known.of(asked.select))
    shown = [_with_candidates(desk, known, row) for row in rows[: asked.limit]]
    return {"columns": shown, "more": max(0, len(rows) - asked.limit)}


def suggest_mapping(desk: Desk, asked: Table) -> dict[str, Any]:
    """One table, a short row a column."""
    known = desk.kept.answers()
    rows = known.table(asked.source)
    return {"columns": [_short(known, row) for row in rows[:_MOST]], "more": max(0, len(rows) - _MOST)}


def explain_column(desk: Desk, asked: OneColumn) -> dict[str, Any]:
    """Candidates, signals and habits, in words."""
    kept = desk.kept
    text = kept.engine.explain(asked.source_column, kept.root, **kept.artifacts)
    return {"column": asked.source_column, "text": text}


def search_columns(desk: Desk, asked: Words) -> dict[str, Any]:
    """The nearest columns, best first."""
    kept = desk.kept
    hits = kept.engine.search(asked.text, kept.root, limit=asked.limit, **kept.artifacts)
    rows = [
        {
            "column": f"{hit.relation}.{hit.column}",
            "score": hit.score,
            "type": hit.type,
            "description": hit.description,
            "used_in": list(hit.used_in[:5]),
            "fed_by": list(hit.fed_by[:5]),
        }
        for hit in hits
    ]
    return {"columns": rows}


def check_mappings(desk: Desk, _: Nothing) -> dict[str, Any]:
    """What `check` finds."""
    kept = desk.kept
    found = kept.engine.check(kept.root, **kept.artifacts)
    problems = [
        {
            "severity": p.severity, "rule": p.code, "path": p.path, "line": p.line, "message": p.message, "hint": p.hint
        }
        for p in found.problems[:_MOST]
    ]  # fmt: skip
    return {"problems": problems, "files": found.files, "more": len(found.problems) - len(problems)}


def draft_staging(desk: Desk, asked: Table) -> dict[str, Any]:
    """What `stage` would write."""
    kept = desk.kept
    return {"diff": kept.engine.decisions.stage(asked.source, kept.root, dry_run=True, **kept.artifacts).diff}


def propose_glossary(desk: Desk, _: Nothing) -> dict[str, Any]:
    """Words that accepted answers explain, as `glossary` prints them."""
    kept = desk.kept
    return {"lines": kept.engine.glossary(kept.root, **kept.artifacts).text}


def record_choice(desk: Desk, asked: Choice) -> dict[str, Any]:
    """A proposal into the mapping file."""
    if asked.nothing == bool(asked.model_column):
        raise ConfigError("give model_column, or nothing: true")
    written = desk.kept.propose(Proposal(asked.source_column, asked.model_column or None, asked.why))
    return {"written": written, "status": "suggested"}


def _short(known: Answers, row: "Suggestion") -> dict[str, Any]:
    relation, column = known.source(row)
    target = known.target(row.model, row.model_column)[0] if row.model and row.model_column else None
    return {
        "column": f"{relation.label}.{column.name}",
        "type": column.type,
        "answer": row.answer,
        "target": target,
        "confidence": rounded(row.confidence),
        "status": row.status,
        "reason": row.reason,
    }


def _with_candidates(desk: Desk, known: Answers, row: "Suggestion") -> dict[str, Any]:
    relation, column = known.source(row)
    candidates = []
    for candidate in row.candidates[:_CANDIDATES]:
        target, type_ = known.target(candidate.model, candidate.model_column)
        candidates.append({"target": target, "type": type_, "confidence": rounded(candidate.confidence)})
    return {
        **_short(known, row),
        "description": column.description,
        "table_description": relation.description,
        "candidates": candidates,
    } | ({"samples": examples(column)} if desk.samples else {})


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _many(**properties: Any) -> dict[str, Any]:
    return {"type": "array", "items": _object(**properties)}


_TEXT, _NUMBER = {"type": "string"}, {"type": "number"}
_SHORT = dict.fromkeys(("column", "type", "answer", "target", "status", "reason"), _TEXT) | {"confidence": _NUMBER}
_FULL = _SHORT | {
    "description": _TEXT,
    "candidates": _many(target=_TEXT, type=_TEXT, confidence=_NUMBER),
    "samples": {"type": "array", "items": _TEXT},
}

TOOLS: Sequence[Tool] = (
    Tool(
        "list_undecided",
        "Source columns to decide or to look at again, most doubtful first, with candidates. Start here. Confidence is "
        "calibrated: 0.9 is right 9 times of 10.",
        Undecided, _object(columns=_many(**_FULL), more=_NUMBER), list_undecided,
    ),
    Tool(
        "suggest_mapping",
        "Every column of one source table with its answer: match (target), nothing or undecided. Status existing: the "
        "SQL does it already; accepted: a person decided.",
        Table, _object(columns=_many(**_SHORT), more=_NUMBER), suggest_mapping,
    ),
    Tool(
        "explain_column", "Why one source column gets its answer: candidates, signals, habits of the project.",
        OneColumn, _object(column=_TEXT, text=_TEXT), explain_column,
    ),
    Tool(
        "search_columns", "Columns of the whole project nearest to some words, and where each is used.",
        Words, _object(columns=_many(column=_TEXT, score=_NUMBER, type=_TEXT, description=_TEXT)), search_columns,
    ),
    Tool(
        "check_mappings", "What is wrong with the mapping files. Run it after recording.",
        Nothing, _object(problems=_many(severity=_TEXT, rule=_TEXT, path=_TEXT, message=_TEXT), files=_NUMBER),
        check_mappings,
    ),
    Tool(
        "draft_staging", "The staging model that accepted answers of a source table make, as a diff. Writes nothing.",
        Table, _object(diff=_TEXT), draft_staging,
    ),
    Tool(
        "propose_glossary",
        "Glossary lines that accepted answers teach. Writes nothing.",
        Nothing, _object(lines=_TEXT), propose_glossary,
    ),
    Tool(
        "record_choice",
        "Propose the answer for one source column: model_column, or nothing. It is written to the mapping file as "
        "suggested, for a person to accept. Refused where types cannot fit, another column has the "
        "target or ours is likelier.",
        Choice, _object(written=_TEXT, status=_TEXT), record_choice, writes=True,
    ),
)  # fmt: skip
