"""chroma.py and chroma_child.py: a copy in Chroma, here, that is right or not asked, whatever becomes of it."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dbt_schema_embed.arrays import Parts, save
from dbt_schema_embed.errors import MissingExtraError
from dbt_schema_embed.index import Index, chroma_child
from dbt_schema_embed.index.chroma import embedding_functions_in
from tests.index.conftest import DIM, Memo, Open, brute_force, right, some

pytestmark = pytest.mark.skipif(find_spec("chromadb") is None, reason="chromadb is not installed")
ROWS = 120
HOSTILE = {"type": "known", "name": "sentence_transformer", "config": {"model_name": "evil", "trust_remote_code": True}}


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine that runs this may be busy: importing chromadb alone takes seconds on an idle one."""
    monkeypatch.setattr(chroma_child, "CALL_SECONDS", 300.0)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """An index with a copy in Chroma, made once."""
    from dbt_schema_embed.index import Index

    where = tmp_path_factory.mktemp("made") / "ours" / "index"
    index = Index(where, encoder_id="e", dim=DIM, approximate=True)
    index.update(some(ROWS), Memo())
    index.copied()
    assert index.notes == []
    index.close()
    return (where / "columns.index").read_bytes(), (where / "chroma.copy").read_bytes()


@pytest.fixture
def built(made: tuple[bytes, bytes], folder: Path) -> Path:
    """The same, for this test alone."""
    folder.mkdir(parents=True)
    (folder / "columns.index").write_bytes(made[0])
    (folder / "chroma.copy").write_bytes(made[1])
    return folder


def served(index: Index) -> bool:
    """Whether Chroma gave the last answer."""
    return index._copy is not None and index._copy._asked is not None


def test_answers_are_those_of_exact_search(opened: Open, built: Path) -> None:
    index, texts = opened(approximate=True), some(ROWS)
    queries = np.concatenate([Memo().of(texts), np.random.default_rng(2).normal(size=(30, DIM))])
    rows, cosines = index.query(queries, 10)
    expected = brute_force(texts, queries, 10)
    assert rows.tolist() == expected[0]
    assert np.allclose(cosines, expected[1], atol=2e-6)
    assert served(index)
    assert index.query(np.zeros((1, DIM)), 3)[0].tolist() == [[0, 1, 2]]  # nothing is near to it: exact
    assert index.query(queries[:1], ROWS)[0].shape == (1, ROWS)
    assert index.notes == []


def test_a_copy_that_is_behind_is_not_asked_until_it_is_made_anew(opened: Open, built: Path) -> None:
    index, texts = opened(approximate=True), [*some(ROWS)[5:], "new", "zero"]
    index.update(texts, lambda new: Memo().of(new) * np.array([[t != "zero"] for t in new]))
    queries = Memo().of(texts[:50])
    assert index.query(queries, 3)[0].tolist() == brute_force(texts[:-1], queries, 3)[0]
    assert not served(index)
    index.copied()
    assert index.query(queries, 3)[0].tolist() == brute_force(texts[:-1], queries, 3)[0]
    assert served(index)
    assert index.notes == []
    before = (built / "chroma.copy").stat().st_ino
    index.copied()
    assert (built / "chroma.copy").stat().st_ino == before


def test_no_texts_need_no_copy(opened: Open, folder: Path) -> None:
    index = opened(approximate=True)
    index.update([], Memo())
    index.copied()
    assert index.query(np.ones((1, DIM)), 3)[0].shape == (1, 0)
    assert not (folder / "chroma.copy").exists()


