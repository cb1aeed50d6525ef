"""Train the weights of the matcher and say how well they do on what they have not seen.

    python benchmarks/train.py CASES [--write] [--only project|tables] [--keep FOLDER]

Cross-validation leaves out whole owners of projects, whole systems and whole sets of pairs, in FOLDS parts. What the
networks say of the left-out ones is what the nine numbers of the calibration are fitted on, and what is scored.
``--write`` then trains on everything and writes dbt_schema_embed/match/weights.npz.
"""

import argparse
import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from cases import Table, without_targets
from corpora import PAIRS, PROJECTS, Run, alone, blind, owner, read_corpora, wordless
from learning import Asked, Rounds, answered, ask, calibrate, two_rounds, weighed
from numpy.typing import NDArray
from scoring import pair_scores, project_scores, show

import dbt_schema_embed.match as match_room
from dbt_schema_embed.match.networks import Mode
from dbt_schema_embed.match.pair_values import SIGNAL_NAMES

FOLDS = 5
VALUED = ("value_kind", "value_letters", "value_range", "value_spread", "value_meaning")
PAIRS_ONLY = (*VALUED, "name_with_values")
"""Signals of two tables with rows on both sides: models that are planned have none."""
WEIGHTS = Path(match_room.__file__).with_name("weights.npz")
Corpora = dict[str, Run]
Kept = Callable[[Table], bool]
DATA: Corpora = {}
"""What the worker processes find when they are forked: it is gigabytes."""


def signals(mode: Mode, left_out: Sequence[str] = ()) -> list[str]:
    """The signals of a mode, without some and what says how they stand."""
    gone = (*left_out, *(PAIRS_ONLY if mode == "project" else ()))
    return [n for n in SIGNAL_NAMES if not any(n == g or n.startswith((f"{g}_relative", f"{g}_over")) for g in gone)]


def project_runs(corpora: Corpora, kept: Kept, seed: int = 0) -> list[Run]:
    """The projects' runs to train on: each as it is, with columns that lose their target, and some without vectors."""
    rng = np.random.default_rng(seed)
    runs = []
    for name, corpus in PROJECTS.items():
        some = [t for t in corpora.get(name, ()) if kept(t) and t.used.any()]
        less = [without_targets(t, rng) for t in some]
        shown = ((some, 0.42), (less, 0.42), ([wordless(t) for t in (some + less)[::5]], 0.16))
        runs += [weighed(tables, corpus.share * part) for tables, part in shown if tables]
    return runs


def pair_runs(corpora: Corpora, kept: Kept) -> list[Run]:
    """Pairs to train on, each a run: whole, without values, without descriptions, for the next user may have none."""
    found: Run = []
    for name, share in PAIRS.items():
        some = [t for t in corpora.get(f"pairs, {name}", ()) if kept(t)]
        shown = [(some, 0.45), ([blind(t, "value") for t in some], 0.25), ([blind(t, "descri") for t in some], 0.15)]
        shown += [([wordless(blind(t, "value")) for t in some[::2]], 0.1), ([wordless(t) for t in some[1::2]], 0.05)]
        found += [t for tables, part in shown for t in weighed(tables, share * part)] if some else []
    lone = [
        t for name in ("wild", "wild, strange", "foreign", "systems") for t in alone(corpora.get(name, ())) if kept(t)
    ]
    found += weighed([replace(t, scored=False) for t in lone[::2]], 1 - sum(PAIRS.values())) if lone else []
    return [[t] for t in found]


def fold_of(groups: Sequence[str]) -> dict[str, int]:
    """Every owner's fold."""
    dealt = sorted({owner(g) for g in groups})
    random.Random(3).shuffle(dealt)
    return {name: at % FOLDS for at, name in enumerate(dealt)}


def left_out_projects(fold: int, left_out: Sequence[str] = ()) -> dict[str, Asked]:
    """Train on the projects of DATA without those of a fold, and ask about these, by corpus."""
    torch.set_num_threads(1)
    folds = fold_of([t.group for name in PROJECTS for t in DATA.get(name, ())])

    def held(table: Table) -> bool:
        return folds[owner(table.group)] == fold

    rounds = two_rounds(project_runs(DATA, lambda t: not held(t)), signals("project", left_out), "project")
    asked = {name: [t for t in DATA.get(name, ()) if held(t)] for name in PROJECTS}
    return {name: _slim(ask(run, rounds)) for name, run in asked.items() if run}


def left_out_pairs(fold: int, left_out: Sequence[str] = ()) -> dict[str, Asked]:
    """The same of pairs: a published set is a fold of its own, foreign systems are dealt into two further ones."""
    torch.set_num_threads(1)
    sets = pair_folds()

    def held(table: Table) -> bool:
        return owner(table.group.partition("/")[0]) in sets[fold]

    rounds = two_rounds(pair_runs(DATA, lambda t: not held(t)), signals("tables", left_out), "tables")
    names = ("pairs, published", *FOREIGN_PAIRS)
    return {
        name: [a for t in DATA.get(name, ()) if held(t) for a in _slim(ask([t], rounds))] for name in names
    }  # fmt: skip


