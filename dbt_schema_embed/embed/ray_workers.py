"""An encoder on a Ray cluster: chunks of texts go to workers that hold ours, and their rows come back in order.

Ray Data runs in an actor on the cluster, and is asked for one chunk after another: it does not work across a `ray://`
connection. A worker that dies is started again, with the chunk that it had. What comes back is stored by the memo at
once, so that a run after one that was killed sends what is left.
"""

import contextlib
import os
import re
import secrets
import socket
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.deadline import within
from dbt_schema_embed.embed.batches import CHUNK, Limits
from dbt_schema_embed.embed.encoder import checked, readable
from dbt_schema_embed.embed.opening import open_embedder
from dbt_schema_embed.embed.stats import EmbedStats
from dbt_schema_embed.errors import ConfigError, EncoderError, MissingExtraError, SchemaEmbedError, printable
from dbt_schema_embed.extras import need

LOCAL = "local"
"""The address of a cluster of our own on this machine, which lives as long as the call."""

_ADDRESS = re.compile(r"(?P<kind>local|auto)|(?:ray://)?(?P<host>[\w.-]+|\[[0-9a-fA-F:]+\]):(?P<port>\d{1,5})")
_REACHED = 5.0  # seconds for the port to open
_ANSWERED = 40.0  # ... and for what stands behind it to say that it is Ray; Ray itself gives up after 30 or never
_LEAST = 256  # texts below which a smaller chunk is not worth its way
_SHARES = 4  # chunks for each worker, so that all of them end at about the same time
_TRIES = 3  # times that a chunk is given out again after its worker died
_STORE = 256 * 2**20  # bytes of a local cluster's shared memory; a chunk of 2,048 vectors is 3 MB


class RayEncoder:
    """An `Encoder` for many texts: the cluster is reached, and the workers load their encoder, for each call."""

    def __init__(self, address: str, encoder_id: str, options: Mapping[str, Any], most: int | None = None) -> None:
        """Reach nobody yet.

        Args:
            address: "local", "auto" for the cluster that this machine belongs to, "ray://host:port", or "host:port".
            encoder_id: what the workers' encoder must be.
            options: of `open_embedder`, by which each worker opens it.
            most: workers, each with a core or a GPU; None: as many as the cluster has now.

        Raises:
            ConfigError: an address that is none.
            MissingExtraError: Ray is not installed.
        """
        need("encoding on Ray", "ray")
        if not _ADDRESS.fullmatch(address):
            raise ConfigError(
                f"ray_address {printable(address, 80)!r} is no address of a Ray cluster",
                hint="local, auto, or for example ray://cluster.internal:10001",
            )
        self.name = f"Ray, {address}"
        self._address, self._encoder_id, self._options, self._most = address, encoder_id, dict(options), most

    def encode(self, texts: Sequence[str], limits: Limits, stats: EmbedStats) -> Iterator[NDArray[np.float32]]:
        """Rows of the first texts, then of the next, until all have come. ``limits`` hold in each worker.

        Raises:
            EncoderError: the cluster cannot be reached, is lost, or its workers have not the same encoder.
            MissingExtraError: what Ray itself needs is not installed.
        """
        with _connected(self._address) as ray:
            found = ray.cluster_resources()
            gpus = 0 if self._options.get("use_gpu") is False else int(found.get("GPU", 0))
            workers = min(gpus or max(1, int(found.get("CPU", 1))), self._most or len(texts))
            options = self._options | {
                "use_memo": False, "max_workers": 1, "use_gpu": bool(gpus), "batch_size": limits.batch_size,
                "memory_limit_mb": limits.memory_mb,
            }  # fmt: skip
            pipeline = None
            try:
                pipeline = ray.remote(num_cpus=0)(_Pipeline).remote()
                sent = [readable(text) for text in texts]
                ray.get(pipeline.start.remote(sent, workers, bool(gpus), (options, self._encoder_id)))
                while (rows := ray.get(pipeline.next.remote())) is not None:
                    stats.batch(1, len(rows))
                    yield checked(rows)
            except SchemaEmbedError:
                raise
            except Exception as problem:  # Ray's own, and whatever was raised on the cluster
                raise EncoderError(
                    f"encoding on Ray failed: {_told(problem)}",
                    hint="run again when that is mended: what was encoded is in the memo",
                ) from problem
            finally:
                with contextlib.suppress(Exception):  # a cluster that is gone has no actor to end
                    ray.kill(pipeline)


