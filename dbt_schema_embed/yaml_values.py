"""YAML from anybody as plain values, read within bounds."""

from pathlib import Path
from typing import Any

from dbt_schema_embed.errors import ConfigError, printable

_DEPTH = 60
_MERGED = 100_000  # values that merge keys (`<<`) may make: each copies what it names, so that some lines fill memory


def load_yaml(content: bytes, path: Path) -> Any:
    """The values of the one document in ``content``, the bytes of the file at ``path``; None where there is none.

    Raises:
        ConfigError: it is no YAML, nests too deeply, or merges too much.
    """
    if not content.strip():
        return None
    import yaml

    nested = ConfigError(f"{printable(path)} is nested deeper than {_DEPTH} levels")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        text = content.decode("utf-8-sig")
        depth = 0
        for event in yaml.parse(text, Loader=loader):  # libyaml's loader crashes on deep text: see how deep it is first
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEPTH:
                raise nested
        reader = loader(text)
        try:
            node = reader.get_single_node()
            if node is None:
                return None
            _Merges(path).check(node)
            return reader.construct_document(node)
        finally:
            reader.dispose()
    except (yaml.YAMLError, ValueError) as problem:
        if too_deep(problem):
            raise nested from None
        said = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
        raise ConfigError(f"{printable(path)} is not YAML: {printable(said)}") from None


def too_deep(problem: Exception) -> bool:
    """Whether libyaml gave up by itself: newer ones see a thousand levels before the first of them is an event."""
    return "nesting depth" in str(getattr(problem, "problem", ""))


class _Merges:
    """Counts what the merge keys of a document copy, before any of it is copied."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sizes: dict[int, int | None] = {}  # by id of a node: its pairs with what it merges; None: being counted
        self._copied = 0

    def check(self, node: Any) -> int:
        """The pairs of ``node``, each node counted once.

        Raises:
            ConfigError: more than `_MERGED` copies in all, or a mapping that merges itself.
        """
        import yaml

        if isinstance(node, yaml.ScalarNode):
            return 1
        if id(node) in self._sizes:
            return self._sizes[id(node)] or 1
        self._sizes[id(node)] = None
        if isinstance(node, yaml.SequenceNode):
            size = sum(self.check(item) for item in node.value)
        else:
            size = sum(self._pair(key, value) for key, value in node.value)
        self._sizes[id(node)] = size
        return size

    def _pair(self, key: Any, value: Any) -> int:
        if key.tag != "tag:yaml.org,2002:merge":
            self.check(key)
            self.check(value)
            return 1
        if self._sizes.get(id(value), 0) is None:
            raise ConfigError(f"{printable(self._path)} has a mapping that merges itself")
        size = self.check(value)
        self._copied += size
        if self._copied > _MERGED:
            raise ConfigError(f"{printable(self._path)} merges more than {_MERGED:,} values into each other")
        return size
