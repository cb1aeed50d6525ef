"""Suggestions against what is known to be right: how often, how sure, and what was wrong."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from math import fsum
from typing import Any

from dbt_schema_embed.observe.truth import Place, Truth
from dbt_schema_embed.records import Suggestion

BANDS = (0.9, 0.7, 0.5, 0.0)
"""From which confidence each band begins, surest first."""


@dataclass(frozen=True, slots=True)
class Band:
    """The answers of one band of confidence."""

    least: float  # where it begins; it ends below the band before
    answers: int
    right: int

    @property
    def precision(self) -> float | None:
        """Share of the answers that are right, in [0, 1]; None without answers."""
        return self.right / self.answers if self.answers else None


@dataclass(frozen=True, slots=True)
class Tenth:
    """The answers whose confidence lies in one tenth of [0, 1]; there is at least one."""

    confidence: float  # their mean
    precision: float  # share of right ones, in [0, 1]
    answers: int


@dataclass(frozen=True, slots=True)
class Wrong:
    """An answer that is not the known one."""

    source: str  # unique_id
    source_column: str
    said: Place | None  # None: it said that the column maps to nothing
    truth: tuple[Place, ...]  # sorted; empty: the column maps to nothing
    confidence: float  # of what was said


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How well the suggestions fit. Shares are in [0, 1], and 0 where there is nothing to share."""

    tables: int
    columns: int  # scored
    mapped: int  # of these, columns that feed a model column
    recall_at_1: float  # of the mapped: the right one is the first candidate
    recall_at_5: float
    renamed: int  # mapped columns whose model column has another name
    renamed_recall_at_1: float
    precision: float  # of the answers given
    recall: float
    f1: float
    calibration_error: float  # expected, over the tenths of confidence
    tenths: tuple[Tenth, ...]  # least sure first; those without answers are left out
    said_tenths: tuple[Tenth, ...]  # the same with "nothing", which is an answer, too
    bands: tuple[Band, ...]
    further_down: int  # answers that are neither right nor wrong; counted in no other figure but as not recalled
    nothing: int  # columns of which it said that they map to nothing
    nothing_right: int
    sure_nothing: int  # of these, at a confidence of 0.9 and more
    sure_nothing_right: int
    undecided: int  # columns of which it could not tell; counted as not recalled, and not as wrong
    wrong: tuple[Wrong, ...]  # surest first

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        data = asdict(self)
        for name in ("tenths", "said_tenths"):
            data[name] = [{k: round(v, 4) for k, v in tenth.items()} for tenth in data[name]]
        data["bands"] = [asdict(band) | {"precision": band.precision} for band in self.bands]
        places = ({"said": _pair(w.said), "truth": [_pair(place) for place in w.truth]} for w in self.wrong)
        data["wrong"] = [said | place for said, place in zip(data["wrong"], places, strict=True)]
        return {k: round(v, 4) if isinstance(v, float) else v for k, v in data.items()}


def _pair(place: Place | None) -> dict[str, str] | None:
    return None if place is None else {"model": place[0], "model_column": place[1]}


@dataclass(frozen=True, slots=True)
class _Scored:
    """One column, scored."""

    row: Suggestion
    truth: frozenset[Place]
    rank: int  # of the right candidate, from 1; 0: it is not among them
    answered: bool  # a column was named, and it is known whether it is right
    right: bool  # the column named is the right one


