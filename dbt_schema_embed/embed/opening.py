"""Open an embedder: settings in, an Embedder with its memo out. Nothing is loaded here, not even numpy."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from dbt_schema_embed.doors import brought
from dbt_schema_embed.errors import ConfigError, MissingExtraError, printable
from dbt_schema_embed.extras import has_embed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dbt_schema_embed.embed.memo import Level, MemoEmbedder

Quantization = Literal["float32", "float16", "bfloat16", "int8"]


class Embedder(Protocol):
    """Turns texts into vectors."""

    encoder_id: str  # name, hash of weights and settings: equal ids give equal vectors
    dim: int

    def embed(self, texts: Sequence[str], *, remember: bool = True) -> "NDArray[np.float32]":
        """(n, d) float32, rows of length 1 in the order of ``texts``; (0, d) for nothing; a bare str is a TypeError.

        ``remember=False``: keep the vectors within the process.
        """


def cache_folder(said: str | None = None) -> Path:
    """Where the memo lives: what the settings say, else the user's cache folder. It need not exist.

    Raises:
        ConfigError: the settings name the home of a user that there is not.
    """
    from platformdirs import user_cache_path

    try:
        return Path(said).expanduser() if said else user_cache_path("dbt-schema-embed", appauthor=False)
    except RuntimeError as problem:
        raise ConfigError(f"cache_dir {printable(said)} is no folder: {problem}") from None


def open_embedder(
    model_name: str = "all-MiniLM-L6-v2",
    *,
    cache_dir: Path | None = None,
    use_memo: bool = True,
    batch_size: int | None = None,
    use_gpu: bool | None = None,
    quantization: Quantization = "float32",
    memory_limit_mb: int | None = None,
    max_workers: int | None = None,
    ttl: float | None = None,
    redis_url: str | None = None,
    redis_key: str | None = None,
    redis_check: int | None = None,
) -> "MemoEmbedder":
    """The encoder called ``model_name`` behind its memo. Its weights are loaded when a text is first missed.

    Args:
        model_name: a name, of another package's encoder, too, or the path of a folder with config.json and
            model.safetensors.
        cache_dir: holds the memo and what is known about encoders; None: the user's cache folder.
        use_memo: False: nothing is remembered, not even within the process.
        batch_size: most rows in a batch; None: chosen from the work and the device.
        use_gpu: None: CUDA or MPS where there is one.
        quantization: float16 and bfloat16 need a GPU; int8 needs the CPU and proves itself at first use.
        memory_limit_mb: working memory in MiB above the loaded encoder, vectors handed out included.
        max_workers: threads to compute with; None: the cores this process may use.
        ttl: seconds an entry lives from when it was stored; None: for ever.
        redis_url: a server that several machines share, below the memo on disk; of Redis, or of a kind that another
            package brings, named as the URL's scheme.
        redis_key: signs what is stored there; what is read must be signed, too.
        redis_check: without a key, of so many vectors from there one is encoded and compared; None: 20.

    Raises:
        ConfigError: a redis_url that is none.
        EncoderError: an unknown encoder, or one whose files are not here and cannot be fetched.
        MissingExtraError: the packages of the extra `embed` are not installed; or a redis_url, and redis-py is not.
    """
    if not has_embed():
        raise MissingExtraError("turning columns into vectors", "embed")
    from dbt_schema_embed.embed.batches import Limits
    from dbt_schema_embed.embed.encoder_files import read_files
    from dbt_schema_embed.embed.encoder_of_others import encoder_of_others
    from dbt_schema_embed.embed.loading import Wanted, load
    from dbt_schema_embed.embed.memo import FEW_PROCESS_ENTRIES, PROCESS_ENTRIES, Level, MemoEmbedder, ProcessStore
    from dbt_schema_embed.embed.runners import workers_for
    from dbt_schema_embed.embed.weights import identity

    folder = cache_dir or cache_folder()
    notes: list[str] = []
    levels: list[Level] = []
    if use_memo:
        from dbt_schema_embed.embed.disk_store import DiskStore
        from dbt_schema_embed.embed.memo_files import FOLDER

        near = ProcessStore(FEW_PROCESS_ENTRIES if memory_limit_mb else PROCESS_ENTRIES)
        redis = _redis(redis_url, ttl, notes, redis_key, redis_check)
        levels = [near, DiskStore(folder / FOLDER, ttl=ttl, notes=notes), *redis]
    limits = Limits(batch_size, memory_limit_mb)
    if other := encoder_of_others(model_name):
        name = f"{model_name}@{other.encoder_id}"
        return MemoEmbedder(name, other.dim, lambda: other, levels, limits=limits, notes=notes)
    files = read_files(model_name)
    wanted = Wanted(files, identity(files, folder), folder, workers_for(max_workers), use_gpu, quantization)
    embedder = MemoEmbedder(
        f"{files.name}@{wanted.identity[:16]}" + ("" if quantization == "float32" else f"+{quantization}"),
        files.dim,
        lambda: load(wanted, embedder.stats, notes),
        levels,
        limits=limits,
        notes=notes,
    )
    return embedder


def _redis(
    url: str | None, ttl: float | None, notes: list[str], key: str | None, check_every: int | None
) -> "list[Level]":
    """The memo's level on a server, if there is one."""
    if url is None:
        return []
    scheme = url.partition("://")[0]
    if scheme not in ("redis", "rediss", "unix") and (store := brought("stores", scheme)):
        return [store(url, ttl=ttl)]
    from dbt_schema_embed.embed.redis_store import CHECK_EVERY, RedisStore

    return [RedisStore(url, ttl=ttl, notes=notes, key=key, check_every=check_every or CHECK_EVERY)]