class _Pipeline:
    """Ray Data over one call's texts, on the cluster."""

    def start(self, texts: list[str], workers: int, on_gpu: bool, opened_by: tuple[dict[str, Any], str]) -> None:
        """Begin; ``opened_by`` is what a `_Worker` is made with."""
        import pyarrow as pa
        import ray.data

        context = ray.data.DataContext.get_current()
        context.execution_options.preserve_order = True
        context.enable_progress_bars = False
        size = max(_LEAST, min(CHUNK * (8 if on_gpu else 1), -(-len(texts) // (_SHARES * workers))))
        chunks = [pa.table({"text": texts[at : at + size]}) for at in range(0, len(texts), size)]
        found = ray.data.from_arrow(chunks).map_batches(
            _Worker,
            batch_size=None,
            fn_constructor_args=opened_by,
            compute=ray.data.ActorPoolStrategy(size=min(workers, len(chunks))),
            num_cpus=1,
            num_gpus=int(on_gpu),
            ray_remote_args_fn=_restarted,
        )
        self._found = iter(found.iter_batches(batch_size=None, batch_format="numpy", prefetch_batches=0))

    def next(self) -> NDArray[np.float32] | None:
        """The rows of the next chunk; None after the last."""
        chunk = next(self._found, None)
        return None if chunk is None else np.asarray(chunk["rows"], np.float32)


class _Worker:
    """An encoder in a process of its own, with a core or a GPU of its own."""

    def __init__(self, options: dict[str, Any], encoder_id: str) -> None:
        try:
            self._embedder = open_embedder(**options)
        except SchemaEmbedError as problem:  # some of ours do not survive the way back
            raise EncoderError(problem.message, hint=problem.hint) from None
        if self._embedder.encoder_id != encoder_id:
            raise EncoderError(f"the workers have encoder {self._embedder.encoder_id}, not {encoder_id}")

    def __call__(self, chunk: dict[str, Any]) -> dict[str, Any]:
        return {"rows": self._embedder.embed(list(chunk["text"]))}


def _restarted() -> dict[str, int]:
    return {"max_restarts": -1, "max_task_retries": _TRIES}


@contextlib.contextmanager
def _connected(address: str) -> Iterator[Any]:
    """Ray, as long as the block; a process that is connected already stays so.

    Raises as `RayEncoder.encode`.
    """
    for name, value in {"RAY_USAGE_STATS_ENABLED": "0", **(_only_ours() if address == LOCAL else {})}.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError:
        raise MissingExtraError("encoding on Ray", "ray") from None
    if ray.is_initialized():
        yield ray
        return
    # Ray makes its sockets below this folder, and their paths must be short. It is the current folder meanwhile, for
    # workers import from where their driver stood, and that may be somebody else's.
    short = "/tmp" if os.name == "posix" else None  # noqa: S108  a fresh folder in it, for this user alone
    with tempfile.TemporaryDirectory(prefix="dbt-schema-embed-", dir=short, ignore_cleanup_errors=True) as folder:
        with contextlib.chdir(folder), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _start(ray, address, folder)
        try:
            yield ray
        finally:
            ray.shutdown()


def _start(ray: Any, address: str, folder: str) -> None:
    quiet = {"logging_level": "critical", "log_to_driver": False}
    if address == LOCAL:
        ray.init(LOCAL, include_dashboard=False, object_store_memory=_STORE, _temp_dir=folder, **quiet)
        return
    parts = _ADDRESS.fullmatch(address)
    try:
        if parts and parts["host"]:
            socket.create_connection((parts["host"].strip("[]"), int(parts["port"])), _REACHED).close()
        within(_ANSWERED, lambda: ray.init(address, **quiet))
    except ImportError:
        raise MissingExtraError("encoding on Ray", "ray") from None
    except Exception as problem:  # whatever Ray finds wrong with the cluster
        raise EncoderError(
            f"the Ray cluster at {address} cannot be reached: {_told(problem)}",
            hint="is it running, of the same version of Ray and Python, and RAY_AUTH_TOKEN its token where it has one?",
        ) from None


def _only_ours() -> dict[str, str]:
    """Variables by which a local cluster takes orders from this process alone: it is no door for others here."""
    mode = {} if "ray" in sys.modules else {"RAY_AUTH_MODE": "token"}  # Ray reads it as it is imported
    return {"RAY_AUTH_TOKEN": secrets.token_hex(32), **mode}


def _told(problem: BaseException) -> str:
    """The line of a problem that says most: ours where a worker raised it, else the last one."""
    said = getattr(problem, "strerror", None) or str(problem)
    lines = [line.strip() for line in said.splitlines() if line.strip()] or [type(problem).__name__]
    ours = [line.partition("EncoderError: ")[2] for line in lines if "EncoderError: " in line]
    return printable((ours or lines)[-1])
