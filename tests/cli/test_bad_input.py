"""Bad input, each kind once: one clear message, the right exit code, nothing half-written."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Tool

Spoil = Callable[[Path], object]


def manifest(content: bytes) -> Spoil:
    return lambda shop: (shop / "target" / "manifest.json").write_bytes(content)


def cut_manifest(shop: Path) -> None:
    path = shop / "target" / "manifest.json"
    path.write_bytes(path.read_bytes()[:100_000])


def foreign_catalog(shop: Path) -> None:
    path = shop / "target" / "catalog.json"
    path.write_text(path.read_text("utf-8").replace(".shop.", ".other."), "utf-8")


def mapping(text: str) -> Spoil:
    def spoil(shop: Path) -> None:
        (shop / "schema_mappings").mkdir()
        (shop / "schema_mappings" / "stripe__charges.yml").write_text(text, "utf-8")

    return spoil


def read_only_file(shop: Path) -> None:
    mapping("version: 1\nsource: stripe.charges\n")(shop)
    (shop / "schema_mappings" / "stripe__charges.yml").chmod(0o444)


def a_file_for_a_folder(shop: Path) -> None:
    (shop / "schema_mappings").write_text("")


def a_folder_elsewhere(shop: Path) -> None:
    (shop.parent / "elsewhere").mkdir()
    (shop / "schema_mappings").symlink_to(shop.parent / "elsewhere")


def settings(text: str) -> Spoil:
    return lambda shop: (shop / "dbt_schema_embed.yml").write_text(text, "utf-8")


HEAD = "version: 1\nsource: stripe.charges\n"
SUGGEST = ("suggest", "--write")

CASES: dict[str, tuple[Spoil, tuple[str, ...], int, str]] = {
    "missing manifest": (
        lambda shop: shutil.rmtree(shop / "target"), SUGGEST, 3, "there is no manifest at target/manifest.json",
    ),
    "empty manifest": (manifest(b""), SUGGEST, 3, "target/manifest.json"),
    "truncated manifest": (cut_manifest, SUGGEST, 3, "target/manifest.json"),
    "binary manifest": (manifest(b"\x00\xff\xfe" * 50), SUGGEST, 3, "target/manifest.json"),
    "manifest of another tool": (manifest(b'{"manifest_version": 3, "name": "x"}'), SUGGEST, 3, "target/manifest.json"),
    "manifest that is a list": (manifest(b"[]"), SUGGEST, 3, "target/manifest.json"),
    "catalog of another project": (foreign_catalog, SUGGEST, 3, "belongs to another project"),
    "no sources": (
        manifest(b'{"metadata": {"project_name": "p"}, "nodes": {}}'), SUGGEST, 2, "the project p declares no sources",
    ),
    "selection of nothing": (lambda shop: None, (*SUGGEST, "-s", "source:strpe"), 2, "near names: "),
    "unknown method": (lambda shop: None, (*SUGGEST, "-s", "tags:x"), 2, "did you mean tag:?"),
    "merge markers": (mapping(HEAD + "<<<<<<< HEAD\n"), SUGGEST, 1, "stripe__charges.yml:3: "),
    "duplicate keys": (mapping(HEAD + "source: x\n"), SUGGEST, 1, "'source' stands here twice"),
    "unknown status": (
        mapping(HEAD + "columns:\n  - {source_column: id, model: m, model_column: c, status: acepted}\n"),
        SUGGEST, 1, "did you mean accepted?",
    ),
    "mapping of another source": (
        mapping(HEAD.replace("charges", "gone")), SUGGEST, 1, "stripe.charges has the same file name",
    ),
    "read-only mapping file": (read_only_file, (*SUGGEST, "-s", "stripe.charges"), 1, "it is read-only"),
    "a file in the folder's place": (a_file_for_a_folder, SUGGEST, 1, "could not be written"),
    "a folder outside the project": (a_folder_elsewhere, SUGGEST, 2, "leads out of the project"),
    "a mappings_dir outside": (settings("mappings_dir: ../elsewhere\n"), SUGGEST, 2, "leads out of the project"),
    "unknown setting": (settings("batchsize: 1\n"), SUGGEST, 2, "did you mean batch_size?"),
    "settings that are no YAML": (settings("a: [\n"), ("check",), 2, "is not YAML"),
    "unknown rule": (settings("severity: {unknown-modl: off}\n"), ("check",), 2, "must be names and values"),
    "output into a folder": (lambda shop: None, ("suggest", "--output", "target"), 2, "is a directory"),
    "table that is missing": (lambda shop: None, ("match", "a.csv", "b.csv"), 3, "a.csv"),
    "encoder that is unknown": (lambda shop: None, ("doctor", "--set", "model_name=../nowhere"), 1, "no such folder"),
}  # fmt: skip


def files(shop: Path) -> dict[str, bytes]:
    """Everything that stands in and beside the project, but for our scratch folder."""
    return {
        str(p.relative_to(shop.parent)): p.read_bytes()
        for p in shop.parent.rglob("*")
        if p.is_file() and "schema_embed" not in p.parts and "cache" not in p.parts
    }


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_one_message_and_nothing_is_written(in_shop: Tool, shop: Path, name: str) -> None:
    spoil, args, code, message = CASES[name]
    spoil(shop)
    before = files(shop)
    done = in_shop(*args)
    assert done.code == code
    assert message in (done.out if args[0] == "doctor" else done.err)
    assert "Traceback" not in done.err
    assert "unexpected" not in done.err
    assert args[0] == "doctor" or (done.out == "" and done.err.count("rror: ") == 1)
    assert files(shop) == before


def test_weights_that_are_not_the_published_ones_are_refused(
    tool: Tool, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dbt_schema_embed.embed import locate

    real = locate._package_folder()
    if real is None:
        pytest.skip("the default encoder is not installed")
    (tmp_path / "encoder").mkdir()
    for path in real.iterdir():
        (tmp_path / "encoder" / path.name).symlink_to(path)
    (tmp_path / "encoder" / "model.safetensors").unlink()
    (tmp_path / "encoder" / "model.safetensors").write_bytes(b"something else")
    monkeypatch.setattr(locate, "_package_folder", lambda: tmp_path / "encoder")
    done = tool("suggest", "--project-dir", shop, "--set", f"cache_dir={tmp_path / 'cache'}")
    assert (done.code, done.out) == (2, "")
    assert "is not the published all-MiniLM-L6-v2" in done.err


def test_an_absent_extra_is_one_line(tool: Tool, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dbt_schema_embed.extras.MEMO", ("no_such_module",))
    done = tool("cache", "stats")
    assert (done.code, done.out) == (4, "")
    assert done.err == "error: cache needs an optional part: pip install 'dbt-schema-embed[embed]'\n"
    assert tool("check", "--project-dir", shop).code == 0
