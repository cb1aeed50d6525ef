"""Every dbt from 1.8 to 2.0, step by step, on a copy of the example: what runs, and why what does not run does not.

    python benchmarks/dbt_matrix.py [--write] [1.11 2.0 ...]

Each dbt has a virtual environment of its own in build/dbt/, made once. ``--write`` puts the table into RESULTS.md.
Exits with 1 when a step fails that is ours: what a version cannot do by itself here is said below the table.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "dbt"
DRIVERS = BUILD / "driver"
RESULTS = ROOT / "benchmarks" / "RESULTS.md"
MARKS = "<!-- dbt-matrix -->\n", "<!-- /dbt-matrix -->\n"
SOURCE, NAME, MODEL = "stripe", "disputes", "stg_stripe__disputes"
TABLE = f"{SOURCE}.{NAME}"
STAGED = f"models/staging/stripe/{MODEL}.sql"
TOOL = "from dbt_schema_embed.cli import main; main()"


def usual(minor: str) -> list[list[str]]:
    """The calls of pip that install a dbt 1.x as its users do."""
    return [[f"dbt-core~={minor}.0", f"dbt-duckdb~={minor}.0"]]


# 1.12 asks for a parser whose build fetches a binary from outside the registries; it serves without.
PARTED = [
    ["dbt-adapters>=1.24.5", "dbt-duckdb~=1.11.0", "dbt-core~=1.11.0", "metricflow", "python-dotenv",
     "mashumaro[msgpack]<3.18", "opentelemetry-api", "click>=8.3,<9"],
    ["--no-deps", "dbt-core~=1.12.0"],
]  # fmt: skip
DRIVER = "@duckdb/node-bindings-linux-x64@1.5.6-r.1"
"""dbt 2 fetches DuckDB's library at the first use. Where its server is not reached, this package brings one."""

WAYS: dict[str, list[list[list[str]]]] = {
    **{minor: [usual(minor)] for minor in ("1.8", "1.9", "1.10", "1.11")},
    "1.12": [[["dbt-core~=1.12.0", "dbt-duckdb~=1.11"]], PARTED],
    "2.0": [[["dbt>=2.0.0,<3"]], [["dbt==2.0.0rc196"]]],
}
"""Version -> ways to install it, the first that works; a way is calls of pip install."""


class CannotRunError(Exception):
    """A step that this dbt cannot do here, and why, in words for people."""


@dataclass
class Shop:
    """A copy of the example, and one dbt."""

    folder: Path
    dbt: Path
    two: bool
    old: bool = False  # before 1.10
    cannot: dict[str, str] = field(default_factory=dict)  # step -> why

    def run(self, command: list[str]) -> str:
        """What a command prints; AssertionError where it fails."""
        env = {**os.environ, "DBT_PROFILES_DIR": str(self.folder), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
               "LD_LIBRARY_PATH": str(DRIVERS / "package") if self.two else "",
               "PYTHONPATH": str(ROOT), "PATH": f"{self.dbt.parent}{os.pathsep}{os.environ['PATH']}"}  # fmt: skip
        done = subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=600)
        said = done.stdout + done.stderr
        if "driver" in said and "CDN" in said:
            raise CannotRunError(
                "its DuckDB driver is fetched at the first use, from a server that is not reached here"
            )
        assert done.returncode == 0, said
        return said

    def call(self, *words: str) -> str:
        """A command of dbt."""
        return self.run([str(self.dbt), *words])

    def tool(self, *words: str) -> str:
        """A command of ours."""
        return self.run([sys.executable, "-c", TOOL, *words])


def deps(shop: Shop) -> None:
    """Our package as the last commit has it: from git, and from a tarball such as the hub's; then by its path."""
    file, by_path = shop.folder / "packages.yml", (shop.folder / "packages.yml").read_text("utf-8")
    file.write_text(f"packages:\n  - git: file://{ROOT}\n    revision: {git('rev-parse', 'HEAD').strip()}\n")
    installed_package(shop)
    served = shop.folder.parent / "served"
    served.mkdir()
    git("archive", "--format=tar.gz", "--prefix=dbt-schema-embed/", "--output", str(served / "package.tar.gz"), "HEAD")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(served))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/package.tar.gz"
        file.write_text(f"packages:\n  - tarball: {url}\n    name: dbt_schema_embed\n")
        try:
            installed_package(shop)
        finally:
            server.shutdown()
    file.write_text(by_path)
    installed_package(shop)


