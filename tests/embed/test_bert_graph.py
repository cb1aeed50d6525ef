"""The graph gives the vectors that sentence-transformers gives, for every family it claims."""

import contextlib
import io
import json
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dbt_schema_embed.embed import loading
from dbt_schema_embed.embed.bert_graph import draw, supported
from dbt_schema_embed.embed.encoder import TokenEncoder
from dbt_schema_embed.embed.encoder_files import read_files
from dbt_schema_embed.embed.locate import encoder_folder
from dbt_schema_embed.embed.opening import open_embedder
from dbt_schema_embed.embed.probe import PROBE_TEXTS
from dbt_schema_embed.embed.runners import OnnxRunner
from dbt_schema_embed.errors import EncoderError

SMALL = {"vocab_size": 30522, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
SMALL |= {"intermediate_size": 64, "max_position_embeddings": 66}
PAD_1 = {"pad_token_id": 1, "type_vocab_size": 1}
FAMILIES = [
    ("Bert", {}, "mean", "onnxruntime"),
    ("Bert", {"layer_norm_eps": 1e-3}, "cls", "onnxruntime"),
    ("Roberta", PAD_1, "mean", "onnxruntime"),
    ("XLMRoberta", PAD_1, "cls", "onnxruntime"),
    ("Bert", {"hidden_act": "relu"}, "mean", "torch"),
    ("MPNet", {}, "mean", "torch"),
    ("Bert", {}, "max", "sentence-transformers"),
]


@pytest.fixture
def quiet() -> Iterator[None]:
    """torch and transformers warn of their own future."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


@pytest.fixture
def no_encoder_yet(monkeypatch: pytest.MonkeyPatch) -> dict[Any, Any]:
    """As in a fresh process."""
    loaded: dict[Any, Any] = {}
    monkeypatch.setattr(loading, "_LOADED", loaded)
    return loaded


def save(folder: Path, family: str, more: dict[str, Any], pooling: str) -> str:
    """An encoder with random weights, and the default encoder's tokenizer."""
    import torch
    import transformers

    config = getattr(transformers, f"{family}Config")(**SMALL, **more)
    network = getattr(transformers, f"{family}Model")(config)
    torch.manual_seed(3)
    with torch.no_grad():
        for weight in network.parameters():
            weight.normal_(0, 0.3)
    network.save_pretrained(folder)
    shutil.copy(encoder_folder("all-MiniLM-L6-v2") / "tokenizer.json", folder)
    kinds = [("Transformer", ""), ("Pooling", "1_Pooling")]
    files: dict[str, Any] = {
        "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]"},
        "sentence_bert_config.json": {"max_seq_length": 60},
        "modules.json": [
            {"idx": n, "name": str(n), "type": f"sentence_transformers.models.{kind}", "path": path}
            for n, (kind, path) in enumerate(kinds)
        ],
        "1_Pooling/config.json": {
            "word_embedding_dimension": 32,
            "pooling_mode_mean_tokens": pooling == "mean",
            "pooling_mode_cls_token": pooling == "cls",
            "pooling_mode_max_tokens": pooling == "max",
        },
    }
    (folder / "1_Pooling").mkdir()
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
    return str(folder)


@pytest.mark.model
@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(("family", "more", "pooling", "last"), FAMILIES)
def test_vectors_are_those_of_sentence_transformers(
    tmp_path: Path,
    no_encoder_yet: dict[Any, Any],
    family: str,
    more: dict[str, Any],
    pooling: str,
    last: str,
) -> None:
    """On torch in the first run, which leaves the reference behind; on onnxruntime in the next, where it can."""
    from sentence_transformers import SentenceTransformer

    name = save(tmp_path / "encoder", family, more, pooling)
    expected = SentenceTransformer(name, device="cpu").encode(list(PROBE_TEXTS), normalize_embeddings=True)
    names = []
    for _ in range(2):
        embedder = open_embedder(name, cache_dir=tmp_path / "cache", use_memo=False, use_gpu=False)
        assert np.abs(embedder.embed(PROBE_TEXTS) - expected).max() < 2e-6
        assert embedder.notes == []
        names += [encoder.name for encoder in no_encoder_yet.values()]
        no_encoder_yet.clear()
    assert supported(read_files(name)) == (last == "onnxruntime")
    first = "torch" if last == "onnxruntime" else last
    assert names == [f"{first}, cpu, float32", f"{last}, cpu, float32"]


@pytest.mark.model
@pytest.mark.usefixtures("quiet", "no_encoder_yet")
@pytest.mark.parametrize("content", [b"", b"not safetensors at all", b"\xff" * 100])
def test_broken_weights(tmp_path: Path, content: bytes) -> None:
    """Are one clear error."""
    name = save(tmp_path / "encoder", "Bert", {}, "mean")
    (tmp_path / "encoder" / "model.safetensors").write_bytes(content)
    with pytest.raises(EncoderError, match="encoder encoder cannot be loaded: "):
        open_embedder(name, cache_dir=tmp_path / "cache", use_gpu=False).embed(["a"])


@pytest.mark.model
def test_the_graph_holds_no_weights() -> None:
    """They are handed over beside it, some of them as they lie in the file."""
    graph, arrays = draw(read_files("all-MiniLM-L6-v2"))
    assert len(graph) < 20_000
    assert sum(array.nbytes for array in arrays.values()) > 85 * 10**6


@pytest.mark.model
def test_int8_does_not_depend_on_the_texts_beside() -> None:
    """Each token has a scale of its own."""
    files = read_files("all-MiniLM-L6-v2")
    runner = OnnxRunner(files, workers=1, int8=True)
    encoder = TokenEncoder(files, runner)
    ids = np.array(encoder._tokens(["customer id", "zzz qqq", "order total"])[:1] * 3)
    ids[1, 1:-1] = 29000
    together = runner.run(ids)
    assert np.abs(together[0] - runner.run(ids[:1])[0]).max() < 1e-6
