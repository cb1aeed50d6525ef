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
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import fabricate
import torch
from cases import Table, load_gold, pair_table, project_tables, read_case, read_pair
from learning import Belief, Round, odds, two_rounds, with_whole_table
from scoring import Scores, pair_scores, project_scores, show

import dbt_schema_embed.match as match_room
from dbt_schema_embed.embed import embed_relations, open_embedder, pair_texts
from dbt_schema_embed.match.combine import KNOTS, SIGNAL_NAMES

FOLDS = 6
VALUED = ("value_kind", "value_letters", "value_range", "value_spread", "value_meaning")
PAIRS_ONLY = (*VALUED, "name_with_values")
"""Signals of two tables with rows on both sides: models that are planned have none."""
PROJECT_BELIEF = Belief(ridge=5e-5, smooth=5e-4)
PAIR_BELIEF = Belief(
    ridge=2e-4,
    smooth=2e-3,
    slopes={"exact": 4, "name_meaning": 4, "name_with_values": 4, "value_meaning": 4, "name_in_description": 2},
)
"""Four sets of pairs teach little, and what they teach of letters and words drowns what names and values mean, which
holds for a fifth set too: so that rises before any data. Projects are many and speak for themselves."""
Data = dict[str, Any]
""""project": tables by scenario; "tables": (pairs with published truth, fabricated pairs). Either may be missing."""
Pairs = tuple[list[Table], list[Table]]
DATA: Data = {}
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


def pair_sets(cases: Path) -> Pairs:
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


def read_data(cases: Path, only: str | None = None) -> Data:
    """Both kinds of data, or one."""
    data: Data = {}
    if only != "tables":
        data["project"] = project_scenarios(cases)
    if only != "project":
        data["tables"] = pair_sets(cases)
    return data


def folds(groups: Sequence[str], parts: int = FOLDS) -> list[list[str]]:
    """Groups dealt into parts."""
    dealt = sorted(set(groups))
    random.Random(3).shuffle(dealt)
    return [dealt[i::parts] for i in range(parts)]


def names_without(left_out: Sequence[str]) -> tuple[str, ...]:
    """The signals to train; leaving one out leaves out its relative as well."""
    gone = {*left_out, *(f"{n}_relative" for n in left_out)}
    return tuple(n for n in SIGNAL_NAMES if n not in gone)


Scenarios = dict[str, list[Table]]
SHARE = {"auto": 0.3, "all": 0.25, "bare": 0.2, "short": 0.15, "split": 0.1}
"""What each scenario counts. Made-up ones are trained on every other table: the projects as they are count most."""


def fit_project(scenarios: Scenarios, names: Sequence[str], out: Sequence[str]) -> tuple[Round, Round]:
    """The project's two rounds, trained without the groups ``out``."""
    kept = []
    for scenario, tables in scenarios.items():
        some = tables if scenario in ("auto", "all") else tables[::2]
        kept.append([replace(t, weight=SHARE[scenario], values=dict(t.values)) for t in some if t.group not in out])
    return two_rounds(kept, [n for n in names if n.removesuffix("_relative") not in PAIRS_ONLY], PROJECT_BELIEF)


def ask_projects(scenarios: Scenarios, rounds: tuple[Round, Round], groups: Sequence[str]) -> dict[str, Scores]:
    """Scores of what the rounds say of ``groups``, by scenario."""
    scores = {}
    for scenario, tables in scenarios.items():
        held = [replace(t, values=dict(t.values)) for t in tables if t.group in groups]
        with_whole_table(held, rounds[0])
        scores[scenario] = project_scores([(t, odds(t, rounds[1])) for t in held if t.scored])
    return scores


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
    values = {n: v * float("nan") if what in n else v for n, v in table.values.items()}
    if what == "value":  # where there are none, the name stands alone in that text
        values |= {f"name_with_values{end}": values[f"name_meaning{end}"] for end in ("", "_relative")}
    return replace(table, values=values, weight=weight)


def fit_pairs(pairs: Pairs, names: Sequence[str], out: Sequence[str]) -> tuple[Round, Round]:
    """The two rounds of two tables alone, trained without the sets ``out``."""
    return two_rounds([[t] for t in _weigh(*pairs, out)], names, PAIR_BELIEF)


def ask_pairs(pairs: Pairs, rounds: tuple[Round, Round], groups: Sequence[str]) -> Scores:
    """Scores of what the rounds say of the real pairs of ``groups``."""
    held = [replace(t, values=dict(t.values)) for t in pairs[0] if t.group in groups]
    for t in held:
        with_whole_table([t], rounds[0])
    return pair_scores([(t, odds(t, rounds[1])) for t in held])


def left_out_projects(names: Sequence[str], groups: Sequence[str]) -> dict[str, Scores]:
    """Train without ``groups`` of DATA, and ask about them."""
    torch.set_num_threads(1)
    return ask_projects(DATA["project"], fit_project(DATA["project"], names, groups), groups)


def left_out_sets(names: Sequence[str], groups: Sequence[str]) -> Scores:
    """The same of pairs."""
    torch.set_num_threads(1)
    return ask_pairs(DATA["tables"], fit_pairs(DATA["tables"], names, groups), groups)


def parts_of(data: Data) -> tuple[list[list[str]], list[list[str]]]:
    """What is left out together: vendors in FOLDS parts, and sets one by one."""
    projects = folds([t.group for t in data["project"]["auto"]]) if "project" in data else []
    return projects, [[g] for g in sorted({t.group for t in data["tables"][0]})] if "tables" in data else []


def cross_validate(data: Data, names: Sequence[str], workers: int) -> None:
    """Print what the left-out projects and sets got."""
    projects, sets = parts_of(data)
    with workers_with(data, workers) as pool:
        done = list(pool.map(partial(left_out_projects, names), projects))
        for scenario in data.get("project", ()):
            show(f"dbt, targets {scenario}", {k: v for d in done for k, v in d[scenario].items()})
        for (group,), scores in zip(sets, pool.map(partial(left_out_sets, names), sets), strict=True):
            show(f"pairs, {group}", scores)


def workers_with(data: Data, workers: int) -> ProcessPoolExecutor:
    """Processes that find ``data`` in DATA: forked after it is there, for it is gigabytes."""
    DATA.update(data)
    return ProcessPoolExecutor(workers, mp_context=get_context("fork"))


def final(data: Data, names: Sequence[str]) -> dict[str, Any]:
    """The weights file's content, trained on everything."""
    out: dict[str, Any] = {"knots": [round(float(k), 2) for k in KNOTS]}
    if "project" in data:
        out["project"] = [_plain(r) for r in fit_project(data["project"], names, ())]
    if "tables" in data:
        out["tables"] = [_plain(r) for r in fit_pairs(data["tables"], names, ())]
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
    data = read_data(args.cases, args.only)
    names = names_without([n for n in args.without.split(",") if n])
    if not args.no_validation:
        cross_validate(data, names, args.workers)
    if args.write:
        old = json.loads(WEIGHTS.read_text("utf-8")) if WEIGHTS.exists() else {}
        WEIGHTS.write_text(_dump(old | final(data, names)), "utf-8")
        print(f"wrote {WEIGHTS.name}")


if __name__ == "__main__":
    main()
