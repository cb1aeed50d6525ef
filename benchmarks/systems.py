"""The systems of benchmarks/systems/ as folders of cases: written from general knowledge, each with its own answers.

    python benchmarks/systems.py FOLDER

writes FOLDER/dbt/<system>/{target,seeds,gold.json} and FOLDER/pairs/<system>__<table>/, for `make train` and for
scoring.
"""

import csv
import json
import random
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from dbt_schema_embed.types import type_family

SYSTEMS = Path(__file__).with_name("systems")


def write_cases(folder: Path, systems: Iterable[Path] | None = None) -> None:
    """Write every system (default: all of benchmarks/systems/) below ``folder``."""
    for file in sorted(systems or SYSTEMS.glob("*.yml")):
        system = yaml.safe_load(file.read_text("utf-8"))
        write_case(folder / "dbt" / file.stem, file.stem, system)
        for table, about in system["tables"].items():
            write_pair(folder / "pairs" / f"{file.stem}__{table}", about)


def write_case(folder: Path, name: str, system: Mapping[str, Any]) -> None:
    """Artifacts, seeds and gold mapping of one system."""
    source, project = system["source"], f"{name}_project"
    manifest: dict[str, Any] = {
        "metadata": {
            "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
            "project_name": project,
            "adapter_type": system["dialect"],
        },
        "nodes": {},
        "sources": {},
        "parent_map": {},
        "child_map": {},
    }
    catalog: dict[str, Any] = {"metadata": {}, "nodes": {}, "sources": {}}
    gold: dict[str, Any] = {"project": name, "pairs": [], "unmapped": []}
    for table, about in system["tables"].items():
        origin, model = f"source.{project}.{source}.{table}", f"model.{project}.{about['model']}"
        schema = {"database": "raw", "schema": source, "name": table}
        manifest["sources"][origin] = {
            **schema, "resource_type": "source", "unique_id": origin, "source_name": source, "identifier": table,
            "package_name": project, "path": "models/sources.yml", "original_file_path": "models/sources.yml",
            "fqn": [project, source, table], "columns": {}, "description": "", "config": {"enabled": True},
        }  # fmt: skip
        catalog["sources"][origin] = {
            "metadata": {**schema, "type": "BASE TABLE"},
            "columns": {
                str(c): {"name": str(c), "type": kind, "index": at} for at, (c, kind, _) in enumerate(about["columns"])
            },
        }
        manifest["nodes"].setdefault(model, _planned(project, about["model"], source))
        planned = manifest["nodes"][model]["columns"]
        for target, kind in _targets(table, about).items():
            planned.setdefault(target, {"name": target, "description": "", "data_type": kind})
        for column, _, target in about["columns"]:
            if target:
                gold["pairs"].append({
                    "source": origin, "source_column": str(column), "model": model, "model_column": target,
                    "kind": "identical" if str(column).lower() == target else "renamed", "visible": False,
                })  # fmt: skip
            else:
                gold["unmapped"].append([origin, str(column)])
        if about.get("rows"):
            _write_rows(folder / "seeds" / f"{table}.csv", [str(c[0]) for c in about["columns"]], about["rows"])
    for path, content in (("target/manifest.json", manifest), ("target/catalog.json", catalog), ("gold.json", gold)):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(json.dumps(content, ensure_ascii=False), "utf-8")


def write_pair(folder: Path, about: Mapping[str, Any]) -> None:
    """One table and its model as two CSV files, with types and the true pairs."""
    columns = [str(c) for c, *_ in about["columns"]]
    targets = _targets(folder.name, about)
    _write_rows(folder / "source.csv", columns, about.get("rows") or ())
    _write_rows(folder / "target.csv", list(targets), ())
    types = {str(c): {"type": kind} for c, kind, _ in about["columns"]}
    planned = {t: {"type": kind} for t, kind in targets.items() if kind}
    pairs = [{"source": str(c), "target": t} for c, _, t in about["columns"] if t]
    for name, content in (("source_columns", types), ("target_columns", planned), ("mapping", pairs)):
        (folder / f"{name}.json").write_text(json.dumps(content, ensure_ascii=False), "utf-8")


def _targets(table: str, about: Mapping[str, Any]) -> dict[str, str | None]:
    """The planned columns, in the source's order or less so, and for half of them a type."""
    chance = random.Random(table)
    found = {t: _planned_type(t, kind) for _, kind, t in about["columns"] if t}
    for left in about.get("unfed") or ():
        found |= {left: None} if isinstance(left, str) else left
    disorder = chance.choice((0, 0.1, 0.2, 0.4, 0.8, 1.5)) * len(found)
    names = sorted(found, key=lambda name: list(found).index(name) + chance.gauss(0, disorder))
    typed = chance.random() < 0.5
    return {name: found[name] if typed or chance.random() < 0.3 else None for name in names}


def _planned_type(target: str, kind: str) -> str | None:
    """What a model would say of a column that is called so."""
    if target.startswith(("is_", "has_")):
        return "boolean"
    if target.endswith(("_at", "_on", "_date")):
        return "timestamp" if target.endswith("_at") else "date"
    family = type_family(kind)
    return family if family in ("integer", "decimal", "text", "boolean", "timestamp", "date", "float") else None


def _planned(project: str, name: str, source: str) -> dict[str, Any]:
    """A model that is in YAML only."""
    path = f"staging/{source}/{name}.sql"
    return {
        "unique_id": f"model.{project}.{name}", "resource_type": "model", "name": name, "package_name": project,
        "database": "dwh", "schema": "staging", "alias": name, "path": path, "original_file_path": f"models/{path}",
        "fqn": [project, "staging", source, name], "columns": {}, "description": "", "raw_code": "", "language": "sql",
        "config": {"enabled": True, "materialized": "view"}, "depends_on": {"nodes": [], "macros": []},
    }  # fmt: skip


def _write_rows(file: Path, header: list[str], rows: Iterable[Iterable[Any]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([header, *([("" if v is None else v) for v in row] for row in rows)])


if __name__ == "__main__":
    write_cases(Path(sys.argv[1]))
