"""Fits the networks of match/networks.py and the numbers that make their probabilities hold, with torch."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from cases import Table, competing, hardest
from numpy.typing import NDArray

from dbt_schema_embed.match.assign import assign
from dbt_schema_embed.match.networks import Mode, Round, Weights
from dbt_schema_embed.match.odds import Odds, as_chosen, softmax
from dbt_schema_embed.match.pair_values import WHOLE_TABLE_NAMES

WIDTH = 24
"""Candidates of a table that are trained on: all right ones, and those hardest to tell apart."""
HIDDEN, ASIDE = 24, 12
"""Units of a network's first layer, and of the one that scores "nothing"."""
NETWORKS = (1, 3)
"""Networks of each round. One is enough to look at the table as a whole; the mean of three errs less and knows it."""
STEPS: dict[Mode, int] = {"project": 360, "tables": 120}
BATCH, STEP, DECAY, DROPPED = 600, 6e-3, 0.1, 0.3
"""Steps by mode, columns a step, the highest step size (one cycle), weight decay, and units dropped at random.

With less of the last two, or four times the steps, the networks learn their projects by heart: left-out F1 falls by
0.03 and confidence is too high. Four sets of pairs teach less than eighty projects: with 360 steps gdc's left-out MRR
is 0.69 for 0.73, mimic_omop_tables' 0.70 for 0.77.
"""


@dataclass
class Examples:
    """Tables as tensors: an entry is a source column with one candidate, a row is a source column."""

    values: torch.Tensor  # (entries, signals)
    row: torch.Tensor  # (entries,) the row of each, rising
    right: torch.Tensor  # (entries,) bool
    over: torch.Tensor  # (entries,) bool: neither right nor wrong
    rows: torch.Tensor  # (rows, r + 1)
    empty: torch.Tensor  # (rows,) bool
    weight: torch.Tensor  # (rows,) they sum to 1


def examples(tables: Sequence[Table], names: Sequence[str]) -> Examples:
    """The tables' training view, each without its easiest wrong candidates."""
    parts, first = [], 0
    for table in tables:
        rows = np.flatnonzero(table.used & (table.right.any(axis=1) | table.empty))
        if not len(rows):
            continue
        cut = np.ix_(rows, hardest(table, WIDTH))
        values = np.stack([table.values[name][cut].astype(np.float32) for name in names], -1)
        row = np.repeat(np.arange(first, first + len(rows)), values.shape[1])
        weight = np.full(len(rows), table.weight, np.float32)
        parts.append((
            values.reshape(-1, len(names)), row, table.right[cut].ravel(), table.passed_over[cut].ravel(),
            table.row_values[rows], table.empty[rows], weight,
        ))  # fmt: skip
        first += len(rows)
    found = Examples(*(torch.tensor(np.concatenate(part)) for part in zip(*parts, strict=True)))
    found.weight /= found.weight.sum()
    return found


