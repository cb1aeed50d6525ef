"""One runner a GPU, each in a process of its own: a batch goes to whichever is free.

A process each, for one Python interpreter cannot keep several GPUs busy. Workers are started by "spawn": a script that
opens an embedder on a machine with several GPUs needs the usual `if __name__ == "__main__"`.
"""

import contextlib
import multiprocessing
import os
import queue
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.embed.batches import Cost
from dbt_schema_embed.embed.encoder import DeviceMemoryError, Runner
from dbt_schema_embed.errors import EncoderError, SchemaEmbedError

Make = Callable[[str], Runner]
"""Makes the runner of a device; it is pickled by name, so it is a function of a module, or a partial of one."""


class GpuWorkers:
    """A Runner over several devices. The processes end with this one."""

    def __init__(self, make: Make, devices: Sequence[str]) -> None:
        """Start a worker for each of ``devices`` and wait until all are ready.

        Raises:
            EncoderError: a worker did not come up.
        """
        context = multiprocessing.get_context("spawn")
        self._free: queue.SimpleQueue[Connection] = queue.SimpleQueue()
        started = []
        for device in devices:
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(make, device, theirs), name=f"encode-{device}", daemon=True)
            with _safe_path():
                process.start()
            theirs.close()
            started.append(ours)
        for connection, device in zip(started, devices, strict=True):
            self.name, cost = _received(connection, device)
            self.cost: Cost = replace(cost, workers=len(devices))
            self._free.put(connection)

    def run(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Vectors (n, d) of token ids (n, t); raises DeviceMemoryError, or EncoderError where a worker died."""
        connection = self._free.get()
        try:
            connection.send(ids)
            vectors: NDArray[np.float32] = _received(connection, "a GPU")
        except OSError:
            raise EncoderError("a GPU worker ended while it encoded", hint="set use_gpu to false") from None
        finally:
            self._free.put(connection)
        return vectors


@contextlib.contextmanager
def _safe_path() -> Iterator[None]:
    """Python processes that start meanwhile import nothing from the current folder: it may be somebody else's."""
    name = "PYTHONSAFEPATH"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _received(connection: Connection, device: str) -> Any:
    try:
        answer = connection.recv()
    except EOFError:
        raise EncoderError(f"the worker of {device} ended", hint="set max_workers to 1, or use_gpu to false") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _serve(make: Make, device: str, connection: Connection) -> None:
    """A worker: say what the runner costs, then answer batches until the other side closes."""
    try:
        runner = make(device)
    except SchemaEmbedError as problem:
        connection.send(EncoderError(problem.message, hint=problem.hint))
        return
    connection.send((runner.name, runner.cost))
    while True:
        try:
            ids = connection.recv()
        except EOFError:
            return
        try:
            connection.send(runner.run(ids))
        except DeviceMemoryError as problem:
            connection.send(problem)
