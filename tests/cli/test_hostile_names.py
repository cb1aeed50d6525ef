"""A project whose tables, columns and descriptions are named to do harm: every command, every output."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.conftest import Tool
from tests.embed.encoders import HashEncoder
from tests.shop import SameName

NAMES = (
    "../../../outside", "..\\outside", "/etc/outside", "a\0b", "two\nlines", "\x1b[2J\x1b[31mred", "\u202egnp.exe",
    "\x9b31m", "=cmd|' /C calc'!A0", "<img src=x onerror=alert(1)>", "{{ var('x') }}", "{% raw %}", "`rm -rf`",
    "&anchor", "*alias", "- a", "a: b # c", "'; drop table x; --", "x" * 5000, " ", "null", "{", "|",
)  # fmt: skip
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
COMMANDS = (
    "suggest --write",
    "suggest --write",
    "suggest --targets all --propose",
    "suggest --format markdown",
    "suggest --format json --output out.json",
    "index",
    "search outside",
    "accept --min-confidence 0",
    "check",
    "check --format github",
    "check --format sarif --output out.sarif",
    "check --format junit --output out.xml",
    "apply",
    "report --output out.html",
)


def renamed(shop: Path, *, tables: bool) -> None:
    """Give the columns of every source and model hostile names."""
    path = shop / "target" / "manifest.json"
    manifest: dict[str, Any] = json.loads(path.read_text("utf-8"))
    (shop / "target" / "catalog.json").unlink()
    shutil.rmtree(shop / "seeds")
    for number, node in enumerate([*manifest["sources"].values(), *manifest["nodes"].values()]):
        columns = list(node["columns"].values())
        node["columns"], node["raw_code"], node["compiled_code"] = {}, "", ""
        for place, column in enumerate(columns):
            column["name"] = NAMES[(number + place) % len(NAMES)]
            column["description"] = column["data_type"] = NAMES[(number + place + 5) % len(NAMES)]
            node["columns"][column["name"]] = column
    if tables:
        rename_tables(manifest)
    path.write_text(json.dumps(manifest), "utf-8")


def rename_tables(manifest: dict[str, Any]) -> None:
    """Two tables, one by its name and one by its source's."""
    charges, refunds = (manifest["sources"][f"source.shop.stripe.{name}"] for name in ("charges", "refunds"))
    charges["name"] = charges["identifier"] = "".join(NAMES[:8])
    refunds["source_name"] = NAMES[0]
    refunds["original_file_path"] = refunds["patch_path"] = "../../outside.yml"


@pytest.mark.parametrize("tables", [False, True])
def test_nothing_escapes(
    tool: Tool,
    shop: Path,
    tmp_path: Path,
    encoder: HashEncoder,
    matcher: SameName,
    monkeypatch: pytest.MonkeyPatch,
    tables: bool,
) -> None:
    """No traceback, no file elsewhere, no control character on a terminal, and text files that others can read."""
    monkeypatch.setenv("EMBEDDING_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "outer").mkdir()
    shop = shop.rename(tmp_path / "outer" / "shop")
    monkeypatch.chdir(shop)
    renamed(shop, tables=tables)
    for command in COMMANDS:
        done = tool(*command.split())
        assert "this is a bug" not in done.err, (command, done.err)
        assert done.code in (0, 1), (command, done.err)
        assert not UNSEEN.search(done.out + done.err), (command, UNSEEN.findall(done.out + done.err))
    outside = [p for p in tmp_path.rglob("*") if p.is_file() and shop not in p.parents and p.parts[-3] != "cache"]
    assert [p for p in outside if "cache" not in p.parts] == []
    names = [p.name for p in (shop / "schema_mappings").iterdir()]
    assert all(re.fullmatch(r"[\w.~-]+\.(yml|json)", name) for name in names), names
    page = (shop / "out.html").read_text("utf-8")
    assert "<img src=x" not in page
    assert not UNSEEN.search(page.replace("\r", ""))
    json.loads((shop / "out.json").read_text("utf-8"))
    json.loads((shop / "out.sarif").read_text("utf-8"))
    for yaml_path in (shop / "models").rglob("*sources.yml"):
        text = yaml_path.read_text("utf-8")
        assert not re.search("{[{%#]", text), "dbt would render a name from outside"
        yaml.safe_load(text)
    if not tables:
        assert "..\\outside" in (shop / "models/staging/shopkeep/_shopkeep__sources.yml").read_text("utf-8")
