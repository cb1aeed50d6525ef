"""Several instances on one memo and one index: python benchmarks/bench_shared.py [--texts 4000] [--columns 2000]

A Redis server and a Chroma server of its own, on this machine; needs redis-server and the extras redis and embed. One
process, then four at once that ask for the same texts in orders of their own, encode into an empty Redis; then one and
four with empty folders of their own find all there. Then four index the same project at once, with the Chroma server.
Says what each took, how many texts were encoded and found on the server, and whether anything is lost or differs.
Processes that encode have a thread each.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from bench_growth import FIRST, LAST, SECOND, make

SERVERS = 4
_FOLDER = count()

ENCODE = """
import hashlib, json, sys, time
from dbt_schema_embed import SchemaEmbed, Settings
cache, url, path, seed = sys.argv[1:]
texts = json.load(open(path))
import random; order = random.Random(int(seed)).sample(range(len(texts)), len(texts))
settings = Settings(cache_dir=cache, redis_url=url, max_workers=1)
with SchemaEmbed(settings) as engine:
    engine.encode(["loads the encoder"]); before = engine.session.stats().misses
    started = time.perf_counter()
    found = engine.encode([texts[i] for i in order])
    took, stats = time.perf_counter() - started, engine.session.stats()
    rows = found.copy(); rows[order] = found
    json.dump({"seconds": took, "encoded": stats.misses - before, "redis": stats.hits.get("redis", 0),
               "errors": stats.errors, "notes": engine.warnings, "rows": rows.round(5).tolist()}, sys.stdout)
"""


@contextmanager
def running(command: Sequence[str], folder: Path) -> Iterator[None]:
    """A server, as long as the block."""
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def waited(ready: Any) -> None:
    """Until ``ready()`` is true, half a minute at most."""
    for _ in range(300):
        try:
            if ready():
                return
        except OSError:
            pass
        time.sleep(0.1)
    sys.exit("a server did not start")


def encode(scratch: Path, url: str, texts: Path, processes: int) -> tuple[float, list[dict[str, Any]]]:
    """That many at once, each with an empty cache folder of its own: seconds until the last has all, and what each
    said."""
    asked = [
        subprocess.Popen(
            [sys.executable, "-c", ENCODE, str(scratch / f"cache{next(_FOLDER)}"), url, str(texts), str(seed)],
            stdout=subprocess.PIPE,
        )
        for seed in range(processes)
    ]
    said = [json.loads(process.communicate()[0]) for process in asked]
    return max(one["seconds"] for one in said), said


def memo(scratch: Path, count_of: int) -> None:
    """Print what encoding took, alone and together."""
    import numpy as np
    import redis

    names = [f"{a} {b} {c}" for a in FIRST for b in SECOND for c in LAST]
    some = random.Random(1).sample(names, count_of)
    texts = scratch / "texts.json"
    texts.write_text(json.dumps(some))
    url = f"unix://{scratch}/redis.sock"
    command = ["redis-server", "--port", "0", "--unixsocket", str(scratch / "redis.sock"), "--save", ""]
    with running(command, scratch):
        waited((scratch / "redis.sock").exists)
        client = redis.Redis.from_url(url)
        rows: list[Any] = []
        for what, processes, empty in (
            ("one, nothing on the server", 1, True),
            ("four at once, nothing on the server", SERVERS, True),
            ("one, all on the server", 1, False),
            ("four at once, all on the server", SERVERS, False),
        ):
            if empty:
                client.flushall()
            took, said = encode(scratch, url, texts, processes)
            rows += [np.array(one["rows"]) for one in said]
            apart = max(float(np.abs(other - rows[0]).max()) for other in rows)
            found, encoded, errors = (sum(one[name] for one in said) for name in ("redis", "encoded", "errors"))
            asked = processes * count_of
            print(
                f"| {what} | {took:.2f} s | {asked / took:,.0f} | {encoded:,} | {found / asked:.2f} "
                f"| {client.dbsize() - 1:,} of {count_of:,} | {apart:.0e} | {errors} |",
                flush=True,
            )


def index(scratch: Path, columns: int) -> None:
    """Print what `index` of one project took with and without the server, and what the server holds then."""
    port = 18_000 + os.getpid() % 10_000
    base = f"http://127.0.0.1:{port}"
    path = f"{base}/api/v2/tenants/default_tenant/databases/default_database/collections"

    def get(url: str) -> Any:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.load(answer)

    program = str(Path(sys.executable).with_name("chroma"))
    command = [program, "run", "--path", str(scratch / "chroma"), "--host", "127.0.0.1", "--port", str(port)]
    (scratch / "chroma").mkdir()
    with running(command, scratch):
        waited(lambda: get(f"{base}/api/v2/heartbeat"))
        for what, processes, url in (("one, no server", 1, ""), ("four at once, one server", SERVERS, base)):
            folders = [scratch / f"project{next(_FOLDER)}" for _ in range(processes)]
            for folder in folders:
                make(folder, columns)
            env = os.environ | ({"EMBEDDING_CHROMA_URL": url} if url else {})
            started = time.perf_counter()
            code = "from dbt_schema_embed.cli import main; main()"
            flags = ["--set", f"cache_dir={scratch / 'memo'}"]
            asked = [
                subprocess.Popen(
                    [sys.executable, "-c", code, "index", "--project-dir", str(folder), *flags],
                    env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                )
                for folder in folders
            ]  # fmt: skip
            notes = {line for process in asked for line in process.communicate()[1].decode().splitlines()}
            took = time.perf_counter() - started
            held = [get(f"{path}/{one['id']}/count") for one in get(path)]
            print(f"| {what} | {took:.2f} s | {held} | {sorted(notes)} |", flush=True)


def main() -> None:
    """Print two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=4_000)
    parser.add_argument("--columns", type=int, default=2_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        print("| memo | seconds | texts a second | encoded | hit rate | on the server | vectors differ by | errors |")
        memo(Path(scratch), options.texts)
        print("| index | seconds | vectors on the server | said |")
        index(Path(scratch), options.columns)


if __name__ == "__main__":
    main()
