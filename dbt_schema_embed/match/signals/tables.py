"""Does this source table belong to that model? One value a model, the same for all its columns."""

import numpy as np

from dbt_schema_embed.match.block import Block, Matrix


def table_words(block: Block) -> Matrix:
    """Words the table's and the model's names have in common, shortened ones too: ``ord_hdr``, ``order_headers``."""
    return block.per_model(block.lexicon.likenesses(block.source_entity, block.entities).tolist())


def source_covered(block: Block) -> Matrix:
    """Mean over the source columns of the best name likeness in that model: does the model hold the table?"""
    return block.per_model(_per_model(block, _likeness(block).T, by_source=True))


def model_covered(block: Block) -> Matrix:
    """Mean over the model's columns of the best name likeness in the table: does the table fill the model?"""
    return block.per_model(_per_model(block, _likeness(block).T, by_source=False))


def _likeness(block: Block) -> Matrix:
    c = block.coverage
    return np.asarray(np.minimum(c.of_source_in_model, c.of_target_in_table) ** 2, np.float32)


def _per_model(block: Block, likeness: Matrix, *, by_source: bool) -> list[float]:
    out = []
    for m in range(len(block.models)):
        rows = likeness[block.model_of == m]
        out.append(float(rows.max(axis=0 if by_source else 1).mean()) if rows.size else 0.0)
    return out
