"""What every result that is a table can do: plain rows, data frames, a table in a notebook."""

from abc import ABC, abstractmethod
from typing import Any

NOTEBOOK_ROWS = 100  # rows of a result that a notebook shows


class Tabular(ABC):
    """A result that is a table."""

    __slots__ = ()

    @abstractmethod
    def to_dicts(self) -> list[dict[str, Any]]:
        """The rows as plain values."""

    def to_pandas(self) -> Any:
        """The rows as a pandas data frame; pandas must be installed."""
        import pandas

        return pandas.DataFrame(self.to_dicts())

    def to_polars(self) -> Any:
        """The rows as a polars data frame; polars must be installed."""
        import polars

        return polars.DataFrame(self.to_dicts(), infer_schema_length=None)

    def _repr_html_(self) -> str:
        """How a notebook shows it: the first rows."""
        from html import escape

        rows = self.to_dicts()
        lines = [list(rows[0]), *(list(row.values()) for row in rows[:NOTEBOOK_ROWS])] if rows else []
        cells = ["".join(f"<td>{escape('' if v is None else str(v))}</td>" for v in line) for line in lines]
        more = f"<p>{len(rows):,} rows</p>" if len(rows) > NOTEBOOK_ROWS else ""
        return f"<table>{''.join(f'<tr>{line}</tr>' for line in cells)}</table>{more}"
