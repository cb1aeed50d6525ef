"""index and search: what is indexed, what is found, when it is built anew."""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dbt_schema_embed.embed.memo import MemoEmbedder
from dbt_schema_embed.embed.text import search_texts
from dbt_schema_embed.errors import ConfigError
from dbt_schema_embed.pipeline import SchemaEmbed, hits_text, session
from dbt_schema_embed.read import opening as project
from dbt_schema_embed.read import unchanged
from dbt_schema_embed.read.project import read_project
from dbt_schema_embed.records import Column, Relation, SearchHit
from tests.embed.encoders import HashEncoder


def test_a_column_is_found_by_its_name_in_its_table_and_by_its_description() -> None:
    relation = Relation("m", "stg_x__charges", "model", (Column("id", description="A key."), Column("paid_at")))
    assert list(search_texts(relation)) == [("charges: id", "A key."), ("charges: paid at", "")]


def test_the_index_follows_the_project(engine: SchemaEmbed, shop: Path, encoder: HashEncoder) -> None:
    count = sum(len(relation.columns) for relation in read_project(shop).relations)
    first = engine.index(shop, verify=True)
    assert (first.added, first.kept) == (count, 0)
    again = engine.index(shop)
    assert (again.added, again.changed, again.removed, again.kept) == (0, 0, 0, count)
    manifest = shop / "target" / "manifest.json"
    text = manifest.read_text("utf-8")
    manifest.write_text(text.replace("What was asked for, in cents.", "What was asked for."), "utf-8")
    encoder.encoded.clear()
    changed = engine.index(shop, verify=True)
    assert (changed.added, changed.changed, changed.removed) == (0, 1, 0)
    assert encoder.encoded == ["What was asked for."]


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files count as old enough to be told from later ones."""
    monkeypatch.setattr(unchanged, "TICK_SECONDS", -60.0)


@pytest.mark.usefixtures("settled")
def test_what_stands_as_it_was_is_not_read_again(
    engine: SchemaEmbed, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = engine.search("customer e-mail", shop, limit=300)
    reads = []
    real = project.open_project
    monkeypatch.setattr(session, "open_project", lambda *args, **kwargs: reads.append(1) or real(*args, **kwargs))
    count = engine.index(shop).kept
    assert count > 300
    assert engine.search("customer e-mail", shop, limit=300) == first
    assert reads == []
    files = [*shop.glob("target/*.json"), shop / "dbt_project.yml", *shop.glob("seeds/**/*.csv")]
    for path in files:
        path.write_bytes((path.read_bytes() if path.exists() else b"") + b"\n")
        assert engine.search("customer e-mail", shop, limit=300) == first, path
        assert reads.pop() == 1, path
        assert engine.search("customer e-mail", shop, limit=300) == first, path
        assert reads == [], path


def test_a_young_file_is_read_again(engine: SchemaEmbed, shop: Path) -> None:
    (shop / "target" / "manifest.json").touch()
    engine.index(shop)
    assert not (shop / "target" / "schema_embed" / "index" / "seen.json").exists()


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("content", [b"", b"{}", b"[" * 100_000, b"\xff", b'{"asked": "", "made": "", "files": {}}'])
def test_what_was_seen_and_is_unreadable_is_seen_again(engine: SchemaEmbed, shop: Path, content: bytes) -> None:
    first = engine.search("customer e-mail", shop)
    path = shop / "target" / "schema_embed" / "index" / "seen.json"
    path.write_bytes(content)
    assert engine.search("customer e-mail", shop) == first
    assert path.read_bytes() != content
    assert engine.warnings == []


@pytest.mark.usefixtures("settled")
def test_an_index_that_is_damaged_is_built_anew_before_the_answer(engine: SchemaEmbed, shop: Path) -> None:
    first = engine.search("customer e-mail", shop)
    path = shop / "target" / "schema_embed" / "index" / "columns.index"
    whole = path.read_bytes()
    for place in range(16, len(whole), len(whole) // 40):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
        assert engine.search("customer e-mail", shop) == first
        path.write_bytes(whole[:place])
        assert engine.search("customer e-mail", shop) == first


def test_search_finds_by_name_and_by_description_and_says_where_it_goes(engine: SchemaEmbed, shop: Path) -> None:
    by_name = engine.search("customers: email", shop, limit=1, table="stripe.customers")
    assert by_name == [
        SearchHit(
            "source.shop.stripe.customers", "email", by_name[0].score, "VARCHAR", by_name[0].description,
            used_in=("stg_stripe__customers.email",),
        )
    ]  # fmt: skip
    by_description = engine.search("Key given by the API, starts with ch_.", shop, limit=1)
    assert [(h.relation, h.column) for h in by_description] == [("source.shop.stripe.charges", "id")]
    model = engine.search("customers: email", shop, limit=1, table="stg_stripe__customers")
    assert model[0].fed_by == ("stripe.customers.email",)


def test_words_and_lineage_count_where_vectors_say_nothing(engine: SchemaEmbed, shop: Path) -> None:
    """The encoder of hashes knows no meaning, only noise: of 420 columns the right ones come first all the same."""
    hits = engine.search("customer e-mail", shop, limit=25)
    places = [(h.relation.partition(".shop.")[2], h.column) for h in hits]
    assert ("customers", "email") in places
    assert ("shopkeep.cust", "cust_eml") in places


def test_search_returns_each_column_once_best_first(engine: SchemaEmbed, shop: Path) -> None:
    hits = engine.search("charges: amount", shop, limit=300)
    good = [h for h in hits if h.score >= 0.5]
    assert engine.search("charges: amount", shop, limit=300, min_score=0.5) == good != hits
    places = [(h.relation, h.column) for h in hits]
    assert len(set(places)) == len(places) == 300
    assert [h.score for h in hits] == sorted((h.score for h in hits), reverse=True)
    assert engine.search("charges: amount", shop, limit=250) == hits[:250]


@pytest.mark.parametrize(
    ("type_", "table", "places"),
    [
        ("timestamp", "stripe.charges", {"created", "_fivetran_synced"}),
        ("TIMESTAMP", "Stripe.Charges", {"created", "_fivetran_synced"}),
        ("boolean", "stripe.charges", {"captured", "disputed", "livemode", "paid", "refunded"}),
    ],
)
def test_filters_leave_only_what_they_name(
    engine: SchemaEmbed, shop: Path, type_: str, table: str, places: set[str]
) -> None:
    hits = engine.search("amount", shop, limit=50, type=type_, table=table)
    assert {h.column for h in hits} == places


@pytest.mark.parametrize(
    ("type_", "table", "message"),
    [
        (None, "stripe.chargs", "no column fits --table 'stripe.chargs'\n  near: stripe.charges"),
        ("boolan", None, "no column fits --type 'boolan'\n  near: boolean"),
        ("date", "stripe.charges", "no column fits --type 'date' and --table 'stripe.charges'"),
    ],
)
def test_a_filter_that_leaves_nothing_names_near_ones(
    engine: SchemaEmbed, shop: Path, type_: str | None, table: str | None, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        engine.search("amount", shop, type=type_, table=table)
    assert str(caught.value).startswith(message)


def test_an_empty_query_is_an_error(engine: SchemaEmbed, shop: Path) -> None:
    with pytest.raises(ConfigError, match="nothing to search for"):
        engine.search("  ", shop)


def test_a_project_without_columns_gives_no_hits(engine: SchemaEmbed, tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "manifest.json").write_text('{"metadata": {"project_name": "bare"}, "nodes": {}}')
    assert engine.search("anything", tmp_path) == []


def test_verify_mends_an_index_whose_vectors_are_others(
    engine: SchemaEmbed, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemoEmbedder, "embed", lambda self, texts, **_: -EMBED(self, texts))
    engine.index(shop)
    monkeypatch.undo()
    assert engine.index(shop, verify=True).added > 0
    assert any("is built anew" in line for line in engine.warnings)
    assert engine.index(shop, verify=True).added == 0


def test_encode_gives_rows_of_length_one_and_none_for_nothing(engine: SchemaEmbed) -> None:
    rows = engine.encode(["customer id", "order total", "customer id"])
    assert rows.shape == (3, 8)
    assert (rows[0] == rows[2]).all()
    assert engine.encode([]).shape == (0, 8)


@pytest.mark.parametrize(
    "call",
    [
        lambda engine, shop: engine.encode("customer id"),
        lambda engine, shop: engine.suggest(shop, select="source:stripe"),
        lambda engine, shop: engine.suggest(shop, exclude="source:stripe"),
        lambda engine, shop: engine.accept("stripe.charges", "amount", shop),
        lambda engine, shop: engine.reject("stripe.charges", "amount", shop),
    ],
)
def test_a_text_is_no_sequence_of_texts(
    call: Callable[[SchemaEmbed, Path], object], engine: SchemaEmbed, shop: Path
) -> None:
    with pytest.raises(TypeError, match="takes a sequence of texts, not one text: wrap it in a list"):
        call(engine, shop)


def test_the_async_calls_let_the_loop_go_on(engine: SchemaEmbed, shop: Path, encoder: HashEncoder) -> None:
    load = encoder.load

    def slow() -> HashEncoder:
        time.sleep(0.3)
        return load()

    encoder.load = slow  # type: ignore[method-assign]

    async def main() -> tuple[int, list[SearchHit]]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.02)
                ticks += 1

        ticking = asyncio.create_task(tick())
        rows, hits = await asyncio.gather(engine.aencode(["a", "b"]), engine.asearch("amount", shop, limit=3))
        ticking.cancel()
        assert rows.shape == (2, 8)
        return ticks, hits

    ticks, hits = asyncio.run(main())
    assert ticks >= 5
    assert hits == engine.search("amount", shop, limit=3)


EMBED = MemoEmbedder.embed
HITS = [
    SearchHit("source.shop.stripe.charges", "id", 0.987, "VARCHAR", "A key.", used_in=("a.b", "c.d", "e.f")),
    SearchHit("model.shop.stg", "x\x1b[31m", 0.5, None, "", fed_by=("stripe.charges.id",)),
]


def test_hits_as_a_table_and_as_json() -> None:
    assert hits_text(HITS, "table") == (
        "0.99  stripe.charges.id  VARCHAR  feeds a.b, c.d and 1 more\n"
        "0.50  stg.x[31m                   from stripe.charges.id\n"
    )
    assert hits_text(HITS, "table", width=30) == "0.99  stripe.charges.id  VARC…\n0.50  stg.x[31m              …\n"
    assert hits_text([], "table") == "no columns\n"
    data = json.loads(hits_text(HITS, "json"))
    assert data["schema_version"] == 1
    assert data["hits"][0] == {
        "relation": "source.shop.stripe.charges", "column": "id", "score": 0.987, "type": "VARCHAR",
        "description": "A key.", "used_in": ["a.b", "c.d", "e.f"], "fed_by": [],
    }  # fmt: skip
