"""Train the weights of the matcher and say how well they do on what they have not seen.

    python benchmarks/train.py CASES [--write] [--only project|tables] [--without signal,signal]

Cross-validation leaves out whole projects (vendors) and whole sets of pairs. ``--write`` then trains on everything and
writes dbt_schema_embed/match/weights.json.
"""

import argparse
import json
import random
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import fabricate
import torch
from cases import Table, load_gold, pair_table, project_tables, read_case, read_pair
from learning import Round, odds, two_rounds, with_whole_table
from scoring import pair_scores, project_scores, show

import dbt_schema_embed.match as match_room
from dbt_schema_embed.embed import embed_relations, open_embedder, pair_texts
from dbt_schema_embed.match.combine import KNOTS, SIGNAL_NAMES

FOLDS = 6
VALUED = ("value_kind", "value_shape", "value_letters", "value_range", "value_spread", "value_meaning")
PAIRS_ONLY = (*VALUED, "described", "name_with_values")
"""Signals of two tables with rows on both sides: models that are planned have none."""
WEIGHTS = Path(match_room.__file__).with_name("weights.json")


def project_scenarios(cases: Path) -> dict[str, list[Table]]:
    """auto and all as the cases are; "bare": every staging model hidden, so that there is no habit to learn from;
    "short": the sources' names shortened as old systems have them; "split": planned models cut in two."""
    embedder = open_embedder()
    embed = partial(embed_relations, embedder=embedder)
    found: dict[str, list[Table]] = {"auto": [], "all": [], "bare": [], "short": [], "split": []}
    with tempfile.TemporaryDirectory() as cache:
        for folder in sorted(p for p in (cases / "dbt").iterdir() if (p / "gold.json").exists()):
            project = read_case(folder, Path(cache))
            found["auto"] += project_tables(folder, project, embed, "auto")
            found["all"] += project_tables(folder, project, embed, "all")
            _, raw = load_gold(folder / "gold.json")
            everything = {p["source"] for p in raw["pairs"]}
            found["bare"] += project_tables(folder, project, embed, "auto", everything)
            found["short"] += project_tables(folder, project, embed, "auto", change="short")
            found["split"] += project_tables(folder, project, embed, "auto", change="split")
    embedder.close()
    return found


def pair_sets(cases: Path) -> tuple[list[Table], list[Table]]:
    """(pairs with published truth, pairs fabricated from the dbt projects' seeds)."""
    embedder = open_embedder()
    embed = partial(embed_relations, embedder=embedder, texts_of=pair_texts)
    real = []
    for case in sorted((cases / "pairs").glob("*/*/mapping.json")):
        left, right, truth = read_pair(case.parent)
        real.append(pair_table(case.parent.parent.name, case.parent.name, (left, right), truth, embed))
    with tempfile.TemporaryDirectory() as cache:
        made = list(fabricate.tables(cases, Path(cache), embed))
    embedder.close()
    return real, made


def folds(groups: Sequence[str]) -> list[list[str]]:
    """Groups dealt into FOLDS parts."""
    dealt = sorted(set(groups))
    random.Random(3).shuffle(dealt)
    return [dealt[i::FOLDS] for i in range(FOLDS)]


def names_without(left_out: Sequence[str]) -> tuple[str, ...]:
    """The signals to train; leaving one out leaves out its relative as well."""
    gone = {*left_out, *(f"{n}_relative" for n in left_out)}
    return tuple(n for n in SIGNAL_NAMES if n not in gone)


def _fit_project(scenarios: dict[str, list[Table]], names: Sequence[str], out: Sequence[str]) -> tuple[Round, Round]:
    torch.set_num_threads(1)
    share = {"auto": 0.3, "all": 0.25, "bare": 0.2, "short": 0.15, "split": 0.1}
    kept = [[replace(t, weight=share[s]) for t in _some(ts, s) if t.group not in out] for s, ts in scenarios.items()]
    return two_rounds(kept, names)


def _some(tables: Sequence[Table], scenario: str) -> Sequence[Table]:
    """Made-up scenarios are trained on every other table: the projects as they are count, and an hour is an hour."""
    return tables if scenario in ("auto", "all") else tables[::2]


def _fold_project(scenarios: dict[str, list[Table]], names: Sequence[str], out: Sequence[str]) -> dict[str, list[Any]]:
    first, second = _fit_project(scenarios, names, out)
    answers: dict[str, list[Any]] = {}
    for scenario, tables in scenarios.items():
        held = [replace(t, values=dict(t.values)) for t in tables if t.group in out]
        with_whole_table(held, first)
        answers[scenario] = [(t, odds(t, second)) for t in held if t.scored]
    return answers


