"""Rebuild target/manifest.json and target/catalog.json, the artifacts that are committed.

    python example_project/refresh.py

Runs `dbt deps`, `dbt build` and `dbt docs generate`, then takes out of both files what differs from run to run or from
machine to machine (times, run ids, absolute paths) and what nobody reads here (the macros of dbt itself). The same
project gives the same bytes.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
STEPS = (["deps"], ["build", "--full-refresh"], ["docs", "generate"])  # without it seeds keep the types they had
METADATA = ("dbt_schema_version", "dbt_version", "project_name", "adapter_type", "quoting")


def run_dbt(project: Path) -> None:
    """Run the steps with the dbt beside this Python; its output is shown only when a step fails."""
    dbt = Path(sys.executable).with_name("dbt")
    env = os.environ | {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DBT_PROFILES_DIR": str(project)}
    for step in STEPS:
        command = [str(dbt), "--no-use-colors", *step]
        done = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"dbt {' '.join(step)} failed\n{done.stdout}{done.stderr}")


def trim_manifest(manifest: dict[str, Any]) -> dict[str, Any]:
    """``manifest`` without what varies and without the macros."""
    project = manifest["metadata"]["project_name"]
    for node in [*manifest["nodes"].values(), *manifest["sources"].values()]:
        for key in ("created_at", "root_path", "build_path", "compiled_path"):
            node.pop(key, None)
        if "depends_on" in node:
            node["depends_on"]["macros"] = []
    manifest["metadata"] = {k: v for k, v in manifest["metadata"].items() if k in METADATA}
    manifest["macros"] = {}
    manifest["docs"] = {k: v for k, v in manifest["docs"].items() if v["package_name"] == project}
    return manifest


def trim_catalog(catalog: dict[str, Any]) -> dict[str, Any]:
    """``catalog`` without what varies and without statistics."""
    for table in [*catalog["nodes"].values(), *catalog["sources"].values()]:
        table["stats"] = {}
    catalog["metadata"] = {k: v for k, v in catalog["metadata"].items() if k in METADATA}
    return catalog


def in_order(part: Any) -> Any:
    """``part`` by unique_id where it is a mapping. What lies deeper stays: columns have an order of their own."""
    if not isinstance(part, dict):
        return part
    return {key: sorted(value) if is_names(value) else value for key, value in sorted(part.items())}


def is_names(value: Any) -> bool:
    """Whether ``value`` is a list of unique_ids, as in parent_map."""
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def main() -> None:
    """Run dbt, then trim its two artifacts where they lie."""
    run_dbt(HERE)
    for name, trim in (("manifest.json", trim_manifest), ("catalog.json", trim_catalog)):
        path = HERE / "target" / name
        artifact = {part: in_order(value) for part, value in trim(json.loads(path.read_text("utf-8"))).items()}
        path.write_text(json.dumps(artifact, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
