"""The memo's upkeep."""

from pathlib import Path

import pytest

from dbt_schema_embed.errors import ConfigError, MemoError
from dbt_schema_embed.pipeline import SchemaEmbed
from dbt_schema_embed.settings import Settings
from tests.embed.encoders import HashEncoder


@pytest.fixture
def there(tmp_path: Path, encoder: HashEncoder) -> SchemaEmbed:
    """An engine whose memo is where the encoder of hashes keeps it."""
    return SchemaEmbed(Settings(cache_dir=str(tmp_path / "cache")))


def test_a_memo_is_filled_counted_carried_and_emptied(
    there: SchemaEmbed, shop: Path, tmp_path: Path, encoder: HashEncoder
) -> None:
    texts, encoded = there.cache.warm(shop)
    assert texts == encoded == len(encoder.encoded)
    assert SchemaEmbed(there.settings).cache.warm(shop) == (texts, 0)
    stats = there.cache.stats()
    assert (stats["path"], stats["entries"]) == (str(tmp_path / "cache" / "memo"), texts)
    assert there.cache.export(tmp_path / "memo.bin") == texts
    other = SchemaEmbed(Settings(cache_dir=str(tmp_path / "elsewhere")))
    assert other.cache.import_(tmp_path / "memo.bin") == texts
    assert other.cache.stats()["entries"] == texts
    assert there.cache.clear() == texts
    assert there.cache.stats()["entries"] == 0


@pytest.mark.usefixtures("encoder")
def test_how_names_were_read_is_kept_where_caching_is_on_and_forgotten_with_the_memo(
    there: SchemaEmbed, shop: Path, tmp_path: Path
) -> None:
    readings = tmp_path / "cache" / "readings"
    SchemaEmbed(Settings(cache_dir=str(tmp_path / "cache"), enable_caching=False)).suggest(shop)
    assert not readings.exists()
    first = there.suggest(shop).to_dict()
    assert sorted(path.suffix for path in readings.iterdir()) == [".answers", ".bin", ".voices"]
    assert SchemaEmbed(there.settings).suggest(shop).to_dict() == first
    there.cache.clear()
    assert list(readings.iterdir()) == []


@pytest.mark.model
@pytest.mark.parametrize(("caching", "encoded"), [(True, 2), (False, 4)])
def test_without_caching_nothing_is_remembered_not_even_within_the_process(
    tmp_path: Path, caching: bool, encoded: int
) -> None:
    with SchemaEmbed(Settings(cache_dir=str(tmp_path / "cache"), enable_caching=caching)) as engine:
        first = engine.encode(["customer id", "order total", "customer id"])
        assert (engine.encode(["order total", "customer id"]) == first[[1, 0]]).all()
        stats = engine.session.stats()
        assert stats is not None
        assert stats.misses == encoded
    assert (tmp_path / "cache" / "memo").exists() == caching


def test_a_list_of_names_warms_it_too(there: SchemaEmbed, tmp_path: Path, encoder: HashEncoder) -> None:
    names = tmp_path / "names.txt"
    names.write_bytes("\ufeffcustomerId\r\n\r\n  order total \ncustomerId\n".encode())
    assert there.cache.warm(names=names) == (2, 2)
    assert encoder.encoded == ["customer id", "order total"]


@pytest.mark.parametrize(
    ("content", "message"), [(None, "cannot be read: No such file"), (b"x" * 11, "is larger than")]
)
def test_a_bad_list_of_names_is_one_message(
    there: SchemaEmbed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, message: str
) -> None:
    monkeypatch.setattr("dbt_schema_embed.pipeline.cache._NAMES_BYTES", 10)
    if content is not None:
        (tmp_path / "names.txt").write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        there.cache.warm(names=tmp_path / "names.txt")


def test_a_file_that_is_no_memo_is_refused(there: SchemaEmbed, tmp_path: Path) -> None:
    (tmp_path / "memo.bin").write_bytes(b"something else")
    with pytest.raises(MemoError, match="is not an exported memo"):
        there.cache.import_(tmp_path / "memo.bin")


def test_the_home_of_nobody_is_no_cache_folder() -> None:
    with pytest.raises(ConfigError, match="cache_dir ~nosuch/x is no folder: "):
        SchemaEmbed(Settings(cache_dir="~nosuch/x")).cache.stats()
