"""A process that has encoded may be forked (prefork servers, multiprocessing): children encode, or say why not."""

import multiprocessing
import os
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dbt_schema_embed.embed import loading
from dbt_schema_embed.embed.forking import new_lock
from dbt_schema_embed.embed.opening import open_embedder

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing can be forked there"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]
SECONDS = 60


def in_child(call: Any, *args: Any) -> Any:
    """What ``call`` returns, or the words of its error, in a forked child; fails where it does not come back."""
    context: Any = multiprocessing.get_context("fork")
    receive, send = context.Pipe(duplex=False)

    def child() -> None:
        try:
            send.send(call(*args))
        except Exception as problem:
            send.send(repr(problem))

    process = context.Process(target=child, daemon=True)
    process.start()
    try:
        assert receive.poll(SECONDS), "the child hangs"
        return receive.recv()
    finally:
        process.kill()
        process.join()


@pytest.mark.model
def test_children_of_a_process_that_has_encoded_encode(tmp_path: Path) -> None:
    embedder = open_embedder(cache_dir=tmp_path, max_workers=2)
    expected = embedder.embed(["one", "two"])
    texts = [f"a text of the child {i}" for i in range(50)]
    for _ in range(3):
        rows = in_child(embedder.embed, ["one", *texts])
        assert rows.shape == (51, expected.shape[1])
        assert np.allclose(rows[0], expected[0], atol=1e-5)
    assert np.allclose(embedder.embed(texts), rows[1:], atol=1e-5)


def test_torch_that_has_computed_is_refused_in_children(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted: Any = SimpleNamespace(files=SimpleNamespace(name="mine"))
    encoder: Any = SimpleNamespace(name="sentence-transformers, cpu, float32")
    monkeypatch.setattr(loading, "_LOADED", {"it": encoder})
    said = in_child(loading._torch, wanted, "cpu")
    assert "encoder mine needs torch, which had begun to compute before this process was forked" in said
    assert not loading._LEFT_BEHIND  # the parent's goes on


def test_a_lock_that_another_thread_held_is_free_in_children() -> None:
    lock = new_lock()
    holding, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            holding.set()
            leave.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    holding.wait()
    try:
        assert in_child(lock.acquire, True, 5) is True
        assert lock.locked()
    finally:
        leave.set()
        thread.join()
