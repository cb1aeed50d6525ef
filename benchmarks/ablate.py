"""What each signal is worth: train without it, ask about what was left out, and print a Markdown table.

    python benchmarks/ablate.py CASES [--only project|tables] [--workers 2] [signal ...]

Vendors are left out in three parts, sets of pairs one by one. Takes about half an hour on two cores.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from cases import Table
from learning import Round
from scoring import Scores, macro
from train import (
    DATA,
    PAIRS_ONLY,
    Data,
    ask_pairs,
    ask_projects,
    fit_pairs,
    fit_project,
    folds,
    names_without,
    read_data,
    workers_with,
)

from dbt_schema_embed.match.combine import KNOTS, NOTHING_NAMES, SIGNAL_NAMES

PARTS = 3
HABITS = ("precedent", "name_rule", "model_name_habit", "home_habit")
HABITS_OF_NOTHING = ("drop_rate", "name_seen", "project_has_habits")
MEANING = ("name_meaning", "meaning_in_table", "name_with_values", "value_meaning", "name_in_description",
           "description")  # fmt: skip
VALUES = ("value_overlap", "value_kind", "value_letters", "value_range", "value_spread",
          "value_meaning", "name_with_values")  # fmt: skip
HAND = {
    "exact": 3, "source_words_found": 3, "target_words_found_in_table": 3, "letters": 2, "abbreviation": 2,
    "name_meaning": 3, "table_words": 3, "source_covered": 1, "type_fit": 1, "value_overlap": 2, "value_letters": 1,
}  # fmt: skip
"""What one would set by hand: how much each signal's rise from 0 to 1 adds."""
HAND_NOTHING = 7.0


def by_hand() -> tuple[Round, Round]:
    """The same straight lines in both rounds, of the plain signals only."""
    curves = {name: np.asarray(slope * KNOTS, np.float32) for name, slope in HAND.items()}
    once = Round(curves, dict.fromkeys(NOTHING_NAMES, 0.0) | {"bias": HAND_NOTHING})
    return once, once


def variants(chosen: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(what it is called, signals left out): all, groups, and one by one."""
    yield "all signals", ()
    if not chosen:
        yield "without habits", HABITS
        yield "without meaning (no encoder)", MEANING
        yield "without values", VALUES
        yield "hand weights", ("*",)
    plain = [n for n in SIGNAL_NAMES if not n.endswith("_relative")]
    for name in chosen or plain:
        yield f"without {name}", (name,)


def one_project_part(groups: Sequence[str], left_out: tuple[str, ...]) -> dict[str, Scores]:
    """Scores of the vendors ``groups`` by scenario, trained on the others without those signals."""
    torch.set_num_threads(1)
    data = DATA["project"]
    if set(HABITS) <= set(left_out):
        data = {scenario: [without_habits(t) for t in tables] for scenario, tables in data.items()}
    rounds = by_hand() if "*" in left_out else fit_project(data, names_without(left_out), groups)
    return ask_projects(data, rounds, groups)


def without_habits(table: Table) -> Table:
    """The table as if "nothing" knew no habit either."""
    nothing = table.nothing.copy()
    nothing[:, [NOTHING_NAMES.index(name) for name in HABITS_OF_NOTHING]] = 0
    return replace(table, nothing=nothing)


def one_set(groups: Sequence[str], left_out: tuple[str, ...]) -> Scores:
    """Scores of the pairs of ``groups``."""
    torch.set_num_threads(1)
    rounds = by_hand() if "*" in left_out else fit_pairs(DATA["tables"], names_without(left_out), groups)
    return ask_pairs(DATA["tables"], rounds, groups)


def table_of(data: Data, chosen: Sequence[str], workers: int) -> Iterator[str]:
    """The lines of the Markdown table, as they are known."""
    parts = folds([t.group for t in data["project"]["auto"]], PARTS) if "project" in data else []
    sets = [[g] for g in sorted({t.group for t in data["tables"][0]})] if "tables" in data else []
    yield "| | recall@1 | renamed | F1 | ECE | coverage | bare: F1 | short: F1 | pairs: MRR | recall@GT |"
    yield "| --- |" + " --- |" * 9
    with workers_with(data, workers) as pool:
        for title, left_out in variants(chosen):
            shown = ["-"] * 9
            matters = not left_out or set(left_out) - set(PAIRS_ONLY)  # to projects
            of_projects = pool.map(partial(one_project_part, left_out=left_out), parts if matters else [])
            of_sets = pool.map(partial(one_set, left_out=left_out), sets)
            if done := list(of_projects):
                score = {s: macro({k: v for d in done for k, v in d[s].items()}) for s in data["project"]}
                shown[:5] = [f"{score['auto'][k]:.3f}" for k in ("recall@1", "renamed", "F1", "ECE", "cov")]
                shown[5:7] = [f"{score[s]['F1']:.3f}" for s in ("bare", "short")]
            if sets:
                each = [macro(s) for s in of_sets]
                shown[7:] = [f"{np.mean([e[k] for e in each]):.3f}" for k in ("MRR", "recall@GT")]
            yield f"| {title} | " + " | ".join(shown) + " |"


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path)
    parser.add_argument("signals", nargs="*", help="only these, one by one")
    parser.add_argument("--only", choices=["project", "tables"])
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    for line in table_of(read_data(args.cases, args.only), args.signals, args.workers):
        print(line, flush=True)


if __name__ == "__main__":
    main()
