"""Names as people write them in databases, cut into words: `words` for comparing, `spoken` for an encoder.

Two cuts, for each is what vectors and weights were made with: an encoder knows "q1" and "ids", and what compares words
wants every digit and every hump for itself.
"""

import re
import unicodedata
from functools import lru_cache

NAME_LIMIT = 200
"""Characters of a name that are spoken: longer ones are not names."""

_MARKS = "".join(mark for mark in map(chr, range(0x300, 0x1C00)) if unicodedata.category(mark)[0] == "M")
"""Vowels and tones of Thai, Hindi and other scripts: no letters to ``re``, but parts of words."""
_VOWELS = str.maketrans("", "", "aeiou")
_RUN = re.compile(rf"(?:[^\W_]|[{_MARKS}])+")
_ASCII_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@lru_cache(maxsize=200_000)
def words(name: str) -> tuple[str, ...]:
    """The words of a name in lower case.

    >>> words("stripeCustomerID2"), words("prjct_strt_dt"), words("URLHost")
    (('stripe', 'customer', 'id', '2'), ('prjct', 'strt', 'dt'), ('url', 'host'))
    """
    if _is_plain(name):
        return tuple(filter(None, name.lower().split("_")))
    plain = unicodedata.normalize("NFKC", name)
    found = [word.lower() for run in _RUN.findall(plain) for word in _humps(run)]
    return tuple(found) or ((plain.lower(),) if plain.strip() else ())


def _is_plain(name: str) -> bool:
    """Whether a name is English letters of one case and underscores, as most are: no letter needs a look of its own."""
    return name.isascii() and (name.islower() or name.isupper()) and name.replace("_", "").isalpha()


def _humps(run: str) -> list[str]:
    """A run of letters and digits cut where digits begin or end, and at camel humps: fooBar, FOOBar."""
    if run.isascii():
        return _ASCII_WORD.findall(run)
    parts, start = [], 0
    for at in range(1, len(run)):
        before, here, after = run[at - 1], run[at], run[at + 1 : at + 2]
        hump = here.isupper() and (before.islower() or (before.isupper() and after.islower()))
        if hump or before.isdigit() != here.isdigit():
            parts.append(run[start:at])
            start = at
    return [*parts, run[start:]]


@lru_cache(maxsize=65536)
def spoken(name: str) -> str:
    """A name split into lower-case words; a name without a letter or digit stays as it is.

    >>> [spoken(n) for n in ("customer_id", "CustomerID", "HTTPStatus", "address2", "_fivetran_synced", "orderIDs")]
    ['customer id', 'customer id', 'http status', 'address 2', 'fivetran synced', 'order ids']
    """
    if len(name) <= NAME_LIMIT and _is_plain(name):
        return " ".join(filter(None, name.lower().split("_")))
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


@lru_cache(maxsize=200_000)
def skeleton(text: str) -> str:
    """The first letter and the consonants after it: what vowel-less names keep."""
    return text[:1] + text[1:].translate(_VOWELS)
