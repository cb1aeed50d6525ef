"""What benchmarks/fuzz_readers.py calls: one function of bytes for each reader of outside files."""

import json
import shutil
import zlib
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from hashlib import sha256
from pathlib import Path

from fuzz_kit import CATALOG, FIXTURES, MANIFEST, SMALL, Edited, One, Target, answers_or_says, edits, texts
from fuzz_more_targets import MORE


def manifest(folder: Path) -> One:
    """manifest.json, and what selects in it."""
    from dbt_schema_embed.read.project import read_project
    from dbt_schema_embed.read.selection import select

    change = Edited(json.loads(MANIFEST.read_bytes()))
    path = folder / "manifest.json"

    def read() -> None:
        project = read_project(folder, manifest=path, cache_dir=None)
        select(project, ["+tag:x", "*", "source:*+"], ["path:x"])

    def one(data: bytes) -> None:
        path.write_bytes(change(data))
        answers_or_says(read)

    return one


def catalog(folder: Path) -> One:
    """catalog.json beside the example's manifest."""
    from dbt_schema_embed.read.project import read_project

    change = Edited(json.loads(CATALOG.read_bytes()))
    target = folder / "target"
    target.mkdir()
    shutil.copy(CATALOG.with_name("manifest.json"), target)

    def one(data: bytes) -> None:
        (target / "catalog.json").write_bytes(change(data))
        answers_or_says(lambda: read_project(folder, lineage_of=(), values=False))

    return one


def mapping(folder: Path) -> One:
    """A mapping file, read, decided about and brought up to date."""
    from dbt_schema_embed.decide.rows import confident, decide
    from dbt_schema_embed.records import Suggestion
    from dbt_schema_embed.write.mapping import read_mapping
    from dbt_schema_embed.write.update import update_mapping

    path = folder / "stripe__charges.yml"
    rows = [Suggestion("source.p.stripe.charges", c, "model.p.m", c, 0.7, reason="why") for c in ("id", "new")]

    def all_of_it() -> None:
        file = read_mapping(path, path.name)
        update_mapping(path, rows, source=file.source, package=file.package, names={})
        decide(path, confident(file, 0.5))

    def one(data: bytes) -> None:
        path.write_bytes(data)
        answers_or_says(all_of_it)

    return one


def properties(folder: Path) -> One:
    """A sources YAML that `apply` adds entries to and takes them from."""
    from dbt_schema_embed.records import Column, MappingFile, MappingRow, Project, Relation
    from dbt_schema_embed.write.apply import apply_mappings

    columns = tuple(Column(name, "text") for name in ("id", "card_brand", "new one"))
    source = Relation(
        "source.shop.stripe.charges", "charges", "source", columns, source_name="stripe", yaml_path="s.yml"
    )
    rows = tuple(MappingRow(c.name, "stg", c.name.upper(), status="accepted") for c in columns)
    file = MappingFile("m.yml", "stripe.charges", rows)
    project = Project("shop", None, (source,))

    def all_of_it() -> None:
        apply_mappings(project, [file], folder, revert=True)
        for rewrite in apply_mappings(project, [file], folder).rewrites:
            rewrite.path.write_text(rewrite.text, "utf-8", newline="")
            assert not apply_mappings(project, [file], folder).rewrites, "a second run changes something"

    def one(data: bytes) -> None:
        (folder / "s.yml").write_bytes(data)
        answers_or_says(all_of_it)

    return one


def table(name: str, *, dialects: tuple[str | None, ...] = (None,)) -> Callable[[Path], One]:
    """A CSV or DDL file."""

    def opened(folder: Path) -> One:
        from dbt_schema_embed.tables import read_relations

        path = folder / name

        def one(data: bytes) -> None:
            path.write_bytes(data[1:])
            dialect = dialects[data[0] % len(dialects)] if data else None
            answers_or_says(lambda: read_relations(path, dialect=dialect))

        return one

    return opened


def with_head(seeds: Callable[[], Iterable[bytes]]) -> Callable[[], Iterable[bytes]]:
    """``seeds`` with the byte that chooses a dialect."""
    return lambda: [bytes([number]) + seed for number, seed in enumerate(seeds())]


