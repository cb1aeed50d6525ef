"""What no screen and no message shows, whatever the settings say: e-mail addresses, card numbers, keys and tokens."""

import re

_EMAIL = re.compile(r"[^\s@<>()\"']+@[^\s@<>()\"']+")
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


def _is_card(text: str) -> bool:
    """Whether the digits have the check digit of card numbers (Luhn)."""
    digits = [int(c) for c in reversed(text) if c.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
