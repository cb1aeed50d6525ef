"""What a release must keep, as far as it can be said before one: versions, addresses, what is promised, the skill."""

import re
import runpy
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from dbt_schema_embed import __version__
from tests.cli.conftest import Tool, encoder, example, in_shop, matcher, shop, tool

__all__ = ["encoder", "example", "in_shop", "matcher", "shop", "tool"]

SKILL = Path(__file__).resolve().parent.parent / "dbt_schema_embed" / "skills" / "dbt-schema-embed" / "SKILL.md"


@pytest.fixture(scope="module")
def release(root: Path) -> dict[str, Any]:
    """The script that the release workflow calls."""
    return runpy.run_path(str(root / ".ci" / "release.py"))


def test_the_versions_agree(release: dict[str, Any]) -> None:
    assert set(release["versions"]().values()) == {__version__}


def test_a_tag_of_another_version_is_refused(release: dict[str, Any]) -> None:
    assert release["disagreements"]("v9.9.9") == [
        f"dbt_schema_embed/__init__.py says {__version__}, the tag 9.9.9",
        f"dbt_project.yml says {__version__}, the tag 9.9.9",
        'CHANGELOG.md has no heading "## 9.9.9 - <date>"',
    ]


def test_the_address_that_is_not_known_stands_in_one_place(root: Path) -> None:
    suffixes = {".py", ".md", ".toml", ".yml", ".yaml", ".json", ""}
    address = re.compile(r"\bOWNER/|OWNER is")
    folders = ("dbt_schema_embed", "docs", "macros", ".ci", ".github", "example_project")
    files = [path for folder in folders for path in (root / folder).rglob("*")] + list(root.iterdir())
    found = {
        path.relative_to(root).as_posix()
        for path in files
        if path.is_file() and path.suffix in suffixes and address.search(path.read_text("utf-8", "ignore"))
    }
    assert found <= {"pyproject.toml"}


def test_every_python_that_is_promised_is_named(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    named = re.findall(r"Python :: (3\.\d+)", " ".join(project["classifiers"]))
    assert (project["requires-python"], named) == (">=3.11", ["3.11", "3.12", "3.13", "3.14"])


def test_no_dbt_below_3_is_shut_out(root: Path) -> None:
    extras = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert all(wanted.endswith("<3") for wanted in extras["dbt"])
    assert yaml.safe_load((root / "dbt_project.yml").read_text("utf-8"))["require-dbt-version"] == [">=1.8.0", "<3.0.0"]


def test_the_skill_has_a_head_that_installers_read() -> None:
    head = yaml.safe_load(SKILL.read_text("utf-8").split("---\n")[1])
    assert head["name"] == SKILL.parent.name
    assert 50 < len(head["description"]) <= 1024


def test_the_commands_of_the_skill_run_in_this_order(
    in_shop: Tool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EMBEDDING_CACHE_DIR", str(tmp_path / "memo"))
    blocks = re.findall(r"```sh\n(.*?)```", SKILL.read_text("utf-8"), re.DOTALL)
    for words in [shlex.split(line) for block in blocks for line in block.splitlines() if line.strip()]:
        assert words[0] == "dbt-schema-embed"
        done = in_shop(*words[1:])
        assert done.code in ((0, 1) if words[1] in ("doctor", "check") else (0,)), (words, done.err)
