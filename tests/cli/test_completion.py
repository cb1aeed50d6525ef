"""What the shell completes, asked as bash asks."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Tool

CHARGES = ("amount", "amount_refunded")


@pytest.fixture
def completed(tool: Tool, shop: Path, monkeypatch: pytest.MonkeyPatch) -> "Completed":
    monkeypatch.chdir(shop)
    return Completed(tool, monkeypatch)


class Completed:
    """Completions of a line of text."""

    def __init__(self, tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
        self._tool, self._patch = tool, monkeypatch

    def __call__(self, line: str) -> list[str]:
        self._patch.setenv("_DBT_SCHEMA_EMBED_COMPLETE", "bash_complete")
        self._patch.setenv("COMP_WORDS", line)
        self._patch.setenv("COMP_CWORD", str(len(shlex.split(line)) - (not line.endswith(" "))))
        done = self._tool()
        assert (done.code, done.err) == (0, "")
        return [answer.partition(",")[2] for answer in done.out.splitlines() if answer]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("dbt-schema-embed sug", ["suggest"]),
        ("dbt-schema-embed stage stripe.ch", ["stripe.charges"]),
        ("dbt-schema-embed apply stripe.charges stripe.ref", ["stripe.refunds"]),
        ("dbt-schema-embed accept STRIPE.CH", ["stripe.charges"]),
        ("dbt-schema-embed accept stripe.charges amount", list(CHARGES)),
        ("dbt-schema-embed accept stripe.charges amount amount", ["amount_refunded"]),
        ("dbt-schema-embed accept --source stripe.charges amount", list(CHARGES)),
        ("dbt-schema-embed reject stripe.charges amount", list(CHARGES)),
        ("dbt-schema-embed reject nowhere.charges amount", []),
        ("dbt-schema-embed suggest --explain stripe.ch", ["stripe.charges."]),
        ("dbt-schema-embed suggest --explain stripe.charges.amount", [f"stripe.charges.{c}" for c in CHARGES]),
        ("dbt-schema-embed suggest --select source:stripe.ch", ["source:stripe.charges"]),
        ("dbt-schema-embed search x --table shopk", None),
        ("dbt-schema-embed accept stripe.charges id --model stg_stripe__ch", ["stg_stripe__charges"]),
        ("dbt-schema-embed accept stripe.charges id --model stg_stripe__charges --column is_p", ["is_paid"]),
    ],
)
def test_what_is_completed(completed: Completed, line: str, wanted: list[str] | None) -> None:
    found = completed(line)
    if wanted is None:
        assert found[:2] == ["shopkeep", "shopkeep.cust"]
    else:
        assert found == wanted


def test_without_a_project_nothing_is_completed_and_nothing_said(
    tool: Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Completed(tool, monkeypatch)("dbt-schema-embed accept s") == []


def test_completion_loads_nothing_heavy(shop: Path) -> None:
    code = (
        "import sys, json\nfrom dbt_schema_embed.cli.run import run\n"
        "try:\n    run()\nfinally:\n    print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    env = {"_DBT_SCHEMA_EMBED_COMPLETE": "bash_complete", "COMP_WORDS": "dbt-schema-embed accept ", "COMP_CWORD": "2"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | env, cwd=shop, capture_output=True, text=True, check=True
    )
    assert "stripe.charges" in done.stdout
    assert not {"numpy", "sqlglot", "scipy", "torch"} & set(json.loads(done.stderr.splitlines()[-1]))
