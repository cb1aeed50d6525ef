"""The memo's level on a Redis server that several machines share. It may be down, hung, slow or lying.

Whatever it gives is checked before use, as every level's values are (`vector_bytes`). That proves that nothing was
damaged, not who wrote it: whoever may write there could decide what vectors are. So values are signed where there is a
key, under names of their own; where there is none, `MemoEmbedder` encodes some texts and compares (``check_every``).
"""

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from dbt_schema_embed.deadline import within
from dbt_schema_embed.embed.forking import new_lock
from dbt_schema_embed.errors import ConfigError, printable
from dbt_schema_embed.extras import need

PREFIX = "dbt-schema-embed:"
SIGNED = "dbt-schema-embed:signed:"
CHECK_EVERY = 20
"""Of so many vectors from a server without a key, one is encoded and compared."""

_MARK = 16  # bytes of a signature
RESET_SECONDS = 30.0
"""How long a server that failed is left alone."""

BUDGET = 1.0
"""Seconds all calls together may take beyond the usual, however the server behaves; calls that go well give it back."""

_CALL, _PER_KEY, _LONGEST = 0.02, 0.00005, 0.9
"""Seconds a call and each key usually take at most, and a call in all: a server gives 200,000 vectors a second."""

_TIMEOUT = 0.4
_RETRY_AFTER = 0.05
_MANY = 500

_SCHEMES = ("redis", "rediss", "unix")


class RedisStore:
    """Bytes by key on the server at ``url``. Its methods never raise for the server's sake.

    After a call that fails the server is left alone for a while; ``notes`` gets one line, once.
    """

    name = "redis"

    def __init__(
        self,
        url: str,
        *,
        ttl: float | None = None,
        notes: list[str] | None = None,
        key: str | None = None,
        check_every: int = CHECK_EVERY,
    ) -> None:
        """Connects to nothing yet. ``key``: signs what is stored; what is read must be signed with it, too.

        Raises:
            ConfigError: not the URL of a Redis server.
            MissingExtraError: redis-py is not installed.
        """
        need("a Redis memo", "redis")
        self.shown = _shown(url)
        self.check_every = 0 if key else check_every
        self._key = key.encode() if key else None
        self._prefix = SIGNED if key else PREFIX
        self._url = url
        self._milliseconds = max(1, int(ttl * 1000)) if ttl else None
        self._notes = notes if notes is not None else []
        self._lock = new_lock()
        self._client: Any = None
        self._rest = 0.0  # until when the server is left alone
        self._told = False
        self._credit = BUDGET

    def read(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The values of those ``keys`` that the server gave in time."""
        found: dict[str, bytes] = {}

        def fetch() -> None:
            for at in range(0, len(keys), _MANY):
                some = keys[at : at + _MANY]
                values = self._client.mget([self._prefix + key for key in some])
                found.update((k, v) for k, v in zip(some, values, strict=False) if isinstance(v, bytes))

        self._guarded(fetch, len(keys))
        return self._proven(dict(found))

    def write(self, items: Mapping[str, bytes]) -> None:
        """Store ``items`` where the server takes them."""
        pairs = list(items.items())

        def store() -> None:
            for at in range(0, len(pairs), _MANY):
                with self._client.pipeline(transaction=False) as pipeline:
                    for key, value in pairs[at : at + _MANY]:
                        pipeline.set(self._prefix + key, value + self._mark(key, value), px=self._milliseconds)
                    # its own error would repeat the value; the server's says what is wrong
                    said = pipeline.execute(raise_on_error=False)
                if refused := next((r for r in said if isinstance(r, Exception)), None):
                    raise refused

        self._guarded(store, len(pairs))

    def drop(self, keys: Sequence[str]) -> None:
        """Forget ``keys`` on the server."""
        self._guarded(lambda: self._client.unlink(*(self._prefix + k for k in keys)), len(keys))

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()

    def _mark(self, key: str, value: bytes) -> bytes:
        """The signature of a value under its key; nothing where there is no key to sign with."""
        if self._key is None:
            return b""
        return hmac.digest(self._key, key.encode() + b"\0" + value, hashlib.sha256)[:_MARK]

    def _proven(self, found: dict[str, bytes]) -> dict[str, bytes]:
        """The values that are signed, without their signatures."""
        if self._key is None:
            return found
        parts = {key: (value[:-_MARK], value[-_MARK:]) for key, value in found.items()}
        good = {k: value for k, (value, mark) in parts.items() if hmac.compare_digest(mark, self._mark(k, value))}
        if len(good) < len(found) and not self._told:
            self._told = True
            unsigned = f"{len(found) - len(good)} vectors that are not signed with redis_key"
            self._notes.append(f"the Redis memo at {self.shown} holds {unsigned}: they are not used")
        return good

    def _guarded(self, action: Callable[[], object], keys: int) -> None:
        """Do ``action`` about so many keys in time, unless the server failed a moment ago."""
        if time.monotonic() < self._rest:
            return
        self._connect()
        began, usual = time.monotonic(), min(_CALL + _PER_KEY * keys, _LONGEST)
        try:
            within(usual + self._credit, action)
        except Exception as problem:  # a server that talks nonsense makes redis-py raise anything, AttributeError too
            self._rest = time.monotonic() + RESET_SECONDS
            self._client.connection_pool.disconnect()
            if not self._told:
                self._told = True
                reason = printable(str(problem) or type(problem).__name__, 120)
                self._notes.append(f"the Redis memo at {self.shown} is not used for now: {reason}")
        self._credit = max(0.0, min(BUDGET, self._credit + usual - (time.monotonic() - began)))

    def _connect(self) -> None:
        with self._lock:
            if self._client is not None:
                return
            import redis
            from redis.backoff import ConstantBackoff
            from redis.exceptions import ConnectionError as Broken
            from redis.retry import Retry

            # once more where a connection broke; redis-py itself would try ten times, and a hung server cost seconds
            retry = Retry(ConstantBackoff(_RETRY_AFTER), 1, (Broken,))
            self._client = redis.Redis.from_url(
                self._url, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT, retry=retry
            )


def _shown(url: str) -> str:
    """Where the server is, without name or password."""
    try:
        parts = urlsplit(url)
        place = parts.path if parts.scheme == "unix" else f"{parts.hostname}:{parts.port or 6379}"
    except ValueError as problem:
        raise ConfigError(f"redis_url cannot be read: {problem}", hint="for example redis://localhost:6379/0") from None
    if parts.scheme not in _SCHEMES or not place or place.startswith("None"):
        raise ConfigError("redis_url is not the URL of a Redis server", hint="for example redis://localhost:6379/0")
    return place
