"""What the extra `languages` is worth: projects asked without and with it, part of the dictionaries hidden.

    python benchmarks/bench_languages.py CASES [SHARE ...]

By the shipped weights, which have seen these projects, so that only the difference counts. Of benchmarks/systems/ every
second one is asked: the thresholds were chosen on the others.
"""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import cases
import numpy as np
from cases import Table, project_tables, read_case
from corpora import written_systems
from learning import answered, ask
from numpy.typing import NDArray
from scoring import project_scores, show
from strange import forgetful

from dbt_schema_embed.embed import embed_relations, open_embedder
from dbt_schema_embed.embed.languages import LANGUAGES
from dbt_schema_embed.match import read_tables, read_with_guesses
from dbt_schema_embed.match.knowledge import knowledge
from dbt_schema_embed.match.networks import load_weights


def main(folder: Path, shares: Sequence[float]) -> None:
    """Print two lines a corpus and share of the dictionaries that is hidden."""
    asked: list[str] = []
    embedder = open_embedder(LANGUAGES)

    def vectors(texts: Sequence[str]) -> NDArray[np.float32]:
        asked.extend(texts)
        return embedder.embed(texts)

    ways = {"without": read_tables, "with": partial(read_with_guesses, vectors=vectors)}
    with tempfile.TemporaryDirectory() as cache:
        systems = sorted((written_systems(Path(cache)) / "dbt").iterdir())[1::2]
        corpora = {
            "systems": systems,
            "foreign": sorted((folder / "foreign/dbt").iterdir()),
            "packages": sorted((folder / "dbt").iterdir()),
        }
        for share in shares:
            for name, folders in corpora.items():
                for how, reading in ways.items():
                    cases.read_tables = reading  # type: ignore[assignment]
                    show(f"{name}, {share:.0%} hidden, {how}", _scores(folders, share, Path(cache)))
                print(f"{len(set(asked)):,} texts encoded so far")


def _scores(folders: Sequence[Path], share: float, cache: Path) -> dict[str, dict[str, float]]:
    weights = load_weights("project")
    rounds = (weights.first, weights.second)
    found = answered(ask(list(_tables(folders, share, cache)), rounds), rounds, weights.calibration)
    return project_scores([(table, odds) for table, odds in found if table.scored])


def _tables(folders: Sequence[Path], share: float, cache: Path) -> Iterator[Table]:
    known = forgetful(knowledge(), share) if share else knowledge()
    embedder = open_embedder()
    for folder in folders:
        if (folder / "gold.json").exists():
            project = read_case(folder, cache)
            yield from project_tables(folder, project, partial(embed_relations, embedder=embedder), known=known)
    embedder.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), [float(share) for share in sys.argv[2:]] or [0.0, 0.5, 1.0])
