"""int8 serves only where it proves faithful and faster; a refusal shows the figures."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dbt_schema_embed.embed import int8_trial
from dbt_schema_embed.embed.batches import Limits
from dbt_schema_embed.embed.int8_trial import TEXTS, Trial, admit, measure
from dbt_schema_embed.embed.stats import EmbedStats
from dbt_schema_embed.errors import ConfigError
from tests.embed.encoders import hash_rows

CLOCK = [0.0]


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time passes only where a candidate works: a busy machine is not part of the figures."""
    monkeypatch.setattr(int8_trial.time, "perf_counter", lambda: CLOCK[0])


class Candidate:
    """An encoder of a given speed, turned away from the true vectors by a given cosine."""

    name = "candidate"

    def __init__(self, seconds: float, cosine: float = 1.0) -> None:
        self.calls = 0
        self._seconds = seconds
        self._cosine = cosine

    def encode(self, texts: Sequence[str], limits: Limits, stats: EmbedStats) -> Iterator[NDArray[np.float32]]:
        """All rows at once."""
        self.calls += 1
        CLOCK[0] += self._seconds
        rows = hash_rows(texts)
        aside = np.roll(rows, 1, axis=1)
        aside -= np.einsum("ij,ij->i", aside, rows)[:, None] * rows
        aside /= np.linalg.norm(aside, axis=1, keepdims=True)
        yield (self._cosine * rows + np.sqrt(1 - self._cosine**2) * aside).astype(np.float32)


def test_a_candidate_that_proves_itself_is_admitted(tmp_path: Path) -> None:
    """Decided once and remembered: later runs need no float32 encoder."""
    loads: list[int] = []

    def float32() -> Candidate:
        loads.append(1)
        return Candidate(0.04)

    for _ in range(2):
        admit(Candidate(0.01, 0.999), float32, tmp_path / "trials" / "int8.json")
    assert len(loads) == 1


@pytest.mark.parametrize(("seconds", "cosine", "figure"), [(0.01, 0.994, r"0\.9940 \(at"), (0.04, 0.999, r"speed-up")])
def test_a_refusal_shows_the_figures(tmp_path: Path, seconds: float, cosine: float, figure: str) -> None:
    """Each time, also from memory."""
    for _ in range(2):
        with pytest.raises(ConfigError, match=figure) as problem:
            admit(Candidate(seconds, cosine), lambda: Candidate(0.04), tmp_path / "int8.json")
        assert problem.value.message.startswith("quantization int8 is refused on this machine: mean cosine to float32 ")
        assert problem.value.hint == "set quantization to float32"


def test_figures() -> None:
    """The mean cosine, and how many times as fast."""
    trial = measure(Candidate(0.01, 0.99), Candidate(0.03))
    assert trial.cosine == pytest.approx(0.99, abs=1e-4)
    assert trial.speed_up == pytest.approx(3, abs=0.01)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"cosine": "high", "speed_up": 2}', b"\xff"])
def test_a_strange_memory_is_measured_anew(tmp_path: Path, content: bytes) -> None:
    """Not believed."""
    path = tmp_path / "int8.json"
    path.write_bytes(content)
    int8 = Candidate(0.001)
    admit(int8, lambda: Candidate(0.01), path)
    assert int8.calls > 0
    assert path.read_bytes().startswith(b'{"cosine":1.0,')


def test_it_works_where_nothing_can_be_kept(tmp_path: Path) -> None:
    """A folder that cannot be made."""
    (tmp_path / "trials").write_text("in the way")
    admit(Candidate(0.001), lambda: Candidate(0.01), tmp_path / "trials" / "int8.json")


def test_the_texts_are_distinct() -> None:
    """Or the mean would count some twice."""
    assert len(set(TEXTS)) == len(TEXTS) == 108
    assert Trial(1.0, 2.0).cosine == 1.0
