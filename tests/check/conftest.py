"""A small project for `check` to look at, and a short way to check the text of a mapping file against it."""

from collections.abc import Callable

import pytest

from dbt_schema_embed.check.run import check
from dbt_schema_embed.records import Column, Lineage, Problem, Project, Relation
from dbt_schema_embed.write.mapping import parse_mapping
from tests.pipeline.conftest import encoder, engine, example, matcher, shop

__all__ = ["encoder", "engine", "example", "matcher", "shop"]


def columns(text: str) -> tuple[Column, ...]:
    """ "id integer, name" as columns."""
    parts = [part.strip().partition(" ") for part in text.split(",") if part.strip()]
    return tuple(Column(name, type=type_ or None, position=i) for i, (name, _, type_) in enumerate(parts))


def source(name: str, text: str, source_name: str = "stripe", package: str = "shop") -> Relation:
    return Relation(
        f"source.{package}.{source_name}.{name}",
        name,
        "source",
        columns(text),
        source_name=source_name,
        package=package,
        in_catalog=bool(text),
        complete=bool(text),
    )


def model(name: str, text: str = "", package: str = "shop") -> Relation:
    return Relation(f"model.{package}.{name}", name, "model", columns(text), package=package, complete=True)


CHARGES = source(
    "charges", "id integer, amount decimal, paid boolean, created timestamp, note text, LiveMode boolean, extra json"
)
PROJECT = Project(
    "shop",
    "duckdb",
    (
        CHARGES,
        source("bare", ""),
        source("twice", "id", "dup", "a"),
        source("twice", "id", "dup", "b"),
        model(
            "stg_stripe__charges",
            "charge_id integer, amount_cents integer, is_paid boolean, created_at date, note text",
        ),
        model("orders", "order_id bigint, ordered_at timestamp, paid_on timestamp, amount decimal"),
        model("undocumented"),
        model("same", "id", "a"),
        model("same", "id", "b"),
    ),
    (
        Lineage(CHARGES.id, "amount", "model.shop.orders", "amount", "renamed"),
        Lineage(CHARGES.id, "extra", "model.shop.orders", "order_id", "derived"),
        Lineage(CHARGES.id, "id", "model.shop.orders", "order_id", "derived"),
    ),
)

CheckText = Callable[..., list[Problem]]


@pytest.fixture
def project() -> Project:
    return PROJECT


@pytest.fixture
def check_text(project: Project) -> CheckText:
    """Problems of mapping files given as text."""

    def run(*texts: str, **options: object) -> list[Problem]:
        options.setdefault("severity", {"unfed-column": "off"})  # most texts are about something else
        files = [parse_mapping(text, f"m/{i}.yml")[0] for i, text in enumerate(texts)]
        return check(project, files, **options)  # type: ignore[arg-type]

    return run
