"""The dbt package installs both ways, brings macros and nothing else, and dbt finds nothing to warn about."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.dbt.driver import Dbt

pytestmark = pytest.mark.dbt


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A project of one model that uses the package."""
    folder = tmp_path / "tiny"
    (folder / "models").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text("name: tiny\nversion: 1.0.0\nprofile: tiny\n")
    (folder / "profiles.yml").write_text("tiny: {target: dev, outputs: {dev: {type: duckdb, path: ':memory:'}}}\n")
    (folder / "models/one.sql").write_text(
        "select {{ dbt_schema_embed.schema_embed_quote('id') }} from (select 1 as id)"
    )
    return folder


def git_copy(root: Path, folder: Path) -> Path:
    """The package as a git repository of its own."""
    folder.mkdir()
    shutil.copy(root / "dbt_project.yml", folder)
    shutil.copytree(root / "macros", folder / "macros")
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "all"]):
        who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *who, *command], cwd=folder, check=True)
    return folder


@pytest.mark.parametrize("way", ["local", "git"])
def test_the_package_installs_and_adds_macros_only(dbt: Dbt, root: Path, tiny: Path, tmp_path: Path, way: str) -> None:
    package = {"git": f"file://{git_copy(root, tmp_path / 'repository')}", "revision": "main"}
    entry = {"local": str(root)} if way == "local" else package | {"warn-unpinned": False}
    (tiny / "packages.yml").write_text(json.dumps({"packages": [entry]}))
    dbt.must(tiny, "deps")
    dbt.must(tiny, "--warn-error", "parse", "--no-partial-parse", "--show-all-deprecations")
    manifest = json.loads((tiny / "target/manifest.json").read_text("utf-8"))
    for kind in ("nodes", "sources", "exposures", "metrics", "unit_tests", "docs", "disabled"):
        assert not [key for key in manifest[kind] if ".dbt_schema_embed." in key], kind
    ours = {key: macro for key, macro in manifest["macros"].items() if key.startswith("macro.dbt_schema_embed.")}
    public = {macro["name"] for macro in ours.values() if "__" not in macro["name"]}
    assert public == {path.stem for path in (root / "macros").glob("*.sql")}
    assert [name for name, macro in ours.items() if macro["name"] in public and not macro["description"]] == []


def test_the_documented_arguments_are_those_of_the_macros(root: Path) -> None:
    documents = yaml.safe_load((root / "macros/macros.yml").read_text("utf-8"))["macros"]
    for document in documents:
        sql = (root / "macros" / f"{document['name']}.sql").read_text("utf-8")
        signature = sql.split(f"{{% macro {document['name']}(")[1].split(") %}")[0]
        found = [part.split("=")[0].strip() for part in signature.split(",") if part.strip()]
        if "arguments" in document:
            assert [argument["name"] for argument in document["arguments"]] == found, document["name"]


def test_the_package_and_the_python_package_have_one_version(root: Path) -> None:
    from dbt_schema_embed import __version__

    assert yaml.safe_load((root / "dbt_project.yml").read_text("utf-8"))["version"] == __version__
