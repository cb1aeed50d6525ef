"""dbt-schema-embed doctor."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dbt_schema_embed.cli.console import color_wanted, show
from dbt_schema_embed.cli.options import Place, examples, output_options, project_options
from dbt_schema_embed.colors import painted

if TYPE_CHECKING:
    from dbt_schema_embed.observe.doctor import Diagnosis
    from dbt_schema_embed.pipeline import SchemaEmbed

_MARKS = {"ok": "ok     ", "note": "note   ", "missing": "missing", "broken": "BROKEN "}


@click.command(
    "doctor", epilog=examples("dbt-schema-embed doctor", "dbt-schema-embed doctor --project-dir shop --format json")
)
@output_options("text", "json")
@project_options
def command(engine: "SchemaEmbed", place: Place, form: str, output: Path | None) -> int:
    """Say what is installed, found and missing, and what to do about it: versions, encoder, device, memo, index,
    artifacts, settings and where each comes from.

    Changes nothing. Exits with 1 when something that suggest needs is broken.
    """
    found = engine.doctor(place.project_dir, **place.artifacts)
    if form == "json":
        show(json.dumps(found.to_dict(), indent=2) + "\n", output)
    else:
        show(_text(found, color=output is None and color_wanted(sys.stdout)), output)
    return int(found.failed)


def _text(found: "Diagnosis", *, color: bool) -> str:
    lines: list[str] = []
    topic = ""
    for finding in found.findings:
        if finding.topic != topic:
            topic = finding.topic
            lines.append(topic)
        mark = painted(_MARKS[finding.state], finding.state, color)
        lines.append(f"  {mark}  {finding.text}")
        if finding.advice:
            lines.append(f"           {finding.advice}")
    lines.append("something that suggest needs is broken" if found.failed else "all that suggest needs is here")
    return "\n".join(lines) + "\n"
