"""Any bytes, any shape: an answer or an ArtifactError, never another exception."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dbt_schema_embed.errors import ArtifactError, ConfigError
from dbt_schema_embed.read.project import read_project
from dbt_schema_embed.read.selection import select
from dbt_schema_embed.records import VALUES_LIMIT, Relation
from dbt_schema_embed.tables import read_relation, read_relations

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "read"
QUIET = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ATOMS: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
)
ANYTHING = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
RICH = (FIXTURES / "manifests" / "dbt_1_11.json").read_bytes()
GOOD = (FIXTURES / "manifests" / "v12.json").read_bytes()


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place inside a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, below in inner for place in places(below, (*path, key)))][1 if not path else 0 :]


PLACES = places(json.loads(RICH))


def refused(call: Callable[[], Any]) -> str:
    """The message of the error a person would see; blank when there was none."""
    try:
        call()
    except (ArtifactError, ConfigError) as problem:
        return problem.message
    return ""


def read_all(folder: Path) -> None:
    """Reads and selects as a command would."""

    def run() -> None:
        project = read_project(folder)
        select(project, ["+tag:x", "*"], [])

    assert refused(run).isprintable()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "target").mkdir()
    return tmp_path


@QUIET
@given(content=st.binary(max_size=200))
def test_any_bytes_as_manifest(content: bytes, folder: Path) -> None:
    (folder / "target" / "manifest.json").write_bytes(content)
    read_all(folder)


@QUIET
@given(place=st.sampled_from(PLACES), value=ANYTHING)
def test_any_value_at_any_place_of_a_manifest(place: tuple[Any, ...], value: Any, folder: Path) -> None:
    manifest = json.loads(RICH)
    inner = manifest
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    (folder / "target" / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    read_all(folder)


@QUIET
@given(cut=st.integers(0, len(GOOD)), byte=st.integers(0, 255))
def test_a_manifest_cut_off_or_with_one_byte_changed(cut: int, byte: int, folder: Path) -> None:
    for content in (GOOD[:cut], GOOD[:cut] + bytes([byte]) + GOOD[cut + 1 :]):
        (folder / "target" / "manifest.json").write_bytes(content)
        read_all(folder)


@QUIET
@given(tables=st.dictionaries(st.sampled_from(["model.tiny.stg_charges", "x"]), ANYTHING, max_size=2), more=ANYTHING)
def test_any_catalog(tables: dict[str, Any], more: Any, folder: Path) -> None:
    (folder / "target" / "manifest.json").write_bytes(GOOD)
    catalog = json.dumps({"nodes": tables, "sources": more})
    (folder / "target" / "catalog.json").write_text(catalog, "utf-8")
    read_all(folder)


@QUIET
@given(text=st.text(max_size=200) | st.binary(max_size=200).map(lambda b: b.decode("latin-1")))
@pytest.mark.parametrize("suffix", ["csv", "sql", "parquet"])
def test_any_bytes_as_a_table(suffix: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / f"t.{suffix}"
    path.write_bytes(text.encode("utf-8", "replace"))
    found: list[Relation] = []
    assert refused(lambda: found.extend(read_relations(path))).isprintable()
    for relation in found:
        assert [c.position for c in relation.columns] == list(range(len(relation.columns)))
        assert len({c.key for c in relation.columns}) == len(relation.columns)
        assert all(len(c.values) <= VALUES_LIMIT for c in relation.columns)


SQL_WORDS = (FIXTURES / "sql_words.txt").read_text("utf-8").split(" ")


@QUIET
@given(words=st.lists(st.sampled_from(SQL_WORDS), max_size=40))
def test_any_words_as_ddl(words: list[str], tmp_path: Path) -> None:
    path = tmp_path / "t.sql"
    path.write_text("create table t ( " + " ".join(words), "utf-8")
    assert refused(lambda: read_relations(path)).isprintable()


@QUIET
@given(rows=st.lists(st.lists(st.text(max_size=5), min_size=1, max_size=4), min_size=1, max_size=5))
def test_a_csv_we_write_is_read(rows: list[list[str]], tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
        csv.writer(file).writerows([[f"c{i}" for i in range(4)], *rows])
    if "\0" not in path.read_text("utf-8"):
        assert [c.name for c in read_relation(path).columns] == ["c0", "c1", "c2", "c3"]


@QUIET
@given(docs=ANYTHING.filter(lambda docs: docs is not None and not isinstance(docs, str)))
def test_any_docs(docs: Any, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n", "utf-8")
    assert refused(lambda: read_relation(path, docs=docs)).isprintable()
