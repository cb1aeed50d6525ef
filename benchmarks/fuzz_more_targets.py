"""More readers for benchmarks/fuzz_readers.py: settings, Parquet, markup and secrets in texts, encoders' folders."""

import io
import json
import shutil
from collections.abc import Iterable
from pathlib import Path

from fuzz_kit import Edited, One, Target, answers_or_says, edits

ENCODER_FILES = ("config.json", "sentence_bert_config.json", "modules.json", "1_Pooling/config.json", "tokenizer.json")


def settings(folder: Path) -> One:
    """Each of the three files that settings may stand in."""
    from dbt_schema_embed.read.project import target_folder
    from dbt_schema_embed.settings import Settings

    names = ("dbt_schema_embed.yml", "dbt_project.yml", "pyproject.toml")
    heads = (b"", b"vars:\n  schema_embed:\n    a: 1\n", b"[tool.dbt-schema-embed]\n")

    def one(data: bytes) -> None:
        for name in names:
            (folder / name).unlink(missing_ok=True)
        kind = data[0] % 3 if data else 0
        (folder / names[kind]).write_bytes((heads[kind] if data[:1] > b"\x7f" else b"") + data[1:])
        answers_or_says(lambda: Settings.load(folder, env={}, told=[]))
        answers_or_says(lambda: target_folder(folder))

    return one


def parquet(folder: Path) -> One:
    """A Parquet file."""
    from dbt_schema_embed.tables import read_relations

    path = folder / "t.parquet"

    def one(data: bytes) -> None:
        path.write_bytes(data)
        answers_or_says(lambda: read_relations(path))

    return one


def parquets() -> Iterable[bytes]:
    """Files of some types and encodings."""
    import pyarrow
    import pyarrow.parquet

    tables = [
        {"a": ["x", None, "y"] * 9, "b": list(range(27))},
        {"a": [1.5, None], "c": [[1], []]},
        {"d": [b"x", b"y"]},
    ]
    for table in tables:
        for compression in ("none", "zstd", "gzip"):
            made = io.BytesIO()
            pyarrow.parquet.write_table(pyarrow.table(table), made, compression=compression)
            yield made.getvalue()[:8000]


def markup(_: Path) -> One:
    """What people and databases write: descriptions, names, messages, types, Jinja."""
    from dbt_schema_embed.embed.text import column_texts
    from dbt_schema_embed.records import Column, Relation
    from dbt_schema_embed.sensitive import hidden, without_values
    from dbt_schema_embed.sql.jinja import plain_sql
    from dbt_schema_embed.types import type_family
    from dbt_schema_embed.write.sql_names import comment_text, jinja_text, opens_jinja, type_sql

    def one(data: bytes) -> None:
        text = data.decode("utf-8", "surrogateescape")
        column_texts(Relation("m", text[:300] or "m", "model", (Column(text[:300] or "c", text, text),)))
        hidden(text)
        without_values(text)
        plain_sql(text)
        type_family(text)
        type_sql(text)
        comment = comment_text(text)
        if opens_jinja(comment) or len(comment.splitlines()) > 1 or {"\r", "\n"} & set(jinja_text(text)):
            raise ValueError(f"not inert: {comment!a}")

    return one


def encoder(folder: Path) -> One:
    """The configuration of an encoder's folder; its weights are somebody else's matter."""
    from dbt_schema_embed.embed.encoder_files import read_files, text_digest
    from dbt_schema_embed.embed.locate import encoder_folder

    real = encoder_folder("all-MiniLM-L6-v2")
    mine = folder / "encoder"
    shutil.copytree(real, mine, ignore=shutil.ignore_patterns("*.safetensors", "tokenizer.json", "vocab.txt"))
    (mine / "model.safetensors").write_bytes(b"")
    (mine / "tokenizer.json").write_text('{"added_tokens": [], "normalizer": null, "model": {"vocab": {}}}')
    there = [name for name in ENCODER_FILES if (mine / name).is_file()]
    kept = {name: (mine / name).read_bytes() for name in there}
    changes = {name: Edited(json.loads(content)) for name, content in kept.items()}

    def one(data: bytes) -> None:
        for name, content in kept.items():
            (mine / name).write_bytes(content)
        name = there[data[0] % len(there)] if data else there[0]
        (mine / name).write_bytes(changes[name](data[1:]))
        answers_or_says(lambda: text_digest(read_files(str(mine))))

    return one


MORE = {
    "settings": Target(settings, edits, ("yaml",)),
    "parquet": Target(parquet, parquets),
    "markup": Target(markup, edits),
    "encoder": Target(encoder, edits),
}
"""Readers, by name."""
