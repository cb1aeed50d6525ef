"""An embedder that tells how far it has come."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from dbt_schema_embed.progress import Progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dbt_schema_embed.embed.memo import MemoEmbedder


_ENCODING = "Encoding texts"


class Watched:
    """An embedder that reports how much of what it must encode is done."""

    def __init__(self, embedder: "MemoEmbedder", progress: Progress) -> None:
        self.encoder_id = embedder.encoder_id
        self.dim = embedder.dim
        self._embedder = embedder
        self._progress = progress

    def embed(self, texts: Sequence[str], *, remember: bool = True) -> "NDArray[np.float32]":
        """As the embedder it watches."""
        self._progress(_ENCODING)  # the embedder speaks when its first thousands are through
        return self._embedder.embed(texts, remember=remember, progress=partial(self._progress, _ENCODING))
