"""What each kind of evidence adds: the way that the whole ranking goes where that kind is silent."""

import numpy as np
import pytest

from dbt_schema_embed.match import choose_targets, ranking, suggest
from dbt_schema_embed.match.block import Block
from dbt_schema_embed.match.shares import _kind
from dbt_schema_embed.records import Suggestion
from tests.match.builders import embedded, model, project, shop, source


def rows(*, shares: bool = True) -> dict[str, Suggestion]:
    """The matches of two tables whose names say little, in a project with habits."""
    base = shop()
    doubtful = (
        source("payouts", "ref:integer made:timestamp sum:integer done:boolean person:integer note:text", "acme"),
        source("movements", "kx:integer ky:integer d1:timestamp total_net:integer remark:text", "acme"),
        model(
            "payments",
            "payment_number:integer paid_out_at:timestamp value:integer is_settled:boolean payee_id:integer "
            "comment:text",
        ),
        model("ledger", "entry_id:integer account_id:integer posted_at:timestamp net_amount:integer comment:text"),
    )
    p = project([*base.relations, *doubtful], base.lineage)
    sources = [embedded(r) for r in p.relations if r.kind == "source"]
    found = suggest(sources, [embedded(m) for m in choose_targets(p, "auto")], project=p, shares=shares)
    return {r.source_column: r for r in found if "acme" in r.source and r.model}


@pytest.mark.parametrize("kind", ["habit", "meaning", "type"])
@pytest.mark.parametrize("column", ["ky", "d1", "person", "made"])
def test_it_is_what_a_ranking_without_it_gives(kind: str, column: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = rows()[column]
    whole = ranking.signal_values

    def silenced(block: Block, *more: object) -> dict[str, np.ndarray]:
        values = whole(block, *more)
        if block.source.relation.id == told.source:
            i = [c.name for c in block.columns].index(column)
            j = [t.name for t in block.targets].index(told.model_column)
            for name in values:
                if _kind(name) == kind:
                    values[name] = values[name].copy()
                    values[name][i, j] = np.nan
        return values

    monkeypatch.setattr(ranking, "signal_values", silenced)
    without = next(c for c in rows()[column].candidates if c.model_column == told.model_column)
    fall = told.confidence - without.confidence
    # What its neighbours make of it is left out: that may make up for most of it.
    assert abs(told.adds[kind]) <= abs(fall) + 0.08
    assert abs(fall) < 0.05 or (told.adds[kind] > 0) == (fall > 0)


def test_only_matches_say_it_and_only_where_it_is_asked() -> None:
    found = rows()
    kinds = {"name", "meaning", "description", "values", "table", "fed", "type", "habit", "neighbours"}
    assert all(set(row.adds) == kinds for row in found.values())
    assert max(abs(fall) for row in found.values() for fall in row.adds.values()) > 0.1
    assert not any(row.adds for row in rows(shares=False).values())
