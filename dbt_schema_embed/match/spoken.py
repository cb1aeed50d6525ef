"""Which languages a table speaks, by the pieces of its names that are words of each."""

from collections.abc import Mapping

BESIDE = 0.3
"""What a piece counts that only the source's other tables have."""


def best_cover(
    own: Mapping[int, Mapping[str, float]], rest: Mapping[int, Mapping[str, float]], least: float = 1.0
) -> list[int]:
    """The languages that explain the pieces heard, at most two: the best, and one that adds much to it.

    ``own``: of the table itself; ``rest``: of its whole source. ``least``: what the first one explains, and 1.
    """
    chosen: list[int] = []
    explained: set[str] = set()
    first = 0.0
    for _ in range(2):
        left = {}
        for origin in own.keys() | rest.keys():
            here, there = own.get(origin, {}), rest.get(origin, {})
            beside = sum(w for k, w in there.items() if k not in explained and k not in here)
            left[origin] = sum(w for k, w in here.items() if k not in explained) + BESIDE * beside
        best = max(left, key=lambda o: (left[o], -o), default=None)
        if best is None or left[best] < (max(1.0, least) if not chosen else max(2.0, _SECOND * first)):
            break
        chosen.append(best)
        first = first or left[best]
        explained |= set(own.get(best, ())) | set(rest.get(best, ()))
    return chosen


_SECOND = 0.3
"""Share of what the first language explains that a second one must add."""
