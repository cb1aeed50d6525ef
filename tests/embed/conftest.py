"""A memo on a temporary disk, and a tokenizer of words."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dbt_schema_embed.embed.disk_store import DiskStore
from dbt_schema_embed.embed.encoder_files import EncoderFiles
from dbt_schema_embed.embed.memo import MemoEmbedder, ProcessStore
from tests.embed.encoders import DIM, HashEncoder


@pytest.fixture
def hash_encoder() -> HashEncoder:
    """A fresh one."""
    return HashEncoder()


@pytest.fixture
def open_memo(tmp_path: Path, hash_encoder: HashEncoder) -> Callable[..., MemoEmbedder]:
    """Opens a memo around `hash_encoder` with a process and a disk level, as another run would."""

    def opened(**more: Any) -> MemoEmbedder:
        notes: list[str] = []
        levels = more.pop("levels", None)
        if levels is None:
            levels = [ProcessStore(), DiskStore(tmp_path / "memo", notes=notes)]
        return MemoEmbedder("hash@1", DIM, hash_encoder.load, levels, notes=notes, **more)

    return opened


@pytest.fixture(scope="session")
def word_files(tmp_path_factory: pytest.TempPathFactory) -> EncoderFiles:
    """The files of an encoder that knows a hundred words, and reads sixteen tokens."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    folder = tmp_path_factory.mktemp("words")
    vocabulary = {"[UNK]": 0} | {f"w{n}": n + 1 for n in range(100)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(folder / "tokenizer.json"))
    return EncoderFiles("words", folder, DIM, 16, "mean", False, (), None)
