"""An embedder that remembers: levels of memory above an encoder that is loaded when a text is in none of them."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from random import SystemRandom
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.embed.batches import Limits
from dbt_schema_embed.embed.encoder import Encoder
from dbt_schema_embed.embed.forking import new_lock
from dbt_schema_embed.embed.stats import EmbedStats
from dbt_schema_embed.embed.vector_bytes import from_bytes, to_bytes
from dbt_schema_embed.errors import ConfigError, EncoderError, MemoError, refuse_text
from dbt_schema_embed.progress import Progress, silent

PROCESS_ENTRIES = 20_000
"""Vectors kept in the process; 31 MB of 384 float32."""


FEW_PROCESS_ENTRIES = 1_000
"""The same where a memory limit is set."""

MOST_CHECKS = 8
"""Texts of one call that are encoded to prove a shared level: in a store of wrong vectors, the first one shows it."""

_ENCODING = "Encoding texts"
_FORM = 1  # of keys: another number makes every memo start anew

ALIKE = 0.99
"""Least cosine of a stored vector to a fresh one: devices differ by less."""


class Level(Protocol):
    """A store of bytes by key. Its methods raise MemoError when it cannot serve; the work then goes on without it."""

    name: str

    def read(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The values of those keys that are there."""

    def write(self, items: Mapping[str, bytes]) -> None:
        """Store items."""

    def drop(self, keys: Sequence[str]) -> None:
        """Forget keys."""

    def close(self) -> None:
        """Let go of files and connections."""


