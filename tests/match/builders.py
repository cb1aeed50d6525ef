"""Small relations and their vectors, without an encoder: a text's vector is its hashed words."""

from collections.abc import Iterable, Sequence
from zlib import crc32

import numpy as np

from dbt_schema_embed.match.block import Block, Lexicon
from dbt_schema_embed.match.candidates import build_block
from dbt_schema_embed.match.habits import Habits
from dbt_schema_embed.match.names import entity
from dbt_schema_embed.match.pool import Pool
from dbt_schema_embed.match.reading import read_tables
from dbt_schema_embed.records import Column, Embedded, Lineage, Project, Relation
from dbt_schema_embed.words import words

DIM = 64


def vector(text: str) -> np.ndarray:
    """Length 1, or 0 for no text."""
    out = np.zeros(DIM, np.float32)
    for word in text.split():
        out[crc32(word.encode()) % DIM] += 1
    return out / max(1e-9, float(np.linalg.norm(out)))


def vectors(texts: Sequence[str]) -> np.ndarray:
    return np.stack([vector(t) for t in texts]) if texts else np.zeros((0, DIM), np.float32)


def embedded(relation: Relation) -> Embedded:
    """The facets of a project's relation."""
    about = " ".join(entity(relation.name))
    names = [" ".join(words(c.name)) for c in relation.columns]
    facets = {
        "name": vectors(names),
        "in_table": vectors([f"{about} {n}" for n in names]),
        "description": vectors([c.description for c in relation.columns]),
    }
    return Embedded(relation, facets, vector(about))


def block_of(
    table: Relation, *models: Relation, habits: Habits | None = None, sources: Sequence[Relation] = ()
) -> Block:
    """A table beside all columns of ``models``; ``sources``: other tables of the run."""
    tables = [table, *sources]
    lexicon = Lexicon(tables, models, read_tables(tables, models))
    return build_block(embedded(table), Pool([embedded(m) for m in models]), lexicon, habits or Habits())


def columns(said: str) -> tuple[Column, ...]:
    """ "id:integer name" -> columns."""
    parts = [part.partition(":") for part in said.split()]
    return tuple(Column(n, t or None, position=i) for i, (n, _, t) in enumerate(parts))


def source(name: str, said: str, vendor: str = "stripe") -> Relation:
    return Relation(f"source.shop.{vendor}.{name}", name, "source", columns(said), source_name=vendor)


def model(name: str, said: str, parents: Sequence[Relation] = ()) -> Relation:
    """A built model where it has parents, else a planned one."""
    return Relation(
        f"model.shop.{name}", name, "model", columns(said), path=f"models/staging/{name}.sql",
        has_sql=bool(parents), parents=tuple(p.id for p in parents),
    )  # fmt: skip


def edges(table: Relation, built: Relation, said: str) -> list[Lineage]:
    """ "id>charge_id amount>amount" -> lineage."""
    pairs = [part.partition(">") for part in said.split()]
    return [Lineage(table.id, a, built.id, b or a, "identical" if a == (b or a) else "renamed") for a, _, b in pairs]


def project(relations: Iterable[Relation], lineage: Iterable[Lineage] = ()) -> Project:
    return Project("shop", "duckdb", tuple(sorted(relations, key=lambda r: r.id)), tuple(sorted(lineage)))


def shop() -> Project:
    """Two tables that arrive, two planned models, two tables to map."""
    customers = source("customers", "id:integer created:timestamp name:text email:text _synced:timestamp")
    products = source("products", "id:integer created:timestamp name:text active:boolean _synced:timestamp")
    charges = source(
        "charges", "id:integer created:timestamp amt:integer paid:boolean customer:integer _synced:timestamp"
    )
    refunds = source("refunds", "id:integer created:timestamp amount:integer reason:text _synced:timestamp")
    built = [
        model(
            "stg_stripe__customers",
            "customer_id:integer created_at:timestamp customer_name:text email:text",
            [customers],
        ),
        model(
            "stg_stripe__products",
            "product_id:integer created_at:timestamp product_name:text is_active:boolean",
            [products],
        ),
    ]
    planned = [
        model(
            "stg_stripe__charges",
            "charge_id:integer created_at:timestamp amount:integer is_paid:boolean customer_id:integer",
        ),
        model("stg_stripe__refunds", "refund_id:integer created_at:timestamp amount:integer reason:text"),
    ]
    known = edges(customers, built[0], "id>customer_id created>created_at name>customer_name email")
    known += edges(products, built[1], "id>product_id created>created_at name>product_name active>is_active")
    return project([customers, products, charges, refunds, *built, *planned], known)
