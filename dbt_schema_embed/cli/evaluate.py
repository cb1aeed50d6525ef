"""dbt-schema-embed evaluate."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dbt_schema_embed.cli.console import say, show
from dbt_schema_embed.cli.options import Place, examples, output_options, project_options

if TYPE_CHECKING:
    from dbt_schema_embed.pipeline import SchemaEmbed
    from dbt_schema_embed.settings import Targets


@click.command(
    "evaluate",
    epilog=examples(
        "dbt-schema-embed evaluate",
        "dbt-schema-embed evaluate --targets all --format json --output evaluation.json",
        "dbt-schema-embed evaluate --min-recall 0.9      exit with 1 when it finds less",
    ),
)
@click.option(
    "--targets",
    type=click.Choice(("auto", "all")),
    help="auto: models that could be fed next; all: every model.  [default: auto]",
)
@click.option(
    "--folds", type=click.IntRange(2, 1000), default=4, show_default=True, help="Rounds; more hide fewer at a time."
)
@click.option("--min-recall", type=click.FloatRange(0, 1), metavar="SHARE", help="Exit with 1 when recall@1 is less.")
@click.option(
    "--cases",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="DIR",
    help="Score DIR/<project>/{target,seeds,gold.json} instead.",
)
@output_options("table", "json")
@project_options
def command(
    engine: "SchemaEmbed",
    place: Place,
    targets: "Targets | None",
    folds: int,
    min_recall: float | None,
    cases: Path | None,
    form: str,
    output: Path | None,
) -> int:
    """Say how far to trust suggestions here: hide models that exist, ask for them, compare.

    Source tables that have a model are asked as if it were planned only, a part of them at a time, so that the SQL of
    the others still teaches how this project names things. Passes over what people decided, and changes no mapping; the
    next report draws how confidence and truth agreed.
    """
    found = engine.evaluate(place.project_dir, targets=targets, folds=folds, cases=cases, **place.artifacts)
    show(found.text(form), output)
    recall = found.mean["recall_at_1"]
    if min_recall is not None and recall < min_recall:
        say(f"recall@1 is {recall:.3f}, less than {min_recall:g}")
        return 1
    return 0
