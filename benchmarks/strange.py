"""Names made strange on purpose: a source table as if it were written in another language, cut, coded or prefixed.

The truth stays what it was. A table is changed as a whole, by a habit that its id decides, so that every run gives the
same. Part of the dictionary is hidden from the reader (`forgetful`), for the next user's words will not all be in it.
"""

import random
from collections import defaultdict
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from zlib import crc32

from dbt_schema_embed.match.knowledge import Knowledge, Listed, read_entries
from dbt_schema_embed.match.names import entity
from dbt_schema_embed.records import Relation
from dbt_schema_embed.words import skeleton, words

LANGUAGES = [
    "german",
    "spanish",
    "portuguese",
    "french",
    "italian",
    "dutch",
    "polish",
    "czech",
    "swedish",
    "danish",
    "norwegian",
    "finnish",
    "hungarian",
    "romanian",
    "turkish",
    "croatian",
    "slovak",
    "indonesian",
    "vietnamese",
    "catalan",
    "russian",
    "chinese",
    "japanese",
    "korean",
]
PHRASE = 3


@lru_cache(maxsize=64)
def dictionary(language: str) -> dict[str, list[str]]:
    """English phrase -> its words in a language, as the files have them."""
    file = files("dbt_schema_embed.match").joinpath(f"concepts/languages/{language}.yml")
    found: dict[str, list[str]] = defaultdict(list)
    if file.is_file():
        for left, right in read_entries(file.read_text("utf-8")):
            for meaning in right.split("|"):
                found[meaning.strip()] += [w.strip() for w in left.split(",")]
    return found


@lru_cache(maxsize=1)
def plain_phrases() -> dict[str, str]:
    """English synonym -> concept."""
    text = files("dbt_schema_embed.match").joinpath("concepts/english.yml").read_text("utf-8")
    found = {}
    for left, right in read_entries(text):
        concept = right.split("|")[0].strip()
        found[concept] = concept
        for word in left.split(","):
            found.setdefault(word.strip(), concept)
    return found


def translated(name: str, language: str, rng: random.Random) -> list[str]:
    """The words of a name in another language, longest phrases first; what has none stays."""
    own, plain = dictionary(language), plain_phrases()
    parts, out, at = words(name), [], 0
    while at < len(parts):
        for end in range(min(len(parts), at + PHRASE), at, -1):
            phrase = " ".join(parts[at:end])
            options = own.get(phrase) or own.get(plain.get(phrase, ""))
            if options:
                out += rng.choice(options[:3]).split()
                at = end
                break
        else:
            out.append(parts[at])
            at += 1
    return out


def _short(word: str, rng: random.Random) -> str:
    if len(word) < 4:
        return word
    bones = skeleton(word.lower())
    return rng.choice([word[:3], word[:4], bones[:4], bones[:3]])


Style = Callable[[list[str]], str]


def _style(rng: random.Random) -> Style:
    return rng.choice([
        lambda ws: "".join(w[:1].upper() + w[1:] for w in ws),
        lambda ws: "_".join(w.lower() for w in ws),
        lambda ws: "_".join(w.upper() for w in ws),
        lambda ws: "".join(ws).upper(),
    ])  # fmt: skip


def _foreign(r: Relation, rng: random.Random) -> tuple[str, list[str]]:
    there = [x for x in LANGUAGES if dictionary(x)]
    language, style = rng.choice(there), _style(rng)
    cut = rng.random() < 0.3

    def name(text: str) -> str:
        found = translated(text, language, rng)
        if cut:
            found = [_short(w, rng) if rng.random() < 0.5 else w for w in found]
        return style(found) or text

    return name(" ".join(entity(r.name))), [name(c.name) for c in r.columns]


def _legacy(r: Relation, rng: random.Random) -> tuple[str, list[str]]:
    start = "".join(w[:1] for w in entity(r.name))[:2].upper() + rng.choice(["M", "", "H", "_"])
    limit = rng.choice([6, 8, 10])
    known = dict[str, str]()

    def short(word: str) -> str:
        return known.setdefault(word, _short(word, rng))

    return r.name[:8].upper(), [start + "".join(short(w) for w in words(c.name))[:limit].upper() for c in r.columns]


