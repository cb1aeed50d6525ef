"""Which columns a source table is compared with: the nearest models' columns, and the nearest columns anywhere."""

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.match.block import Block, Lexicon, Matrix
from dbt_schema_embed.match.habits import Habits
from dbt_schema_embed.match.targets import Targets
from dbt_schema_embed.records import Embedded

FREE = 0.2
"""What a model that nothing feeds is ahead of the others by, when the nearest are chosen."""

MODELS, NEAREST = 12, 5
"""Models whose every column is a candidate, and further columns nearest to each source column. On the projects of
benchmarks/RESULTS.md twelve models held every right answer."""


def build_block(source: Embedded, targets: Targets, lexicon: Lexicon, habits: Habits) -> Block:
    """The source table beside its candidate columns, models in the order of `Targets`."""
    few = len(targets.models) <= MODELS
    alike = lexicon.tables_alike(source.relation.id, targets.ids)
    keep = np.arange(len(targets.model_of)) if few else np.flatnonzero(_near(source, targets, alike))
    return Block(source, targets, keep, alike, lexicon, habits)


def _near(source: Embedded, targets: Targets, alike: Matrix) -> NDArray[np.bool_]:
    cosine = source.facets["name"] @ targets.facet("name").T
    # how well each model covers the table: the mean over the table's columns of the best cosine within the model
    covered = np.maximum.reduceat(cosine, targets.starts, axis=1).mean(axis=0)
    likeness = covered + targets.tables @ source.table + alike + FREE * ~targets.fed
    best_models = np.argsort(-likeness, kind="stable")[:MODELS]
    keep = np.isin(targets.model_of, best_models)
    if cosine.shape[1] > NEAREST:
        keep[np.argpartition(-cosine, NEAREST, axis=1)[:, :NEAREST].ravel()] = True
    return keep
