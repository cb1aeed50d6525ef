"""Which mapping files the name of a source table means: "stripe.charges" or "package.stripe.charges"."""

from pathlib import Path

from dbt_schema_embed.decide.mappings import Mappings, load_mappings
from dbt_schema_embed.errors import ConfigError, listed, near_hint, printable
from dbt_schema_embed.files import shown_path
from dbt_schema_embed.records import MappingFile

Found = list[tuple[Path, MappingFile]]


def files_called(mappings: Mappings, source: str) -> Found:
    """The files about the table called so: those that spell it so, or else those that differ in case alone."""
    wanted = source.lower()
    found = [(p, f) for p, f in mappings.files if wanted in (f.source.lower(), f"{f.package}.{f.source}".lower())]
    return [(p, f) for p, f in found if source in (f.source, f"{f.package}.{f.source}")] or found


def the_one(found: Found, source: str) -> tuple[Path, MappingFile]:
    """The only one of the files found.

    Raises:
        ConfigError: there are several; the message names them.
    """
    if len(found) > 1:
        names = listed([printable(f"{file.package}.{file.source}".removeprefix(".")) for _, file in found])
        raise ConfigError(f"{printable(source)!r} means several mapped sources", hint=f"name one of them: {names}")
    return found[0]


def file_of(root: Path, mappings_dir: str, source: str) -> tuple[Path, MappingFile]:
    """The one mapping file of a source table.

    Raises:
        ConfigError: there is none, or there are several; the message names them.
        MappingError: it may be one that cannot be read.
    """
    return the_one(files_of(root, mappings_dir, source), source)


def files_of(root: Path, mappings_dir: str, source: str | None) -> list[tuple[Path, MappingFile]]:
    """The mapping files of a source table called "stripe.charges" or "package.stripe.charges"; of None, all.

    Those that spell it so; where there is none, those that differ in case alone.

    Raises:
        ConfigError: there is none; the message names a near one.
        MappingError: it may be one that cannot be read.
    """
    mappings = load_mappings(root, mappings_dir)
    found = list(mappings.files) if source is None else files_called(mappings, source)
    if mappings.errors and (source is None or not found):
        raise mappings.errors[0]
    if not mappings.files:
        raise ConfigError(
            f"there are no mapping files in {shown_path(root, mappings.folder)}",
            hint="write them with: dbt-schema-embed suggest --write",
        )
    if not found:
        known = [file.source for _, file in mappings.files]
        hint = near_hint(source or "", known) or f"mapped are: {printable(listed(known))}"
        raise ConfigError(f"no mapping file is about {printable(source)!r}", hint=hint)
    return found
