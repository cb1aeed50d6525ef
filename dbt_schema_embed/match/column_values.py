"""What is known of a source column by itself: what speaks for its feeding nothing, and how legible it is."""

from collections.abc import Mapping, Sequence

import numpy as np

from dbt_schema_embed.match.block import Block, Matrix
from dbt_schema_embed.match.lexicon import TECHNICAL_WORDS
from dbt_schema_embed.match.odds import Odds, claims

NOTHING_NAMES = (
    "drop_rate", "name_seen", "underscore", "project_has_habits", "table_arrives", "technical", "unread",
    "best_name", "best_reading", "room", "best_first", "spare", "spare_of_type",
)  # fmt: skip


def nothing_rows(block: Block, values: Mapping[str, Matrix], arrives: bool) -> Matrix:
    """(n, len(NOTHING_NAMES)): what speaks for a source column feeding nothing. The last ones are 0 before the first
    round, see `after_first`."""
    habits, names = block.habits, block.abstract_names
    n, k = block.shape
    out = np.zeros((n, len(NOTHING_NAMES)), np.float32)
    if not n:
        return out
    out[:, 0] = [habits.drop_rate(a) for a in names]
    out[:, 1] = [habits.seen[a] > 0 for a in names]
    out[:, 2] = [c.name.startswith("_") for c in block.columns]
    out[:, 3], out[:, 4] = habits.columns > 0, arrives
    out[:, 5] = [is_technical(views) for views in block.source_views]
    out[:, 6] = [1 - r.legible for r in block.readings]
    if k:
        out[:, 7] = block.coverage.both.max(axis=1)
        out[:, 8] = values["same_reading"].max(axis=1)
        covered = values["source_covered"][0] + values["model_covered"][0]
        wide = int((block.model_of == block.model_of[int(covered.argmax())]).sum())
        out[:, 9] = wide / (wide + n)
    return out


def is_technical(views: Sequence[tuple[str, ...]]) -> bool:
    """Does a name say that it serves the loading or storing of rows, and nobody who reads them?"""
    return any(w in TECHNICAL_WORDS for words in views for w in words)


def after_first(block: Block, rows: Matrix, odds: Odds, fit: Matrix) -> Matrix:
    """`nothing_rows` with what the first round found: the best candidate's probability, and how much of the model that
    the table claims most is left for how many columns. ``fit``: (n, k) type_fit."""
    out = rows.copy()
    p = odds.candidates
    if not p.size:
        return out
    out[:, 10] = p.max(axis=1)
    main = int(claims(block, odds).argmax())
    inside = block.model_of == main
    free = inside & (p.sum(axis=0) < 0.4)
    waiting = p.max(axis=1) < 0.5
    out[:, 11] = free.sum() / max(1, free.sum() + waiting.sum())
    fits = np.nan_to_num(fit[:, free], nan=0.5) >= 0.5
    rivals = fits[waiting].sum(axis=0) if waiting.any() else np.zeros(int(free.sum()))
    out[:, 12] = (fits / np.maximum(rivals, 1)).max(axis=1, initial=0)
    return out


def row_values(block: Block, rows: Matrix) -> Matrix:
    """(n, r + 1) what the networks know of a column: the values of nothing, and how legible it is."""
    return np.concatenate([rows, block.legible[:, None]], axis=1, dtype=np.float32)
