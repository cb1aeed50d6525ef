"""Opening an embedder loads nothing heavy; a run whose vectors are all in the memo never does."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dbt_schema_embed.embed import cache_folder, embed_relations
from dbt_schema_embed.embed.opening import open_embedder
from dbt_schema_embed.errors import ConfigError, EncoderError, MissingExtraError
from dbt_schema_embed.records import Column, Relation

HEAVY = ["torch", "sentence_transformers", "transformers", "onnx", "onnxruntime", "tokenizers", "diskcache", "redis"]


def run(root: Path, code: str) -> dict[str, object]:
    """What ``code`` prints as JSON in a fresh process."""
    done = subprocess.run([sys.executable, "-c", code], cwd=root, env={**os.environ}, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, object] = json.loads(done.stdout)
    return found


LOADED = f"[m for m in {[*HEAVY, 'numpy', 'safetensors', 'huggingface_hub']} if m in sys.modules]"


def test_importing_the_room_loads_nothing_heavy(root: Path) -> None:
    """Not even numpy."""
    assert run(root, f"import sys, json, dbt_schema_embed.embed; print(json.dumps({{'loaded': {LOADED}}}))") == {
        "loaded": []
    }


@pytest.mark.model
def test_what_each_run_loads(root: Path, tmp_path: Path) -> None:
    """The first, on an empty folder: onnxruntime, never torch. The second: numpy and sqlite only."""
    code = f"""
import json, sys
from pathlib import Path
from dbt_schema_embed.embed import open_embedder
embedder = open_embedder(cache_dir=Path({str(tmp_path)!r}))
opened = {LOADED}
rows = embedder.embed(["customer id", "order total"])
print(json.dumps({{"opened": opened, "loaded": {LOADED}, "shape": rows.shape}}))
"""
    first, second = run(root, code), run(root, code)
    assert first["opened"] == second["opened"] == ["numpy"]
    assert first["loaded"] == ["onnxruntime", "tokenizers", "diskcache", "numpy", "safetensors"]
    assert second["loaded"] == ["numpy"]
    assert first["shape"] == second["shape"] == [2, 384]


@pytest.mark.model
def test_real_columns_of_a_relation(tmp_path: Path) -> None:
    """Facets are rows of length 1 or 0, and alike names are alike."""
    columns = (Column("customerId", description="Who paid."), Column("customer_identifier"), Column("amount"))
    embedder = open_embedder(cache_dir=tmp_path)
    (embedded,) = embed_relations([Relation("m", "stg_stripe__charges", "model", columns)], embedder)
    names = embedded.facets["name"]
    assert names[0] @ names[1] > 0.8 > names[0] @ names[2]
    assert np.linalg.norm(embedded.facets["description"], axis=1) == pytest.approx([1, 0, 0], abs=1e-6)
    assert np.linalg.norm(embedded.table) == pytest.approx(1)


@pytest.mark.model
@pytest.mark.parametrize("batch_size", [1, 3, 1000])
def test_batch_size_changes_no_vector(tmp_path: Path, batch_size: int) -> None:
    """Beyond 1e-5, with the real encoder."""
    texts = [f"table {n % 5}: column {'of the customer ' * (n % 4)}{n}" for n in range(60)]
    free = open_embedder(cache_dir=tmp_path, use_memo=False).embed(texts)
    capped = open_embedder(cache_dir=tmp_path, use_memo=False, batch_size=batch_size).embed(texts)
    assert np.abs(free - capped).max() < 1e-5


@pytest.mark.model
def test_ids_tell_encoders_and_precisions_apart(tmp_path: Path) -> None:
    """Equal ids give equal vectors; a name and a longer name are one encoder."""
    ids = [
        open_embedder(name, cache_dir=tmp_path, quantization=precision).encoder_id
        for name in ("all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2")
        for precision in ("float32", "int8")
    ]
    assert ids == ["all-MiniLM-L6-v2@b7565fd0917a0971", "all-MiniLM-L6-v2@b7565fd0917a0971+int8"] * 2


@pytest.mark.model
def test_opening_leaves_no_trace(tmp_path: Path) -> None:
    """Folders are made when there is something to keep."""
    open_embedder(cache_dir=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_mistakes_are_said_at_once(tmp_path: Path) -> None:
    """An unknown encoder, a URL that is none."""
    with pytest.raises(EncoderError, match="HF_HUB_OFFLINE"):
        open_embedder("no-such-encoder", cache_dir=tmp_path)
    with pytest.raises(ConfigError, match="redis_url"):
        open_embedder(cache_dir=tmp_path, redis_url="http://localhost")


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that says what to install, before a file is read."""
    monkeypatch.setattr("dbt_schema_embed.extras.find_spec", lambda name: None if name == "tokenizers" else object())
    with pytest.raises(MissingExtraError) as problem:
        open_embedder()
    assert str(problem.value) == (
        "turning columns into vectors needs an optional part: pip install 'dbt-schema-embed[embed]'"
    )


def test_the_default_cache_folder_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As the system wants it."""
    if sys.platform == "linux":
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        assert cache_folder() == tmp_path / "dbt-schema-embed"
    assert cache_folder().name == "dbt-schema-embed"
