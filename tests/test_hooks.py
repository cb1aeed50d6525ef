"""The pre-commit hooks: what triggers them, and their commands, run as pre-commit runs them."""

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from dbt_schema_embed.settings import ENV_NAMES
from tests.cli.conftest import Tool, encoder, example, in_shop, matcher, shop, tool

__all__ = ["encoder", "example", "in_shop", "matcher", "shop", "tool"]

HOOKS: dict[str, dict[str, Any]] = {
    hook["id"]: hook
    for hook in yaml.safe_load((Path(__file__).resolve().parent.parent / ".pre-commit-hooks.yaml").read_text("utf-8"))
}


def command(name: str, *args: str) -> list[str]:
    """What pre-commit runs after the program's name: the entry and the user's args; no file names."""
    hook = HOOKS[name]
    assert (hook["language"], hook["pass_filenames"], hook["require_serial"]) == ("python", False, True)
    program, *words = shlex.split(hook["entry"])
    assert program == "dbt-schema-embed"
    return [*words, *args]


@pytest.mark.parametrize(
    ("path", "hooks"),
    [
        ("schema_mappings/stripe__charges.yml", ["schema-embed-check"]),
        ("transform/schema_mappings/stripe__charges.yaml", ["schema-embed-check"]),
        ("dbt_schema_embed.yml", ["schema-embed-check"]),
        ("target/manifest.json", ["schema-embed-check", "schema-embed-suggest"]),
        ("transform/target/catalog.json", ["schema-embed-check", "schema-embed-suggest"]),
        ("models/staging/_sources.yml", ["schema-embed-check", "schema-embed-suggest"]),
        ("models/staging/stg_stripe__charges.sql", ["schema-embed-check"]),
        ("transform/models/marts/customers.py", ["schema-embed-check"]),
        ("seeds/countries.csv", ["schema-embed-check"]),
        ("snapshots/orders.sql", ["schema-embed-check"]),
        ("dbt_project.yml", ["schema-embed-check"]),
        ("analyses/orders.sql", []),
        ("README.md", []),
        (".pre-commit-hooks.yaml", []),
        ("my_schema_mappings.yml", []),
    ],
)
def test_what_triggers_them(path: str, hooks: list[str]) -> None:
    assert [name for name, hook in HOOKS.items() if re.search(hook["files"], path)] == hooks


def test_recipes_name_hooks_and_variables_that_there_are(root: Path) -> None:
    text = (root / "docs/ci.md").read_text("utf-8")
    found = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
    blocks = [block for block in found if isinstance(block, dict)]  # a row of a mapping file is a list
    repos = [repo for block in blocks for repo in block.get("repos", ())]
    shared, local = ([hook for repo in repos if (repo["repo"] == "local") is is_local for hook in repo["hooks"]]
                     for is_local in (False, True))  # fmt: skip
    assert [hook["id"] for hook in shared] == list(HOOKS)
    (own,) = local
    hook = HOOKS[own["id"]]
    assert {k: own[k] for k in ("name", "entry", "pass_filenames")} == {
        k: hook[k] for k in ("name", "entry", "pass_filenames")
    }
    assert set(re.findall(r"EMBEDDING_\w+", text)) <= set(ENV_NAMES)
    (gitlab,) = (block["schema mappings"] for block in blocks if "schema mappings" in block)
    written = {line.rpartition(" --output ")[2] for line in gitlab["script"] if " --output " in line}
    assert written == {*gitlab["artifacts"]["paths"], *gitlab["artifacts"]["reports"].values()}


def test_only_suggest_needs_more_than_the_light_install(root: Path) -> None:
    extras = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    needed = {name: hook.get("additional_dependencies", []) for name, hook in HOOKS.items()}
    assert needed == {"schema-embed-check": [], "schema-embed-suggest": [".[embed]"]}
    assert "embed" in extras


def test_suggest_fails_until_the_files_are_as_it_wants_them_and_check_then_passes(in_shop: Tool, shop: Path) -> None:
    first = in_shop(*command("schema-embed-suggest", "--select", "source:stripe"))
    assert (first.code, first.err.count("wrote schema_mappings/stripe__")) == (1, 7)
    second = in_shop(*command("schema-embed-suggest", "--select", "source:stripe"))
    assert (second.code, "the mapping files are up to date" in second.err) == (0, True)
    assert in_shop(*command("schema-embed-check")).code == 0
    path = shop / "schema_mappings" / "stripe__charges.yml"
    path.write_text(path.read_text("utf-8").replace("source: stripe.charges", "source: stripe.chrages"), "utf-8")
    failed = in_shop(*command("schema-embed-check", "--project-dir", str(shop)))
    assert (failed.code, "[unknown-source]" in failed.out) == (1, True)
