"""What a shell completes after a command: source tables, their columns, models and theirs, as the manifest has them."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from dbt_schema_embed.read.completion import Names


def sources(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """Source tables: stripe.charges."""
    return _starting(_names(ctx)[0], incomplete)


def selections(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """Source tables and whole sources, bare or as dbt selects them: stripe, stripe.charges, source:stripe."""
    tables = _names(ctx)[0]
    names = sorted({name for table in tables for name in (table.partition(".")[0], table)})
    return _starting([*names, *(f"source:{name}" for name in names)], incomplete)


def source_columns(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """Columns with their tables: stripe.charges.id. Tables first, so that the list stays short."""
    tables = _names(ctx)[0]
    table = next((t for t in tables if incomplete.lower().startswith(f"{t.lower()}.")), None)
    if table is None:
        return [f"{name}." for name in _starting(tables, incomplete)]
    return _starting((f"{table}.{column}" for column in tables[table]), incomplete)


def table_then_columns(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """A source table, then columns of it that were not named yet."""
    said = [*_said(ctx, "source"), *_said(ctx, "names"), *_said(ctx, "columns")]
    if not said:
        return sources(ctx, parameter, incomplete)
    tables = {name.lower(): columns for name, columns in _names(ctx)[0].items()}
    return _starting((c for c in tables.get(said[0].lower(), ()) if c not in said[1:]), incomplete)


def models(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """Models."""
    return _starting(_names(ctx)[1], incomplete)


def model_columns(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """Columns of the model that --model names; without it, of all models."""
    known = _names(ctx)[1]
    wanted = ctx.params.get("model")
    chosen = known.values() if wanted is None else [known.get(wanted, ())]
    return _starting(sorted({column for columns in chosen for column in columns}), incomplete)


def _names(ctx: click.Context) -> "tuple[Names, Names]":
    from dbt_schema_embed.errors import SchemaEmbedError
    from dbt_schema_embed.pipeline import SchemaEmbed
    from dbt_schema_embed.settings import Settings

    given: dict[str, Any] = {name: ctx.params.get(name) for name in ("target_path", "manifest", "catalog")}
    root = ctx.params.get("project_dir") or Path()
    try:
        return SchemaEmbed(Settings.load(root)).names(root, **given)
    except SchemaEmbedError:  # while somebody types is no time to say so
        return {}, {}


def _said(ctx: click.Context, name: str) -> list[str]:
    value = ctx.params.get(name)
    return [] if value is None else [value] if isinstance(value, str) else list(value)


def _starting(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.lower().startswith(incomplete.lower())]
