"""A set of texts whose vectors prove a fast encoder against the float32 one that sentence-transformers runs."""

import contextlib
from importlib.resources import files as resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.embed.vector_bytes import from_bytes, to_bytes
from dbt_schema_embed.embed.weights import remember

FIDELITY = 0.9999
"""Least cosine to the float32 encoder, for every probe text."""

PROBE_TEXTS = (
    "id", "customer id", "charges: created at", "_", " ", "?!", "e", "3", "7 day clicks", "sha 256", "q1",
    "Unique identifier of the customer, as the payments API gave it; null for guests.",
    "größe", "客户编号", "ग्राहक नाम", "العميل", "идентификатор клиента", "🙂 emoji", "naïve café", "x" * 300,
    "order total amount in the currency of the shop " * 8, "a b c d e f g h i j k l m n o p q r s t u v w x y z " * 20,
)  # fmt: skip
"""Short, long beyond the encoder's limit, non-Latin, almost empty."""


def reference(identity: str, dim: int, cache_dir: Path) -> NDArray[np.float32] | None:
    """The float32 vectors of `PROBE_TEXTS` by the encoder with that ``identity``; None: nobody has computed them yet.

    Those of the default encoder come with the package.
    """
    for path in (resources("dbt_schema_embed.embed") / "probe.bin", _path(identity, cache_dir)):
        with contextlib.suppress(OSError):
            data = path.read_bytes()
            size = len(data) // len(PROBE_TEXTS)
            values = [data[at * size : (at + 1) * size] for at in range(len(PROBE_TEXTS))]
            rows, good = from_bytes(_keys(identity), values, dim)
            if good.all():  # else it is another encoder's
                return rows
    return None


def keep_reference(rows: NDArray[np.float32], identity: str, cache_dir: Path) -> None:
    """Remember the float32 encoder's vectors of `PROBE_TEXTS`."""
    remember(_path(identity, cache_dir), encoded(rows, identity))


def encoded(rows: NDArray[np.float32], identity: str) -> bytes:
    """Probe vectors as the bytes of a reference file."""
    return b"".join(to_bytes(_keys(identity), rows))


def faithful(rows: NDArray[np.float32], expected: NDArray[np.float32]) -> bool:
    """Whether every row's cosine to its reference is at least `FIDELITY`. Rows have length 1."""
    return rows.shape == expected.shape and bool((np.einsum("ij,ij->i", rows, expected) >= FIDELITY).all())


def _path(identity: str, cache_dir: Path) -> Path:
    return cache_dir / "probes" / f"{identity}.bin"


def _keys(identity: str) -> list[str]:
    return [f"{identity}|{text}" for text in PROBE_TEXTS]
