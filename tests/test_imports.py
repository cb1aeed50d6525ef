"""Start-up is a feature: what a fresh process imports, read from sys.modules. Times would depend on the machine."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "torch", "transformers", "sentence_transformers", "tokenizers", "chromadb", "onnxruntime", "onnx", "numpy", "scipy",
    "sklearn", "pandas", "pyarrow", "sqlglot", "diskcache", "redis", "rapidfuzz", "duckdb",
}  # fmt: skip
"""What neither `check` nor `import dbt_schema_embed` may load."""


def modules_after(code: str) -> set[str]:
    """Top-level and dotted names in sys.modules after ``code`` has run in a fresh process."""
    tail = "\nimport json, sys\nprint(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code + tail], capture_output=True, text=True, check=True)
    return set(json.loads(done.stderr.splitlines()[-1]))


def run_command(*args: str) -> str:
    """Code that runs the command line and goes on after its exit."""
    return (
        "from dbt_schema_embed.cli.run import run\nimport sys\n"
        f"sys.argv = ['dbt-schema-embed', *{list(args)!r}]\n"
        "try:\n    run()\nexcept SystemExit as stop:\n    assert stop.code in (0, 1, None), stop.code"
    )


def test_the_package_imports_next_to_nothing() -> None:
    new = modules_after("import dbt_schema_embed") - modules_after("")
    assert {name for name in new if name.startswith("dbt_schema_embed")} == {"dbt_schema_embed"}
    assert not new & HEAVY
    assert len(new) <= 10, sorted(new)


def test_dbt_asking_for_plugins_loads_nothing_more() -> None:
    loaded = modules_after("import dbt_schema_embed as d\nassert hasattr(d, 'plugins') and not hasattr(d, 'other')")
    assert {name for name in loaded if name.startswith("dbt_schema_embed")} == {"dbt_schema_embed"}


def test_importing_the_command_line_loads_nothing_heavy() -> None:
    assert not modules_after("import dbt_schema_embed.cli") & HEAVY


@pytest.mark.parametrize("args", [("--help",), ("check", "--help"), ("suggest", "--help")], ids=" ".join)
def test_help_loads_nothing_heavy(args: tuple[str, ...]) -> None:
    assert not modules_after(run_command(*args)) & HEAVY


def test_check_loads_nothing_heavy(root: Path) -> None:
    assert not modules_after(run_command("check", "--project-dir", str(root / "example_project"))) & HEAVY


FIRST_WORD = """
import os, sys
from dbt_schema_embed.cli import console
def spoken(*_):
    print(*sys.modules, file=sys.stderr, flush=True)
    os._exit(0)
console.Live.__call__ = spoken
"""


@pytest.mark.parametrize(
    "words", ["suggest", "search x", "review", "report", "index", "check", "stage a.b", "cache stats"]
)
def test_a_terminal_is_answered_before_anything_is_imported(words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FIRST_WORD + run_command(*words.split())], capture_output=True, text=True, check=True
    )
    loaded = set(done.stderr.split())
    assert "dbt_schema_embed.cli.options" in loaded
    assert not loaded & (HEAVY | {"dbt_schema_embed.pipeline"})


@pytest.mark.dbt
def test_dbt_parse_with_the_package_installed_loads_nothing_heavy_of_ours(tmp_path: Path) -> None:
    """dbt imports every top-level module named `dbt_*`. duckdb is loaded by its adapter."""
    (tmp_path / "dbt_project.yml").write_text("name: tiny\nprofile: tiny\nversion: 1.0.0\n")
    (tmp_path / "profiles.yml").write_text(
        "tiny:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: ':memory:', threads: 1}\n"
    )
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "one.sql").write_text("select 1 as id\n")
    loaded = modules_after(
        f"import os\nos.chdir({str(tmp_path)!r})\n"
        "from dbt.cli.main import dbtRunner\nresult = dbtRunner().invoke(['-q', 'parse', '--profiles-dir', '.'])\n"
        "assert result.success, result.exception"
    )
    assert "dbt_schema_embed" in loaded
    assert {name for name in loaded if name.startswith("dbt_schema_embed.")} == set()
    assert not loaded & (HEAVY - {"duckdb"})
