"""The cache of statements: right or absent, never wrong, never in the way."""

from pathlib import Path

import pytest

from dbt_schema_embed.sql import statements as sql_statements
from dbt_schema_embed.sql.cache import Entry, StatementCache, statement_key
from dbt_schema_embed.sql.lineage import ModelSql, TableInfo, read_sql
from dbt_schema_embed.sql.shape import Statement

MODELS = [ModelSql("model.p.a", "select id from t", "a"), ModelSql("model.p.b", "select id as b_id from a", "b")]
TABLES = {"t": TableInfo("source.p.t", ("id",))}


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models that were parsed, in order."""
    seen: list[str] = []
    parse = sql_statements._parse

    def spy(model: ModelSql, dialect: str | None, key: bytes) -> Entry:
        seen.append(model.id)
        return parse(model, dialect, key)

    monkeypatch.setattr(sql_statements, "_parse", spy)
    return seen


def test_only_what_changed_is_parsed_again(tmp_path: Path, parsed: list[str]) -> None:
    first = read_sql(MODELS, TABLES, "postgres", tmp_path)
    assert parsed == ["model.p.a", "model.p.b"]
    assert read_sql(MODELS, TABLES, "postgres", tmp_path) == first
    assert len(parsed) == 2
    read_sql([MODELS[0], ModelSql("model.p.b", "select id from a", "b")], TABLES, "postgres", tmp_path)
    assert parsed[2:] == ["model.p.b"]


def test_a_table_that_gains_a_column_needs_no_parsing(tmp_path: Path, parsed: list[str]) -> None:
    star = [ModelSql("model.p.a", "select * from t", "a")]
    read_sql(star, TABLES, "postgres", tmp_path)
    facts = read_sql(star, {"t": TableInfo("source.p.t", ("id", "new"))}, "postgres", tmp_path)
    assert (facts.columns["model.p.a"], len(parsed)) == (("id", "new"), 1)


def test_a_warning_is_kept_too(tmp_path: Path, parsed: list[str]) -> None:
    bad = [ModelSql("model.p.a", "select (", "a")]
    assert read_sql(bad, {}, "postgres", tmp_path).warnings == read_sql(bad, {}, "postgres", tmp_path).warnings
    assert len(parsed) == 1


def test_the_dialect_and_raw_or_compiled_are_part_of_the_key() -> None:
    keys = {statement_key("select 1", d, compiled=c) for d in (None, "duckdb", "postgres") for c in (True, False)}
    assert len(keys) == 6


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "text", "other shape"])
def test_a_damaged_file_is_rebuilt_without_a_word(tmp_path: Path, parsed: list[str], damage: str) -> None:
    first = read_sql(MODELS, TABLES, "postgres", tmp_path)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    if damage == "other shape":
        from hashlib import sha256

        from msgspec import msgpack

        payload = msgpack.encode({"model.p.a": ["key", 3]})
        path.write_bytes(sha256(payload).digest() + payload)
    else:
        flipped = bytes([*whole[:50], whole[50] ^ 1, *whole[51:]])
        path.write_bytes({"cut": whole[:-9], "flip": flipped, "empty": b"", "text": b"not a cache\n" * 9}[damage])
    assert read_sql(MODELS, TABLES, "postgres", tmp_path) == first
    assert len(parsed) == 4
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [whole]


def test_an_unchanged_cache_is_not_written_and_is_its_owners_only(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "er"
    read_sql(MODELS, TABLES, "postgres", folder)
    (path,) = folder.iterdir()
    before = path.stat()
    read_sql(MODELS, TABLES, "postgres", folder)
    assert path.stat() == before
    assert before.st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_made_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    facts = read_sql(MODELS, TABLES, "postgres", tmp_path / "file")
    assert list(facts.columns) == ["model.p.a", "model.p.b"]
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_sql(MODELS, TABLES, "postgres", tmp_path)
    (path,) = tmp_path.iterdir()
    before = path.read_bytes()

    def full(self: Path, target: Path) -> Path:
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "replace", full)
    cache = StatementCache(tmp_path)
    cache.put("model.p.c", Entry(b"k", Statement(())))
    cache.save()
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [before]


def test_models_that_were_not_read_this_time_stay(tmp_path: Path, parsed: list[str]) -> None:
    read_sql(MODELS, TABLES, "postgres", tmp_path)
    read_sql([ModelSql("model.p.c", "select 1 as one", "c")], TABLES, "postgres", tmp_path)
    read_sql(MODELS, TABLES, "postgres", tmp_path)
    assert parsed == ["model.p.a", "model.p.b", "model.p.c"]


def test_progress_counts_what_is_parsed_and_not_what_is_kept(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    for _ in range(2):
        read_sql(MODELS, TABLES, "postgres", tmp_path, lambda done, total: told.append((done, total)))
    assert told == [(done, len(MODELS)) for done in range(len(MODELS))]
