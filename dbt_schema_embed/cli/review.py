"""dbt-schema-embed review."""

import os
import sys
from typing import TYPE_CHECKING

import click

from dbt_schema_embed.cli.console import color_wanted, say, settle
from dbt_schema_embed.cli.options import Place, Selecting, examples, project_options, selection_options, targets_option

if TYPE_CHECKING:
    from dbt_schema_embed.pipeline import SchemaEmbed
    from dbt_schema_embed.settings import Targets


@click.command(
    "review",
    cls=Selecting,
    epilog=examples("dbt-schema-embed review", "dbt-schema-embed review --select source:stripe"),
)
@selection_options
@targets_option
@project_options
def command(
    engine: "SchemaEmbed",
    place: Place,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    targets: "Targets | None",
) -> None:
    """Decide about suggestions in the terminal, source table by source table, most doubtful first.

    Brings the mapping files up to date first, as suggest --write does; then every decision is saved as it is made.
    Example values are shown on the screen alone. The keys stand at its foot.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("TERM", "dumb") == "dumb":
        raise click.UsageError(
            "review needs a terminal; without one, decide with accept and reject, or edit the mapping files"
        )
    review = engine.review(place.project_dir, select=select, exclude=exclude, targets=targets, **place.artifacts)
    if not review.items:
        say("there is nothing to review: the project's SQL settles every column")
        return
    from dbt_schema_embed.cli.review_desk import Desk
    from dbt_schema_embed.cli.review_terminal import run_desk

    desk = Desk(review)
    settle()
    run_desk(desk, color=color_wanted(sys.stdout))
    counts = desk.counts()
    say(f"{counts['accepted']} accepted, {counts['rejected']} rejected, {counts['open']} still open")
    if counts["accepted"]:
        for source in dict.fromkeys(item.source for item in review.items if item.state == "accepted" and item.answer):
            say(f"next: dbt-schema-embed stage {source}")
    if review.unfed:
        say(f"nothing feeds: {', '.join(choice.name for choice in review.unfed)}")
