"""Cosines of the encoder's vectors: names, names in their tables, descriptions."""

import numpy as np

from dbt_schema_embed.match.block import Block, Matrix


def name_meaning(block: Block) -> Matrix:
    """Cosine of the two names."""
    left, right = block.facet("name")
    return left @ right.T


def meaning_in_table(block: Block) -> Matrix:
    """Cosine of the two names, each read with its table's name."""
    left, right = block.facet("in_table")
    return left @ right.T


def description(block: Block) -> Matrix:
    """Cosine of the two descriptions; silent where either is missing."""
    left, right = block.facet("description")
    return _silent(left @ right.T, left, right)


def name_in_description(block: Block) -> Matrix:
    """Cosine of one side's description with the other's name, where only one side is described."""
    names = block.facet("name")
    texts = block.facet("description")
    forward, backward = texts[0] @ names[1].T, names[0] @ texts[1].T
    return np.fmax(_silent(forward, texts[0], names[1]), _silent(backward, names[0], texts[1]))


def described(block: Block) -> Matrix:
    """Cosine of the two names, each followed by its description where it has one."""
    return _facet(block, "described")


def name_with_values(block: Block) -> Matrix:
    """Cosine of the two names, each followed by some of its values where it has any."""
    return _facet(block, "with_values")


def value_meaning(block: Block) -> Matrix:
    """Cosine of some of the two columns' values; silent where either has no text values."""
    return _facet(block, "values")


def _facet(block: Block, name: str) -> Matrix:
    if name not in block.source.facets:
        return np.full(block.shape, np.nan, np.float32)
    left, right = block.facet(name)
    return _silent(left @ right.T, left, right)


def _silent(cosine: Matrix, left: Matrix, right: Matrix) -> Matrix:
    said = np.outer(left.any(axis=1), right.any(axis=1))
    return np.where(said, cosine, np.float32(np.nan))