def profile(folder: Path) -> One:
    """A line of dbt's log, what it reports, and the file it is kept in."""
    from dbt_schema_embed.read.profiles import TableProfile, profiles_text, read_line, read_profiles, with_profiles
    from dbt_schema_embed.read.project import read_project

    project = read_project(FIXTURES, manifest=SMALL, lineage_of=(), values=False)
    sources = [r.id for r in project.relations if r.kind == "source"]
    event = {
        "event": "profile", "schema_version": 1, "table": sources[0], "rows_profiled": 40, "row_count": 40,
        "columns": [{
            "name": "id", "type": "text", "filled": 40, "distinct": 40, "min_length": 1, "max_length": 9,
            "mean_length": 2.5, "patterns": [["a9", 40]], "top_values": [["x", 3], [None, 1]],
        }],
    }  # fmt: skip
    change = Edited(event)
    path = folder / "profiles.json"

    def one(data: bytes) -> None:
        said = change(data).decode("utf-8", "surrogateescape")
        line = {"info": {"msg": f"<schema_embed>{said}</schema_embed>", "level": "info"}}
        read_line(data.decode("latin-1"))
        tables = {e.table: e for e in read_line(json.dumps(line))[0] if isinstance(e, TableProfile)}
        path.write_bytes(profiles_text(tables).encode("utf-8", "surrogatepass") if tables else change(data))
        answers_or_says(lambda: with_profiles(project, read_profiles(path)))

    return one


def sql(_: Path) -> One:
    """A model's SQL, compiled or with its Jinja, to columns and lineage."""
    import dbt_schema_embed.sql.parse  # noqa: F401  with coverage that takes longer than reading may
    from dbt_schema_embed.sql.lineage import ModelSql, TableInfo, read_sql
    from dbt_schema_embed.sql.statements import OUT_OF_TIME

    tables = {name: TableInfo(f"source.p.{name}", ("id", "a", "b", "Amount")) for name in ("t", "db.s.orders", "x")}
    dialects = (None, "postgres", "snowflake", "bigquery", "duckdb", "tsql", "spark", "redshift")

    def one(data: bytes) -> None:
        head, text = data[:1] or b"\0", data[1:].decode("utf-8", "surrogateescape")
        parent = ModelSql("model.p.a", text, "a", ("source.p.t",), ("id",), compiled=bool(head[0] & 8))
        child = ModelSql("model.p.b", "select a.*, t.id as t_id from a join t using (id)", "b", ("model.p.a",))
        facts = read_sql([parent, child], tables, dialects[head[0] % 8], None)
        assert all(w.isprintable() for w in facts.warnings)
        assert not any(OUT_OF_TIME in w for w in facts.warnings)

    return one


def memo(folder: Path) -> One:
    """A file of exported entries, the values in it, and the memo's own sqlite file."""
    from dbt_schema_embed.embed.disk_store import DiskStore
    from dbt_schema_embed.embed.memo_files import FOLDER, import_memo
    from dbt_schema_embed.embed.vector_bytes import from_bytes

    path, cache = folder / "memo.bin", folder / "cache"

    def one(data: bytes) -> None:
        shutil.rmtree(cache, ignore_errors=True)
        body = b"DSEmemo1" + data[1:]
        kind = data[0] % 3 if data else 0
        if kind == 2:
            (cache / FOLDER).mkdir(parents=True)
            (cache / FOLDER / "cache.db").write_bytes(data[1:])
        path.write_bytes(data if kind == 1 else body + sha256(body).digest())
        answers_or_says(lambda: import_memo(cache, path))
        store = DiskStore(cache / FOLDER)
        answers_or_says(lambda: store.read(["a" * 40, "k"]))
        answers_or_says(lambda: store.write({"k": b"v"}))
        answers_or_says(lambda: list(store.pages()))
        from_bytes(["k"], [data], 4)
        from_bytes(["k"], [data[:24]], 2)

    return one