FOREIGN_PAIRS = ("pairs, foreign", "pairs, systems")


def pair_folds() -> list[set[str]]:
    """What is left out together."""
    systems = sorted({t.group for name in FOREIGN_PAIRS for t in DATA.get(name, ())})
    published = [{g} for g in sorted({t.group for t in DATA.get("pairs, published", ())})]
    return [*published, set(systems[::2]), set(systems[1::2])]


def _slim(asked: Asked) -> Asked:
    """Without what scores do not need: they travel between processes."""
    return [(replace(t, values={}), scores, nothing) for t, scores, nothing in asked]


def cross_validate(mode: Mode, workers: int, left_out: Sequence[str] = ()) -> NDArray[np.float32]:
    """Print what was left out and scored, corpus by corpus; the (9,) calibration that it gives."""
    job, parts = (left_out_projects, FOLDS) if mode == "project" else (left_out_pairs, len(pair_folds()))
    with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
        done = [f.result() for f in [pool.submit(job, fold, left_out) for fold in range(parts)]]
    asked: dict[str, Asked] = {name: [a for d in done for a in d.get(name, ())] for name in done[0] | done[-1]}
    asked = {name: some for name, some in asked.items() if some}  # not every folder of cases has all corpora
    shares = {name: c.share for name, c in PROJECTS.items()} | {f"pairs, {n}": s for n, s in PAIRS.items()}
    everything: Asked = []
    for name, some in asked.items():
        if mode == "project" and PROJECTS[name].second:
            continue  # far harder than what people bring: to learn from, not to say how sure one may be
        tables = weighed([t for t, *_ in some], shares[name])
        everything += [(t, scores, nothing) for t, (_, scores, nothing) in zip(tables, some, strict=True)]
    calibration = calibrate(everything)
    for name, some in asked.items():
        odds = answered(some, _NONE, calibration)
        if mode == "project":
            scores = project_scores([a for a in odds if a[0].scored])
            show(name, scores)
            if name in ("wild", "foreign", "systems"):
                worst = sorted(scores, key=lambda group: scores[group]["F1"])[:10]
                print("  worst: " + ", ".join(f"{g} {scores[g]['F1']:.2f}" for g in worst), flush=True)
        else:
            for group in sorted({t.group for t, _ in odds} if "published" in name else {""}):
                show(f"{name} {group}", pair_scores([a for a in odds if a[0].group == group or not group]))
    print(f"calibration {[round(float(c), 3) for c in calibration]}", flush=True)
    return calibration


_NONE: Any = (None, None)


def packed(mode: Mode, rounds: Rounds, calibration: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
    """`match.networks.Weights` as named arrays, half precision: what is lost moves no probability by 0.001."""
    arrays: dict[str, NDArray[Any]] = {f"{mode}/calibration": calibration}
    for number, found in enumerate(rounds, 1):
        at = f"{mode}/{number}/"
        arrays |= {at + n: getattr(found, n).astype(np.float16) for n in _WHOLE}
        arrays |= {f"{at}nothing_{i}": part.astype(np.float16) for i, part in enumerate(found.nothing)}
        arrays |= {at + "names": np.array(found.names), at + "bias": np.array(found.bias, np.float32)}
    return arrays


_WHOLE = ("first", "rows", "first_bias", "second", "second_bias", "third", "straight")


def final(corpora: Corpora, calibrations: Mapping[Mode, NDArray[np.float32]]) -> dict[str, NDArray[Any]]:
    """The weights file's content, trained on everything."""
    torch.set_num_threads(1)
    out: dict[str, NDArray[Any]] = {}
    runs: dict[Mode, Callable[..., list[Run]]] = {"project": project_runs, "tables": pair_runs}
    for mode, calibration in calibrations.items():
        out |= packed(mode, two_rounds(runs[mode](corpora, lambda _: True), signals(mode), mode), calibration)
    return out


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--only", choices=["project", "tables"])
    parser.add_argument("--without", default="", help="signals to leave out, comma-separated")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="a folder to keep what was read in, for the next call")
    args = parser.parse_args()
    DATA.update(read_corpora(args.cases, args.keep, args.workers, args.only))
    left_out = [n for n in args.without.split(",") if n]
    both: tuple[Mode, ...] = ("project", "tables")
    modes = [m for m in both if args.only in (None, m)]
    calibrations = {mode: cross_validate(mode, args.workers, left_out) for mode in modes}
    if args.write:
        old = dict(np.load(WEIGHTS)) if WEIGHTS.exists() else {}
        np.savez_compressed(WEIGHTS, **old | final(DATA, calibrations))
        print(f"wrote {WEIGHTS.name}")


if __name__ == "__main__":
    main()
