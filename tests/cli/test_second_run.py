"""The real tool in processes of its own: what a second run on an unchanged project imports, and writes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

RUN = """
import sys
sys.argv = ["dbt-schema-embed", "suggest", "--write", "--format", "json"]
from dbt_schema_embed.cli.run import run
try:
    run()
except SystemExit as stop:
    assert not stop.code, stop.code
import json
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def run(shop: Path, cache: Path) -> tuple[dict[str, object], set[str], str]:
    """The answer, the modules that were loaded, and what was said."""
    environment = {**os.environ, "EMBEDDING_CACHE_DIR": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", RUN], cwd=shop, capture_output=True, text=True, check=True, env=environment
    )
    *said, modules = done.stderr.splitlines()
    return json.loads(done.stdout), set(json.loads(modules)), "\n".join(said)


@pytest.mark.model
def test_a_second_run_loads_no_encoder_and_rewrites_no_file(shop: Path, tmp_path: Path) -> None:
    answer, _, said = run(shop, tmp_path / "cache")
    assert said.count("wrote schema_mappings/") == 14
    files = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in (shop / "schema_mappings").iterdir()}
    again, modules, said = run(shop, tmp_path / "cache")
    assert said == "the mapping files are up to date"
    assert {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in (shop / "schema_mappings").iterdir()} == files
    assert not modules & {"torch", "sentence_transformers", "transformers", "onnxruntime", "chromadb", "tokenizers"}
    assert again == answer
