"""Which languages a table speaks, by what its pieces say."""

import pytest

from dbt_schema_embed.match.spoken import best_cover

GERMAN, SPANISH, DUTCH = 3, 5, 7


def words(said: str, worth: float = 1.0) -> dict[str, float]:
    return dict.fromkeys(said.split(), worth)


@pytest.mark.parametrize(
    ("own", "rest", "spoken"),
    [
        ({}, {}, []),
        ({GERMAN: words("kunde")}, {}, [GERMAN]),
        ({GERMAN: words("kunde", 0.99)}, {}, []),  # less than a word
        ({GERMAN: words("a b", 0.4)}, {}, []),
        ({GERMAN: words("a b c", 0.4)}, {}, [GERMAN]),
        ({GERMAN: words("kunde"), DUTCH: words("kunde")}, {}, [GERMAN]),  # one explains as much: the first known
        ({GERMAN: words("klant"), DUTCH: words("klant naam")}, {}, [DUTCH]),
        # a second one explains two words that the first does not, and three tenths as much
        ({GERMAN: words("a b c"), SPANISH: words("d e")}, {}, [GERMAN, SPANISH]),
        ({GERMAN: words("a b c"), SPANISH: words("c d")}, {}, [GERMAN]),
        ({GERMAN: words("a b c d e f g"), SPANISH: words("h i")}, {}, [GERMAN]),
        ({GERMAN: words("a b c d e f"), SPANISH: words("h i")}, {}, [GERMAN, SPANISH]),
        ({GERMAN: words("a b c"), SPANISH: words("d e"), DUTCH: words("f g")}, {}, [GERMAN, SPANISH]),  # two at most
        # pieces of the source's other tables count three tenths, once
        ({}, {GERMAN: words("a b c d")}, [GERMAN]),
        ({}, {GERMAN: words("a b c")}, []),
        ({GERMAN: words("a", 0.4)}, {GERMAN: words("a b c")}, [GERMAN]),
        ({GERMAN: words("a", 0.4)}, {GERMAN: words("a b")}, []),
        ({GERMAN: words("a b")}, {SPANISH: words("c d e f g h i")}, [SPANISH, GERMAN]),
        ({GERMAN: words("a b c")}, {SPANISH: words("c d e f g h"), GERMAN: words("d e f g h")}, [GERMAN]),
    ],
)
def test_the_best_language_and_one_that_adds_much(own: dict, rest: dict, spoken: list[int]) -> None:
    assert best_cover(own, rest) == spoken
