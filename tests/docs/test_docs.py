"""The documentation is true: the reference is what the code says, commands in how-tos run, links lead somewhere."""

import re
import runpy
import shlex
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Tool, encoder, example, in_shop, matcher, shop, tool

__all__ = ["encoder", "example", "in_shop", "matcher", "shop", "tool"]

DOCS = Path(__file__).resolve().parents[2] / "docs"
HOW_TOS = sorted(path.name for path in DOCS.glob("*.md") if path.name != "reference.md")
NEED_MORE = ("review", "mcp")
"""Commands that only show their help here: they want a terminal, or a client on standard input."""


def test_the_reference_is_what_the_code_says() -> None:
    made = runpy.run_path(str(DOCS / "generate.py"))["reference"]()
    assert made == (DOCS / "reference.md").read_text("utf-8"), "run: python docs/generate.py"


def commands(name: str) -> list[list[str]]:
    """The lines of a how-to's sh blocks, the steps of its workflows and the entries of its hooks that call us; without
    the program's name."""
    text = (DOCS / name).read_text("utf-8")
    blocks = [
        *re.findall(r"```sh\n(.*?)```", text, re.DOTALL),
        *re.findall(r"(?:-|- run:|entry:) (dbt-schema-embed .*)", text),
    ]
    lines = [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]
    return [words[1:] for words in lines if words[:1] == ["dbt-schema-embed"]]


@pytest.mark.parametrize("name", HOW_TOS)
def test_every_command_in_a_how_to_runs(
    name: str, in_shop: Tool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EMBEDDING_CACHE_DIR", str(tmp_path / "memo"))
    for words in commands(name):
        only_read = words[0] in NEED_MORE or {"--changed-since", "ray"} & {*words}
        done = in_shop(*words, "--help") if only_read else in_shop(*words)
        told_so = words[0] in ("doctor", "check") or "--fail-on-change" in words  # equal names leave much unfed
        assert done.code in ((0, 1) if told_so else (0,)), (words, done.err)


@pytest.mark.parametrize("name", HOW_TOS)
def test_yaml_in_a_how_to_is_yaml(name: str) -> None:
    for block in re.findall(r"```yaml\n(.*?)```", (DOCS / name).read_text("utf-8"), re.DOTALL):
        assert isinstance(yaml.safe_load(block), dict | list)


@pytest.mark.parametrize("name", [*HOW_TOS, "reference.md"])
def test_links_lead_to_something(name: str) -> None:
    text = (DOCS / name).read_text("utf-8")
    for target in re.findall(r"\]\(([^)#]*)(?:#[^)]*)?\)", text):
        assert not target or (DOCS / target).exists(), target
