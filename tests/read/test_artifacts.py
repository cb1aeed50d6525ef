"""Artifacts that cannot be read: one message each, whole."""

import json
from pathlib import Path
from typing import Any

import pytest

from dbt_schema_embed.errors import ArtifactError
from dbt_schema_embed.read import artifacts
from dbt_schema_embed.read.artifacts import Metadata, load_catalog, load_manifest, root_package
from dbt_schema_embed.read.project import read_project

RUN_PARSE = "\n  run `dbt parse`, or name the file with --manifest"
GOOD = b'{"metadata": {}, "nodes": {}, "sources": {}}'
BAD: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "the manifest FILE is empty" + RUN_PARSE),
    "blank": (b" \r\n\t", "the manifest FILE is empty" + RUN_PARSE),
    "zeros": (b"\0" * 4096, "the manifest FILE is empty" + RUN_PARSE),
    "truncated": (GOOD[:-1], "the manifest FILE ends too early: it is cut off" + RUN_PARSE),
    "truncated in a word": (
        b'{"metadata": {"dbt_version": "1.1',
        "the manifest FILE ends too early: it is cut off" + RUN_PARSE,
    ),
    "binary": (
        b"\x89PNG\r\n\x1a\n\0\0",
        "the manifest FILE is not JSON: JSON is malformed: invalid character (byte 0)" + RUN_PARSE,
    ),
    "not UTF-8": (b'{"metadata": {"dbt_version": "\xff"}}', "the manifest FILE is not text in UTF-8" + RUN_PARSE),
    "UTF-16": (
        GOOD.decode().encode("utf-16"),
        "the manifest FILE is not JSON: JSON is malformed: invalid character (byte 0)" + RUN_PARSE,
    ),
    "more after the end": (
        GOOD + b"}",
        "the manifest FILE is not JSON: JSON is malformed: trailing characters (byte 45)" + RUN_PARSE,
    ),
    "merge markers": (
        b"<<<<<<< HEAD\n{}",
        "the manifest FILE is not JSON: JSON is malformed: invalid character (byte 0)" + RUN_PARSE,
    ),
    "a list": (b"[]", "the manifest FILE is not as dbt writes it: Expected `object`, got `array`" + RUN_PARSE),
    "a word": (b'"manifest"', "the manifest FILE is not as dbt writes it: Expected `object`, got `str`" + RUN_PARSE),
    "null": (b"null", "the manifest FILE is not as dbt writes it: Expected `object`, got `null`" + RUN_PARSE),
    "nodes in a list": (
        b'{"nodes": []}',
        "the manifest FILE is not as dbt writes it: Expected `object`, got `array` - at `$.nodes`" + RUN_PARSE,
    ),
    "a column that is a number": (
        b'{"nodes": {"model.a.b": {"columns": {"c": 1}}}}',
        "the manifest FILE is not as dbt writes it: Expected `object`, got `int` - at `$.nodes[...].columns[...]`"
        + RUN_PARSE,
    ),
    "deep": (b'{"x": ' + b"[" * 1_000_000, "the manifest FILE is nested too deeply to read" + RUN_PARSE),
    "another tool's": (
        b'{"name": "app", "icons": []}',
        "FILE is JSON, but no dbt manifest: it has no nodes" + RUN_PARSE,
    ),
    "a catalog": (
        b'{"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/catalog/v1.json"}, "nodes": {}}',
        "FILE is a dbt catalog, not a manifest" + RUN_PARSE,
    ),
    "run results": (
        b'{"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json"}, "results": []}',
        "FILE is a dbt run-results, not a manifest" + RUN_PARSE,
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_manifest_is_one_clear_error(case: str, tmp_path: Path) -> None:
    content, expected = BAD[case]
    path = tmp_path / "manifest.json"
    path.write_bytes(content)
    with pytest.raises(ArtifactError) as caught:
        read_project(tmp_path, manifest=path)
    assert str(caught.value) == expected.replace("FILE", str(path))
    assert caught.value.exit_code == 3


def test_a_folder_without_a_project_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError) as caught:
        read_project(tmp_path)
    assert str(caught.value) == (
        f"there is no dbt project in {tmp_path.resolve()}: neither dbt_project.yml nor a manifest\n"
        "  go to the project's folder, or name it with --project-dir"
    )


