"""Vectors without an encoder: a table of word pieces, small enough for the base install, and their mean.

Static embeddings as Model2Vec (Tulkens and van Dongen 2024) distils them: each piece's vector is what all-MiniLM-L6-v2
(Apache-2.0) says of it alone, on the components in which the pieces differ most, rare pieces weighed above frequent
ones.
`benchmarks/distil.py` makes the table.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TABLE = Path(__file__).with_name("static.npz")
DIM = 128
UNKNOWN = 0
"""Row of what no piece spells."""
_LONGEST = 100
"""Letters from which BERT's tokenizer takes a word for unknown."""
_IDEOGRAPHS = (("\u3400", "\u4dbf"), ("\u4e00", "\u9fff"), ("\uf900", "\ufaff"), ("\U00020000", "\U0010ffff"))
"""First and last; of the rarest, beyond U+20000, no piece is known."""
_CHARACTERS = 1_000
"""Of a text that are read: a long description says what it is about early."""


class StaticEmbedder:
    """An embedder that needs numpy alone. It computes rather than remembers: a memo would be slower."""

    encoder_id = "static-all-MiniLM-L6-v2-1"
    dim = DIM

    def embed(self, texts: Sequence[str], *, remember: bool = True) -> "NDArray[np.float32]":  # noqa: ARG002
        """(n, 128), rows of length 1 in the order of ``texts``."""
        import numpy as np

        if not texts:
            return np.zeros((0, DIM), np.float32)
        pieces, vectors = _table()
        known: dict[str, list[int]] = {}
        rows = [_rows(text[:_CHARACTERS], pieces, known) for text in texts]
        starts = np.cumsum([0, *(len(r) for r in rows[:-1])])
        sums = np.add.reduceat(vectors[np.fromiter(chain.from_iterable(rows), np.intp)], starts, axis=0)
        found: NDArray[np.float32] = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        return found


@cache
def _table() -> "tuple[dict[str, int], NDArray[np.float32]]":
    """Row by piece, those within a word with ``##`` before them; the vectors, (pieces, 128)."""
    import numpy as np

    with np.load(TABLE) as stored:
        pieces = {piece: row for row, piece in enumerate(bytes(stored["pieces"]).decode("utf-8").split("\n"))}
        return pieces, stored["vectors"].astype(np.float32) * stored["scale"].astype(np.float32)[:, None]


def _rows(text: str, pieces: dict[str, int], known: dict[str, list[int]]) -> list[int]:
    """The pieces of a text, at least one; ``known`` keeps words met before."""
    rows: list[int] = []
    for word in _split(text):
        if word not in known:
            known[word] = list(_spelled(word, pieces))
        rows += known[word]
    return rows or [UNKNOWN]


def _spelled(word: str, pieces: dict[str, int]) -> Iterable[int]:
    """WordPiece: the longest piece that begins the word, then the longest of the rest."""
    found, at = [], 0
    while at < len(word):
        mark = "##" if at else ""
        ends = range(min(len(word), at + 20), at, -1) if len(word) <= _LONGEST else ()
        end = next((end for end in ends if mark + word[at:end] in pieces), None)
        if end is None:
            return [UNKNOWN]
        found.append(pieces[mark + word[at:end]])
        at = end
    return found


def _split(text: str) -> Iterator[str]:
    """BERT's words: lower case, without accents; every mark and every Chinese character is a word of its own."""
    plain = text.lower() if text.isascii() else unicodedata.normalize("NFD", text.lower())
    word = ""
    for letter in plain:
        kind = "" if letter.isalnum() else unicodedata.category(letter)
        if kind == "Mn" or (kind.startswith("C") and letter not in "\t\n\r"):
            continue
        alone = kind.startswith("P") or (kind and letter.isascii()) or _ideograph(letter)
        if not alone and not letter.isspace():
            word += letter
            continue
        if word:
            yield word
            word = ""
        if not letter.isspace():
            yield letter
    if word:
        yield word


def _ideograph(letter: str) -> bool:
    return any(first <= letter <= last for first, last in _IDEOGRAPHS)
