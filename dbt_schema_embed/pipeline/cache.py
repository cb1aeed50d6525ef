"""The memo of vectors on disk: count it, empty it, fill it, carry it to another machine."""

from pathlib import Path
from typing import Any, Unpack

from dbt_schema_embed.errors import ConfigError, printable
from dbt_schema_embed.files import read_bounded
from dbt_schema_embed.pipeline.session import Session
from dbt_schema_embed.records import Artifacts

_NAMES_BYTES = 64 * 2**20


class Cache:
    """What can be done with the memo."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def stats(self) -> dict[str, Any]:
        """What the memo on disk holds: "path", "entries", "bytes", "size_limit", "notes".

        Raises:
            MemoError: it cannot be read.
        """
        self._session.need_embed("cache")
        from dbt_schema_embed.embed import memo_stats

        return memo_stats(self._session.cache_dir())

    def clear(self) -> int:
        """Empty the memo on disk, and forget how names were read; how many vectors went."""
        self._session.need_embed("cache")
        from dbt_schema_embed.embed import memo_clear
        from dbt_schema_embed.match.kept_readings import clear

        clear(self._session.cache_dir())
        return memo_clear(self._session.cache_dir())

    def export(self, path: Path) -> int:
        """Write the memo on disk to one file that `import_` reads elsewhere; how many vectors."""
        self._session.need_embed("cache")
        from dbt_schema_embed.embed import export_memo

        return export_memo(self._session.cache_dir(), path)

    def import_(self, path: Path) -> int:
        """Add the vectors of a file that `export` wrote; how many."""
        self._session.need_embed("cache")
        from dbt_schema_embed.embed import import_memo

        return import_memo(self._session.cache_dir(), path, ttl=self._session.settings.cache_ttl)

    def warm(
        self, project_dir: str | Path = ".", *, names: Path | None = None, **artifacts: Unpack[Artifacts]
    ) -> tuple[int, int]:
        """Put the vectors of a project's columns, or of the column names in a file (one a line), into the memo.

        Returns:
            Texts looked at, and those of them that had to be encoded.
        """
        self._session.need_embed("cache warm")
        from dbt_schema_embed.embed import embed_relations
        from dbt_schema_embed.records import Column, Relation

        if names is None:
            opened = self._session.open(project_dir, artifacts, values=False)
            relations = opened.project.relations
            self._session.told(opened.project.warnings)
        else:
            columns = tuple(Column(name, position=place) for place, name in enumerate(_lines(names)))
            relations = (Relation("names", "", "table", columns),)
        embedder = self._session.embedder()
        embed_relations(relations, embedder)
        self._session.told()
        return embedder.stats.distinct, embedder.stats.misses


def _lines(path: Path) -> list[str]:
    try:
        content = read_bounded(path, _NAMES_BYTES)
    except OSError as problem:
        raise ConfigError(f"{printable(path)} cannot be read: {problem.strerror}") from None
    if content is None:
        raise ConfigError(f"{printable(path)} is larger than 64 MB: is it a list of names?")
    lines = content.decode("utf-8-sig", "replace").splitlines()
    return list(dict.fromkeys(line.strip() for line in lines if line.strip()))
