"""`bench`: what the embedding engine does on this machine, with the words of a project or with generated ones."""

import json
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from dbt_schema_embed.errors import ConfigError, printable
from dbt_schema_embed.observe.metrics import usable_memory
from dbt_schema_embed.records import Artifacts, Opened, Project

if TYPE_CHECKING:
    from dbt_schema_embed.embed.bench import Figure

_THINGS = (
    "account", "address", "campaign", "charge", "contract", "customer", "employee", "event", "invoice", "item",
    "ledger", "order", "payment", "product", "refund", "session", "shipment", "store", "subscription",
    "supplier", "ticket", "transaction", "user", "visit", "warehouse",
)  # fmt: skip
_FACTS = (
    "id", "name", "status", "type", "created at", "updated at", "is deleted", "is active", "total amount",
    "currency code", "country code", "first seen date", "last modified by id", "external reference number", "notes",
    "tax rate percentage", "parent id", "email address", "description", "quantity",
)  # fmt: skip

_RUNS = 3
"""Of `suggest`, the fastest of which counts."""


@dataclass(frozen=True, slots=True)
class Benched:
    """What was measured."""

    texts: int  # different ones that were encoded in each round
    of: str  # where they come from: a project's name, or "generated"
    machine: Mapping[str, str | int | None]
    figures: "tuple[Figure, ...]"

    def text(self, form: str) -> str:
        """As "table" or "json"."""
        if form == "json":
            figures = [asdict(figure) for figure in self.figures]
            data = {"schema_version": 1, "texts": self.texts, "of": self.of, "machine": dict(self.machine)}
            return json.dumps({**data, "figures": figures}, indent=2) + "\n"
        return _table(self)


def bench(
    opened: Opened | None, artifacts: Artifacts, *, model_name: str, max_workers: int | None, texts: int, rounds: int
) -> Benched:
    """Measure encoder and memo side by side with what else one would use, and `suggest` on the project.

    Args:
        opened: encode the column names of this project; None: generated ones.
        artifacts: of the project.
        model_name: which encoder.
        max_workers: how many cores every contender may use.
        texts: most different texts to encode in a round.
        rounds: how often each contender has its turn; the fastest counts.

    Raises:
        ConfigError: the project has no columns.
    """
    from dbt_schema_embed.embed.bench import measure, measure_relations

    of, names = ("generated", generated()) if opened is None else (opened.project.name, _names_of(opened.project))
    random.Random(0).shuffle(names)  # noqa: S311  a fixed order with all lengths mixed, no secret
    chosen = names[:texts]
    figures = measure(chosen, model_name=model_name, rounds=rounds, max_workers=max_workers)
    if opened is not None:
        figures += measure_relations(opened.project.relations, model_name=model_name, max_workers=max_workers)
        figures += _suggest_figures(opened.root, artifacts, model_name)
    return Benched(len(chosen), of, machine(), tuple(figures))


def machine() -> dict[str, str | int | None]:
    """ "cores" this process may use, "processor", "memory" in bytes (None: unknown), "system", "python"."""
    from dbt_schema_embed.embed.int8_trial import processor
    from dbt_schema_embed.embed.runners import workers_for

    return {
        "cores": workers_for(None),
        "processor": printable(processor()),
        "memory": usable_memory(),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def _suggest_figures(project_dir: Path, artifacts: Artifacts, model_name: str) -> "list[Figure]":
    """Wall seconds of `suggest` as a process of its own: the encoder seen before, the memo empty and then full."""
    from dbt_schema_embed.embed import memo_clear
    from dbt_schema_embed.embed.bench import Figure

    with tempfile.TemporaryDirectory() as cache:
        command = [
            sys.executable, "-P", "-c", "from dbt_schema_embed.cli import main; main()", "suggest", "--format", "json",
            "--project-dir", str(project_dir), "--set", f"cache_dir={cache}", "--set", f"model_name={model_name}",
            *(f"--{name.replace('_', '-')}={path}" for name, path in artifacts.items() if path is not None),
        ]  # fmt: skip

        def seconds(top_k: int) -> float:  # of one more candidate each time: what was asked before is not matched again
            start = time.perf_counter()
            asked = [*command, "--top-k", str(top_k)]
            done = subprocess.run(asked, check=False, capture_output=True, text=True)
            if done.returncode:
                raise ConfigError("suggest fails on this project, so it cannot be timed", hint=printable(done.stderr))
            return time.perf_counter() - start

        seconds(10)
        cold = []
        for number in range(_RUNS):
            memo_clear(Path(cache))
            cold.append(seconds(11 + number))
        warm = [seconds(11 + _RUNS + number) for number in range(_RUNS)]
    return [
        Figure("suggest, nothing in the memo", min(cold), "s", "<= 6", "wall of a process that has seen the encoder"),
        Figure("suggest, all in the memo", min(warm), "s", "<= 1.5", "wall of a process"),
    ]  # fmt: skip


def generated() -> list[str]:
    """Five hundred column names as plausible as they need be, sorted."""
    return sorted(f"{thing} {fact}" for thing, fact in product(_THINGS, _FACTS))


def _names_of(project: Project) -> list[str]:
    """The different texts of a project's column names, sorted."""
    from dbt_schema_embed.embed import column_texts

    names = {text for relation in project.relations for text in column_texts(relation).facets["name"] if text}
    if not names:
        raise ConfigError(
            f"the project {printable(project.name)} has no columns to encode",
            hint="run `dbt docs generate`, or measure generated columns with --generated",
        )
    return sorted(names)


def _table(benched: Benched) -> str:
    from dbt_schema_embed.show.words import padded

    m = benched.machine
    memory = f", {m['memory'] / 2**30:.0f} GiB" if isinstance(m["memory"], int) else ""
    head = f"{m['cores']} cores, {m['processor']}{memory}, {m['system']}, Python {m['python']}"
    rows = [(f.name, _value(f), f.goal, f.note) for f in benched.figures]
    name, value, goal = (max((len(row[at]) for row in rows), default=0) for at in range(3))
    lines = [f"{padded(n, name)}  {v:>{value}}  {padded(g, goal)}  {note}".rstrip() for n, v, g, note in rows]
    return "\n".join([head, f"{benched.texts} texts, {printable(benched.of)}", "", *lines]) + "\n"


def _value(figure: "Figure") -> str:
    if not figure.unit:
        return f"{figure.value:.4f}"
    return f"{figure.value:,.2f}{'' if figure.unit == 'x' else ' '}{figure.unit}"
