"""What `stage` goes by: the project's own staging models, and proposals that become rows."""

from collections.abc import Sequence
from pathlib import Path

from dbt_schema_embed.decide.rows import Decision
from dbt_schema_embed.records import MappingFile, Project

_EXAMPLES = 50
_EXAMPLE_BYTES = 2**18


def invented(by: str, at: str, file: MappingFile) -> list[Decision]:
    """Decisions that accept every proposal of a new column."""
    return [
        Decision(row.source_column, "accepted", *row.pair, by=by, at=at, others=row.others)
        for row in file.columns
        if row.invented
    ]


def staging_sql(root: Path, project: Project, source: str) -> list[str]:
    """What a new staging model should look like: the SQL of the project's models that read the source of table
    ``source`` ("stripe.charges"), of those that read any source where there are none. Some will do."""
    names = {r.id: r.source_name for r in project.relations if r.kind == "source"}
    own = [r for r in project.relations if r.kind == "model" and r.package == project.name and r.has_sql]
    readers = [(r.path, {names[parent] for parent in r.parents if parent in names}) for r in own]
    near = [path for path, read in readers if source.rpartition(".")[0].lower() in map(str.lower, read)]
    return _texts(root, near) or _texts(root, [path for path, read in readers if read])


def _texts(root: Path, paths: Sequence[str]) -> list[str]:
    """The SQL in the files of ``paths`` that say anything, `_EXAMPLES` at most."""
    inside = root.resolve()
    found: list[str] = []
    for name in paths:
        path = (root / name).resolve()  # the manifest's word: it may lead anywhere
        if path.suffix != ".sql" or not path.is_relative_to(inside):
            continue
        try:
            with path.open("rb") as file:
                text = file.read(_EXAMPLE_BYTES).decode("utf-8", "replace")
        except OSError:  # the manifest is older than the files
            continue
        if text.strip():
            found.append(text)
        if len(found) == _EXAMPLES:
            break
    return found
