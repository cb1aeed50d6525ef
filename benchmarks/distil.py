"""Distil the encoder into the static table of the base install, dbt_schema_embed/embed/static.npz.

    python benchmarks/distil.py

Each piece of the encoder's vocabulary is encoded alone; of the vectors the DIM principal components are kept, weighed
by the pieces' frequency as SIF does (Arora et al. 2017), pieces being sorted by it (Zipf), and stored in a byte each.
"""

import numpy as np
from tokenizers import Tokenizer

from dbt_schema_embed.embed import open_embedder
from dbt_schema_embed.embed.locate import DEFAULT_ENCODER, encoder_folder
from dbt_schema_embed.embed.static import DIM, TABLE

SMOOTHING = 1e-3
"""SIF's a: a piece of this frequency counts half as much as the rarest."""
LONGEST = 20
"""Letters of a piece that `static` looks up."""


def main() -> None:
    """Write the table."""
    vocabulary = Tokenizer.from_file(str(encoder_folder(DEFAULT_ENCODER) / "tokenizer.json")).get_vocab()
    names = sorted(vocabulary, key=lambda piece: vocabulary[piece])
    vectors = open_embedder().embed([name.removeprefix("##") for name in names]).astype(np.float64)
    vectors -= vectors.mean(axis=0)
    components = np.linalg.svd(vectors, full_matrices=False)[2][:DIM]
    vectors = vectors @ components.T
    frequency = 1 / np.arange(2, len(names) + 2)
    frequency /= frequency.sum()
    kept = [i for i, n in enumerate(names) if n == "[UNK]" or not (n.startswith("[") and n.endswith("]"))]
    kept.sort(key=lambda i: names[i] != "[UNK]")  # its row is the first
    scale = np.abs(vectors).max(axis=1) / 127
    stored = np.round(vectors / scale[:, None]).astype(np.int8)[kept]
    scale *= SMOOTHING / (SMOOTHING + frequency)
    scale /= scale.max()  # vectors count by their direction, and half precision wants numbers near 1
    words = "\n".join(names[i] for i in kept)
    pieces = np.frombuffer(words.encode("utf-8"), np.uint8)
    np.savez_compressed(TABLE, pieces=pieces, vectors=stored, scale=scale[kept].astype(np.float16))
    assert max(len(names[i].removeprefix("##")) for i in kept) <= LONGEST, "static.py looks for shorter pieces only"
    print(f"{TABLE.name}: {len(kept)} pieces, {TABLE.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
