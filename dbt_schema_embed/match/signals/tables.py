"""Does this source table belong to that model? One value a model, the same for all its columns."""

import numpy as np

from dbt_schema_embed.match.block import Block, Matrix


def table_words(block: Block) -> Matrix:
    """Words the table's and the model's names have in common, shortened ones too: ``ord_hdr``, ``order_headers``."""
    return block.per_model(block.names_alike)


def source_covered(block: Block) -> Matrix:
    """Mean over the source columns of the best name likeness in that model: does the model hold the table?"""
    best = np.maximum.reduceat(block.coverage.both, block.starts, axis=1) ** 2
    return block.per_model(best.mean(axis=0))


def model_covered(block: Block) -> Matrix:
    """Mean over the model's columns of the best name likeness in the table: does the table fill the model?"""
    best = block.coverage.both.max(axis=0) ** 2
    return block.per_model(np.add.reduceat(best, block.starts) / np.bincount(block.model_of))


def source_named(block: Block) -> Matrix:
    """Does the model's name or path say this source's name (1), another source's (0), or as much of both (0.5)?

    Silent where it says none.
    """
    named = block.lexicon.named.get(block.source.relation.source_name, {})
    return block.per_model([named.get(model.relation.id, float("nan")) for model in block.models])


def model_free(block: Block) -> Matrix:
    """1 where nothing feeds the model today."""
    return block.per_model((~block.fed).astype(float).tolist())


def model_entered(block: Block) -> Matrix:
    """1 where source tables first arrive in the model, 0 where other models feed it; silent where nothing does."""
    return block.per_model(np.where(block.fed, block.entered, np.nan).tolist())
