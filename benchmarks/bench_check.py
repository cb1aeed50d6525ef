"""CPU time of `check` through the command line, on the example and on a made project of 10,000 source columns.

    python benchmarks/bench_check.py [--runs 15]

The made project has 500 source tables of 20 columns, a staging model and a mapping file for each, all rows accepted:
every model's SQL is read and held against its file. CPU is user and system time of the child process.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

TABLES, COLUMNS = 500, 20
TYPES = ("varchar", "integer", "timestamp", "boolean", "numeric(16,2)")
EXAMPLE = Path(__file__).resolve().parent.parent / "example_project"


def make(folder: Path) -> None:
    """Write the project: target/manifest.json, target/catalog.json, schema_mappings/*.yml, dbt_project.yml."""
    nodes, sources, tables = {}, {}, {}
    (folder / "schema_mappings").mkdir()
    (folder / "target").mkdir()
    (folder / "dbt_project.yml").write_text("name: made\nversion: 1.0.0\n")
    for n in range(TABLES):
        source, model = f"source.made.vendor.table_{n}", f"model.made.stg_vendor__table_{n}"
        pairs = [(f"raw_{n}_{i}", f"column_{n}_{i}") for i in range(COLUMNS)]
        sql = f'select {", ".join(f"{a} as {b}" for a, b in pairs)} from "db"."raw"."table_{n}"'
        sources[source] = _node("source", f"table_{n}", f'"db"."raw"."table_{n}"', [], source_name="vendor")
        nodes[model] = _node("model", f"stg_vendor__table_{n}", f'"db"."stg"."stg_{n}"', [b for _, b in pairs])
        nodes[model] |= {"compiled_code": sql, "raw_code": sql, "depends_on": {"nodes": [source], "macros": []}}
        tables[source] = {"columns": {a: _typed(a, i) for i, (a, _) in enumerate(pairs)}}
        tables[model] = {"columns": {b: _typed(b, i) for i, (_, b) in enumerate(pairs)}}
        (folder / "schema_mappings" / f"vendor__table_{n}.yml").write_text(
            _mapping(f"vendor.table_{n}", f"stg_vendor__table_{n}", pairs)
        )
    manifest = {
        "metadata": {"adapter_type": "postgres", "project_name": "made"}, "nodes": nodes, "sources": sources,
    }  # fmt: skip
    catalog = {"nodes": {i: t for i, t in tables.items() if i in nodes},
               "sources": {i: t for i, t in tables.items() if i in sources}}  # fmt: skip
    (folder / "target" / "manifest.json").write_text(json.dumps(manifest))
    (folder / "target" / "catalog.json").write_text(json.dumps(catalog))


def _node(kind: str, name: str, relation: str, columns: list[str], **more: Any) -> dict[str, Any]:
    documented = {column: {"name": column, "description": f"What {column} says."} for column in columns}
    return {
        "resource_type": kind, "name": name, "package_name": "made", "relation_name": relation, "columns": documented,
        "original_file_path": f"models/{name}.sql", **more,
    }  # fmt: skip


def _typed(name: str, place: int) -> dict[str, Any]:
    return {"name": name, "type": TYPES[place % len(TYPES)], "index": place}


def _mapping(source: str, model: str, pairs: list[tuple[str, str]]) -> str:
    rows = "".join(
        f"  - source_column: {a}\n    model: {model}\n    model_column: {b}\n"
        "    confidence: 0.99\n    status: accepted\n    reason: words in common\n"
        for a, b in pairs
    )
    return f"version: 1\nsource: {source}\ncolumns:\n{rows}"


def accept_the_truth(example: Path) -> None:
    """Give the example a mapping file for each source table that feeds a planned model."""
    (example / "schema_mappings").mkdir()
    for source, table in json.loads((example / "expected_mapping.json").read_text("utf-8")).items():
        answers = {name: answer[0] if isinstance(answer, list) else answer for name, answer in table["columns"].items()}
        text = _mapping(source, table["model"], [(name, answer) for name, answer in answers.items() if answer])
        unmapped = ", ".join(name for name, answer in answers.items() if not answer)
        (example / "schema_mappings" / f"{source}.yml").write_text(f"{text}unmapped: [{unmapped}]\n")


def cpu_seconds(project: Path) -> float:
    """User and system time of one `dbt-schema-embed check`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    tool = Path(sys.executable).with_name("dbt-schema-embed")
    done = subprocess.run([tool, "check", "--project-dir", project], capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode or "mapping file" not in done.stdout:
        sys.exit(done.stdout + done.stderr)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def report(what: str, project: Path, runs: int, before: Callable[[], object] = lambda: None) -> None:
    """Print the least and the median of ``runs`` runs, each after ``before``; one more fills the cache."""
    cpu_seconds(project)
    taken = []
    for _ in range(runs):
        before()
        taken.append(cpu_seconds(project))
    print(f"{what}: CPU min {min(taken):.2f} s, median {statistics.median(taken):.2f} s of {runs} runs")


def main() -> None:
    """Measure the example, then the made project."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    os.environ.pop("DBT_TARGET_PATH", None)
    with tempfile.TemporaryDirectory(prefix="bench-check-") as scratch:
        example = Path(scratch) / "example"
        shutil.copytree(EXAMPLE, example, ignore=shutil.ignore_patterns("dbt_packages", "logs", "*.duckdb"))
        accept_the_truth(example)
        report("example, 8 mapping files", example, runs)
        made = Path(scratch) / "made"
        made.mkdir()
        make(made)
        cache = made / "target" / "schema_embed"
        report(
            "made project, SQL never parsed before",
            made,
            max(3, runs // 3),
            lambda: shutil.rmtree(cache, ignore_errors=True),
        )
        report("made project", made, runs)


if __name__ == "__main__":
    main()