def _shortened(r: Relation, rng: random.Random) -> tuple[str, list[str]]:
    known = dict[str, str]()

    def short(word: str) -> str:
        return known.setdefault(word, _short(word, rng))

    return "_".join(map(short, words(r.name))), ["_".join(map(short, words(c.name))) for c in r.columns]


def _coded(r: Relation, rng: random.Random) -> tuple[str, list[str]]:
    letter, start = rng.choice(["V", "Q", "F", "col_", "field"]), rng.randrange(1, 300)
    names = [f"{letter}{start + i:03}" for i in range(len(r.columns))]
    kept = [c.name if rng.random() < 0.3 else n for c, n in zip(r.columns, names, strict=True)]
    return r.name, kept


def _prefixed(r: Relation, rng: random.Random) -> tuple[str, list[str]]:
    types = {"i": "lng", "d": "dtm", "t": "str", "b": "bln"}
    camel = ["".join(w.title() for w in words(c.name)) or c.name for c in r.columns]
    if rng.random() < 0.5:
        return f"tbl{r.name.title()}", [
            types.get((c.type or "t")[:1].lower(), "str") + n for c, n in zip(r.columns, camel, strict=True)
        ]
    return r.name, [f"{r.name[:3].lower()}_{n}" for n in camel]


@lru_cache(maxsize=1)
def wordings() -> dict[str, list[str]]:
    """English concept -> how it is also said or cut."""
    found: dict[str, list[str]] = defaultdict(list)
    for said, concept in plain_phrases().items():
        found[concept].append(said)
    return found


def reworded(name: str, rng: random.Random) -> list[str]:
    """The words of a name, half of its phrases said otherwise; longest phrases first."""
    concept_of, parts, out, at = plain_phrases(), words(name), [], 0
    while at < len(parts):
        for end in range(min(len(parts), at + PHRASE), at, -1):
            concept = concept_of.get(" ".join(parts[at:end]))
            if concept and rng.random() < 0.6:
                out += rng.choice(wordings()[concept]).split()
                at = end
                break
        else:
            out.append(parts[at])
            at += 1
    return out


def _reworded(r: Relation, rng: random.Random) -> tuple[str, list[str]]:
    style = _style(rng)
    return style(reworded(" ".join(entity(r.name)), rng)), [style(reworded(c.name, rng)) or c.name for c in r.columns]


def other_words(r: Relation, rng: random.Random) -> tuple[str, list[str]]:
    """Another vendor's names for a table: mostly other English words."""
    return rng.choice((_reworded, _reworded, _reworded, _reworded, _shortened, _prefixed, _foreign))(r, rng)


HABITS = (_foreign, _foreign, _foreign, _legacy, _shortened, _coded, _prefixed)


def strange(salt: int) -> Callable[[Relation], tuple[str, list[str]]]:
    """A change of names; another ``salt`` gives every table another."""

    def change(r: Relation) -> tuple[str, list[str]]:
        rng = random.Random(crc32(f"{salt}:{r.source_name}".encode()))
        habit = rng.choice(HABITS)
        table, names = habit(r, random.Random(crc32(f"{salt}:{r.id}".encode())) if habit is _coded else rng)
        return table or r.name, distinct(names)

    return change


def distinct(names: list[str]) -> list[str]:
    """The names, numbered where one comes twice."""
    seen: dict[str, int] = {}
    out = []
    for name in names:
        key = name.lower()
        seen[key] = seen.get(key, 0) + 1
        out.append(name if seen[key] == 1 else f"{name}_{seen[key]}")
    return out


def forgetful(known: Knowledge, share: float, salt: int = 0) -> Knowledge:
    """The dictionary without that share of its foreign words and fields, by their letters."""
    english = known.numbers["english"]
    bar = int(share * 2**32)

    def kept(word: str, senses: str) -> str:
        if crc32(f"{salt}{word}".encode()) >= bar:
            return senses
        return ";".join(s for s in senses.split(";") if int(s.partition(":")[0]) in english)

    entries = {word: left for word, senses in known.entries.items() if (left := kept(word, senses))}
    return Knowledge(known.origins, Listed(entries))
