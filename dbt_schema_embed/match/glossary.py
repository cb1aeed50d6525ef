"""A project's own words: schema_mappings/glossary.yml, entries as in concepts/, some of them for one source only.

    kdnr, kundennr: customer number
    erp:
      crlm: credit limit

Words are proposed from what people accepted; a person keeps, changes or removes them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from dbt_schema_embed.errors import ConfigError, printable
from dbt_schema_embed.files import read_bounded
from dbt_schema_embed.match.knowledge import Knowledge, fold
from dbt_schema_embed.match.lexicon import SLIGHT_WORDS
from dbt_schema_embed.match.names import entity, stem
from dbt_schema_embed.match.phrases import Words, phrase_words
from dbt_schema_embed.match.reading import Reading, TableReading, read_tables
from dbt_schema_embed.match.suggesting import readable
from dbt_schema_embed.records import Project, Relation
from dbt_schema_embed.words import words

Entries = dict[str, list[tuple[str, str]]]
"""Source name, "" for all -> (words, meanings) of every line."""

MAX_BYTES = 2**20
"""Some thirty thousand words; a larger file is no glossary."""


def read_glossary(path: Path) -> Entries:
    """The words of a glossary file; empty where there is none.

    Raises:
        ConfigError: it cannot be read, or a line is no entry; says which.
    """
    shown = printable(path.name)
    try:
        content = read_bounded(path, MAX_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as problem:
        raise ConfigError(f"{shown} cannot be read: {problem.strerror}") from None
    if content is None:
        raise ConfigError(f"{shown} is larger than 1 MB", hint="keep only words that names here are made of")
    try:
        return parse_glossary(content.decode("utf-8-sig"), shown)
    except UnicodeDecodeError:
        raise ConfigError(f"{shown} is not UTF-8", hint="save it as UTF-8") from None


def parse_glossary(text: str, shown: str) -> Entries:
    """The entries of a glossary's text. Raises as `read_glossary`."""
    found: Entries = defaultdict(list)
    source = ""
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        left, sign, right = (part.strip() for part in bare.partition(" #")[0].rpartition(":"))
        if not sign or not left or (not right and line[:1].isspace()):
            raise ConfigError(
                f"line {number} of {shown} is no entry: {printable(bare, 60)}",
                hint="write `word, word: meaning`, or a source's name and `:` with its words indented below it",
            )
        if not line[:1].isspace():
            source = ""
        if not right:
            source = _plain(left)
        else:
            found[source].append((_plain(left), _plain(right)))
    return dict(found)


def _plain(text: str) -> str:
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1] if quoted else text


class Word(NamedTuple):
    """A word that accepted columns explain."""

    source: str  # the source's name
    word: str
    meaning: str
    times: int  # columns that show it


def learnt(
    project: Project,
    accepted: Mapping[tuple[str, str], tuple[str, str] | None],
    dictionaries: Knowledge,
    known: Entries,
) -> str:
    """Lines for the glossary: words that accepted answers explain and no dictionary knows; "" for none.

    ``accepted``: (source id, column key) -> (model id, model column).
    """
    sources = {r.id: r for r in project.relations if r.kind == "source"}
    models = [r for r in project.relations if r.kind == "model" and r.columns]
    keys = {(r.id, c.key): c.name for r in sources.values() for c in r.columns}
    pairs = [
        (sources[place[0]], keys[place], target[1])
        for place, target in sorted(accepted.items())
        if target and place in keys
    ]
    return glossary_text(propose_words(pairs, read_tables(readable(project), models, dictionaries, known)), known)


def propose_words(pairs: Iterable[tuple[Relation, str, str]], readings: Mapping[str, TableReading]) -> list[Word]:
    """Words that are not understood, with what accepted columns say they mean: most frequent first.

    ``pairs``: source table, its column, and the model column that people accepted for it.
    """
    seen: Counter[tuple[str, str, str]] = Counter()
    for source, column, target in pairs:
        place = next((i for i, c in enumerate(source.columns) if c.name == column), None)
        if place is None or source.id not in readings:
            continue
        table = readings[source.id]
        learnt = _learnt(table.columns[place], table.cores[place], words(target), entity(source.name))
        if learnt:
            seen[source.source_name, *learnt] += 1
    return [Word(s, w, m, n) for (s, w, m), n in sorted(seen.items(), key=lambda item: (-item[1], item[0]))]


def _learnt(reading: Reading, core: Words, target: Words, about: Words) -> tuple[str, str] | None:
    """(word, meaning) that a decision teaches, where the reading does not lead to it."""
    wanted = [w for w in target if w not in SLIGHT_WORDS]
    stems = {stem(w) for w in wanted}
    if not wanted or any(stems <= {stem(w) for w in (*view, *about)} for view in reading.variants):
        return None
    unknown = [p for p in reading.parts if not p.known]
    said = {stem(w) for p in reading.parts if p.known for m in p.meanings for w in phrase_words(m)}
    left = [w for w in wanted if stem(w) not in said]
    if len(unknown) == 1 and len(left) < len(wanted) and left:
        return unknown[0].text, " ".join(left)
    word = "".join(fold(w) for w in core)
    return (word, " ".join(wanted)) if len(word) > 1 and not word.isdigit() else None


def glossary_text(proposed: Iterable[Word], known: Entries) -> str:
    """Lines for the glossary that are not in it yet; "" for none."""
    have = {(s, fold(w)) for s, lines in known.items() for left, _ in lines for w in left.split(",")}
    by_source: dict[str, list[str]] = defaultdict(list)
    for source, word, meaning, times in proposed:
        if (source, word) not in have and ("", word) not in have:
            by_source[source].append(f"  {word}: {meaning}  # {times} {'column' if times == 1 else 'columns'}")
    return "".join(f"{source}:\n" + "\n".join(lines) + "\n" for source, lines in sorted(by_source.items()))
