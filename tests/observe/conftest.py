"""What the tests of the pipeline use, too."""

from tests.pipeline.conftest import encoder, engine, example, matcher, shop

__all__ = ["encoder", "engine", "example", "matcher", "shop"]
