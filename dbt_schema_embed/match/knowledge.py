"""What words mean that English prose does not know: the files of concepts/, as one dictionary.

A file holds one entry a line, ``word, word: meaning | meaning``. Its first line names it: ``# German``, ``# SAP``.
Files in
languages/ hold words, which may be parts of a name; files in systems/ hold whole field names. A project's glossary
has the
same entries (see `Knowledge.with_words`). Words are compared without case, spaces, punctuation and diacritics.
"""

import contextlib
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, get_args
from zlib import crc32

import msgspec

from dbt_schema_embed.files import others_may_write, replacing
from dbt_schema_embed.words import skeleton

Kind = Literal["english", "language", "system", "glossary", "guess"]

_PLAIN = str.maketrans({
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i", "ħ": "h",
})  # fmt: skip
_DIGRAPHS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "đ": "dj"})
_SPACES = str.maketrans("", "", " _-./'()&,")


@lru_cache(maxsize=200_000)
def fold(text: str) -> str:
    """``text`` as dictionaries compare it: lower case, letters and digits only, without Latin, Greek or Cyrillic
    accents.

    >>> fold("Größe_1"), fold("Żółć"), fold("Дата рождения")
    ('grosse1', 'zolc', 'датарождения')
    """
    if text.isascii():
        plain = text.lower().translate(_SPACES)
        return plain if plain.isalnum() else "".join(c for c in plain if c.isalnum())
    split = unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN))
    bare = unicodedata.normalize("NFKC", "".join(c for c in split if not "\u0300" <= c <= "\u036f"))
    return "".join(c for c in bare if c.isalnum() or unicodedata.category(c).startswith("M"))


def spellings(word: str) -> tuple[str, ...]:
    """``word`` folded, and as people without its letters on their keyboard spell it: ``groesse``."""
    plain = fold(word)
    if word.isascii():
        return (plain,)
    other = fold(unicodedata.normalize("NFC", word).casefold().translate(_DIGRAPHS))
    return (plain,) if other == plain else (plain, other)


class Origin(NamedTuple):
    """Where an entry comes from."""

    kind: Kind
    name: str  # as people say it: "German", "SAP"


GLOSSARY = Origin("glossary", "the glossary")
GUESS = Origin("guess", "the multilingual encoder")


class Sense(NamedTuple):
    """What a word means to one origin."""

    origin: int  # place in `Knowledge.origins`
    meanings: tuple[str, ...]  # English phrases, likeliest first


class Entries(Protocol):
    """Folded word -> its senses, as text that is cut when asked for: ``3:city|place;7:location``."""

    def get(self, word: str, /) -> str | None:
        """The senses of a word, or None."""

    def begun(self, start: str, /) -> list[tuple[str, str]]:
        """Every word that begins so, in order, and its senses; three letters or more."""

    @property
    def starts(self) -> Collection[str]:
        """The first letters that words have."""


_START = 3
"""Letters by which words are found: most pieces of names that are no words begin as none does."""


class Listed(dict[str, str]):
    """Entries in memory."""

    @cached_property
    def starts(self) -> dict[str, list[str]]:
        """The first letters that words have -> those words, in order."""
        found: dict[str, list[str]] = {}
        for word in sorted(self):
            found.setdefault(word[:_START], []).append(word)
        return found

    def begun(self, start: str, /) -> list[tuple[str, str]]:
        """Every word that begins so, in order, and its senses."""
        return [(word, self[word]) for word in self.starts.get(start[:_START], ()) if word.startswith(start)]


