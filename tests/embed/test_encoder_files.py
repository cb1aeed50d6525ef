"""An encoder's configuration, read without loading it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from dbt_schema_embed.embed.encoder_files import read_files, text_digest
from dbt_schema_embed.embed.locate import DEFAULT_SHA256, encoder_folder
from dbt_schema_embed.errors import EncoderError

ST = "sentence_transformers.models."
MEAN = {"word_embedding_dimension": 12, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}


def modules(*kinds: str) -> list[dict[str, Any]]:
    """modules.json: the first module lies in the folder itself."""
    return [{"idx": n, "type": ST + kind, "path": f"{n}_{kind}" if n else ""} for n, kind in enumerate(kinds)]


def make(folder: Path, **content: Any) -> str:
    """An encoder's folder. Keys are paths with "__" for "/"."""
    files = {"config.json": {"hidden_size": 24, "max_position_embeddings": 64}} | {
        key.replace("__", "/") + ".json": value for key, value in content.items()
    }
    for name, value in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(value))
    (folder / "model.safetensors").write_bytes(b"weights")
    return str(folder)


@pytest.mark.model
def test_the_default() -> None:
    """Its size, length, pooling and pin."""
    files = read_files("sentence-transformers/all-MiniLM-L6-v2")
    assert (files.name, files.dim, files.max_tokens, files.pooling) == ("all-MiniLM-L6-v2", 384, 256, "mean")
    assert (files.lower_case, files.pinned) == (False, DEFAULT_SHA256)


SHAPES: list[tuple[dict[str, Any], int, int, str | None]] = [
    # a bare transformer is pooled by mean, as sentence-transformers does
    ({}, 24, 64, "mean"),
    ({"tokenizer_config": {"model_max_length": 32}}, 24, 32, "mean"),
    ({"tokenizer_config": {"model_max_length": 10**30}}, 24, 64, "mean"),
    ({"sentence_bert_config": {"max_seq_length": 20}}, 24, 20, "mean"),
    ({"modules": modules("Transformer", "Pooling"), "1_Pooling__config": MEAN}, 12, 64, "mean"),
    ({"modules": modules("Transformer", "Pooling", "Normalize"), "1_Pooling__config": MEAN}, 12, 64, "mean"),
    (
        {
            "modules": modules("Transformer", "Pooling"),
            "1_Pooling__config": {"embedding_dimension": 9, "pooling_mode": "cls"},
        },
        9,
        64,
        "cls",
    ),
    (
        {"modules": modules("Transformer", "Pooling"), "1_Pooling__config": {"pooling_mode_cls_token": True}},
        24,
        64,
        "cls",
    ),
    (
        {"modules": modules("Transformer", "Pooling"), "1_Pooling__config": {"pooling_mode": ["mean", "max"]}},
        24,
        64,
        None,
    ),
    (
        {
            "modules": modules("Transformer", "Pooling", "Dense"),
            "1_Pooling__config": MEAN,
            "2_Dense__config": {"out_features": 7},
        },
        7,
        64,
        None,
    ),
    # a prompt that every text gets is sentence-transformers' own business
    (
        {
            "modules": modules("Transformer", "Pooling"),
            "1_Pooling__config": MEAN,
            "config_sentence_transformers": {"default_prompt_name": "query"},
        },
        12,
        64,
        None,
    ),
]


@pytest.mark.parametrize(("content", "dim", "max_tokens", "pooling"), SHAPES)
def test_shapes(tmp_path: Path, content: dict[str, Any], dim: int, max_tokens: int, pooling: str | None) -> None:
    """Old and new spellings; None where sentence-transformers has to run the whole pipeline."""
    files = read_files(make(tmp_path / "mine", **content))
    assert (files.name, files.dim, files.max_tokens, files.pooling) == ("mine", dim, max_tokens, pooling)
    assert files.pinned is None


def test_code_from_elsewhere_is_refused(tmp_path: Path) -> None:
    """A module outside sentence-transformers would be somebody's code."""
    evil = [{"idx": 0, "type": "modeling_evil.Model", "path": ""}]
    with pytest.raises(EncoderError, match=r"names modeling_evil\.Model, code from outside"):
        read_files(make(tmp_path / "mine", modules=evil))


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    """And it says what to do."""
    folder = Path(make(tmp_path / "mine"))
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(EncoderError, match=r"has no model\.safetensors") as problem:
        read_files(str(folder))
    assert problem.value.hint.startswith("pickled weights")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("config.json", None, "config.json is missing"),
        ("config.json", b"{", "config.json cannot be read"),
        ("config.json", b"\xff\xfe", "config.json cannot be read"),
        ("config.json", b"[]", "config.json cannot be read: Expected `object`"),
        ("config.json", b"{}", "does not tell the size of its vectors"),
        ("modules.json", b"{}", "modules.json cannot be read: Expected `array`"),
        ("modules.json", b"[1]", "modules.json cannot be read: Expected `object`"),
    ],
)
def test_broken_configuration(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    """Is named."""
    folder = Path(make(tmp_path / "mine"))
    (folder / name).unlink(missing_ok=True)
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises(EncoderError, match=message):
        read_files(str(folder))


@pytest.mark.model
def test_the_digest_follows_what_changes_vectors(tmp_path: Path) -> None:
    """Not padding or truncation, in which copies of one encoder differ."""
    source = encoder_folder("all-MiniLM-L6-v2")
    folder = tmp_path / "copy"
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    (folder / "model.safetensors").write_bytes(b"")
    digest = text_digest(read_files(str(folder)))
    assert digest == text_digest(read_files("all-MiniLM-L6-v2"))
    tokenizer = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    tokenizer |= {"padding": None, "truncation": None}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    assert text_digest(read_files(str(folder))) == digest
    tokenizer["normalizer"]["lowercase"] = False
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    changed = text_digest(read_files(str(folder)))
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 128}')
    assert len({digest, changed, text_digest(read_files(str(folder)))}) == 3


def test_the_digest_without_a_fast_tokenizer(tmp_path: Path) -> None:
    """The vocabulary counts, and for unusual pipelines every configuration file."""
    folder = Path(make(tmp_path / "mine"))
    (folder / "vocab.txt").write_text("a b")
    before = text_digest(read_files(str(folder)))
    (folder / "vocab.txt").write_text("a c")
    assert text_digest(read_files(str(folder))) != before
    unusual = Path(make(tmp_path / "unusual", modules=modules("Transformer", "Dense")))
    before = text_digest(read_files(str(unusual)))
    make(unusual, **{"1_Dense__config": {"bias": False}})
    assert text_digest(read_files(str(unusual))) != before


@pytest.mark.parametrize(
    ("key", "value"),
    [("hidden_size", 10**9), ("hidden_size", -1), ("num_hidden_layers", 10**9), ("num_hidden_layers", "x"),
     ("num_attention_heads", 0), ("vocab_size", 10**9), ("intermediate_size", -3)],
)  # fmt: skip
def test_figures_that_no_encoder_has(tmp_path: Path, key: str, value: object) -> None:
    name = make(tmp_path, config={"hidden_size": 24, "max_position_embeddings": 64, key: value})
    with pytest.raises(EncoderError, match=f"config.json has a {key} that no encoder has"):
        read_files(name)


@pytest.mark.parametrize(("said", "longest"), [(-5, 64), (999_999, 64), (32, 32), (None, 64)])
def test_no_text_is_longer_than_the_encoder_has_places(tmp_path: Path, said: int | None, longest: int) -> None:
    bert = {} if said is None else {"max_seq_length": said}
    assert read_files(make(tmp_path, sentence_bert_config=bert)).max_tokens == longest
