"""How far long work has come, told to whoever wants to show it."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dbt_schema_embed.embed.memo import MemoEmbedder


_ENCODING = "Encoding texts"


class Progress(Protocol):
    """Is told what goes on. ``total`` 0: nobody knows how much there is."""

    def __call__(self, what: str, done: int = 0, total: int = 0) -> None:
        """``done`` of ``total`` things of ``what`` are through."""


def silent(what: str, done: int = 0, total: int = 0) -> None:
    """Progress that nobody looks at."""


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