@dataclass(frozen=True)
class Knowledge:
    """What words mean, by origin."""

    origins: tuple[Origin, ...]
    entries: Entries
    plain: frozenset[str] = frozenset()  # English words that mean what they say

    @cached_property
    def senses(self) -> Callable[[str], tuple[Sense, ...]]:
        """Every origin's sense of a folded word; empty where it is not known."""
        entries = self.entries

        @lru_cache(maxsize=200_000)
        def of(folded: str) -> tuple[Sense, ...]:
            packed = entries.get(folded)
            return _unpacked(packed) if packed else ()

        return of

    def begun(self, folded: str, origins: Collection[int]) -> tuple[Sense, ...]:
        """What words of ``origins`` that begin so mean, where they agree: two meanings at most, else nothing."""
        return self._agreed(self.entries.begun(folded), origins)

    def vowelless(self, folded: str, origins: Collection[int]) -> tuple[Sense, ...]:
        """What words of ``origins`` mean of which ``folded`` is the first letter and the consonants, where they
        agree."""
        starts = [s for s in self.entries.starts if s[:1] == folded[:1] and folded.startswith(skeleton(s))]
        words = (entry for start in starts for entry in self.entries.begun(start))
        return self._agreed((e for e in words if len(e[0]) > len(folded) and skeleton(e[0]) == folded), origins)

    def _agreed(self, words: Iterable[tuple[str, str]], origins: Collection[int]) -> tuple[Sense, ...]:
        """The meanings of ``words`` where they are two at most, else those of words that go on from no other one."""
        every: dict[str, int] = {}
        firsts: dict[str, int] = {}
        last: dict[int, str] = {}
        for word, packed in words:
            for sense in _unpacked(packed):
                if sense.origin not in origins:
                    continue
                every[sense.meanings[0]] = sense.origin
                if not word.startswith(last.get(sense.origin, "\n")):
                    last[sense.origin] = word
                    firsts[sense.meanings[0]] = sense.origin
            if len(firsts) > _AGREEING:
                return ()
        found = every if len(every) <= _AGREEING else firsts
        return tuple(Sense(origin, (meaning,)) for meaning, origin in found.items())

    @cached_property
    def numbers(self) -> Mapping[Kind, frozenset[int]]:
        """The origins of each kind."""
        kinds: dict[Kind, set[int]] = {kind: set() for kind in get_args(Kind)}
        for number, origin in enumerate(self.origins):
            kinds[origin.kind].add(number)
        return {kind: frozenset(found) for kind, found in kinds.items()}

    def with_words(self, entries: Iterable[tuple[str, str]], origin: Origin = GLOSSARY) -> "Knowledge":
        """The same and words of another origin, (words, meanings) as in a file: a project's own go before all others,
        guesses behind."""
        added: dict[str, list[str]] = {}
        _add(added, len(self.origins), entries)
        if not added:
            return self
        return replace(self, origins=(*self.origins, origin), entries=_Overlay(added, self.entries))


_AGREEING = 2
"""Meanings among which a word that is cut off may stand."""


@dataclass(frozen=True)
class _Overlay:
    above: Mapping[str, Sequence[str]]
    below: Entries

    def get(self, word: str, /) -> str | None:
        senses, rest = self.above.get(word), self.below.get(word)
        return ";".join([*senses, *([rest] if rest else [])]) if senses else rest

    @property
    def starts(self) -> Collection[str]:
        """The first letters that words below have."""
        return self.below.starts

    def begun(self, start: str, /) -> list[tuple[str, str]]:
        """Every word that begins so and its senses."""
        above = [(word, ";".join(senses)) for word, senses in self.above.items() if word.startswith(start)]
        return above + self.below.begun(start)


def _unpacked(packed: str) -> tuple[Sense, ...]:
    found = []
    for part in packed.split(";"):
        origin, _, meanings = part.partition(":")
        found.append(Sense(int(origin), tuple(meanings.split("|"))))
    return tuple(found)


def read_entries(text: str) -> Iterator[tuple[str, str]]:
    """(words, meanings) of every line of a concepts file, as they stand: ``"Ort, Wohnort"``, ``"city | place"``."""
    for line in text.split("\n"):
        left, sign, right = line.rpartition(": ")
        if sign and line[0] != "#":
            yield left, right


def _add(entries: dict[str, list[str]], origin: int, lines: Iterable[tuple[str, str]]) -> None:
    mark = f"{origin}:"
    own: dict[str, list[str]] = {}
    for left, right in lines:
        meanings = [m.strip() for m in right.split("|")]
        for word in left.split(","):
            for key in spellings(word):
                if key:
                    known = own.setdefault(key, [])
                    known += [m for m in meanings if m not in known]
    for key, meanings in own.items():
        entries.setdefault(key, []).append(mark + "|".join(meanings))


def compiled() -> Knowledge:
    """The knowledge in the package's files."""
    origins: list[Origin] = []
    entries: dict[str, list[str]] = {}
    for kind, file in _sources():
        text = file.read_text("utf-8")
        origins.append(Origin(kind, text[: text.index("\n")].lstrip("# ").strip()))
        _add(entries, len(origins) - 1, read_entries(text))
    lines = (_HOME / "plain_english.txt").read_text("utf-8").split("\n")
    plain = frozenset(word for line in lines if not line.startswith("#") for word in line.split())
    return Knowledge(tuple(origins), Listed({word: ";".join(senses) for word, senses in entries.items()}), plain)


def packed() -> bytes:
    """What a wheel brings beside this file: `compiled` as it is read at once."""
    return _packed(compiled(), _WHEEL)


