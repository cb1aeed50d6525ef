"""Relations in, their vectors out; each distinct text is encoded once."""

from collections.abc import Sequence

from dbt_schema_embed.embed.opening import Embedder
from dbt_schema_embed.embed.text import column_texts
from dbt_schema_embed.records import Embedded, Relation


def embed_relations(relations: Sequence[Relation], embedder: Embedder) -> tuple[Embedded, ...]:
    """Every relation with the vectors of its columns' facets and of its own name. A row of zeros: no text.

    Raises:
        EncoderError: as ``embedder.embed``.
    """
    import numpy as np

    texts = [column_texts(relation) for relation in relations]
    row = {"": 0}  # text -> row of the table below; row 0 is the zero vector
    for one in texts:
        for text in (one.table, *(text for facet in one.facets.values() for text in facet)):
            row.setdefault(text, len(row))
    vectors = np.zeros((len(row), embedder.dim), np.float32)
    vectors[1:] = embedder.embed(list(row)[1:])
    return tuple(
        Embedded(
            relation=relation,
            facets={
                name: vectors[np.array([row[text] for text in facet], dtype=np.intp)]
                for name, facet in one.facets.items()
            },
            table=vectors[row[one.table]].copy(),
        )
        for relation, one in zip(relations, texts, strict=True)
    )
