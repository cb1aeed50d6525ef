"""README.md is true: its commands are run on example_project, its table of commands is the tool's own.

``UPDATE_README=1 pytest tests/test_readme.py`` writes what the tool says today into it.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from dbt_schema_embed.cli.group import COMMANDS
from tests.shop import copy_of_example

CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
MAPPING = re.compile(r"```yaml\n((?:version|#).*?|)```", re.DOTALL)
TABLE = re.compile(r"(?<=\| command \| what it does \|\n\| --- \| --- \|\n)(?:\|.*\n)*")
DECIMAL = re.compile(r"\b[01]\.\d\d\b")
RUN = "import sys; from dbt_schema_embed.cli import main; main()"
UPDATE = bool(os.environ.get("UPDATE_README"))
SHOWN = 2
"""Rows of the mapping file that are shown."""


@pytest.fixture(scope="module")
def shop(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the example that the commands change one after the other."""
    return copy_of_example(root, tmp_path_factory.mktemp("readme") / "shop")


def output(command: str, shop: Path) -> str:
    """What a command prints, both streams, as a terminal would show it."""
    tool, *args = shlex.split(command)
    assert tool == "dbt-schema-embed"
    done = subprocess.run(
        [sys.executable, "-c", RUN, *args], cwd=shop, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


def console(block: str, shop: Path) -> str:
    """The block with what its commands print today."""
    commands = [line for line in block.splitlines() if line.startswith("$ ")]
    return "\n".join(f"{line}\n{output(line[2:], shop)}" for line in commands)


def mapping(shop: Path) -> str:
    """The beginning of the mapping file that the first command wrote."""
    text = (shop / "schema_mappings" / "stripe__disputes.yml").read_text("utf-8")
    head, *rows = text.split("  - source_column: ")
    tail = text[text.index("undecided:" if "undecided:" in text else "unmapped:") :]
    head = "".join(line for line in head.splitlines(keepends=True) if not line.startswith("#"))
    return head + "".join(f"  - source_column: {row}" for row in rows[:SHOWN]) + "  # ...\n" + tail


def commands() -> str:
    """The table of commands."""
    return "".join(f"| `{name}` | {text.rstrip('.')} |\n" for name, text in COMMANDS.items())


def alike(today: str, text: str) -> bool:
    """Whether two texts are the same but for the last digit of a confidence: processors round differently."""
    pairs = zip(DECIMAL.findall(today), DECIMAL.findall(text), strict=False)
    return DECIMAL.sub("#", today) == DECIMAL.sub("#", text) and all(abs(float(a) - float(b)) < 0.03 for a, b in pairs)


@pytest.mark.model
def test_the_readme_is_true(root: Path, shop: Path) -> None:
    path = root / "README.md"
    text = path.read_text("utf-8")
    today = CONSOLE.sub(lambda found: f"```console\n{console(found[1], shop)}```", text)
    today = MAPPING.sub(lambda _: f"```yaml\n{mapping(shop)}```", today, count=1)
    today = TABLE.sub(lambda _: commands(), today)
    if UPDATE and not alike(today, text):
        path.write_text(today, "utf-8")
    assert alike(today, path.read_text("utf-8")), today


def test_the_first_screen_says_what_it_is(root: Path) -> None:
    lines = (root / "README.md").read_text("utf-8").splitlines()
    assert lines[0] == "# dbt-schema-embed"
    assert any(line.startswith("pip install") for line in lines[:20])
    assert "```console" in lines[:25]


def test_its_links_and_pictures_are_there(root: Path) -> None:
    text = (root / "README.md").read_text("utf-8")
    targets = re.findall(r"\]\(([^)#]+)|(?:src|srcset)=\"([^\"]+)", text)
    assert [name for pair in targets for name in pair if name and not (root / name).exists()] == []
    how_tos = {f"docs/{path.name}" for path in (root / "docs").glob("*.md")}
    assert how_tos <= {name for pair in targets for name in pair}


def test_the_python_of_the_readme_can_be_written_so(root: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (root / "README.md").read_text("utf-8"), re.DOTALL)
    names = set(re.findall(r"engine\.(\w+)", code))
    from dbt_schema_embed import SchemaEmbed

    assert names == {"suggest", "match", "accept", "search", "encode"}
    engine = SchemaEmbed()
    assert all(callable(getattr(engine, name)) for name in names)
    compile(code, "README.md", "exec")
