"""Figures that can be counted by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_schema_embed.observe.evaluation import Tenth, Wrong, evaluate
from dbt_schema_embed.observe.truth import Truth
from dbt_schema_embed.records import Candidate, Suggestion


def row(column: str, said: str | None, confidence: float, *candidates: str) -> Suggestion:
    """Model columns are in "m", but for "model.column"."""

    def place(name: str) -> tuple[str, str]:
        model, dot, made = name.rpartition(".")
        return (model, made) if dot else ("m", name)

    listed = tuple(Candidate(*place(name), 0.5) for name in candidates)
    return Suggestion("s", column, *(place(said) if said else (None, None)), confidence, candidates=listed)


def truth(**answers: str | None) -> Truth:
    return Truth({("s", c): frozenset({("m", a)} if a else ()) for c, a in answers.items()})


def test_figures() -> None:
    found = evaluate(
        truth(a="a", b="bee", c="sea", d=None, e=None),
        [
            row("A", "A", 0.95, "a", "b"),
            row("b", "c", 0.75, "c", "bee"),
            row("c", None, 0.65, "x", "y"),
            row("d", None, 0.99),
            row("e", "e", 0.45, "e"),
            row("f", "f", 0.99, "f"),  # no answer is known
        ],
    )
    assert (found.tables, found.columns, found.mapped, found.renamed) == (1, 5, 3, 2)
    assert (found.recall_at_1, found.recall_at_5) == (pytest.approx(1 / 3), pytest.approx(2 / 3))
    assert found.renamed_recall_at_1 == 0
    assert (found.precision, found.recall, found.f1) == (pytest.approx(1 / 3),) * 3
    assert [(b.least, b.answers, b.right) for b in found.bands] == [(0.9, 1, 1), (0.7, 1, 0), (0.5, 0, 0), (0.0, 1, 0)]
    assert [b.precision for b in found.bands] == [1, 0, None, 0]
    assert found.calibration_error == pytest.approx((0.05 + 0.75 + 0.45) / 3)
    assert found.tenths == (Tenth(0.45, 0, 1), Tenth(0.75, 0, 1), Tenth(0.95, 1, 1))
    assert (found.nothing, found.nothing_right) == (2, 1)
    assert found.wrong == (
        Wrong("s", "b", ("m", "c"), (("m", "bee"),), 0.75),
        Wrong("s", "c", None, (("m", "sea"),), 0.65),
        Wrong("s", "e", ("m", "e"), (), 0.45),
    )


def test_what_is_neither_right_nor_wrong_is_passed_over() -> None:
    known = Truth({("s", "a"): frozenset({("m", "a")})}, frozenset({("s", "a", "mart", "a")}))
    found = evaluate(known, [row("a", "mart.a", 0.9, "mart.a", "a")])
    assert (found.recall_at_1, found.recall, sum(b.answers for b in found.bands)) == (1, 0, 0)
    assert found.further_down == 1
    assert found.wrong == ()


def test_nothing_to_score_gives_zeros() -> None:
    found = evaluate(truth(), [row("a", "a", 0.9, "a")])
    assert (found.columns, found.recall_at_1, found.f1, found.calibration_error) == (0, 0, 0, 0)


def test_plain_values_hold_every_figure() -> None:
    data = evaluate(truth(a="b"), [row("a", "c", 0.5, "c")]).to_dict()
    assert data["bands"][2] == {"least": 0.5, "answers": 1, "right": 0, "precision": 0.0}
    assert data["wrong"] == [
        {
            "source": "s",
            "source_column": "a",
            "said": {"model": "m", "model_column": "c"},
            "truth": [{"model": "m", "model_column": "b"}],
            "confidence": 0.5,
        }
    ]


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=40))
def test_every_answer_is_in_one_band_and_shares_are_shares(answers: list[tuple[float, bool]]) -> None:
    known = truth(**{f"c{n}": "right" for n in range(len(answers))})
    rows = [row(f"c{n}", "right" if fits else "other", share) for n, (share, fits) in enumerate(answers)]
    found = evaluate(known, rows)
    assert sum(b.answers for b in found.bands) == len(answers)
    assert sum(b.right for b in found.bands) == sum(fits for _, fits in answers)
    assert 0 <= found.calibration_error <= 1
    assert len(found.wrong) == len(answers) - sum(fits for _, fits in answers)
    assert evaluate(known, rows[::-1]) == found
