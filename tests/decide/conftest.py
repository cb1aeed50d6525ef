"""What the tests of mapping files and of the pipeline use, too."""

from tests.pipeline.conftest import encoder, engine, example, matcher, shop
from tests.write.conftest import fixtures, suggest, update

__all__ = ["encoder", "engine", "example", "fixtures", "matcher", "shop", "suggest", "update"]