class Quiet(SimpleHTTPRequestHandler):
    """Files, without a word."""

    def log_message(self, *_: object) -> None: ...


def git(*words: str) -> str:
    """What git says about this repository."""
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def installed_package(shop: Shop) -> None:
    """`dbt deps`, anew."""
    shutil.rmtree(shop.folder / "dbt_packages", ignore_errors=True)
    (shop.folder / "package-lock.yml").unlink(missing_ok=True)
    shop.call("deps")
    assert (shop.folder / "dbt_packages" / "dbt_schema_embed" / "macros").is_dir()


def parse(shop: Shop) -> None:
    """The project with our package."""
    shop.call("parse")


def listed(shop: Shop) -> None:
    """Sources and what they feed."""
    assert MODEL in shop.call("list", "--select", f"source:{TABLE}+ {MODEL}")


def build(shop: Shop) -> None:
    """Raw tables, models, tests; before 1.10 the selector of the example leaves the tests of planned models in."""
    for command in ("seed", "run") if shop.old else ("build",):
        shop.call(command)


def docs(shop: Shop) -> None:
    """A catalog with columns."""
    shop.call("compile", "--write-catalog") if shop.two else shop.call("docs", "generate")
    catalog = json.loads((shop.folder / "target" / "catalog.json").read_text("utf-8"))
    assert catalog["sources"], "the catalog is empty"


def suggest(shop: Shop) -> None:
    """Every answer about a source table is the true one."""
    shop.tool("suggest", "--select", TABLE, "--write")
    truth = json.loads((shop.folder / "expected_mapping.json").read_text("utf-8"))[TABLE]["columns"]
    rows = json.loads(shop.tool("suggest", "--select", TABLE, "--format", "json").partition("\nwarning")[0])
    found = {row["source_column"]: row["model_column"] for row in rows["suggestions"]}
    assert {c: a for c, a in found.items() if a} == {c: a for c, a in truth.items() if a}


def apply(shop: Shop) -> None:
    """Accepted rows go into the sources' YAML, and dbt has no word to say about it."""
    shop.tool("accept", "--source", TABLE, "--min-confidence", "0")
    before = complaints(shop)
    assert "wrote" in shop.tool("apply")
    assert complaints(shop) == before


def complaints(shop: Shop) -> list[str]:
    """Warnings and deprecations of a parse, without times."""
    said = shop.call("parse") if shop.two else shop.call("--no-use-colors", "parse", "--no-partial-parse")
    return sorted(
        re.sub(r"^[\d:]+\s+", "", x) for x in said.splitlines() if re.search(r"warn|deprecat|\[error", x, re.I)
    )


def check(shop: Shop) -> None:
    """The mapping fits the project."""
    assert "no problems" in shop.tool("check")


def selecting(shop: Shop) -> None:
    """A model that selects by our macro compiles to renames and casts."""
    relation = f"source('{SOURCE}', '{NAME}')"
    planned = (shop.folder / STAGED).read_text("utf-8")
    (shop.folder / STAGED).write_text(
        f"select {{{{ dbt_schema_embed.schema_embed_select({relation}) }}}} from {{{{ {relation} }}}}\n"
    )
    shop.call("compile", "--select", MODEL)
    compiled = (shop.folder / "target/compiled/shop" / STAGED).read_text("utf-8")
    (shop.folder / STAGED).write_text(planned)
    assert "as dispute_id" in compiled, compiled


def generating(shop: Shop) -> None:
    """A macro prints the staging model."""
    said = json.dumps({"source_name": SOURCE, "table_name": NAME})
    assert "id as dispute_id" in shop.call("run-operation", "schema_embed_generate_staging", "--args", said)


def staged(shop: Shop) -> None:
    """The written model builds and passes its tests."""
    shop.tool("stage", TABLE)
    shop.call("build", "--select", MODEL)


def profile(shop: Shop) -> None:
    """dbt looks at the rows for us."""
    assert "rows looked at" in shop.tool("profile", "--select", TABLE)


