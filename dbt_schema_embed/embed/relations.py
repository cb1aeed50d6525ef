"""Relations in, their vectors out; each distinct text is encoded once."""

from collections.abc import Callable, Sequence

from dbt_schema_embed.embed.opening import Embedder
from dbt_schema_embed.embed.text import FacetTexts, column_texts
from dbt_schema_embed.records import Embedded, Relation


def embed_relations(
    relations: Sequence[Relation], embedder: Embedder, *, texts_of: Callable[[Relation], FacetTexts] = column_texts
) -> tuple[Embedded, ...]:
    """Every relation with the vectors of its columns' facets and of its own name. A row of zeros: no text.

    ``texts_of`` is `column_texts`, or `pair_texts` where two tables are matched without a project.

    Raises:
        EncoderError: as ``embedder.embed``.
    """
    import numpy as np

    texts = [texts_of(relation) for relation in relations]
    row = {"": 0}  # text -> row of the table below; row 0 is the zero vector
    for one in texts:
        for text in (one.table, *(t for name in one.facets if name not in one.private for t in one.facets[name])):
            row.setdefault(text, len(row))
    public = len(row)
    for one in texts:
        for text in (t for name in sorted(one.private) for t in one.facets[name]):
            row.setdefault(text, len(row))
    distinct = list(row)
    vectors = np.zeros((len(row), embedder.dim), np.float32)
    vectors[1:public] = embedder.embed(distinct[1:public])
    vectors[public:] = embedder.embed(distinct[public:], remember=False)
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
