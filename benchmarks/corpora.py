"""Which cases the matcher learns from, as runs of tables: as they are, and made strange on purpose.

CASES holds dbt/, wild/ and foreign/ (projects), pairs/ and foreign/pairs/ (pairs of tables); what is missing is left
out. A folder of projects of your own (each with target/ and gold.json) may stand as CASES/dbt. The systems of
benchmarks/systems/ are always there.
"""

import pickle
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import fabricate
import numpy as np
from cases import Table, load_gold, narrowed, pair_table, project_tables, read_case, read_pair
from strange import forgetful, strange
from systems import write_cases
from vendors import second_vendor

from dbt_schema_embed.embed import embed_relations, open_embedder, pair_texts
from dbt_schema_embed.match.knowledge import knowledge

Run = list[Table]


SYSTEMS = "systems"
"""Where corpora of benchmarks/systems/ say that they lie: no folder of CASES."""


class Corpus(NamedTuple):
    """A kind of projects, and how they are shown."""

    folder: str
    share: float  # of the weight of all
    bare: bool = False  # every staging model hidden, so that there is no habit to learn from
    salt: int = 0  # not 0: the sources' names are made strange, by this number
    forgotten: float = 0.0  # share of the dictionary that the reader lacks
    second: bool = False  # another vendor feeds the models already


PROJECTS = {
    "wild": Corpus("wild", 0.33),
    "wild, strange": Corpus("wild", 0.12, salt=3, forgotten=0.35),
    "foreign": Corpus("foreign/dbt", 0.09),
    "foreign, half forgotten": Corpus("foreign/dbt", 0.04, forgotten=0.5),
    "foreign, nearly all forgotten": Corpus("foreign/dbt", 0.02, forgotten=0.8),
    "systems": Corpus(SYSTEMS, 0.16),
    "systems, half forgotten": Corpus(SYSTEMS, 0.04, forgotten=0.5),
    "packages": Corpus("dbt", 0.1),
    "packages, bare": Corpus("dbt", 0.05, bare=True),
    "packages, strange": Corpus("dbt", 0.05, salt=5, forgotten=0.35),
    "wild, second vendor": Corpus("wild", 0.08, salt=11, second=True),
    "systems, second vendor": Corpus(SYSTEMS, 0.03, salt=13, second=True),
    "packages, second vendor": Corpus("dbt", 0.03, salt=17, second=True),
}
"""Corpora are weighed, and projects within them, not columns: three giants would decide else."""

NARROW = 100
"""Candidates that are kept of a table in a corpus that is made strange: whole they would be gigabytes."""

PAIRS = {"published": 0.42, "foreign": 0.13, "systems": 0.17, "made": 0.18}
"""Shares of the weight; the rest goes to tables of projects beside the model that they feed."""


def project_run(cases: Path, name: str) -> Run:
    """All tables of a corpus."""
    corpus = PROJECTS[name]
    found: Run = []
    known = forgetful(knowledge(), corpus.forgotten, corpus.salt) if corpus.forgotten else knowledge()
    change = strange(corpus.salt) if corpus.salt and not corpus.second else None
    vendor = partial(second_vendor, salt=corpus.salt) if corpus.second else None
    embedder = open_embedder()
    embed = partial(embed_relations, embedder=embedder)
    with tempfile.TemporaryDirectory() as cache:
        place = written_systems(Path(cache)) / "dbt" if corpus.folder == SYSTEMS else cases / corpus.folder
        for folder in sorted(p for p in place.glob("*") if (p / "gold.json").exists()):
            project = read_case(folder, Path(cache))
            raw = load_gold(folder / "gold.json")[1]
            if corpus.second and raw.get("origin", {}).get("canonical"):
                continue  # it has a first vendor, or its models are of several
            hidden = {p["source"] for p in raw["pairs"]} if corpus.bare else None
            tables = project_tables(folder, project, embed, hidden=hidden, change=change, known=known, vendor=vendor)
            found += (narrowed(t, NARROW) for t in tables) if corpus.salt else tables
    embedder.close()
    return found


def written_systems(folder: Path) -> Path:
    """benchmarks/systems/ as cases below ``folder``, and where."""
    write_cases(folder / SYSTEMS)
    return folder / SYSTEMS


