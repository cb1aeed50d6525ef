"""chroma.py: a store that names an embedding function loads no module and reaches no network."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dbt_schema_embed.index.chroma_worker import embedding_functions_in
from tests.index.conftest import Memo, columns
from tests.index.test_chroma import ROWS, Open, built, folder, right, served
from tests.index.test_generations import current, planted

__all__ = ["built", "folder"]


HOSTILE = {"type": "known", "name": "sentence_transformer", "config": {"model_name": "evil", "trust_remote_code": True}}


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Modules that leave a mark when they are imported; the fixture's value is the mark."""
    mark = tmp_path / "loaded"
    for module in ("sentence_transformers", "evil", "posthog"):
        (tmp_path / "modules" / module).mkdir(parents=True)
        (tmp_path / "modules" / module / "__init__.py").write_text(
            f"open({str(mark)!r}, 'a').write(__name__)\nclass Evil: pass\nSentenceTransformer = Evil\n"
        )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "modules"), prepend=os.pathsep)
    yield mark
    assert not mark.exists(), f"{mark.read_text()} was loaded"


def rewritten(folder: Path, where: str) -> None:
    """Name an embedding function in the store, where Chroma keeps such names."""
    database = current(folder) / "chroma/chroma.sqlite3"
    with sqlite3.connect(database) as connection:
        ((config, schema),) = connection.execute("select config_json_str, schema_str from collections")
        if where == "configuration":  # as older versions of Chroma kept it
            hnsw = {"space": "cosine", "ef_search": 200}
            config, schema = json.dumps({"hnsw": hnsw, "embedding_function": HOSTILE}), None
        else:
            data = json.loads(schema)
            part = data["keys"]["#embedding"]["float_list"]["vector_index"]
            if where == "sparse":
                part = data["defaults"]["sparse_vector"]["sparse_vector_index"]
            part["config"]["embedding_function"] = HOSTILE
            schema = json.dumps(data)
        connection.execute("update collections set config_json_str = ?, schema_str = ?", (config, schema))
    connection.close()
    planted(folder, "chroma/chroma.sqlite3", database.read_bytes())


@pytest.mark.parametrize("where", ["configuration", "schema", "sparse"])
def test_a_store_that_names_an_embedding_function(opened: Open, folder: Path, trap: Path, where: str) -> None:
    rewritten(folder, where)
    memo = Memo(columns(ROWS))
    index = opened(approximate=True)
    assert right(index, memo)
    assert len(index.notes) == 1
    assert "exact search serves" in index.notes[0]
    assert "names an embedding function: sentence_transformer" in index.notes[0]


def test_a_store_that_names_an_embedding_function_is_not_added_to(opened: Open, folder: Path, trap: Path) -> None:
    """Adding is what makes the client build the function."""
    rewritten(folder, "schema")
    memo = Memo(columns(ROWS))
    index = opened(approximate=True)
    memo.items["new"] = "new"
    index.update(memo.items, memo)  # adding is what makes the client build the function
    assert right(index, memo)
    assert served(index)
    assert len(index.notes) == 1
    assert re.search("names an embedding function: sentence_transformer.*it is built anew", index.notes[0])


def test_a_hostile_env_file_and_environment(
    opened: Open, folder: Path, trap: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """chromadb reads .env where it is imported, and lets it name the classes it loads."""
    project = tmp_path / "project"
    project.mkdir()
    names = ("CHROMA_API_IMPL", "CHROMA_PRODUCT_TELEMETRY_IMPL", "CHROMA_TELEMETRY_IMPL", "CHROMA_SYSDB_IMPL")
    (project / ".env").write_text("".join(f"{name}=evil.Evil\n" for name in names) + "IS_PERSISTENT=banana\n")
    (project / "numpy.py").write_text((tmp_path / "modules/evil/__init__.py").read_text())
    (project / "chromadb").mkdir()
    (project / "chromadb/__init__.py").write_text((tmp_path / "modules/evil/__init__.py").read_text())
    monkeypatch.chdir(project)
    for name in names:
        monkeypatch.setenv(name, "evil.Evil")
    memo = Memo(columns(ROWS))
    index = opened(approximate=True)
    assert right(index, memo)
    memo.items["new"] = "new"
    index.update(memo.items, memo)
    assert right(index, memo)
    assert (index.notes, served(index)) == ([], True)


def test_the_client_itself_reads_no_env_file_and_knows_no_embedding_function(tmp_path: Path, trap: Path) -> None:
    """The second line of defence, behind the folder the child works in and the refusal of named functions."""
    (tmp_path / ".env").write_text("CHROMA_PRODUCT_TELEMETRY_IMPL=evil.Evil\nCHROMA_API_IMPL=evil.Evil\n")
    program = """
from pathlib import Path
from dbt_schema_embed.index.chroma_worker import _client
_client(Path("store"))
from chromadb.utils import embedding_functions as known
print(len(known.known_embedding_functions), len(known.sparse_known_embedding_functions))
"""
    command = [sys.executable, "-P", "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "0 0\n"


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ({"embedding_function": None}, set()),
        ({"embedding_function": {"type": "legacy"}}, set()),
        ({"a": [{"embedding_function": {"type": "unknown"}}]}, set()),
        ({"a": [{"b": {"embedding_function": HOSTILE}}]}, {"sentence_transformer"}),
        ({"embedding_function": {"type": "legacy", "name": "x"}}, {"x"}),
        ({"embedding_function": "default"}, {"default"}),
        ({"embedding_function": {"type": "known"}}, {"None"}),
        (None, set()),
    ],
)
def test_where_embedding_functions_are_named(value: Any, names: set[str]) -> None:
    assert embedding_functions_in(value) == names


def test_deep_configurations_are_walked_without_recursion() -> None:
    deep: Any = {"embedding_function": HOSTILE}
    for _ in range(100_000):
        deep = [deep]
    assert embedding_functions_in(deep) == {"sentence_transformer"}
    while deep:  # taken apart by hand: the interpreter's own way is recursive
        deep = deep.pop() if isinstance(deep, list) else None
