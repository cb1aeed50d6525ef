"""Glued words cut into known pieces: ``gebdat``, ``kundennummer``, ``acctnumber``."""

from collections.abc import Callable

LONGEST = 24
"""Letters of a piece that is looked up within a word."""
ENGLISH = 0.4
"""What an English piece costs in a foreign table."""


def cut(word: str, dearness: Callable[[str], float]) -> tuple[tuple[str, bool], ...]:
    """The pieces of a glued word that explain its letters best, each with whether it is known.

    The whole word, not known, where they explain little. ``dearness``: what a piece costs beside its length, infinite
    where
    it is no word.
    """
    latin = word.isascii()
    size = len(word)
    cost = [0.0] + [1e9] * size
    back: list[tuple[int, bool]] = [(0, False)] * (size + 1)
    for end in range(1, size + 1):
        for start in range(max(0, end - LONGEST), end):
            length = end - start
            if (latin and length < 2) or length == size:
                continue
            price = cost[start] + (_PRICES.get(length, 1.0) if latin else 1.0 if length > 1 else 1.6)
            if price < cost[end]:
                price += dearness(word[start:end])
                if price < cost[end]:
                    cost[end], back[end] = price, (start, True)
        start = end - 1
        price = cost[start] + (_LETTER if start and not back[start][1] else _LETTER + _GAP)
        if price < cost[end]:
            cost[end], back[end] = price, (start, False)
    if not word or cost[size] > (_LATIN_LIMIT if latin else _OTHER_LIMIT) * size:
        return ((word, False),)
    pieces: list[tuple[str, bool]] = []
    end = size
    while end:
        start, known = back[end]
        if pieces and not known and not pieces[-1][1]:
            pieces[-1] = (word[start:end] + pieces[-1][0], False)
        else:
            pieces.append((word[start:end], known))
        end = start
    return tuple((piece, known) for piece, known in reversed(pieces) if known or len(piece) > 2)


_PRICES = {2: 2.2, 3: 1.5, 4: 1.1}
"""What a known piece of few letters costs; longer ones cost 1."""
_LETTER, _GAP = 1.0, 0.8
"""What a letter costs that no piece explains, and a run of them."""
_LATIN_LIMIT, _OTHER_LIMIT = 0.56, 0.85
"""Cost a letter above which a cut is chance: ``gebdat`` is 0.5, a word of another language cut in English 0.6 and
more."""