def pair_runs(cases: Path, name: str) -> Run:
    """Pairs with published truth, foreign ones, systems, or those made from the dbt projects' seeds."""
    embedder = open_embedder()
    embed = partial(embed_relations, embedder=embedder, texts_of=pair_texts)
    found: Run = []
    if name == "made":
        with tempfile.TemporaryDirectory() as cache:
            found = list(fabricate.tables(cases, Path(cache), embed)) if (cases / "dbt").is_dir() else []
        embedder.close()
        return found
    with tempfile.TemporaryDirectory() as made:
        place = {"published": cases / "pairs", "foreign": cases / "foreign"}.get(name) or written_systems(Path(made))
        for case in sorted(place.glob("*/*/mapping.json")):
            left, right, truth = read_pair(case.parent)
            group = case.parent.parent.name if name == "published" else case.parent.name.split("__")[0]
            found.append(pair_table(group, case.parent.name, (left, right), truth, embed))
    embedder.close()
    return found


def read_corpora(cases: Path, kept: Path | None, workers: int, only: str | None = None) -> dict[str, Run]:
    """All corpora by name, pairs as ``pairs, published``. ``kept``: a folder where what was read is kept."""
    jobs: dict[str, Any] = {}
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for name in PROJECTS if only != "tables" else ():
            jobs[name] = pool.submit(_kept, kept, cases, "project", name)
        for name in PAIRS if only != "project" else ():
            jobs[f"pairs, {name}"] = pool.submit(_kept, kept, cases, "pairs", name)
        return {name: _load(job.result()) for name, job in jobs.items()}


def _kept(kept: Path | None, cases: Path, kind: str, name: str) -> Path:
    """The file of a corpus, made where it is missing."""
    folder = kept or Path(tempfile.mkdtemp())
    file = folder / f"{kind}-{name.replace(', ', '-').replace(' ', '_')}.pickle"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        run = project_run(cases, name) if kind == "project" else pair_runs(cases, name)
        file.write_bytes(pickle.dumps(run, protocol=5))
    return file


def _load(file: Path) -> Run:
    run: Run = pickle.loads(file.read_bytes())
    return run


def owner(group: str) -> str:
    """Who a project belongs to: what an owner's other projects share with it must be left out with it."""
    return group.partition("+")[0]


def blind(table: Table, what: str) -> Table:
    """The table as if it had no values, or no descriptions."""
    values = {n: np.full_like(v, np.nan) if what in n else v for n, v in table.values.items()}
    if what == "value":  # where there are none, the name stands alone in that text
        values["name_with_values"] = values["name_meaning"]
        values["name_with_values_relative"] = values["name_meaning_relative"]
    return replace(table, values=values)


MEANING = (
    "name_meaning",
    "meaning_in_table",
    "description",
    "name_in_description",
    "name_with_values",
    "value_meaning",
)


def wordless(table: Table) -> Table:
    """The table as the base install sees it: without vectors."""
    return replace(
        table, values={n: np.full_like(v, np.nan) if n.startswith(MEANING) else v for n, v in table.values.items()}
    )


def alone(tables: Sequence[Table]) -> Iterator[Table]:
    """Tables of projects beside nothing but the model that takes most of their columns, as a pair."""
    for table in tables:
        taken = np.bincount(table.model_of, table.right.any(axis=0), minlength=1) if table.right.any() else np.zeros(1)
        keep = table.model_of == int(taken.argmax())
        if not table.scored or taken.max() < 3:
            continue
        values = {name: v[:, keep] for name, v in table.values.items()}
        values["name_with_values"] = values["name_meaning"]
        right = table.right[:, keep]
        yield replace(
            table, values=values, right=right, passed_over=table.passed_over[:, keep],
            model_of=table.model_of[keep] * 0,
            models=[table.models[int(taken.argmax())]], empty=table.used & ~right.any(axis=1),
            name=f"{table.name} alone",
            targets=[t for t, kept in zip(table.targets, keep, strict=True) if kept],
            group=f"{table.group}/{table.name}",
        )  # fmt: skip