def test_a_missing_manifest_says_what_to_run(tmp_path: Path) -> None:
    (tmp_path / "dbt_project.yml").write_text("name: p\n")
    with pytest.raises(ArtifactError) as caught:
        read_project(tmp_path)
    assert str(caught.value) == f"there is no manifest at {tmp_path / 'target' / 'manifest.json'}{RUN_PARSE}"


def test_a_folder_is_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError) as caught:
        load_manifest(tmp_path)
    assert str(caught.value) == f"the manifest {tmp_path} is not a file{RUN_PARSE}"


def test_a_path_with_a_zero_byte_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError):
        load_manifest(tmp_path / "a\0b")


def test_a_manifest_passed_as_the_catalog(tmp_path: Path) -> None:
    path = tmp_path / "catalog.json"
    path.write_text(
        '{"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json"}, "nodes": {}}'
    )
    with pytest.raises(ArtifactError) as caught:
        load_catalog(path)
    assert str(caught.value) == (
        f"{path} is a dbt manifest, not a catalog\n  run `dbt docs generate`, in dbt 2 `dbt compile --write-catalog`, "
        "or name the file with --catalog"
    )


def test_a_named_catalog_must_exist(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(GOOD)
    with pytest.raises(ArtifactError, match=r"there is no catalog at .*nowhere\.json"):
        read_project(tmp_path, manifest=tmp_path / "manifest.json", catalog=tmp_path / "nowhere.json")


@pytest.mark.parametrize(
    ("bound", "value", "expected"),
    [
        ("MAX_BYTES", 40, "the manifest FILE has 83 bytes, more than 40 are not read"),
        ("MAX_OBJECTS", 3, "the manifest FILE holds more than 3 objects, too many to read"),
        ("MAX_COLUMNS", 1, "the manifest FILE lists 2 columns, more than 1"),
    ],
)
def test_bounds_are_kept_before_memory_is_spent(
    bound: str, value: int, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(b'{"nodes": {"model.a.b": {"resource_type": "model", "columns": {"x": {}, "y": {}}}}}')
    monkeypatch.setattr(artifacts, bound, value)
    with pytest.raises(ArtifactError) as caught:
        load_manifest(path)
    assert str(caught.value) == expected.replace("FILE", str(path))


def test_a_byte_order_mark_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD)
    assert load_manifest(path).nodes == {}


def test_a_path_in_a_message_moves_no_cursor(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError) as caught:
        load_manifest(tmp_path / "a\x1b[2J\u202eb\nc.json")
    assert str(caught.value).splitlines()[0] == f"there is no manifest at {tmp_path}/a[2Jbc.json"


@pytest.mark.parametrize(
    "odd", [{"tags": "one"}, {"tags": [1, None]}, {"contract": True}, {"contract": 7}, {"config": None}]
)
def test_free_fields_take_any_value(odd: dict[str, Any], tmp_path: Path) -> None:
    node = {"name": "m", "resource_type": "model", "description": None, "columns": None, "fqn": None, **odd}
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"nodes": {"model.p.m": node}, "sources": None}), "utf-8")
    project = read_project(tmp_path, manifest=path)
    assert [r.id for r in project.relations] == ["model.p.m"]


@pytest.mark.parametrize(
    ("metadata", "packages", "expected"),
    [
        (Metadata(project_name="named"), ["other"], "named"),
        (Metadata(project_id="b3cd915d758008bd19d0f2428fbb354a"), ["c", "c", "a", "b"], "c"),
        (Metadata(project_id="0cc175b9c0f1b6a831c399e269772661"), ["c", "c", "a"], "a"),  # MD5 of "a"
        (None, ["x", None, "y", "y"], "y"),
        (None, [], ""),
    ],
)
def test_the_root_package(metadata: Metadata | None, packages: list[str | None], expected: str) -> None:
    assert root_package(metadata, packages) == expected