def _weigh(real: Sequence[Table], made: Sequence[Table], out: Sequence[str]) -> list[Table]:
    """Every fabricated pair counts the same, every published set as much as forty of them; and each table is shown
    three times: whole, without values, without descriptions, since the next user may have none of them."""
    sets = {t.group for t in real} - set(out)
    sizes = {g: sum(t.group == g for t in real) for g in sets}
    weighed = [(t, 40 / sizes[t.group]) for t in real if t.group in sets] + [(t, 1.0) for t in made]
    shown = []
    for t, weight in weighed:
        each = weight * 5 / max(1, int(t.used.sum()))
        shown += [replace(t, weight=each * 0.5), _blind(t, "value", each * 0.3), _blind(t, "descri", each * 0.2)]
    return shown


def _blind(table: Table, what: str, weight: float) -> Table:
    """The table as if it had no values, or no descriptions."""
    with_name = {"value": "name_with_values", "descri": "described"}[what]
    values = {n: v * float("nan") if what in n and n != with_name else v for n, v in table.values.items()}
    values[with_name] = values["name_meaning"]
    values[f"{with_name}_relative"] = values["name_meaning_relative"]
    return replace(table, values=values, weight=weight)


def _fold_pairs(real: Sequence[Table], made: Sequence[Table], names: Sequence[str], out: Sequence[str]) -> list[Any]:
    torch.set_num_threads(1)
    first, second = two_rounds([[t] for t in _weigh(real, made, out)], names)
    held = [replace(t, values=dict(t.values)) for t in real if t.group in out]
    for t in held:
        with_whole_table([t], first)
    return [(t, odds(t, second)) for t in held]


def cross_validate(data: Any, names: Sequence[str], workers: int) -> None:
    """Print what the left-out projects and sets got."""
    with ProcessPoolExecutor(workers) as pool:
        if "project" in data:
            scenarios = data["project"]
            left = [n for n in names if n.removesuffix("_relative") not in PAIRS_ONLY]
            parts = folds([t.group for t in scenarios["auto"]])
            done = list(pool.map(partial(_fold_project, scenarios, left), parts))
            for scenario in scenarios:
                show(f"dbt, targets {scenario}", project_scores([a for d in done for a in d[scenario]]))
        if "tables" in data:
            real, made = data["tables"]
            sets = [[g] for g in sorted({t.group for t in real})]
            for (group,), answers in zip(sets, pool.map(partial(_fold_pairs, real, made, names), sets), strict=True):
                show(f"pairs, {group}", pair_scores(answers))


def final(data: Any, names: Sequence[str]) -> dict[str, Any]:
    """The weights file's content, trained on everything."""
    out: dict[str, Any] = {"knots": [round(float(k), 2) for k in KNOTS]}
    if "project" in data:
        left = [n for n in names if n.removesuffix("_relative") not in PAIRS_ONLY]
        out["project"] = [_plain(r) for r in _fit_project(data["project"], left, ())]
    if "tables" in data:
        out["tables"] = [_plain(r) for r in two_rounds([[t] for t in _weigh(*data["tables"], ())], names)]
    return out


def _plain(weights: Round) -> dict[str, Any]:
    signals = {n: [round(float(v), 3) for v in curve] for n, curve in weights.curves.items()}
    return {"signals": signals, "nothing": {n: round(v, 3) for n, v in weights.nothing.items()}}


def _dump(data: dict[str, Any]) -> str:
    """JSON with one signal a line."""
    text = json.dumps(data, indent=1)
    return "".join(
        part if i % 2 == 0 else "[" + " ".join(part.split()) + "]"
        for i, part in enumerate(_brackets(text))
    ) + "\n"  # fmt: skip


def _brackets(text: str) -> list[str]:
    """Text outside and inside innermost lists of numbers, in turn."""
    import re

    return re.split(r"\[([^\[\]{}]*)\]", text)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--only", choices=["project", "tables"])
    parser.add_argument("--without", default="", help="signals to leave out, comma-separated")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--no-validation", action="store_true")
    args = parser.parse_args()
    data: dict[str, Any] = {}
    if args.only != "tables":
        data["project"] = project_scenarios(args.cases)
    if args.only != "project":
        data["tables"] = pair_sets(args.cases)
    names = names_without([n for n in args.without.split(",") if n])
    if not args.no_validation:
        cross_validate(data, names, args.workers)
    if args.write:
        old = json.loads(WEIGHTS.read_text("utf-8")) if WEIGHTS.exists() else {}
        WEIGHTS.write_text(_dump(old | final(data, names)), "utf-8")
        print(f"wrote {WEIGHTS.name}")


if __name__ == "__main__":
    main()
