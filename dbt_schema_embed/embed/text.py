"""The texts that stand for a column: its name, its name within its table, and its description, each for itself.

Facets are encoded and scored separately. Measured on real projects: type words in a text hurt, long shared prose hurts,
and the table tells `id` in one table from `id` in another.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from dbt_schema_embed.records import Column, Relation

TEXT_VERSION = 1
"""Part of every memo key: raised when a rule below changes what text a column gets."""

DESCRIPTION_LIMIT = 240
"""Characters of a description that are encoded; prose beyond the first sentences is shared between columns."""

VALUES_SHOWN, VALUE_LIMIT = 6, 40
"""Sample values that stand for a column in the text of a pair, and the characters of each."""

NAME_LIMIT = 200
"""Characters of a name that are read: longer ones are not names."""

_LAYER = re.compile(r"^(?:stg|base|src|raw|int|fct|fact|dim)_+(?=.)", re.IGNORECASE)
_TEMPORARY = re.compile(r"(?<=.)_tmp$", re.IGNORECASE)
_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_MARKUP = re.compile(r"[`*]+|\[(?P<label>[^\]]*)\]\([^)]*\)")


@dataclass(frozen=True, slots=True)
class FacetTexts:
    """What to encode for a relation. Each facet has one text a column, in order; "" means there is nothing to say."""

    facets: Mapping[str, tuple[str, ...]]  # "name", "in_table", "description"; of `pair_texts` those that fit there
    table: str  # words of the relation's own name
    private: frozenset[str] = frozenset()  # facets whose texts hold sample values: not to be remembered on disk


def column_texts(relation: Relation) -> FacetTexts:
    """The texts of every column of ``relation`` and of the relation itself.

    >>> column_texts(Relation("m", "stg_stripe__charges", "model", (Column("customerId"),))).facets["in_table"]
    ('charges: customer id',)
    """
    table = table_words(relation)
    names = tuple(words(c.name) for c in relation.columns)
    return FacetTexts(
        facets={
            "name": names,
            "in_table": tuple(f"{table}: {name}" if table and name else name for name in names),
            "description": tuple(_description(c) for c in relation.columns),
        },
        table=table,
    )


def pair_texts(relation: Relation) -> FacetTexts:
    """As `column_texts`, with what counts where two tables stand alone: "described", "with_values" and "values".

    >>> table = Relation("t", "t", "table", (Column("sex", description="At birth.", values=("male", "female")),))
    >>> [pair_texts(table).facets[name] for name in ("described", "with_values", "values")]
    [('sex: At birth.',), ('sex: male, female',), ('male, female',)]
    """
    plain = column_texts(relation)
    names, described = plain.facets["name"], plain.facets["description"]
    values = tuple(_some_values(c) for c in relation.columns)
    more = {
        "described": tuple(_joined(n, d) for n, d in zip(names, described, strict=True)),
        "with_values": tuple(_joined(n, v) for n, v in zip(names, values, strict=True)),
        "values": values,
    }
    return FacetTexts({**plain.facets, **more}, plain.table, frozenset({"with_values", "values"}))


def _joined(name: str, rest: str) -> str:
    return f"{name}: {rest}" if rest else name


def _some_values(column: Column) -> str:
    """The first values of a column of words; "" for numbers, dates and codes, which mean nothing to an encoder."""
    few = [v.strip()[:VALUE_LIMIT] for v in (column.values or column.accepted_values)[:VALUES_SHOWN]]
    wordy = [v for v in few if sum(c.isalpha() for c in v) > len(v) / 2]
    return ", ".join(few) if 2 * len(wordy) > len(few) else ""


def table_words(relation: Relation) -> str:
    """The words of a relation's name without its layer, vendor and "_tmp": "stg_stripe__charges" -> "charges"."""
    name = relation.name[:NAME_LIMIT].strip("_")
    bare = name.rsplit("__", 1)[-1]
    bare = _TEMPORARY.sub("", _LAYER.sub("", bare))
    vendor = relation.source_name.lower() + "_"
    if len(vendor) > 1 and bare.lower().startswith(vendor) and len(bare) > len(vendor):
        bare = bare[len(vendor) :]
    return words(bare)


@lru_cache(maxsize=65536)
def words(name: str) -> str:
    """A name split into lower-case words; a name without a letter or digit stays as it is.

    >>> [words(n) for n in ("customer_id", "CustomerID", "HTTPStatus", "address2", "_fivetran_synced", "orderIDs")]
    ['customer id', 'customer id', 'http status', 'address 2', 'fivetran synced', 'order ids']
    """
    name = unicodedata.normalize("NFKC", name[:NAME_LIMIT])
    text = "".join(c if _in_word(c) else " " for c in name)
    found = [word for run in text.split() for word in _split(run)]
    return " ".join(found).lower() or name.strip()


def _in_word(c: str) -> bool:
    # Marks belong to the letter before them in many scripts, though str.isalnum says no.
    return c.isalnum() or unicodedata.category(c).startswith("M")


def _split(run: str) -> list[str]:
    """Cut a run of letters and digits at camel humps, and digits from words of three letters or more."""
    parts, start = [], 0
    for at in range(1, len(run)):
        if _hump(run, at) or _number(run, at):
            parts.append(run[start:at])
            start = at
    return [*parts, run[start:]]


def _hump(run: str, at: int) -> bool:
    if not run[at].isupper():
        return False
    if run[at - 1].islower() or (run[at - 1].isdigit() and run[at + 1 : at + 2].islower()):
        return True
    plural = run[at + 1 : at + 2] == "s" and not run[at + 2 : at + 3].islower()  # the "s" of "IDs"
    return run[at - 1].isupper() and run[at + 1 : at + 2].islower() and not plural


def _number(run: str, at: int) -> bool:
    """Whether a digit meets a word here. Short ones stay whole: "q1", "s3", "7d"."""
    if run[at].isdigit() and run[at - 1].isalpha():
        return at >= 3 and run[at - 3 : at].isalpha()
    return run[at].isalpha() and run[at - 1].isdigit() and len(run) >= at + 3 and run[at : at + 3].isalpha()


def _description(column: Column) -> str:
    text = _JINJA.sub(" ", column.description[: 4 * DESCRIPTION_LIMIT])
    text = " ".join(_MARKUP.sub(lambda m: m["label"] or "", text).split())
    if len(text) <= DESCRIPTION_LIMIT:
        return text
    cut = text[:DESCRIPTION_LIMIT]
    end = max(cut.rfind(". "), cut.rfind("; "))
    return cut[: end + 1] if end > DESCRIPTION_LIMIT // 3 else cut.rsplit(" ", 1)[0]
