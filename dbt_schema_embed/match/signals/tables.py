"""Does this source table belong to that model? One value a model, the same for all its columns."""

import numpy as np

from dbt_schema_embed.match.block import Block, Matrix


def table_words(block: Block) -> Matrix:
    """Words the table's and the model's names have in common, shortened ones too: ``ord_hdr``, ``order_headers``."""
    alike = block.lexicon.tables_alike(block.source.relation.id, [m.relation.id for m in block.models])
    return block.per_model(alike.tolist())


def source_covered(block: Block) -> Matrix:
    """Mean over the source columns of the best name likeness in that model: does the model hold the table?"""
    return block.per_model(_per_model(block, _likeness(block).T, by_source=True))


def model_covered(block: Block) -> Matrix:
    """Mean over the model's columns of the best name likeness in the table: does the table fill the model?"""
    return block.per_model(_per_model(block, _likeness(block).T, by_source=False))


def _likeness(block: Block) -> Matrix:
    return np.asarray(block.coverage.both**2, np.float32)


def _per_model(block: Block, likeness: Matrix, *, by_source: bool) -> list[float]:
    out = []
    for m in range(len(block.models)):
        rows = likeness[block.model_of == m]
        out.append(float(rows.max(axis=0 if by_source else 1).mean()) if rows.size else 0.0)
    return out


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
