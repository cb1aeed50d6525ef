"""What kind of value the names say, where types say nothing or say text of everything."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from dbt_schema_embed.match.block import Block, Matrix
from dbt_schema_embed.match.phrases import Words
from dbt_schema_embed.records import Column
from dbt_schema_embed.types import TypeFamily, type_family

_WORDS = {
    "moment": """date time datetime timestamp at on since until birthday dob day deadline expiry expiration start end
        begin beginning ending finish departure arrival moment dt ts""",
    "year": "year month week quarter period",
    "flag": """flag indicator yn bool boolean enabled disabled active inactive deleted archived verified required valid
        blocked locked hidden visible allowed""",
    "id": "id key uuid guid pk fk sk identifier number ref reference serial hash",
    "code": "code iso barcode ean sku abbreviation symbol",
    "amount": """amount price cost total subtotal balance revenue fee tax vat salary wage discount sum premium budget
        debit credit spend sales gross net margin profit payment income expense charge turnover earnings deposit""",
    "measure": """count quantity qty size age duration length width height weight distance minutes hours days seconds
        months years score points latitude longitude percent percentage rate ratio rank sequence average volume area
        temperature speed share limit units""",
    "text": """name title label description comment comments note notes text message remark remarks subject body summary
        content firstname lastname surname""",
    "class": """type kind category class status group segment stage phase tier gender sex role mode method channel
        priority language currency unit severity""",
    "place": "address street city town province region country county zip zipcode postal postcode place location",
    "contact": "email mail phone telephone mobile fax url link website domain",
}
_KIND_OF = {word: kind for kind, some in _WORDS.items() for word in some.split()}
_ASKS = frozenset({"is", "has", "was", "can", "should", "had", "does"})
_FIRST = frozenset(
    {"id", "code", "name", "date", "type", "amount", "quantity", "description", "price", "count", "status"}
)
"""Words that say the kind also in front, as languages have them that put the noun first."""
_OF_TYPE: dict[TypeFamily | None, str] = {
    "date": "moment", "timestamp": "moment", "time": "moment", "boolean": "flag", "decimal": "amount",
    "float": "measure", "uuid": "id",
}  # fmt: skip
"""What a type says where the name says no kind."""

_NEAR = {
    frozenset(pair.split()): worth
    for worth, pairs in {
        0.6: "amount measure|id code|code class|text class|moment year|text place|place code",
        0.3: "flag class|code text|flag moment|year measure|id text|id measure|measure code|id contact",
    }.items()
    for pair in pairs.split("|")
}


def kind_said(block: Block) -> Matrix:
    """1 where both names say the same kind of value (a moment, a flag, an id, an amount ...), less for kinds that stand
    for one another, 0 else; silent where one says none."""
    lefts = _kinds(block.columns, block.source_views)
    rights = _kinds(block.targets, block.target_views)
    place = {kind: at for at, kind in enumerate(dict.fromkeys((*lefts, *rights)))}
    worth = np.array([[_fit(a, b) for b in place] for a in place], np.float32)
    return worth[np.ix_([place[k] for k in lefts], [place[k] for k in rights])]


def _kinds(columns: Sequence[Column], views: Sequence[tuple[Words, ...]]) -> list[str | None]:
    """By the likeliest reading, which follows the words as they stand where it differs from them."""
    said = (_kind(some[min(1, len(some) - 1)]) if some else None for some in views)
    return [kind or _OF_TYPE.get(type_family(c.type)) for c, kind in zip(columns, said, strict=True)]


@lru_cache(maxsize=100_000)
def _kind(words: Words) -> str | None:
    """The kind that a name says, by its last word, else by its first, else by a word for a moment.

    >>> _kind(("is", "paid")), _kind(("date", "of", "birth")), _kind(("number", "of", "seats")), _kind(("colour",))
    ('flag', 'moment', 'measure', None)
    """
    if not words:
        return None
    if words[0] in _ASKS and len(words) > 1:
        return "flag"
    if words[0] in ("number", "count") and "of" in words:
        return "measure"
    if last := _KIND_OF.get(words[-1]):
        return last
    if words[0] in _FIRST:
        return _KIND_OF[words[0]]
    return "moment" if not {"date", "time", "datetime"}.isdisjoint(words) else None


def _fit(left: str | None, right: str | None) -> float:
    if left is None or right is None:
        return float("nan")
    return 1.0 if left == right else _NEAR.get(frozenset((left, right)), 0.0)