_HOME = Path(__file__).with_name("concepts")
_BUILT = _HOME.with_suffix(".bin")
_WHEEL = "in the wheel"  # no stamp of files is needed: nothing changes there


def _sources() -> Iterator[tuple[Kind, Path]]:
    yield "english", _HOME / "english.yml"
    kinds: dict[Kind, str] = {"language": "languages", "system": "systems"}
    for kind, folder in kinds.items():
        for file in sorted((_HOME / folder).glob("*.yml")):
            yield kind, file


@lru_cache(maxsize=4)
def knowledge(folder: Path | None = None) -> Knowledge:
    """`compiled`, once a process, packed as a wheel brings it. A checkout has no such file, for its words change.

    There ``folder`` is where the packed form is kept between processes, for reading the files anew takes a second and a
    half; None: nowhere. A damaged or outdated packed form is made anew without a word.
    """
    found = _unpack(_BUILT, _WHEEL)
    if found is not None:
        return found
    if folder is None or others_may_write(folder):  # they would decide what words mean
        return compiled()
    path, made = folder / "concepts.bin", stamp()
    found = _unpack(path, made)
    if found is None:
        found = compiled()
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with replacing(path) as file:
                file.write(_packed(found, made))
    return found


def stamp() -> str:
    """Changes when a file of concepts/ does, or this one."""
    files = [Path(__file__), _HOME / "plain_english.txt", *(file for _, file in _sources())]
    told = [(str(f), s.st_size, s.st_mtime_ns) for f in files for s in [f.stat()]]
    return sha256(repr(told).encode()).hexdigest()


class _Head(msgspec.Struct, array_like=True):
    stamp: str
    origins: list[tuple[Kind, str]]
    plain: list[str]
    parts: dict[str, tuple[int, int]]  # first letters -> where in the body their words stand
    body_crc: int


@dataclass(frozen=True)
class _Packed:
    """Lines of ``word TAB senses``, sorted; only the parts that are asked for are read."""

    body: bytes
    parts: Mapping[str, tuple[int, int]]
    _read: dict[str, dict[str, str]] = field(default_factory=dict)

    def get(self, word: str, /) -> str | None:
        start = word[:_START]
        if start not in self.parts:
            return None
        known = self._read.get(start)
        if known is None:
            first, end = self.parts[start]
            lines = self.body[first:end].decode().strip("\n").split("\n")
            known = self._read[start] = dict(line.split("\t", 1) for line in lines)
        return known.get(word)

    @property
    def starts(self) -> Collection[str]:
        """The first letters that words have."""
        return self.parts

    def begun(self, start: str, /) -> list[tuple[str, str]]:
        """Every word that begins so, in order, and its senses."""
        first, last = self.parts.get(start[:_START], (0, 0))
        found: list[tuple[str, str]] = []
        mark = f"\n{start}".encode()
        at = self.body.find(mark, first, last)
        while at >= 0:
            line = self.body[at + 1 : self.body.index(b"\n", at + 1)]
            word, _, senses = line.decode().partition("\t")
            found.append((word, senses))
            at = self.body.find(mark, at + 1, last)
        return found


def _packed(known: Knowledge, stamp: str) -> bytes:
    entries = known.entries
    assert isinstance(entries, dict)
    body = bytearray(b"\n")
    parts: dict[str, tuple[int, int]] = {}
    for word in sorted(entries, key=lambda w: (w[:_START], w)):
        start = parts.get(word[:_START], (len(body) - 1, 0))[0]
        body += f"{word}\t{entries[word]}\n".encode()
        parts[word[:_START]] = (start, len(body))
    head = _Head(stamp, [(o.kind, o.name) for o in known.origins], sorted(known.plain), parts, crc32(body))
    first = msgspec.msgpack.encode(head)
    return len(first).to_bytes(8, "little") + crc32(first).to_bytes(4, "little") + first + bytes(body)


def _unpack(path: Path, stamp: str) -> Knowledge | None:
    try:
        data = path.read_bytes()
        size, crc = int.from_bytes(data[:8], "little"), int.from_bytes(data[8:12], "little")
        first, body = data[12 : 12 + size], data[12 + size :]
        if crc32(first) != crc:
            return None
        head = msgspec.msgpack.decode(first, type=_Head)
    except (OSError, ValueError, msgspec.MsgspecError):
        return None
    if head.stamp != stamp or crc32(body) != head.body_crc:
        return None
    return Knowledge(tuple(Origin(k, n) for k, n in head.origins), _Packed(body, head.parts), frozenset(head.plain))
