"""What the tests of mapping files use, too."""

from tests.write.conftest import suggest

__all__ = ["suggest"]