def evaluate(truth: Truth, rows: Iterable[Suggestion]) -> Evaluation:
    """Score ``rows``; those of columns without a known answer are left out.

    Candidates and answers that are neither right nor wrong (`Truth.open`) are passed over.
    """
    scored = [_scored(row, truth) for row in rows if (row.source, row.source_column.lower()) in truth.answers]
    mapped = [s for s in scored if s.truth]
    renamed = [s for s in mapped if s.row.source_column.lower() not in {name for _, name in s.truth}]
    answered = [s for s in scored if s.answered]
    empty = [s for s in scored if s.row.answer == "nothing"]
    sure = [s for s in empty if s.row.confidence >= BANDS[0]]
    undecided = sum(s.row.answer == "undecided" for s in scored)
    marks = [(s.row.confidence, s.right) for s in answered]
    tenths = _tenths(marks)
    right = sum(s.right for s in answered)
    precision, recall = _share(right, len(answered)), _share(right, len(mapped))
    return Evaluation(
        tables=len({s.row.source for s in scored}),
        columns=len(scored),
        mapped=len(mapped),
        recall_at_1=_share(sum(s.rank == 1 for s in mapped), len(mapped)),
        recall_at_5=_share(sum(1 <= s.rank <= 5 for s in mapped), len(mapped)),
        renamed=len(renamed),
        renamed_recall_at_1=_share(sum(s.rank == 1 for s in renamed), len(renamed)),
        precision=precision,
        recall=recall,
        f1=2 * precision * recall / (precision + recall) if right else 0.0,
        calibration_error=_calibration_error(tenths),
        tenths=tenths,
        said_tenths=_tenths([*marks, *((s.row.confidence, not s.truth) for s in empty)]),
        bands=_bands(answered),
        further_down=len(scored) - len(answered) - len(empty) - undecided,
        nothing=len(empty),
        nothing_right=sum(not s.truth for s in empty),
        sure_nothing=len(sure),
        sure_nothing_right=sum(not s.truth for s in sure),
        undecided=undecided,
        wrong=_wrong(scored),
    )


def _scored(row: Suggestion, truth: Truth) -> _Scored:
    place = (row.source, row.source_column.lower())
    right = truth.answers[place]
    said = _said(row)
    ranked = [(c.model, c.model_column.lower()) for c in row.candidates]
    ranked = [candidate for candidate in ranked if not truth.open(place, candidate)]
    rank = next((at for at, candidate in enumerate(ranked, 1) if candidate in right), 0)
    return _Scored(row, right, rank, said is not None and not truth.open(place, said), said in right)


def _said(row: Suggestion) -> Place | None:
    return None if row.model is None or row.model_column is None else (row.model, row.model_column.lower())


def _share(part: float, whole: int) -> float:
    return part / whole if whole else 0.0


def _bands(answered: Sequence[_Scored]) -> tuple[Band, ...]:
    held: dict[float, list[bool]] = {least: [] for least in BANDS}
    for s in answered:
        held[next(least for least in BANDS if s.row.confidence >= least)].append(s.right)
    return tuple(Band(least, len(rights), sum(rights)) for least, rights in held.items())


def _tenths(marks: Sequence[tuple[float, bool]]) -> tuple[Tenth, ...]:
    """Of answers as (confidence, whether it is right)."""
    held: dict[int, list[tuple[float, bool]]] = {}
    for confidence, right in marks:
        held.setdefault(min(int(confidence * 10), 9), []).append((confidence, right))
    return tuple(
        Tenth(fsum(c for c, _ in some) / len(some), sum(right for _, right in some) / len(some), len(some))
        for _, some in sorted(held.items())
    )


def _calibration_error(tenths: Sequence[Tenth]) -> float:
    """Mean over the answers of how far confidence and share of right ones are apart in their tenth of [0, 1].

    Naeini, Cooper, Hauskrecht: Obtaining Well Calibrated Probabilities Using Bayesian Binning, AAAI 2015.
    """
    answers = sum(tenth.answers for tenth in tenths)
    return _share(fsum(t.answers * abs(t.confidence - t.precision) for t in tenths), answers)


def _wrong(scored: Iterable[_Scored]) -> tuple[Wrong, ...]:
    found = [
        Wrong(s.row.source, s.row.source_column, _said(s.row), tuple(sorted(s.truth)), s.row.confidence)
        for s in scored
        if (s.answered and not s.right) or (s.row.answer == "nothing" and s.truth)
    ]
    return tuple(sorted(found, key=lambda w: (-w.confidence, w.source, w.source_column)))
