"""What an agent adds: it answers what `list_undecided` gives, and what F1 becomes of it.

    python benchmarks/agent_in_the_loop.py ../shared/cases/foreign/dbt
    python benchmarks/agent_in_the_loop.py ../shared/cases/wild --first 10

An oracle (the gold mapping) and a fallible agent (right 9 times of 10, seeded) stand for it. Both choose among the
candidates that the tool lists, or say "nothing", and leave what is right and not listed. Answers go the way of
`record_choice`: refused where a model column is taken, no cast leads to it, or what we hold is far likelier.
"""

import argparse
import random
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cases import Gold, load_gold

from dbt_schema_embed import SchemaEmbed, Settings
from dbt_schema_embed.agent.kept import Answers, Kept
from dbt_schema_embed.agent.tools import _CANDIDATES
from dbt_schema_embed.decide.proposing import Proposal, worth_asking
from dbt_schema_embed.errors import ConfigError
from dbt_schema_embed.records import Suggestion

Pair = tuple[str, str]
Agent = Callable[[Suggestion, Sequence[Pair]], Pair | None]
"""The row, and what is right of what it lists (empty: nothing is) -> its answer; None: nothing."""


@dataclass
class Case:
    """A project, its gold, and what was counted."""

    gold: Gold
    scored: set[str]
    asked: int = 0
    columns: int = 0
    wrong: int = 0
    kept_out: int = 0
    f1: list[float] = field(default_factory=list)  # before and after


def truth_of(case: Case, row: Suggestion) -> set[Pair] | None:
    """What is right for a row; empty: nothing; None: it is not scored."""
    key = (row.source, row.source_column.lower())
    if row.source not in case.scored or key in case.gold.skipped:
        return None
    if key in case.gold.truth:
        return case.gold.truth[key]
    return set() if key in case.gold.unmapped else None


def f1(case: Case, rows: Sequence[Suggestion]) -> float:
    """F1 of the answers, as ../shared/tools has it."""
    right = given = true = 0
    for row in rows:
        truth = truth_of(case, row)
        if truth is None:
            continue
        true += bool(truth)
        if row.model is None or row.model_column is None:
            continue
        pair = (row.model, row.model_column.lower())
        over = (row.source, row.source_column.lower(), *pair) in case.gold.descends
        if pair in truth:
            right += 1
        elif over or (row.source, row.model) in case.gold.unknown:
            continue
        given += 1
    precision, recall = right / max(1, given), right / max(1, true)
    return 2 * precision * recall / max(1e-9, precision + recall)


def oracle(_: Suggestion, right: Sequence[Pair]) -> Pair | None:
    """Always right."""
    return right[0] if right else None


def fallible(seed: int) -> Agent:
    """Right 9 times of 10; else any other candidate, or nothing."""
    chance = random.Random(seed)

    def answer(row: Suggestion, right: Sequence[Pair]) -> Pair | None:
        best = oracle(row, right)
        if chance.random() < 0.9:
            return best
        others: list[Pair | None] = [(c.model, c.model_column) for c in row.candidates[:_CANDIDATES]]
        return chance.choice([pair for pair in [*others, None] if pair != best])

    return answer


def run(folder: Path, agent: Agent) -> Case:
    """One case with one agent."""
    gold, raw = load_gold(folder / "gold.json")
    visible = {pair["source"] for pair in raw["pairs"] if pair["visible"]}
    case = Case(gold, {pair["source"] for pair in raw["pairs"]} - visible)
    with tempfile.TemporaryDirectory() as place, SchemaEmbed(Settings()) as engine:
        root = Path(shutil.copytree(folder, Path(place) / "project", copy_function=shutil.copyfile))
        kept = Kept(engine, root, {})
        first = kept.answers()
        case.f1.append(f1(case, first.rows))
        engine.suggest(root, write=True)
        case.columns = sum(truth_of(case, row) is not None for row in first.rows)
        done: set[tuple[str, str]] = set()
        while left := [r for r in worth_asking(kept.answers().rows) if (r.source, r.source_column) not in done]:
            done.add((left[0].source, left[0].source_column))  # an answer may free a column that was not asked about
            truth = truth_of(case, left[0])
            if truth is not None:
                case.asked += 1
                ask(case, kept, first, left[0], truth, agent)
        case.f1.append(f1(case, kept.answers().rows))
    return case


def ask(case: Case, kept: Kept, known: Answers, row: Suggestion, truth: set[Pair], agent: Agent) -> None:
    """Ask the agent about one column, and record what it says."""
    listed = [(c.model, c.model_column) for c in row.candidates[:_CANDIDATES]]
    right = [pair for pair in listed if (pair[0], pair[1].lower()) in truth]
    if truth and not right:
        return  # not listed: it leaves the column
    said = agent(row, right)
    wrong = said not in right if said else bool(right)
    case.wrong += wrong
    relation, column = known.source(row)
    target = known.target(*said)[0] if said else None
    try:
        kept.propose(Proposal(f"{relation.label}.{column.name}", target, "benchmark"))
    except ConfigError:
        case.kept_out += wrong


def main() -> None:
    """Print a line a case, and the means."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("cases", type=Path)
    parser.add_argument("--first", type=int, default=1_000, help="only so many cases, by name")
    given = parser.parse_args()
    folders = sorted(path.parent for path in given.cases.glob("*/gold.json"))[: given.first]
    print(f"{'case':40} {'agent':9} {'F1 before':>9} {'after':>6} {'asked':>6}  wrong answers (kept out)")
    for name, make in (("oracle", lambda _: oracle), ("fallible", fallible)):
        found = []
        for number, folder in enumerate(folders):
            case = run(folder, make(number))
            found.append(case)
            share = case.asked / max(1, case.columns)
            print(
                f"{folder.name[:40]:40} {name:9} {case.f1[0]:9.3f} {case.f1[1]:6.3f} {share:6.0%}  "
                f"{case.wrong} ({case.kept_out})", flush=True,
            )  # fmt: skip
        n = max(1, len(found))
        before, after = (sum(case.f1[i] for case in found) / n for i in (0, 1))
        asked = sum(case.asked / max(1, case.columns) for case in found) / n
        wrong, out = sum(case.wrong for case in found), sum(case.kept_out for case in found)
        print(f"{'mean':40} {name:9} {before:9.3f} {after:6.3f} {asked:6.0%}  {wrong} ({out})")


if __name__ == "__main__":
    main()
