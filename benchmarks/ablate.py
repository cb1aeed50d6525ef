"""What each part of the matcher is worth: what left-out projects get without it, as a Markdown table.

    python benchmarks/ablate.py CASES [--keep FOLDER] [--curve]

The networks are those of the folds of train.py; a part is taken away when they are asked. They know silent signals,
but were not trained anew without the part: read the figures as what a user without it would get, not as what is learnt
of it. ``--curve`` trains anew on a tenth, a third and all of the other owners' wild projects.
"""

import argparse
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from zlib import crc32

import numpy as np
import torch
from cases import Table
from corpora import PROJECTS, owner, read_corpora, wordless
from learning import Asked, ask, first_odds, two_rounds
from scoring import Scores, macro, project_scores
from train import DATA, FOLDS, fold_of, project_runs, signals

from dbt_schema_embed.match.odds import softmax

SHOWN = ("wild", "foreign", "systems")
FORGOTTEN = {
    "half the dictionaries": "foreign, half forgotten",
    "nearly all dictionaries": "foreign, nearly all forgotten",
}
FIGURES = ("recall@1", "renamed", "F1", "ECE", "P>=.9", "cov")


def silent(*names: str) -> Callable[[Table], Table]:
    """A table without some signals."""

    def change(table: Table) -> Table:
        values = {n: np.full_like(v, np.nan) if n.startswith(names) else v for n, v in table.values.items()}
        return replace(table, values=values)

    return change


PARTS: Mapping[str, Callable[[Table], Table]] = {
    "all": lambda table: table,
    "vectors": wordless,
    "words of the source's name": silent("source_named"),
    "habits of the project's SQL": silent("precedent", "name_rule", "model_name_habit", "home_habit"),
    "types": silent("type_fit"),
    "readings as a whole": silent("same_reading"),
    "the kind of value that names say": silent("kind_said"),
    "what feeds a model today": silent("target_fed", "feeder_"),
}
"""What is taken away -> the table without it."""


def one_fold(fold: int) -> dict[tuple[str, str], Scores]:
    """(part, corpus) -> scores of the fold's projects without the part."""
    torch.set_num_threads(1)
    folds = fold_of([t.group for name in PROJECTS for t in DATA.get(name, ())])

    def held(table: Table) -> bool:
        return folds[owner(table.group)] == fold

    rounds = two_rounds(project_runs(DATA, lambda t: not held(t)), signals("project"), "project")
    found: dict[tuple[str, str], Scores] = {}
    for name in SHOWN:
        run = [t for t in DATA[name] if held(t)]
        for part, without in PARTS.items():
            found[part, name] = _scores(ask([without(t) for t in run], rounds))
        found["joint inference", name] = project_scores([(t, first_odds(t, rounds[0])) for t in run if t.scored])
    for part, name in FORGOTTEN.items():
        found[part, "foreign"] = _scores(ask([t for t in DATA[name] if held(t)], rounds))
    return found


SHARES = (0.1, 1 / 3, 1.0)


def learnt(fold: int) -> dict[tuple[str, str], Scores]:
    """(share of the wild projects trained on, corpus) -> scores of the fold's projects."""
    torch.set_num_threads(1)
    folds = fold_of([t.group for name in PROJECTS for t in DATA.get(name, ())])
    wild = {owner(t.group) for t in DATA["wild"]}
    found: dict[tuple[str, str], Scores] = {}
    for share in SHARES:
        few = {o for o in wild if crc32(o.encode()) < share * 2**32}

        def kept(table: Table, few: set[str] = few) -> bool:
            whose = owner(table.group)
            return folds[whose] != fold and (whose not in wild or whose in few)

        rounds = two_rounds(project_runs(DATA, kept), signals("project"), "project")
        for name in SHOWN:
            found[f"{share:.0%}", name] = _scores(ask([t for t in DATA[name] if folds[owner(t.group)] == fold], rounds))
    return found


def _scores(asked: Asked) -> Scores:
    return project_scores([(t, softmax(scores, nothing)) for t, scores, nothing in asked if t.scored])


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="a folder to keep what was read in, for the next call")
    parser.add_argument("--curve", action="store_true", help="train on shares of the wild projects")
    args = parser.parse_args()
    DATA.update(read_corpora(args.cases, args.keep, args.workers, "project"))
    with ProcessPoolExecutor(args.workers, mp_context=get_context("fork")) as pool:
        done = list(pool.map(learnt if args.curve else one_fold, range(FOLDS)))
    print(f"| {'wild projects' if args.curve else 'without'} | corpus | " + " | ".join(FIGURES) + " |")
    print("| --- | --- |" + " --- |" * len(FIGURES))
    for key in done[0]:
        figures = macro({project: s for fold in done for project, s in fold.get(key, {}).items()})
        print(f"| {key[0]} | {key[1]} | " + " | ".join(f"{figures[f]:.3f}" for f in FIGURES) + " |")


if __name__ == "__main__":
    main()
