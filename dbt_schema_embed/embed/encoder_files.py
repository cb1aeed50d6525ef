"""What an encoder's configuration files say, without loading it."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from dbt_schema_embed.embed.locate import DEFAULT_ENCODER, DEFAULT_SHA256, encoder_folder, is_default, is_path
from dbt_schema_embed.errors import EncoderError, printable

_SMALL = 64 * 2**20  # a configuration or tokenizer file beyond 64 MiB is none


_LARGEST = {
    "hidden_size": 65_536, "num_hidden_layers": 1_000, "num_attention_heads": 1_000, "intermediate_size": 10**6,
    "vocab_size": 10**7,
}  # fmt: skip
"""Figures of config.json beyond which there is no encoder; some decide how much is done before weights are read."""

Content = TypeVar("Content")


class _Module(msgspec.Struct):
    type: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class EncoderFiles:
    """An encoder as its folder describes it."""

    name: str  # as asked for; a path: the folder's name
    folder: Path
    dim: int
    max_tokens: int  # longest input, special tokens included
    pooling: Literal["mean", "cls"] | None  # None: a pipeline that only sentence-transformers runs
    lower_case: bool
    weights: tuple[Path, ...]  # every safetensors file, sorted
    pinned: str | None  # SHA-256 the weights must have
    config: dict[str, Any] = field(default_factory=dict, repr=False)  # config.json

    @property
    def tokenizer(self) -> Path:
        """The fast tokenizer's file; it may be missing."""
        return self.folder / "tokenizer.json"

    @property
    def token_bytes(self) -> int:
        """Working memory a token at the longest text: the widest layer twice, attention scores, six hidden states."""
        hidden = _number(self.config.get("hidden_size"), self.dim)
        wide = _number(self.config.get("intermediate_size"), 4 * hidden)
        scores = _number(self.config.get("num_attention_heads"), 12) * self.max_tokens
        return 4 * (2 * wide + scores + 6 * hidden)


def read_files(name: str) -> EncoderFiles:
    """Find the encoder called ``name`` and read its configuration.

    Raises:
        EncoderError: no such encoder, or a folder that is not one.
    """
    folder = encoder_folder(name)
    config = _json(folder / "config.json")
    bert = _json(folder / "sentence_bert_config.json", optional=True)
    pooling, pooled = _pooling(folder)
    weights = tuple(sorted(p for p in folder.rglob("*.safetensors") if p.parent.name not in ("onnx", "openvino")))
    if not weights:
        raise EncoderError(
            f"encoder {name}: {folder} has no model.safetensors",
            hint="pickled weights (pytorch_model.bin) are not loaded: convert them to safetensors",
        )
    dim = pooled or config.get("hidden_size") or config.get("dim")
    if not isinstance(dim, int):
        raise EncoderError(f"encoder {name}: {folder / 'config.json'} does not tell the size of its vectors")
    for key, most in _LARGEST.items():
        value = dim if key == "hidden_size" else config.get(key)
        if value is not None and not (isinstance(value, int) and 1 <= value <= most):
            raise EncoderError(f"encoder {name}: {folder / 'config.json'} has a {key} that no encoder has")
    return EncoderFiles(
        name=folder.resolve().name if is_path(name) else DEFAULT_ENCODER if is_default(name) else name,
        folder=folder,
        dim=dim,
        max_tokens=_max_tokens(folder, config, bert),
        pooling=pooling,
        lower_case=bool(bert.get("do_lower_case")),
        weights=weights,
        pinned=DEFAULT_SHA256 if is_default(name) else None,
        config=config,
    )


def text_digest(files: EncoderFiles) -> str:
    """A hash of all that turns a text into tokens and tokens into one vector, beside the weights."""
    digest = hashlib.sha256(f"{files.pooling}|{files.max_tokens}|{files.lower_case}".encode())
    if files.tokenizer.is_file():
        whole = _json(files.tokenizer)
        # padding and truncation are ours; copies of one encoder differ in them
        digest.update(msgspec.json.encode([whole.get(k) for k in ("added_tokens", "normalizer", "pre_tokenizer")]))
        digest.update(msgspec.json.encode([whole.get(k) for k in ("post_processor", "model")]))
    else:
        for path in sorted(p for p in files.folder.iterdir() if p.suffix in (".txt", ".model") or "vocab" in p.name):
            digest.update(path.read_bytes())
    if files.pooling is None:
        for path in sorted(files.folder.rglob("*.json")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _pooling(folder: Path) -> tuple[Literal["mean", "cls"] | None, int | None]:
    """How tokens become one vector, and its size where the modules say it."""
    if not (folder / "modules.json").is_file():
        return "mean", None  # sentence-transformers does the same with a bare transformer
    kinds = []
    for module in _read(folder / "modules.json", list[_Module]):
        if not module.type.startswith("sentence_transformers."):
            raise EncoderError(
                f"{folder / 'modules.json'} names {printable(module.type)}, code from outside sentence-transformers",
                hint="such code is never run: choose another encoder",
            )
        kinds.append((module.type.rsplit(".", 1)[-1], module.path))
    names = [kind for kind, _ in kinds]
    settings = {kind: _json(folder / path / "config.json", optional=True) for kind, path in kinds if path}
    dim = _dim(settings)
    prompt = _json(folder / "config_sentence_transformers.json", optional=True).get("default_prompt_name")
    if names not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]) or kinds[0][1] or prompt:
        return None, dim
    return _pooling_mode(settings.get("Pooling", {})), dim


def _dim(settings: dict[str, dict[str, Any]]) -> int | None:
    dense = settings.get("Dense", {}).get("out_features")
    pooling = settings.get("Pooling", {})
    found = dense or pooling.get("embedding_dimension") or pooling.get("word_embedding_dimension")
    return found if isinstance(found, int) else None


def _pooling_mode(pooling: dict[str, Any]) -> Literal["mean", "cls"] | None:
    new = pooling.get("pooling_mode")
    modes = [new] if isinstance(new, str) else list(new or [])
    modes += [k for k, on in pooling.items() if k.startswith("pooling_mode_") and on is True]
    if modes in (["mean"], ["pooling_mode_mean_tokens"]):
        return "mean"
    return "cls" if modes in (["cls"], ["pooling_mode_cls_token"]) else None


def _max_tokens(folder: Path, config: dict[str, Any], bert: dict[str, Any]) -> int:
    limits = [bert.get("max_seq_length")]
    if limits == [None]:
        tokenizer = _json(folder / "tokenizer_config.json", optional=True)
        limits = [tokenizer.get("model_max_length"), config.get("max_position_embeddings")]
    limits.append(config.get("max_position_embeddings"))  # there is no place beyond it
    known = [n for n in limits if isinstance(n, int) and 2 < n < 10**6]
    return min(known, default=512)


def _number(found: object, otherwise: int) -> int:
    return found if isinstance(found, int) else otherwise


def _json(path: Path, *, optional: bool = False) -> dict[str, Any]:
    if optional and not path.is_file():
        return {}
    return _read(path, dict[str, Any])


def _read(path: Path, kind: type[Content]) -> Content:
    try:
        if path.stat().st_size > _SMALL:
            raise EncoderError(f"{path} is larger than any encoder's configuration")
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        raise EncoderError(
            f"{path} is missing", hint="an encoder's folder holds config.json and model.safetensors"
        ) from None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise EncoderError(f"{path} cannot be read: {printable(problem)}") from None
