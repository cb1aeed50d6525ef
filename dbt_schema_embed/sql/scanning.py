"""Marked parts of a text, in time that grows as the text does.

An expression that goes from an opening to its closing (``\\{#.*?#\\}``) looks through the rest of the text at each
opening that is never closed; here the first such opening ends the work.
"""


def cut_out(text: str, opening: str, closing: str, instead: str = "") -> str:
    """``text`` without what stands between ``opening`` and ``closing``, these two included.

    >>> cut_out("a {# b #} c {# d", "{#", "#}")
    'a  c {# d'
    """
    kept = []
    at = 0
    while (start := text.find(opening, at)) >= 0 and (end := text.find(closing, start + len(opening))) >= 0:
        kept += [text[at:start], instead]
        at = end + len(closing)
    return "".join(kept) + text[at:]
