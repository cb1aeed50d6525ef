"""Scores of ranked tables against their truth, by the definitions of ../shared/tools: the same figures, in process."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from cases import Table

from dbt_schema_embed.match.assign import assign
from dbt_schema_embed.match.odds import Odds

Answered = Sequence[tuple[Table, Odds]]
Scores = dict[str, dict[str, float]]
"""Project or pair -> name of a figure -> its value."""


def project_scores(answers: Answered) -> Scores:
    """By project: recall@1, of renamed columns, F1, calibration error, precision and coverage at 0.9."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for table, odds in answers:
        rows[table.group] += _rows(table, odds)
    return {group: _report(r) for group, r in rows.items()}


def macro(scores: Scores) -> dict[str, float]:
    """Means over projects or pairs; where one has nothing to say (NaN), over the others."""
    each = list(scores.values())
    return {k: float(np.nanmean([e[k] for e in each])) for k in each[0]}


def _rows(table: Table, odds: Odds) -> list[dict[str, Any]]:
    out = []
    for i, j in enumerate(assign(odds)):
        if not table.used[i]:
            continue
        order = [c for c in np.argsort(-odds.candidates[i], kind="stable") if not table.passed_over[i, c]][:10]
        out.append({
            "truth": not table.empty[i],
            "kind": table.kinds[i],
            "first": bool(order) and bool(table.right[i, order[0]]),
            "answered": j >= 0 and not table.passed_over[i, j],
            "right": j >= 0 and bool(table.right[i, j]),
            "confidence": float(odds.candidates[i, j]) if j >= 0 else 0.0,
            "sure_nothing": j < 0 and float(odds.nothing[i]) >= 0.9,
        })  # fmt: skip
    return out


def _report(rows: list[dict[str, Any]]) -> dict[str, float]:
    true = [r for r in rows if r["truth"]]
    renamed = [r for r in true if r["kind"] == "renamed"]
    given = [r for r in rows if r["answered"]]
    right = sum(r["right"] for r in given)
    sure = [r for r in given if r["confidence"] >= 0.9]
    precision, recall = right / max(1, len(given)), right / max(1, len(true))
    error = 0.0
    for b in range(10):
        inside = [r for r in given if min(int(r["confidence"] * 10), 9) == b]
        error += abs(sum(r["confidence"] for r in inside) - sum(r["right"] for r in inside)) / max(1, len(given))
    return {
        "recall@1": float(np.mean([r["first"] for r in true])) if true else float("nan"),
        "renamed": float(np.mean([r["first"] for r in renamed])) if renamed else float("nan"),
        "F1": 2 * precision * recall / max(1e-9, precision + recall),
        "ECE": error,
        "P>=.9": sum(r["right"] for r in sure) / len(sure) if sure else float("nan"),
        "cov": sum(r["right"] for r in sure) / max(1, len(true)),
        "nothing>=.9": _mean([not r["truth"] for r in rows if r["sure_nothing"]]),
    }


def _mean(values: Sequence[bool]) -> float:
    return float(np.mean(values)) if values else float("nan")


def pair_scores(answers: Answered) -> Scores:
    """By pair: mean reciprocal rank, recall at ground truth (Valentine), F1 of the one-to-one answer."""
    each = {}
    for table, odds in answers:
        p, right = odds.candidates, table.right
        ranks = [1 + (p[i] > p[i][right[i]].max()).sum() for i in np.flatnonzero(right.any(axis=1))]
        top = np.argsort(-p.ravel(), kind="stable")[: right.sum()]
        chosen = [(i, j) for i, j in enumerate(assign(odds)) if j >= 0]
        hit = sum(right[i, j] for i, j in chosen)
        each[f"{table.group}/{table.name}"] = {
            "MRR": float(np.mean([1 / r for r in ranks])),
            "recall@GT": float(right.ravel()[top].mean()),
            "F1": 2 * hit / max(1, len(chosen) + right.sum()),
        }
    return each


def show(name: str, scores: Scores) -> None:
    """One line of means."""
    print(f"{name:28}" + "".join(f"  {k} {v:.3f}" for k, v in macro(scores).items()), flush=True)
