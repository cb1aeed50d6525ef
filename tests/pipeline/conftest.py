"""An engine on a copy of the example."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from dbt_schema_embed.pipeline import SchemaEmbed
from tests.embed.encoders import HashEncoder
from tests.shop import SameName, copy_of_example, with_hash_encoder, with_same_name


@pytest.fixture(scope="session")
def example(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of example_project that no test changes."""
    return copy_of_example(root, tmp_path_factory.mktemp("example") / "shop")


@pytest.fixture
def shop(example: Path, tmp_path: Path) -> Path:
    """A copy of example_project."""
    return Path(shutil.copytree(example, tmp_path / "shop"))


@pytest.fixture
def matcher(monkeypatch: pytest.MonkeyPatch) -> SameName:
    """The matcher of equal names."""
    return with_same_name(monkeypatch)


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> HashEncoder:
    """The encoder of hashes."""
    return with_hash_encoder(monkeypatch, tmp_path / "cache")


@pytest.fixture
def engine(encoder: HashEncoder, matcher: SameName) -> Iterator[SchemaEmbed]:
    """An engine with both."""
    with SchemaEmbed() as made:
        yield made
