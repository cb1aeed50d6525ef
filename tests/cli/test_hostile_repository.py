"""A repository is data: whatever it holds, nothing outside it is written, read or asked."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dbt_schema_embed.pipeline import SchemaEmbed
from dbt_schema_embed.settings import Settings
from tests.cli.conftest import Tool

Plant = Callable[[Path, Path], None]
"""Puts something hostile into a project, given the project and a folder outside."""


def link(name: str, target: str) -> Plant:
    """A symlink in the project to a file or folder outside."""

    def plant(shop: Path, outside: Path) -> None:
        place = shop / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.is_dir():
            shutil.rmtree(place)
        place.unlink(missing_ok=True)
        place.symlink_to(outside / target)

    return plant


def setting(text: str) -> Plant:
    """Settings; OUTSIDE is the folder outside."""

    def plant(shop: Path, outside: Path) -> None:
        (shop / "dbt_schema_embed.yml").write_text(text.replace("OUTSIDE", str(outside)))

    return plant


def target_path(text: str) -> Plant:
    def plant(shop: Path, outside: Path) -> None:
        path = shop / "dbt_project.yml"
        path.write_text(path.read_text() + f'\ntarget-path: "{text}"\n'.replace("OUTSIDE", str(outside)))

    return plant


OUT_OF_TARGET = "is a link out of the target folder"
OUT_OF_FOLDER = "is a link out of its folder"
CASES: dict[str, tuple[Plant, tuple[str, ...], str]] = {
    "report": (link("target/schema_embed/report.html", "file"), ("report",), OUT_OF_TARGET),
    "report, named": (link("report.html", "file"), ("report", "--output", "report.html"), OUT_OF_FOLDER),
    "report in a folder": (link("out", "folder"), ("report", "--output", "out/r.html"), OUT_OF_FOLDER),
    "evaluation": (link("target/schema_embed/evaluation.json", "file"), ("evaluate",), OUT_OF_TARGET),
    "our folder": (link("target/schema_embed", "folder"), ("search", "id"), OUT_OF_TARGET),
    "the index": (link("target/schema_embed/index", "folder"), ("search", "id"), OUT_OF_TARGET),
    "generations": (link("target/schema_embed/index/generations", "folder"), ("search", "id"), OUT_OF_TARGET),
    "the profile": (link("target/schema_embed/profile.json", "file"), ("suggest",), OUT_OF_TARGET),
    "baseline": (
        link("schema_embed_baseline.json", "file"), ("check", "--write-baseline"), "is outside the project"
    ),
    "baseline, set": (setting("baseline: OUTSIDE/file\n"), ("check", "--write-baseline"), "is outside the project"),
    "baseline above": (setting("baseline: ../outside/file\n"), ("check",), "is outside the project"),
    "the manifest": (link("target/manifest.json", "file"), ("suggest",), "is a link out of the project"),
    "the catalog": (link("target/catalog.json", "file"), ("suggest",), "is a link out of the project"),
    "a mapping file": (link("schema_mappings/x.yml", "file"), ("suggest",), "is a link out of the project"),
    "mapping files": (link("schema_mappings", "folder"), ("check",), "leads out of the project"),
    "mappings_dir": (setting("mappings_dir: OUTSIDE\n"), ("suggest", "--write"), "leads out of the project"),
    "the settings": (link("dbt_schema_embed.yml", "file"), ("check",), "is a link out of the project"),
    "target-path": (target_path("OUTSIDE/folder"), ("suggest",), "leads out of the project"),
    "target-path above": (target_path("../outside"), ("search", "id"), "leads out of the project"),
    "target-path of the environment": (target_path("{{ env_var('HOME') }}"), ("suggest",), "leads out of the project"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_nothing_leads_out_of_the_project(in_shop: Tool, shop: Path, tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    (outside / "folder").mkdir(parents=True)
    (outside / "file").write_text("mine")
    (outside / "folder" / "kept.yml").write_text("mine")
    plant, args, message = CASES[name]
    plant(shop, outside)
    done = in_shop(*args)
    assert done.code > 0
    assert message in done.err
    assert sorted(str(p.relative_to(outside)) for p in outside.rglob("*")) == ["file", "folder", "folder/kept.yml"]
    assert {p.read_text() for p in outside.rglob("*") if p.is_file()} == {"mine"}


def test_links_within_the_project_are_followed(in_shop: Tool, shop: Path) -> None:
    (shop / "target/schema_embed").mkdir(parents=True, exist_ok=True)
    (shop / "target/schema_embed/report.html").symlink_to(shop / "target/r.html")
    assert in_shop("report").code == 0
    assert (shop / "target/r.html").stat().st_size > 1000


def test_the_user_may_name_what_is_outside(in_shop: Tool, shop: Path, tmp_path: Path) -> None:
    (shop / "target").rename(tmp_path / "elsewhere")
    assert in_shop("check", "--target-path", tmp_path / "elsewhere").code == 0
    assert in_shop("report", "--target-path", tmp_path / "elsewhere", "--output", tmp_path / "r.html").code == 0


GUARDED = """\
cache_dir: /nowhere/cache
chroma_url: http://192.0.2.1:8000
chroma_token: theirs
ray_address: ray://192.0.2.1:10001
redis_url: redis://192.0.2.1
model_name: ./evil
batch_size: 7
"""


def test_servers_caches_and_encoders_of_a_repository_do_not_count(
    shop: Path, monkeypatch: pytest.MonkeyPatch, tool: Tool
) -> None:
    (shop / "dbt_schema_embed.yml").write_text(GUARDED)
    monkeypatch.setenv("EMBEDDING_CHROMA_TOKEN", "mine")
    told: list[str] = []
    assert Settings.load(shop, told=told) == Settings(chroma_token="mine", batch_size=7)
    line = (
        "cache_dir, chroma_url, model_name, ray_address, redis_url of dbt_schema_embed.yml do not count: a project may "
        "not choose servers, caches and encoders for you; if you trust this one, run again with --trust"
    )
    assert told == [line]
    assert f"warning: {line}" in tool("check", "--project-dir", shop).err
    assert "--trust" not in tool("check", "--project-dir", shop, "--set", "cache_dir=x", "--set", "chroma_url=http://x",
                                 "--set", "model_name=x", "--set", "redis_url=redis://x",
                                 "--set", "ray_address=local").err  # fmt: skip


def test_trust_lasts_until_what_was_trusted_changes(
    shop: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tool: Tool
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (shop / "dbt_schema_embed.yml").write_text(GUARDED)
    assert "--trust" not in tool("check", "--project-dir", shop, "--trust").err
    kept = tmp_path / "config/dbt-schema-embed/trusted.json"
    assert list(json.loads(kept.read_text())) == [os.path.realpath(shop)]
    assert "theirs" not in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0
    assert Settings.load(shop, env={}).chroma_url == "http://192.0.2.1:8000"
    (shop / "dbt_schema_embed.yml").write_text(GUARDED.replace("batch_size: 7", "batch_size: 8"))
    assert Settings.load(shop, env={}).redis_url == "redis://192.0.2.1"
    (shop / "dbt_schema_embed.yml").write_text(GUARDED.replace("http://192.0.2.1", "http://192.0.2.2"))
    assert Settings.load(shop, env={}) == Settings(batch_size=7)
    kept.write_text("[" * 10**5)  # damaged: nothing is trusted
    assert Settings.load(shop, env={}) == Settings(batch_size=7)


@pytest.mark.model
def test_a_token_goes_only_where_the_user_says(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address that is asked, as the index is handed it."""
    asked: list[object] = []
    monkeypatch.setattr("dbt_schema_embed.index.Shared", lambda *given: asked.append(given))
    monkeypatch.setattr("dbt_schema_embed.index.Index", lambda *_, shared, **__: asked.append(shared))
    monkeypatch.setenv("EMBEDDING_CHROMA_TOKEN", "mine")
    (shop / "dbt_schema_embed.yml").write_text("chroma_url: http://192.0.2.1\n")
    with SchemaEmbed(Settings.load(shop)) as engine:
        engine.session.index_in(shop / "target/schema_embed", engine.session.usual_embedder())
    assert asked == [None]