class Network(torch.nn.Module):
    """One network: a pair's signals and its column's values to a score, the column's values to that of nothing."""

    def __init__(self, signals: int, rows: int) -> None:
        super().__init__()
        self.first = torch.nn.Linear(2 * signals, HIDDEN)
        self.rows = torch.nn.Linear(rows, HIDDEN, bias=False)
        self.second = torch.nn.Linear(HIDDEN, HIDDEN // 2)
        self.third = torch.nn.Linear(HIDDEN // 2, 1)
        self.straight = torch.nn.Linear(2 * signals, 1, bias=False)
        torch.nn.init.zeros_(self.straight.weight)
        self.aside = torch.nn.Linear(rows, ASIDE)
        self.nothing = torch.nn.Linear(ASIDE, 1)

    def forward(self, values: torch.Tensor, rows: torch.Tensor, row: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(entries,) scores and (rows,) scores of nothing."""
        hidden = torch.relu(self.first(values) + self.rows(rows)[row])
        hidden = torch.nn.functional.dropout(hidden, DROPPED, self.training)
        deep = torch.relu(self.second(hidden))
        return (self.third(deep) + self.straight(values))[:, 0], self.nothing(torch.relu(self.aside(rows)))[:, 0]


def loss(scores: torch.Tensor, nothing: torch.Tensor, e: Examples) -> torch.Tensor:
    """Minus the weighted mean log probability of the truth."""
    scores = scores.masked_fill(e.over, -1e9)
    top = nothing.detach().scatter_reduce(0, e.row, scores.detach(), "amax")
    each, none = (scores - top[e.row]).exp(), (nothing - top).exp()
    total = none.index_add(0, e.row, each)
    true = (none * e.empty).index_add(0, e.row, each * e.right)
    return -(e.weight * (true.clamp_min(1e-30).log() - total.log())).sum()


def fit_network(data: Examples, seed: int, steps: int) -> Network:
    """A network trained on the data, in one cycle of AdamW (Loshchilov and Hutter 2019)."""
    torch.manual_seed(seed)
    count = len(data.weight)
    network = Network(data.values.shape[1], data.rows.shape[1])
    inputs = signed(data.values)
    starts = torch.searchsorted(data.row, torch.arange(count + 1))
    search = torch.optim.AdamW(network.parameters(), lr=STEP / 2, weight_decay=DECAY)
    passes = -(-steps * BATCH // count)
    cycle = torch.optim.lr_scheduler.OneCycleLR(search, max_lr=STEP, total_steps=passes * -(-count // BATCH))
    for _ in range(passes):
        for rows in torch.randperm(count).split(BATCH):
            entries = torch.cat([torch.arange(starts[r], starts[r + 1]) for r in rows.tolist()])
            row = torch.repeat_interleave(torch.arange(len(rows)), starts[rows + 1] - starts[rows])
            some = Examples(
                inputs[entries], row, data.right[entries], data.over[entries], data.rows[rows], data.empty[rows],
                data.weight[rows] * count / len(rows),
            )  # fmt: skip
            search.zero_grad()
            loss(*network(some.values, some.rows, some.row), some).backward()
            search.step()
            cycle.step()
    return network.eval()


def signed(values: torch.Tensor) -> torch.Tensor:
    """As `match.networks` sees signals: -1..1, 0 where silent, and then whether silent."""
    silent = torch.isnan(values)
    x = torch.where(silent, 0.5, values).clamp(0, 1) * 2 - 1
    return torch.cat([x, silent.float()], 1)


def fit(tables: Sequence[Table], names: Sequence[str], networks: int, steps: int) -> Round:
    """A round of the tables."""
    data = examples(tables, names)
    found = [fit_network(data, seed, steps) for seed in range(networks)]

    def of(name: str) -> list[NDArray[np.float32]]:
        return [network.state_dict()[name].numpy() for network in found]

    return Round(
        names=tuple(names),
        first=np.concatenate([w.T for w in of("first.weight")], 1),
        rows=np.concatenate([w.T for w in of("rows.weight")], 1),
        first_bias=np.concatenate(of("first.bias")),
        second=np.stack([w.T for w in of("second.weight")]),
        second_bias=np.stack(of("second.bias")),
        third=np.stack([w[0] for w in of("third.weight")]),
        straight=np.mean([w[0] for w in of("straight.weight")], axis=0),
        bias=float(np.mean([b[0] for b in of("third.bias")])),
        nothing=(
            np.stack([w.T for w in of("aside.weight")]), np.stack(of("aside.bias")),
            np.stack([w[0] for w in of("nothing.weight")]), np.concatenate(of("nothing.bias")),
        ),
    )  # fmt: skip


Rounds = tuple[Round, Round]
Runs = Sequence[Sequence[Table]]
"""Tables by run: those of one run compete for its models."""


def two_rounds(runs: Runs, names: Sequence[str], mode: Mode) -> Rounds:
    """Both rounds. Gives every table the second one's values."""
    first = fit([t for run in runs for t in run], names, NETWORKS[0], STEPS[mode])
    seen = [t for run in runs for t in competing(run, [first_odds(t, first) for t in run])]
    second = fit(seen, (*names, *WHOLE_TABLE_NAMES), NETWORKS[1], STEPS[mode])
    return first, replace(second, straight=second.straight + _believed(second.names, mode))


BELIEVED: dict[Mode, dict[str, float]] = {
    "project": {"meaning_in_table": 8, "name_meaning": 4},
    "tables": dict.fromkeys(
        ("name_meaning", "name_with_values", "description", "value_meaning_relative", "value_letters_relative"), 2
    ),
}
"""Likenesses that speak for a pair whatever the networks learnt: what each adds to a score between none and all of it.

Projects and published sets are too few to learn from what vectors are worth where names are of another trade: left
out, mimic_omop_tables' MRR is 0.73 without, and 0.80 by the cosine of names alone. Chosen among some twenty sums in
each mode by the left-out scores (RESULTS.md); given to the networks before they learn, the same slopes do harm.
"""


def _believed(names: Sequence[str], mode: Mode) -> NDArray[np.float32]:
    """(2 s,) what `BELIEVED` adds to `Round.straight`, whose inputs go from -1 to 1 (0: silent), then silences."""
    slopes = BELIEVED[mode]
    return np.array([*(slopes.get(n, 0) / 2 for n in names), *(0 for _ in names)], np.float32)


def first_odds(table: Table, first: Round) -> Odds:
    """The first round's probabilities for a table."""
    return softmax(*first.scores(table.floats(first.names), table.row_values))


Asked = list[tuple[Table, NDArray[np.float32], NDArray[np.float32]]]
"""Tables with their scores, and those of nothing, of the second round."""


def ask(run: Sequence[Table], rounds: Rounds) -> Asked:
    """What the rounds say of the tables of one run."""
    first, second = rounds
    seen = competing(run, [first_odds(t, first) for t in run])
    return [(t, *second.scores(t.floats(second.names), t.row_values)) for t in seen]


def calibrate(asked: Asked) -> NDArray[np.float32]:
    """The (9,) calibration of `Weights` that makes the truth of left-out tables likeliest."""
    kept = [a for a in asked if (a[0].used & (a[0].right.any(axis=1) | a[0].empty)).any()]
    data, scores, nothing, unlike = _as_examples(kept)

    def missed(numbers: torch.Tensor) -> torch.Tensor:
        cool = (-(numbers[0] + numbers[1] * unlike)).exp()
        return loss(scores * cool[data.row], (nothing + numbers[2] + numbers[3] * unlike) * cool, data)

    # begun where the temperature alone does best: far from there the search finds no way
    starts = [torch.tensor([0.5 * step, 0.0, 0.0, 0.0]) for step in range(-2, 15)]
    numbers = min(starts, key=lambda start: float(missed(start))).clone().requires_grad_()
    search = torch.optim.LBFGS([numbers], max_iter=80, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        search.zero_grad()
        found = missed(numbers)
        found.backward()
        return found

    search.step(closure)
    found = np.concatenate([numbers.detach().numpy(), [1, 0, 1, 0, 0]]).astype(np.float32)
    return np.concatenate([found[:4], *_trust(asked, found)])


def _trust(asked: Asked, calibration: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The numbers of `odds.as_chosen`, (2,) of the chosen and (3,) of nothing: logistic regressions of right answers on
    the log odds of what was answered and, of nothing, the share of the table that was matched."""
    chosen, rest = [], []
    for table, found in answered(asked, _NONE, calibration):
        answers = np.array(assign(found))
        matched = float((answers >= 0).mean())
        for i in np.flatnonzero(table.used):
            j = answers[i]
            if j < 0:
                rest.append((float(found.nothing[i]), bool(table.empty[i]), table.weight, matched))
            elif not table.passed_over[i, j]:
                chosen.append((float(found.candidates[i, j]), bool(table.right[i, j]), table.weight))
    return _regression(chosen, 2), _regression(rest, 3)


def _regression(said: Sequence[tuple[float, ...]], numbers: int) -> NDArray[np.float32]:
    """Slope, shift and factors of further features that make log odds hold; ``said``: (probability, right, weight, ...)
    of each answer."""
    fitted = torch.zeros(numbers, dtype=torch.float64)
    fitted[0] = 1
    if not said:
        return np.asarray(fitted.numpy(), np.float32)
    p, y, w, *more = (torch.tensor(column, dtype=torch.float64) for column in zip(*said, strict=True))
    x = torch.stack([torch.logit(p, eps=1e-5), torch.ones_like(p), *more], 1)
    fitted.requires_grad_()
    search = torch.optim.LBFGS([fitted], max_iter=80, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        search.zero_grad()
        each = torch.nn.functional.binary_cross_entropy_with_logits(x @ fitted, y, reduction="none")
        mean = (each * w).sum() / w.sum()
        mean.backward()
        return mean

    search.step(closure)
    return np.asarray(fitted.detach().numpy(), np.float32)


_NONE: Any = (None, None)


def _as_examples(asked: Asked) -> tuple[Examples, torch.Tensor, torch.Tensor, torch.Tensor]:
    parts, first = [], 0
    for table, scores, nothing in asked:
        rows = np.flatnonzero(table.used & (table.right.any(axis=1) | table.empty))
        row = np.repeat(np.arange(first, first + len(rows)), scores.shape[1])
        first += len(rows)
        parts.append((
            scores[rows].ravel(), row, table.right[rows].ravel(), table.passed_over[rows].ravel(), nothing[rows],
            table.empty[rows], np.full(len(rows), table.weight, np.float32), 1 - table.legible[rows],
        ))  # fmt: skip
    flat, row, right, over, none, empty, weight, unlike = (
        torch.tensor(np.concatenate(part)) for part in zip(*parts, strict=True)
    )
    data = Examples(flat, row, right, over, torch.zeros(0), empty, weight / weight.sum())
    return data, flat, none, unlike


def answered(asked: Asked, rounds: Rounds, calibration: NDArray[np.float32]) -> list[tuple[Table, Odds]]:
    """Every table with its calibrated probabilities, those of chosen candidates as `suggesting` gives them."""
    weights = Weights(*rounds, calibration)
    found = [(t, weights.odds(scores, nothing, t.legible)) for t, scores, nothing in asked]
    return [(t, as_chosen(odds, assign(odds), weights.trust)) for t, odds in found]


def weighed(tables: Sequence[Table], share: float) -> list[Table]:
    """The tables with weights that make their groups count alike, ``share`` in all; a table counts by its columns."""
    sizes: dict[str, int] = {}
    for t in tables:
        sizes[t.group] = sizes.get(t.group, 0) + int(t.used.sum())
    return [replace(t, weight=share / len(sizes) / max(8, sizes[t.group])) for t in tables]