def index(folder: Path) -> One:
    """An index whose directory, or whose arrays, somebody else has written, with every checksum right."""
    import numpy as np

    from dbt_schema_embed.arrays import Parts, Texts, save
    from dbt_schema_embed.errors import IndexMismatchError
    from dbt_schema_embed.index import Columns, Filter, Index, gathered
    from dbt_schema_embed.records import Column, Lineage, Relation

    path = folder / "ours" / "index" / "columns.index"
    tables = [Relation(n, n, "source", (Column("id", "int"), Column(f"of {n}", description="x"))) for n in "ab"]
    lines = [Lineage("a", "id", "b", "id", "renamed")]
    found, beside = gathered(tables, lines, lambda r: [(c.name, c.description) for c in r.columns], str.split)
    index = Index(path.parent, encoder_id="fuzz", dim=4, approximate=False)
    index.update(found, lambda some: np.random.default_rng(0).normal(size=(len(some), 4)), beside=beside)
    index.close()
    original = path.read_bytes()
    with closing(Parts(path)) as parts:
        arrays, meta = {name: np.array(parts[name]) for name in parts.names()}, parts.meta
    offset = int.from_bytes(original[-16:-8], "little")
    change, names = Edited(json.loads(original[offset:-16])), sorted(arrays)

    def spoil(data: bytes) -> None:
        if data[:1] == b"T" and len(data) > 1:
            name = names[data[1] % len(names)]
            kept = arrays[name]
            table = (data[2:] + kept.tobytes()[len(data) - 2 :])[: kept.nbytes] if data[1] & 64 else data[2:]
            rows = np.frombuffer(table[: len(table) // kept.itemsize * kept.itemsize], kept.dtype)
            fits = rows.size % max(1, kept[:1].size) == 0
            save(path, meta, arrays | {name: rows.reshape(-1, *kept.shape[1:]) if fits and kept.size else rows})
        elif data[:1] == b"P":
            path.write_bytes(data[1:])
        else:
            text = change(data)
            foot = (
                offset.to_bytes(8, "little") + len(text).to_bytes(4, "little") + zlib.crc32(text).to_bytes(4, "little")
            )
            path.write_bytes(original[:offset] + text + foot)

    def search() -> None:
        read = Index(path.parent, encoder_id="fuzz", dim=4, approximate=False)
        try:
            read.query(np.eye(4, dtype=np.float32), 3)
            with read.read() as parts:
                columns = Columns(parts)
                columns.words()
                columns.admitted(Filter("int", None))
                columns.reached(np.array([0]))
                columns.with_kin(np.zeros(len(columns)), 0.5)
                for number in range(len(columns)):
                    columns.hit(number, 0.5)
                Texts(parts, "labels").all()
        finally:
            read.close()

    def one(data: bytes) -> None:
        spoil(data)
        with suppress(IndexMismatchError):
            answers_or_says(search)

    return one


_SQL = texts("tests/fixtures/lineage/*.sql", "tests/fixtures/read/ddl/*", "example_project/models/**/*.sql")
_DDL_DIALECTS = (None, "postgres", "mysql", "snowflake", "bigquery", "tsql", "oracle", "spark")
TARGETS = {
    "sql": Target(sql, with_head(_SQL), ("sqlglot",)),
    "ddl": Target(table("t.sql", dialects=_DDL_DIALECTS), with_head(_SQL), ("sqlglot",)),
    "manifest": Target(manifest, edits),
    "catalog": Target(catalog, edits),
    "mapping": Target(mapping, texts("tests/fixtures/write/*.yml", "tests/fixtures/write/bad_mappings.txt"), ("yaml",)),
    "properties": Target(
        properties, texts("tests/fixtures/write/sources.txt", "example_project/models/**/*.yml"), ("yaml",)
    ),
    "csv": Target(table("t.csv"), with_head(texts("example_project/seeds/**/*.csv"))),
    "profile": Target(profile, edits),
    "memo": Target(memo, edits),
    "index": Target(index, edits),
    **MORE,
}
"""Every reader of files from outside."""
