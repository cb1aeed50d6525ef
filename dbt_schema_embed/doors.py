"""Parts that another package brings, by entry points in the groups ``dbt_schema_embed.<kind>``.

A part is looked up when something names it (a setting, an option, the weights), so nothing is read or imported before,
and nothing runs that nobody asked for. CONTRIBUTING.md walks through each kind.
"""

from typing import Any, Literal

from dbt_schema_embed.errors import ConfigError, printable

Kind = Literal["encoders", "signals", "rules", "formats", "stores"]


def brought(kind: Kind, name: str) -> Any | None:
    """What another installed package calls ``name``; None where none does.

    Raises:
        ConfigError: it cannot be imported.
    """
    from importlib.metadata import entry_points  # tens of milliseconds, which most runs need not pay

    for point in entry_points(group=f"dbt_schema_embed.{kind}", name=name):
        try:
            return point.load()
        except Exception as problem:  # somebody else's code: anything may happen
            said = f"{type(problem).__name__}: {printable(problem)}"
            raise ConfigError(
                f"{printable(name)}, of {kind} in another package, cannot be loaded: {said}",
                hint=f"mend or remove what is installed as {printable(point.value)}",
            ) from problem
    return None
