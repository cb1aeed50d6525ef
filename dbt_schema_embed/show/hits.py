"""Suggestions and hits as text."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dbt_schema_embed.errors import printable
from dbt_schema_embed.records import SearchHit, Suggestions


def suggestions_text(
    answer: Suggestions, form: str, *, width: int | None = None, color: bool = False, compact: bool = False
) -> str:
    """``answer`` as "table" (at most ``width`` columns wide), "json" (``compact``: the answers alone) or "markdown"."""
    from dbt_schema_embed.show.markdown import to_markdown
    from dbt_schema_embed.show.table import to_json, to_table

    if form == "json":
        return json.dumps(answer.to_compact(), separators=(",", ":")) + "\n" if compact else to_json(answer)
    return to_markdown(answer) if form == "markdown" else to_table(answer, width=width, color=color)


def json_text(result: Mapping[str, Any]) -> str:
    """A small result as JSON."""
    return json.dumps(result, indent=2) + "\n"


def hits_text(hits: Sequence[SearchHit], form: str, *, width: int | None = None) -> str:
    """What `search` found, as "table" or "json"."""
    if form == "json":
        return hits_json(hits)
    from dbt_schema_embed.show.words import display_width, padded, short_name

    if not hits:
        return "no columns\n"
    cells = [
        (
            f"{hit.score:.2f}",
            f"{short_name(hit.relation)}.{printable(hit.column, 80)}",
            printable(hit.type or "", 30),
            _used(hit),
        )
        for hit in hits
    ]
    name, kind = (max(display_width(row[at]) for row in cells) for at in (1, 2))
    lines = [f"{score}  {padded(place, name)}  {padded(type_, kind)}  {used}" for score, place, type_, used in cells]
    cut = lines if width is None else [padded(line, width) for line in lines]
    return "".join(f"{line.rstrip()}\n" for line in cut)


def hits_json(hits: Sequence[SearchHit]) -> str:
    """``{"schema_version": 1, "hits": [...]}``, best first."""
    rows = [
        {
            "relation": hit.relation,
            "column": hit.column,
            "score": hit.score,
            "type": hit.type,
            "description": hit.description,
            "used_in": list(hit.used_in),
            "fed_by": list(hit.fed_by),
        }
        for hit in hits
    ]
    return json.dumps({"schema_version": 1, "hits": rows}, indent=2) + "\n"


def _used(hit: SearchHit) -> str:
    """Where a column goes or comes from, in a few words."""
    names, word = (hit.used_in, "feeds") if hit.used_in else (hit.fed_by, "from")
    if not names:
        return ""
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return f"{word} {', '.join(printable(name, 80) for name in names[:2])}{more}"