class ProcessStore:
    """The level within the process: the last `PROCESS_ENTRIES` values used."""

    name = "process"

    def __init__(self, entries: int = PROCESS_ENTRIES) -> None:
        self._entries = entries
        self._values: OrderedDict[str, bytes] = OrderedDict()
        self._lock = new_lock()

    def read(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The values of those keys that are there."""
        with self._lock:
            found = {key: self._values[key] for key in keys if key in self._values}
            for key in found:
                self._values.move_to_end(key)
            return found

    def write(self, items: Mapping[str, bytes]) -> None:
        """Store items; the ones unused for longest go."""
        with self._lock:
            self._values.update(items)
            while len(self._values) > self._entries:
                self._values.popitem(last=False)

    def drop(self, keys: Sequence[str]) -> None:
        """Forget keys."""
        with self._lock:
            for key in keys:
                self._values.pop(key, None)

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()


@dataclass(slots=True)
class _Call:
    """One call of `embed`: distinct texts, their keys, and the rows as far as they are known."""

    texts: list[str]
    keys: list[str]
    rows: NDArray[np.float32]
    levels: list[Level]
    missing: list[int]  # rows that are not known yet


class MemoEmbedder:
    """An Embedder. Texts found in a level are not encoded; levels are asked in order and fill the ones before them.

    ``notes`` collects one line for each thing that went wrong without stopping the work. ``progress`` is told how many
    texts are encoded, of those that had to be. Threads may share it.
    """

    def __init__(
        self,
        encoder_id: str,
        dim: int,
        load: Callable[[], Encoder],
        levels: Sequence[Level] = (),
        *,
        limits: Limits | None = None,
        notes: list[str] | None = None,
    ) -> None:
        self.encoder_id = encoder_id
        self.dim = dim
        self.stats = EmbedStats()
        self.notes: list[str] = notes if notes is not None else []
        self.progress: Progress = silent
        self._load = load
        self._levels = list(levels)
        self._lock = new_lock()
        self._limits = limits or Limits()
        # From the "@" on, the id is made of hashes and settings: one encoder under two names has one memo.
        settings = f"{encoder_id.rpartition('@')[2]}|float32|{_FORM}|"
        self._salt = hashlib.blake2b(settings.encode(), digest_size=20)

    def embed(self, texts: Sequence[str], *, remember: bool = True) -> NDArray[np.float32]:
        """The vectors of ``texts``: (n, d) float32, rows of length 1, in order; (0, d) for nothing.

        Args:
            texts: to encode; repeats cost nothing.
            remember: False keeps them within the process: texts that hold sample values leave no trace on disk.

        Raises:
            TypeError: a bare str, or an item that is not text.
            ConfigError: the memory limit cannot be met.
            EncoderError: the encoder cannot be loaded, or gave something that is not a number.
        """
        refuse_text(embed=texts)
        place: dict[str, int] = {}
        for text in texts:
            if not isinstance(text, str):
                raise TypeError(f"embed takes texts, not {type(text).__name__}")
            place.setdefault(text, len(place))
        self.stats.add(texts=len(texts), distinct=len(place))
        rows = self._rows(list(place), remember)
        return rows if len(place) == len(texts) else rows[[place[text] for text in texts]]

    def fill(self, texts: Iterable[str], encoder: Encoder) -> None:
        """Have another encoder, that gives the same vectors, encode what no level has of ``texts``; they are stored.

        Raises:
            ConfigError: there is no memo.
            EncoderError: as ``encoder.encode``. What had come by then is stored.
        """
        if not self._levels:
            raise ConfigError(f"{encoder.name} fills the memo, and there is none", hint="set enable_caching to true")
        wanted = {self.key(text): text for text in texts}
        keys, some = list(wanted), 10_000
        for at in range(0, len(keys), some):  # values are large, and are not needed here
            for level in self._levels:
                for key in self._ask(level, [key for key in keys[at : at + some] if key in wanted]):
                    del wanted[key]
        if wanted:
            for _ in self._stored(list(wanted.values()), list(wanted), self._levels, encoder):
                pass

    def runs_on(self) -> str:
        """What computes: "onnxruntime, cpu, float32". Loads the encoder, and raises as `embed` does."""
        return self._load().name

    def close(self) -> None:
        """Close every level."""
        for level in self._levels:
            level.close()

    def key(self, text: str) -> str:
        """The memo's key of ``text``: 40 hexadecimal digits of encoder, settings and text."""
        digest = self._salt.copy()
        digest.update(text.encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def _rows(self, texts: list[str], remember: bool) -> NDArray[np.float32]:
        """Rows of distinct ``texts``."""
        levels = [level for level in self._levels if remember or level.name == ProcessStore.name]
        keys, rows = [self.key(text) for text in texts], np.zeros((len(texts), self.dim), np.float32)
        call = _Call(texts, keys, rows, levels, list(range(len(texts))))
        for number, level in enumerate(levels):
            if call.missing:
                self._look(call, level, levels[:number])
        if call.missing:
            self._encode_and_store(call)
        return call.rows

    def _look(self, call: "_Call", level: Level, above: Sequence[Level]) -> None:
        """Fill the missing rows that ``level`` has, and the levels ``above`` it."""
        found = self._ask(level, [call.keys[i] for i in call.missing])
        at = [i for i in call.missing if call.keys[i] in found]
        if not at:
            return
        here = [call.keys[i] for i in at]
        call.rows[at], good = from_bytes(here, [found[k] for k in here], self.dim)
        fresh = {k: found[k] for k, ok in zip(here, good, strict=True) if ok}
        if not self._believed(call, level, [i for i in at if call.keys[i] in fresh]):
            return
        self.stats.hit(level.name, len(fresh))
        if len(fresh) < len(here):
            self.stats.add(dropped=len(here) - len(fresh))
            self._try(level, lambda: level.drop([k for k in here if k not in fresh]))
        for other in above:
            self._store(other, fresh)
        call.missing = [i for i in call.missing if call.keys[i] not in fresh]

    def _believed(self, call: "_Call", level: Level, at: list[int]) -> bool:
        """Whether the rows ``at`` that ``level`` gave are the encoder's, by some of them; says where they are not."""
        every = getattr(level, "check_every", 0)
        if not every or not at:
            return True
        some = SystemRandom().sample(at, min(-(-len(at) // every), MOST_CHECKS))
        rows = np.concatenate(list(self._encoded([call.texts[i] for i in some])))
        if bool((np.einsum("ij,ij->i", rows, call.rows[some]) > ALIKE).all()):
            return True

        def refuse() -> None:
            raise MemoError(f"the {level.name} memo holds vectors that are not the encoder's: none of them is used")

        self._try(level, refuse)
        return False

    def _encode_and_store(self, call: "_Call") -> None:
        texts, keys = ([some[i] for i in call.missing] for some in (call.texts, call.keys))
        done = 0
        for vectors in self._stored(texts, keys, call.levels):
            call.rows[call.missing[done : done + len(vectors)]] = vectors
            done += len(vectors)

    def _stored(
        self, texts: list[str], keys: list[str], levels: Sequence[Level], encoder: Encoder | None = None
    ) -> Iterator[NDArray[np.float32]]:
        """Encode chunk by chunk; a second thread stores one chunk while the next is encoded."""
        self.stats.add(misses=len(texts))
        done = 0
        self.progress(_ENCODING)  # the encoder may have to be loaded, and its first thousands take a while
        with ThreadPoolExecutor(1, "memo") as pool:
            stored: Future[None] | None = None
            for vectors in self._encoded(texts, encoder):
                some = keys[done : done + len(vectors)]
                done += len(vectors)
                if stored:
                    stored.result()
                items = dict(zip(some, to_bytes(some, vectors), strict=True)) if levels else {}
                stored = pool.submit(self._store_in, levels, items)
                self.progress(_ENCODING, done, len(texts))
                yield vectors
            if stored:
                stored.result()

    def _encoded(self, texts: list[str], encoder: Encoder | None = None) -> Iterator[NDArray[np.float32]]:
        try:
            yield from (encoder or self._load()).encode(texts, self._limits, self.stats)
        except EncoderError:
            self.stats.add(errors=1)
            raise

    def _store_in(self, levels: Sequence[Level], items: dict[str, bytes]) -> None:
        for level in levels:
            if level in self._levels:
                self._store(level, items)

    def _ask(self, level: Level, keys: list[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        self._try(level, lambda: found.update(level.read(keys)))
        return found

    def _store(self, level: Level, items: dict[str, bytes]) -> None:
        if items:
            self._try(level, lambda: level.write(items))

    def _try(self, level: Level, action: Callable[[], None]) -> None:
        """Do ``action``; a level that cannot serve is left out for the rest of the run, and that is said once."""
        try:
            action()
        except MemoError as problem:
            self.stats.add(errors=1)
            with self._lock:
                known = level in self._levels
                self._levels = [other for other in self._levels if other is not level]
            if known:
                self.notes.append(f"{problem.message}; going on without it")