STEPS: dict[str, Callable[[Shop], None]] = {
    "deps": deps, "parse": parse, "list": listed, "build": build, "docs": docs, "`suggest`": suggest, "`apply`": apply,
    "`check`": check, "`select` macro": selecting, "`generate` macro": generating, "`stage`, built": staged,
    "`profile`": profile,
}  # fmt: skip


def installed(version: str) -> Path:
    """The executable of that dbt."""
    venv = BUILD / version
    if (venv / "done").exists():
        return venv / "bin" / "dbt"
    for way in WAYS[version]:
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        calls = [[str(venv / "bin/pip"), "install", "-qq", *words] for words in way]
        if all(subprocess.run(call, capture_output=True).returncode == 0 for call in calls):
            if version.startswith("2"):
                bring_driver()
            (venv / "done").touch()
            return venv / "bin" / "dbt"
    sys.exit(f"dbt {version} cannot be installed here")


def bring_driver() -> None:
    """DuckDB's library from npm, where there is npm: else dbt fetches it, or says that it cannot."""
    npm = shutil.which("npm")
    if npm and sys.platform == "linux":
        DRIVERS.mkdir(exist_ok=True)
        packed = subprocess.run([npm, "pack", "--silent", DRIVER], cwd=DRIVERS, capture_output=True)
        for archive in DRIVERS.glob("*.tgz") if packed.returncode == 0 else ():
            subprocess.run(["tar", "-xzf", archive.name], cwd=DRIVERS, check=True)


def opened(folder: Path, version: str) -> Shop:
    """A shop of its own."""
    made = shutil.ignore_patterns("target", "dbt_packages", "logs", "*.duckdb", "package-lock.yml")
    shutil.copytree(ROOT / "example_project", folder, ignore=made)
    (folder / "packages.yml").write_text(f"packages:\n  - local: {ROOT}\n")
    old = version in ("1.8", "1.9")
    if old:
        for path in [folder / "dbt_project.yml", *folder.glob("models/**/*.yml")]:
            document = older(yaml.safe_load(path.read_text("utf-8")))
            path.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
    return Shop(folder, installed(version), version.startswith("2"), old)


def older(value: Any) -> Any:
    """The same YAML as dbt before 1.10.5 writes it: arguments of tests beside their config, no least version."""
    if isinstance(value, list):
        return [older(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {k: older(v) for k, v in value.items() if k not in ("arguments", "require-dbt-version")}
    return {**kept, **older(value["arguments"])} if "arguments" in value else kept


def row(version: str, shop: Shop) -> Iterator[str]:
    """ "yes", "no" or "FAILED" for each step; the last is a bug of ours."""
    for name, step in STEPS.items():
        try:
            step(shop)
            yield "yes"
        except CannotRunError as problem:
            shop.cannot[name] = str(problem)
            yield "no"
        except (AssertionError, subprocess.TimeoutExpired) as problem:
            print(f"{version}, {name}: {str(problem)[-1500:]}", file=sys.stderr)
            shop.cannot[name] = "failed"
            yield "FAILED"


def exact(shop: Shop) -> str:
    """The version in full."""
    said = shop.call("--version")
    found = re.search(r"installed:\s*(\S+)", said) or re.search(r"(\d\S+)", said)
    return found[1] if found else "?"


def main(words: list[str]) -> int:
    """Print the table; 1 where something failed."""
    versions = [word for word in words if word in WAYS] or list(WAYS)
    lines = [f"| dbt | {' | '.join(STEPS)} |", f"| --- |{' --- |' * len(STEPS)}"]
    reasons: dict[str, list[str]] = {}
    for version in versions:
        with tempfile.TemporaryDirectory() as folder:
            shop = opened(Path(folder) / "shop", version)
            cells = list(row(version, shop))
            name = exact(shop)
        lines.append(f"| {name} | {' | '.join(cells)} |")
        for step, why in shop.cannot.items():
            reasons.setdefault(f"{name}: {why}", []).append(step)
    notes = [f"- {why} ({', '.join(steps)})." for why, steps in reasons.items()]
    text = "\n".join([*lines, *([""] if notes else []), *notes]) + "\n"
    print(text, end="")
    if "--write" in words:
        before, _, rest = RESULTS.read_text("utf-8").partition(MARKS[0])
        after = rest.partition(MARKS[1])[2]
        RESULTS.write_text(before + MARKS[0] + text + MARKS[1] + after, "utf-8")
    return int("FAILED" in text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
