"""What is done with the words of names; `words.py` cuts them."""

from functools import lru_cache

from dbt_schema_embed.match.lexicon import LAYER_PREFIXES
from dbt_schema_embed.words import words


@lru_cache(maxsize=200_000)
def squash(name: str) -> str:
    """The words of a name run together: ``order_id`` and ``OrderId`` are equal."""
    return "".join(words(name))


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """A word without its English plural or verb ending; short words stay.

    >>> [stem(w) for w in ("orders", "categories", "addresses", "creates", "created", "status", "charges", "charge")]
    ['order', 'category', 'address', 'creat', 'creat', 'status', 'charg', 'charg']
    """
    word = singular(word)
    if len(word) > 5 and word.endswith("ing"):
        return word[:-3]
    if len(word) > 4 and word.endswith("ed"):
        return word[:-2]
    if len(word) > 4 and word.endswith("e"):
        return word[:-1]
    return word


def singular(word: str) -> str:
    """A word without its English plural ending.

    >>> [singular(w) for w in ("patients", "categories", "boxes", "address", "status")]
    ['patient', 'category', 'box', 'address', 'status']
    """
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def is_subsequence(short: str, long: str) -> bool:
    """Do the letters of ``short`` stand in ``long``, in order?"""
    rest = iter(long)
    return all(letter in rest for letter in short)


@lru_cache(maxsize=200_000)
def is_run(text: str, parts: tuple[str, ...], *, whole: bool = True) -> bool:
    """Is ``text`` made of a piece of every part, in order, each beginning as the part does?

    A piece is a beginning of the part (``consc`` of confidence score) or, where ``whole`` is False, also letters of it
    in order (``crlm`` of credit limit). Cost is bounded by len(text) x len(parts): the set of positions reached is
    carried
    from part to part.
    """
    reached = {0}
    for part in parts:
        step = set()
        for at in reached:
            size = _taken(text, at, part) if whole else _picked(text, at, part)
            step |= set(range(at + 1, at + size + 1))
        if not step:
            return False
        reached = step
    return len(text) in reached


def _taken(text: str, at: int, part: str) -> int:
    """How many letters of ``part``'s beginning stand in ``text`` from ``at``."""
    size = 0
    while size < len(part) and at + size < len(text) and text[at + size] == part[size]:
        size += 1
    return size


def _picked(text: str, at: int, part: str) -> int:
    """How many letters of ``text`` from ``at`` are letters of ``part`` in order, the first of them its first."""
    if at >= len(text) or text[at] != part[:1]:
        return 0
    size, place = 0, -1
    while at + size < len(text):
        place = part.find(text[at + size], place + 1)
        if place < 0:
            break
        size += 1
    return size


@lru_cache(maxsize=50_000)
def entity(relation_name: str) -> tuple[str, ...]:
    """What a relation is about: its name without layer prefix and, where ``__`` stands, without what precedes it.

    >>> entity("stg_stripe__credit_notes"), entity("raw_orders"), entity("orders")
    (('credit', 'notes'), ('orders',), ('orders',))
    """
    tail = relation_name.rsplit("__", 1)[-1] if "__" in relation_name.strip("_") else relation_name
    parts = words(tail) or words(relation_name)
    while len(parts) > 1 and parts[0] in LAYER_PREFIXES:
        parts = parts[1:]
    return parts


@lru_cache(maxsize=100_000)
def segment(word: str, vocabulary: frozenset[str]) -> tuple[str, ...]:
    """A glued word cut into the fewest known words of two letters or more, or the word alone.

    >>> segment("billtocontact", frozenset({"bill", "to", "contact"}))
    ('bill', 'to', 'contact')
    """
    best: list[tuple[str, ...] | None] = [()] + [None] * len(word)
    for end in range(2, len(word) + 1):
        for start in range(max(0, end - 20), end - 1):
            before = best[start]
            piece = word[start:end]
            if before is None or piece not in vocabulary or (start == 0 and end == len(word)):
                continue
            kept = best[end]
            if kept is None or len(before) + 1 < len(kept):
                best[end] = (*before, piece)
    return best[-1] or (word,)
