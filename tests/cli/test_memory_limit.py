"""Every reader of files from outside, in a process that may have 4 GiB of addresses and no more: one clear error."""

import os
import resource
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pipeline.conftest import example, shop

__all__ = ["example", "shop"]

RUN = [sys.executable, "-c", "from dbt_schema_embed.cli import main; main()"]
GIB = 2**30
Make = Callable[[Path], object]


def sparse(head: bytes) -> Make:
    """A gigabyte that begins so; the rest are zeros, and take no space."""

    def make(path: Path) -> None:
        path.write_bytes(head)
        os.truncate(path, GIB)

    return make


def content(*pieces: bytes) -> Make:
    """A file of that."""
    return lambda path: path.write_bytes(b"".join(pieces))


def encoder(files: dict[str, Make]) -> Make:
    """An encoder's folder with some files of another kind."""

    def make(path: Path) -> None:
        from dbt_schema_embed.embed.locate import encoder_folder

        path.mkdir()
        for real in Path(encoder_folder("all-MiniLM-L6-v2")).iterdir():
            if real.is_file() and real.name not in files:
                (path / real.name).symlink_to(real)
        for name, make_one in files.items():
            make_one(path / name)

    return make


LYING = struct.pack("<Q", 2**40) + b'{"a": {"dtype": "F32", "shape": [1000000000000], "data_offsets": [0, 4]}}'
HUGE = b'{"a": {"dtype": "F32", "shape": [1000000000000], "data_offsets": [0, 4000000000000]}}'
CREATE = b"create table t (a int"

CASES: dict[str, tuple[str, Make, str, int, str]] = {
    "manifest": ("target/manifest.json", sparse(b'{"nodes": {'), "check", 3, "bytes, more than"),
    "manifest, depth": ("target/manifest.json", content(b'{"a":' * 10**6), "check", 3, "manifest.json"),
    "catalog": ("target/catalog.json", sparse(b'{"nodes": {'), "check", 3, "bytes, more than"),
    "information schema": (
        "target/info_schema/v1/dbt.node_columns.parquet", sparse(b"PAR1"), "suggest --select stripe.disputes", 0, ""
    ),
    "mapping": ("schema_mappings/a.yml", sparse(b"version: 1\n"), "check", 1, "larger than 8 MiB"),
    "mapping, aliases": (
        "schema_mappings/a.yml",
        content(*(b"a%d: &a%d [*a%d, *a%d]\n" % (i, i, i - 1, i - 1) for i in range(1, 60))), "check", 1, "a.yml",
    ),
    "glossary": ("schema_mappings/glossary.yml", sparse(b"a: b\n"), "glossary", 2, "glossary.yml"),
    "settings": ("dbt_schema_embed.yml", sparse(b"alerts: {"), "check", 2, "dbt_schema_embed.yml"),
    "settings, merge keys": (
        "dbt_schema_embed.yml",
        content(b"a0: &a0 {x: 1}\n", *(b"a%d: &a%d {<<: [*a%d, *a%d]}\n" % (i, i, i - 1, i - 1) for i in range(1, 60))),
        "check", 2, "dbt_schema_embed.yml",
    ),
    "pyproject": ("pyproject.toml", sparse(b"[tool.dbt-schema-embed]\n"), "check", 2, "pyproject.toml"),
    "dbt_project.yml": ("dbt_project.yml", sparse(b"name: shop\n"), "check", 2, "larger than 1 MB"),
    "baseline": ("b.json", sparse(b"{"), "check --baseline b.json", 2, "larger than 64 MiB"),
    "profile": ("target/schema_embed/profile.json", sparse(b"{"), "suggest", 0, "bytes, more than"),
    "index": ("target/schema_embed/index/columns.index", sparse(b"DSEparts"), "search amount", 0, "built anew"),
    "report": ("target/schema_embed/report.html", sparse(b"<html>"), "report", 0, "report.html"),
    "memo": ("m.bin", sparse(b"DSEmemo1"), "cache import m.bin", 1, "m.bin"),
    "names": ("names.txt", sparse(b"a\n"), "cache warm --names names.txt", 2, "larger than 64 MB"),
    "SQL": ("a.sql", sparse(CREATE), "match a.sql a.sql", 3, "bytes, more than"),
    "SQL, brackets": ("a.sql", content(CREATE, b", b ", b"(" * 4_000_000), "match a.sql a.sql", 3, "a.sql"),
    "SQL, columns": (
        "a.sql", content(CREATE, *(b", c%d int" % i for i in range(300_000)), b")"), "match a.sql a.sql", 3, "a.sql",
    ),
    "CSV": ("a.csv", sparse(b"a,b\n"), "match a.csv a.csv", 0, ""),
    "CSV, columns": ("a.csv", content(b"a", b",a" * 10**7, b"\n"), "match a.csv a.csv", 3, "more than 100,000"),
    "CSV, many columns": ("a.csv", content(b"a", b",a" * 90_000, b"\n"), "match a.csv a.csv", 3, "more than 20,000"),
    "Parquet": ("a.parquet", sparse(b"PAR1"), "match a.parquet a.parquet", 3, "a.parquet cannot be read as Parquet"),
    "docs of columns": ("d.json", sparse(b"{"), "match s.csv s.csv --left-docs d.json", 3, "d.json"),
    "encoder, weights": (
        "../enc", encoder({"model.safetensors": content(LYING)}), "match s.csv s.csv --set model_name=../enc", 2, "enc",
    ),
    "encoder, numbers": (
        "../enc", encoder({"model.safetensors": content(struct.pack("<Q", len(HUGE)), HUGE)}),
        "match s.csv s.csv --set model_name=../enc", 2, "enc",
    ),
    "encoder, config": (
        "../enc", encoder({"config.json": sparse(b"{")}), "match s.csv s.csv --set model_name=../enc", 2, "config.json",
    ),
    "encoder, words": (
        "../enc", encoder({"tokenizer.json": sparse(b"{")}), "match s.csv s.csv --set model_name=../enc", 2, "enc",
    ),
}  # fmt: skip


def limited(command: str, folder: Path, most: int) -> subprocess.CompletedProcess[str]:
    """Run a command that may have so many bytes of addresses."""
    return subprocess.run(
        [*RUN, *command.split()], cwd=folder, capture_output=True, text=True, timeout=300, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (most, most)),
    )  # fmt: skip


@pytest.mark.model
@pytest.mark.parametrize("name", CASES)
def test_four_gibibytes_are_enough_to_say_no(name: str, shop: Path) -> None:
    place, make, command, code, said = CASES[name]
    (shop / "s.csv").write_text("id,name\n1,x\n")
    path = shop / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    make(path)
    done = limited(command, shop, 4 * GIB)
    assert done.returncode == code, done.stderr
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "this is a bug" not in done.stderr
    assert (done.stdout + done.stderr).count("error: ") == (code > 0)


def test_too_little_memory_is_said(shop: Path) -> None:
    done = limited("suggest", shop, 50 * 2**20)
    assert done.returncode == 1
    assert "error: there is not enough memory for this\n  " in done.stderr
