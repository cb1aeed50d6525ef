"""More readers for benchmarks/fuzz_readers.py: settings, Parquet, markup and secrets in texts, encoders' folders,
sheets, a project's own files, glossaries and baselines, staging models.
"""

import io
import json
import shutil
from collections.abc import Iterable
from pathlib import Path

from fuzz_kit import Edited, One, Target, answers_or_says, edits, texts

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


def sheet(folder: Path) -> One:
    """A sheet as CSV or XLSX, and what it wants of a mapping file; and that a cell comes back as it went out."""
    from dbt_schema_embed.decide.sheet import sheet_decisions
    from dbt_schema_embed.decide.sheet_files import as_meant, inert, read_sheet
    from dbt_schema_embed.records import MappingFile, MappingRow

    file = MappingFile("m.yml", "raw.orders", (MappingRow("amount", "stg", "amount"),), undecided=("id",))

    def one(data: bytes) -> None:
        path = folder / ("s.xlsx" if data[:1] == b"X" else "s.csv")
        path.write_bytes(data[1:])

        def read() -> None:
            rows = list(enumerate(read_sheet(path), 2))
            sheet_decisions(file, rows, lambda model, column: (model, column), ("me", "2026-01-01"))

        answers_or_says(read)
        text = data.decode("utf-8", "surrogateescape")
        if as_meant(inert(text)) != text:
            raise ValueError(f"another cell: {text!a}")

    return one


def sheets() -> Iterable[bytes]:
    """A sheet in both forms, one of them as people change it."""
    from dbt_schema_embed.decide.sheet import HEADER, SheetRow
    from dbt_schema_embed.decide.sheet_files import sheet_bytes

    row = SheetRow("raw.orders", "amount", "int", "=a", "stg", "amount", "a + 1", "accepted", "-b", "0.70", "why", "m1")
    for suffix, head in ((".csv", b"C"), (".xlsx", b"X")):
        yield head + sheet_bytes([row, row.marked()], [("stg", "amount")], suffix)[:8000]
    yield b"C" + ";".join(HEADER).encode() + b"\n" + b"raw.orders;id;;;;;;nothing;;;;\n"


def own(folder: Path) -> One:
    """A project's own YAML, a model, a snapshot and dbt_project.yml, without a manifest."""
    from dbt_schema_embed.read.own_files import adapter_of, read_own_files

    places = ("models/a.yml", "models/b.sql", "snapshots/c.sql", "dbt_project.yml", "profiles.yml", "packages.yml")
    for place in places:
        (folder / place).parent.mkdir(exist_ok=True)

    def one(data: bytes) -> None:
        for place in places:
            (folder / place).write_bytes(b"")
        (folder / places[data[0] % len(places) if data else 0]).write_bytes(data[1:])
        answers_or_says(lambda: read_own_files(folder, None))
        answers_or_says(lambda: adapter_of(folder))

    return one


def glossary(folder: Path) -> One:
    """A glossary, and a baseline."""
    from dbt_schema_embed.check.baseline import read_baseline
    from dbt_schema_embed.match.glossary import read_glossary

    path = folder / "it"

    def one(data: bytes) -> None:
        path.write_bytes(data)
        answers_or_says(lambda: read_glossary(path))
        answers_or_says(lambda: read_baseline(path))

    return one


def staged(_: Path) -> One:
    """A staging model that people wrote, which gets a column more; and an expression that somebody accepts."""
    from dbt_schema_embed.expressions import expression_problem
    from dbt_schema_embed.write.merge import merged, selected, spelled_out, starred

    new = [("a", "x as a"), ("b", "y as b")]

    def one(data: bytes) -> None:
        text = data[1:].decode("utf-8", "surrogateescape")
        leading = data[:1] > b"\x7f"
        selected(text)
        answers_or_says(lambda: merged(text, new, ["a note"], ["-- gone"], "m.sql", leading=leading))
        if starred(text):
            answers_or_says(lambda: spelled_out(text, ["x as a"], ["why"], "m.sql", step=4, leading=leading))
        for dialect in (None, "postgres", "bigquery"):
            said = expression_problem(text[:2000], ("a", "b"), dialect)
            if any(not c.isprintable() for c in said):
                raise ValueError(f"unprintable: {said!a}")

    return one


_PROJECT = texts("example_project/*.yml", "example_project/models/**/*.yml", "example_project/models/**/*.sql")
_MODELS = texts("tests/fixtures/lineage/*.sql", "example_project/models/**/*.sql")
MORE = {
    "settings": Target(settings, edits, ("yaml",)),
    "parquet": Target(parquet, parquets),
    "markup": Target(markup, edits),
    "encoder": Target(encoder, edits),
    "sheet": Target(sheet, sheets),
    "own": Target(own, lambda: [bytes([n % 6]) + text for n, text in enumerate(_PROJECT())], ("yaml",)),
    "glossary": Target(
        glossary, lambda: [b"kdnr, nr: customer number\nerp:\n  crlm: credit limit\n", b'{"version": 1}']
    ),
    "staged": Target(staged, lambda: [b"\0" + text for text in _MODELS()], ("sqlglot",)),
}
"""Readers, by name."""
