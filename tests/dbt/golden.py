"""Rows that SQL written by hand gives, and dbt tests that compare models with them."""

from collections.abc import Iterable
from pathlib import Path

HAND_WRITTEN = Path(__file__).resolve().parent.parent / "fixtures/dbt/hand_written"
DIFFERENCE = """
(select {columns} from {{{{ ref('{model}') }}}} except all select {columns} from {{{{ ref('hand_{model}') }}}})
union all
(select {columns} from {{{{ ref('hand_{model}') }}}} except all select {columns} from {{{{ ref('{model}') }}}})
"""
"""A test of dbt's: it passes when no row is in one model only."""


def write_comparison(project: Path, models: Iterable[str]) -> list[str]:
    """Add to ``project`` a model written by hand for each of ``models``, and a test that both hold the same rows.

    Returns what `dbt build --select` needs to build and compare them.
    """
    (project / "tests").mkdir()
    selected = []
    for model in models:
        sql = (HAND_WRITTEN / f"{model.removeprefix('stg_')}.sql").read_text("utf-8")
        (project / "models" / f"hand_{model}.sql").write_text(sql)
        difference = DIFFERENCE.format(columns=_columns(sql), model=model)
        (project / "tests" / f"same_rows_{model}.sql").write_text(difference)
        selected += [model, f"hand_{model}"]
    return selected


def _columns(sql: str) -> str:
    """The column names of a hand-written select, in its order."""
    lines = sql.split("\nfrom")[0].splitlines()[1:]
    return ", ".join(line.rstrip(",").split()[-1] for line in lines)
