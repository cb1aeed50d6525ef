"""What no screen and no message shows, whatever the settings say: e-mail addresses, card numbers, keys and tokens.

Texts come from warehouses and may be long: every expression here starts at the start of a word only, or takes few
characters, so that time grows as the text does.
"""

import re

_EMAIL = re.compile(r"(?<![^\s@<>()\"'])[^\s@<>()\"']++@[^\s@<>()\"']+")
_CARD = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
_KEY = re.compile(
    r"-----BEGIN.*|\b(?:(?:sk|pk|rk|whsec|gh[a-z]|xox[a-z])[-_]|AKIA|AIza)\w{8,}"  # as makers of keys begin them
    r"|(?<![\w+/=.~-])(?=[\w+/=.~-]*\d)(?=[\w+/=.~-]*[A-Za-z])[\w+/=.~-]{20,}",  # long, of letters and digits
    re.DOTALL,
)


def hidden(text: str) -> str:
    """``text`` with its secrets replaced by the word for their kind.

    >>> hidden("ann@example.com paid with 4111 1111 1111 1111 by token tok_1MzAbCdEfGhIjKlMnOpQ on 2024-01-02")
    '(e-mail address) paid with (card number) by token (key or token) on 2024-01-02'
    """
    text = _EMAIL.sub("(e-mail address)", text)
    text = _CARD.sub(lambda found: "(card number)" if _is_card(found[0]) else found[0], text)
    return _KEY.sub("(key or token)", text)


_QUOTED = tuple(
    re.compile(rf"{opening}.*{closing}|{opening}.*", re.DOTALL)
    for opening, closing in (
        (r"(?<!\w)'", "'"),
        ('"', '"'),
        ("`", "`"),
        (r"(?:=|contains )\(", r"\)"),
        ("[Vv]alue: ", "\\n"),
    )
)


def without_values(text: str) -> str:
    """What a database says, without what it quotes of the rows: all from the first quote to the last one of its kind.

    A name in quotes goes, too, for it looks like a value; so does the rest where a quote is not closed.

    >>> without_values('invalid input syntax for type integer: "Canary Smith"')
    'invalid input syntax for type integer: (not shown)'
    """
    for quoted in _QUOTED:
        text = quoted.sub("(not shown)", text, count=1)
    return text


def _is_card(text: str) -> bool:
    """Whether the digits have the check digit of card numbers (Luhn)."""
    digits = [int(c) for c in reversed(text) if c.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
