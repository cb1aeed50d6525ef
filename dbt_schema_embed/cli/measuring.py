"""--metrics and --fail-on-alert, for commands that encode."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dbt_schema_embed.cli.console import warn
from dbt_schema_embed.errors import SchemaEmbedError

if TYPE_CHECKING:
    from dbt_schema_embed.pipeline import SchemaEmbed

Function = Callable[..., Any]

_NO_MATTER = ("metrics", "fail_on_alert", "form", "output")
"""Options that leave a run the same."""


def metrics_options(function: Function) -> Function:
    """Adds --metrics and --fail-on-alert to a command that gets an engine. A run that fails is measured too."""

    @functools.wraps(function)
    def call(engine: "SchemaEmbed", *given: Any, metrics: Path | None, fail_on_alert: bool, **rest: Any) -> Any:
        if metrics is None and not fail_on_alert:
            return function(engine, *given, **rest)
        engine.measures.check()
        try:
            code = function(engine, *given, **rest)
        except SchemaEmbedError:
            _measure(engine, metrics, failed=True)
            raise
        alerts = _measure(engine, metrics)
        warn(alerts)
        return 1 if fail_on_alert and alerts else code

    call = click.option("--fail-on-alert", is_flag=True, help="Exit with 1 when the run breaks a limit of `alerts`.")(
        call
    )
    return click.option(
        "--metrics", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
        help="Write what the run took: JSON, or Prometheus text where FILE ends in .prom.",
    )(call)  # fmt: skip


def _measure(engine: "SchemaEmbed", path: Path | None, *, failed: bool = False) -> tuple[str, ...]:
    """Write the metrics; the alerts."""
    context = click.get_current_context()
    asked = {k: v for k, v in sorted(context.params.items()) if k not in _NO_MATTER}
    found = engine.measures.metrics(context.info_name or "", repr(asked), failed=failed)
    if path is not None:
        engine.measures.write(found, path)
    return engine.measures.alerts(found)