def test_nothing_is_left_and_no_names_are_held(
    opened: Open, built: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    index = opened(approximate=True)
    assert right(index, some(ROWS))
    child = index._copy._asked[1]._process  # type: ignore[union-attr, index]
    assert any((tmp_path / "temporary").iterdir())
    index.close()
    assert child.returncode == 0
    assert list((tmp_path / "temporary").iterdir()) == []
    assert b"text 5" not in (built / "chroma.copy").read_bytes()


@pytest.mark.parametrize("place", range(12))
def test_damage_costs_no_answer(opened: Open, built: Path, place: int) -> None:
    path = built / "chroma.copy"
    whole = path.read_bytes()
    at = 20 + place * (len(whole) - 40) // 11
    path.write_bytes(whole[:at] if place % 3 == 0 else whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
    index = opened(approximate=True)
    assert right(index, some(ROWS))
    assert not path.exists() or served(index) or index.notes == []
    index.close()
    again = opened(approximate=True)
    assert right(again, some(ROWS))
    assert again.notes == []


def replanted(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the files in the copy by a hostile hand, every checksum right."""
    parts = Parts(folder / "chroma.copy")
    files = {name: np.array(parts[name]) for name in parts.names()}
    change(files)
    save(folder / "chroma.copy", parts.meta, files)
    parts.close()


@pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped", "a/../../escaped", "C:escaped", "a\\b", "a\0b"])
def test_files_of_other_places(opened: Open, built: Path, tmp_path: Path, name: str) -> None:
    replanted(built, lambda files: files.update({name: np.zeros(3, "u1")}))
    index = opened(approximate=True)
    assert right(index, some(ROWS))
    assert index.notes == ["Chroma's copy of the index was left out: it holds files of other places"]
    assert not list(tmp_path.rglob("*escaped*"))


@pytest.mark.parametrize("keep", [0, 1, 2000])
def test_files_that_chroma_cannot_read(opened: Open, built: Path, keep: int) -> None:
    """Chroma crashes, hangs or finds nothing there."""
    replanted(built, lambda files: files.update({n: f[:keep] if "/" in n else f for n, f in files.items()}))
    index = opened(approximate=True)
    assert right(index, some(ROWS))
    assert len(index.notes) <= 1


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


@pytest.mark.parametrize("where", ["configuration", "schema", "sparse"])
@pytest.mark.usefixtures("trap")
def test_a_store_that_names_an_embedding_function(opened: Open, built: Path, tmp_path: Path, where: str) -> None:
    def name_it(files: dict[str, Any]) -> None:
        database = tmp_path / "chroma.sqlite3"
        database.write_bytes(files["chroma.sqlite3"].tobytes())
        with sqlite3.connect(database) as connection:
            ((config, schema),) = connection.execute("select config_json_str, schema_str from collections")
            if where == "configuration":  # as older versions of Chroma kept it
                config = json.dumps({"hnsw": {"space": "cosine", "ef_search": 200}, "embedding_function": HOSTILE})
                schema = None
            else:
                data = json.loads(schema)
                part = data["keys"]["#embedding"]["float_list"]["vector_index"]
                if where == "sparse":
                    part = data["defaults"]["sparse_vector"]["sparse_vector_index"]
                part["config"]["embedding_function"] = HOSTILE
                schema = json.dumps(data)
            connection.execute("update collections set config_json_str = ?, schema_str = ?", (config, schema))
        connection.close()
        files["chroma.sqlite3"] = np.frombuffer(database.read_bytes(), "u1")

    replanted(built, name_it)
    index = opened(approximate=True)
    assert right(index, some(ROWS))
    assert index.notes == [
        "Chroma's copy of the index was left out: its collection names an embedding function: sentence_transformer"
    ]
    index.update([*some(ROWS), "new"], Memo())
    index.copied()  # adding is what makes Chroma's client build the function
    assert right(index, [*some(ROWS), "new"])


@pytest.mark.usefixtures("trap")
def test_a_hostile_env_file_and_environment(
    opened: Open, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """chromadb reads .env where it is imported, and lets it name the classes it loads."""
    project = tmp_path / "project"
    project.mkdir()
    names = ("CHROMA_API_IMPL", "CHROMA_PRODUCT_TELEMETRY_IMPL", "CHROMA_TELEMETRY_IMPL", "CHROMA_SYSDB_IMPL")
    (project / ".env").write_text("".join(f"{name}=evil.Evil\n" for name in names) + "IS_PERSISTENT=banana\n")
    evil = (tmp_path / "modules/evil/__init__.py").read_text()
    (project / "numpy.py").write_text(evil)
    (project / "chromadb").mkdir()
    (project / "chromadb/__init__.py").write_text(evil)
    monkeypatch.chdir(project)
    for name in names:
        monkeypatch.setenv(name, "evil.Evil")
    index = opened(approximate=True)
    assert right(index, some(ROWS))
    index.update([*some(ROWS), "new"], Memo())
    index.copied()
    assert right(index, [*some(ROWS), "new"])
    assert (index.notes, served(index)) == ([], True)


@pytest.mark.usefixtures("trap")
def test_the_client_itself_reads_no_env_file_and_knows_no_embedding_function(tmp_path: Path) -> None:
    """The second line of defence, behind the folder the child works in and the refusal of named functions."""
    (tmp_path / ".env").write_text("CHROMA_PRODUCT_TELEMETRY_IMPL=evil.Evil\nCHROMA_API_IMPL=evil.Evil\n")
    program = """
from dbt_schema_embed.index.chroma_child import _Store
_Store("store")
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


CHILDREN = {
    "hangs while starting": ("import time; time.sleep(60)", "no answer in time"),
    "ends at once": ("", "its process ended with status 0"),
    "crashes": ("import os; os.abort()", "its process ended with status -6"),
    "talks nonsense": ("print('hello', flush=True); input()", "its process ended"),
    "says what is wrong": (
        'import sys\nfor _ in sys.stdin: print(\'{"error": "no \\\\u001b[31m room", "answer": {}}\', flush=True)',
        "no [31m room",
    ),
    "knows nothing": (
        'import sys\nfor _ in sys.stdin: print(\'{"error": "", "answer": {}}\', flush=True)',
        "not one of ours",
    ),
}


@pytest.mark.parametrize("kind", CHILDREN)
def test_a_child_that_fails(opened: Open, built: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    program, note = CHILDREN[kind]
    real = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda _, **kwargs: real([sys.executable, "-c", program], **kwargs))
    if kind == "hangs while starting":
        monkeypatch.setattr(chroma_child, "CALL_SECONDS", 1.0)
    index = opened(approximate=True)
    assert right(index, some(ROWS))
    assert right(index, some(ROWS))
    index.copied()
    assert all(note in line for line in index.notes), index.notes
    assert 1 <= len(index.notes) <= 2


def test_a_child_killed_between_two_queries(opened: Open, built: Path) -> None:
    index = opened(approximate=True)
    assert right(index, some(ROWS))
    index._copy._asked[1]._process.kill()  # type: ignore[union-attr, index]
    assert right(index, some(ROWS))
    assert "its process ended" in index.notes[0]


@pytest.mark.parametrize("approximate", [True, False, None])
def test_chromadb_not_installed(opened: Open, monkeypatch: pytest.MonkeyPatch, approximate: bool | None) -> None:
    monkeypatch.setattr("dbt_schema_embed.extras.find_spec", lambda _: None)
    index = opened(approximate=approximate)
    index.update(some(5), Memo())
    if approximate:
        with pytest.raises(
            MissingExtraError, match=r"approximate search needs .* pip install 'dbt-schema-embed\[chroma\]'"
        ):
            index.copied()
    else:
        index.copied()
    assert right(index, some(5))
