"""A PostgreSQL server of our own, in a temporary folder, for as long as the tests run."""

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"


def binaries() -> Path | None:
    """The folder with initdb and pg_ctl: on PATH, or where Debian and Red Hat put the newest; None: not installed."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent  # one link on PATH does not bring its neighbours
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) + sorted(Path("/usr").glob("pgsql-*/bin/initdb"))
    return folders[-1].parent if folders else None


def _unprivileged() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: the account to use instead, None where we are not root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


@contextmanager
def server(folder: Path, bin_folder: Path) -> Iterator[dict[str, str]]:
    """Start a server in ``folder``, an empty one that every account can reach; yields libpq's environment variables."""
    account = _unprivileged()
    if account:
        os.chown(folder, account.pw_uid, account.pw_gid)

    def call(program: str, *args: str) -> None:
        subprocess.run(
            [str(bin_folder / program), "-D", str(folder / "data"), *args],
            check=True,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # a server that inherits a pipe would keep it open
            stderr=subprocess.DEVNULL,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    call("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 {FAST}"
    call("pg_ctl", "-o", options, "-l", str(folder / "log"), "-w", "start")
    try:
        yield {"PGHOST": "127.0.0.1", "PGPORT": str(port), "PGUSER": "postgres", "PGDATABASE": "postgres"}
    finally:
        call("pg_ctl", "-m", "immediate", "-w", "stop")


def database(name: str, env: dict[str, str]) -> dict[str, str]:
    """Create a database on the server of ``env``; returns libpq's environment variables for it."""
    bin_folder = binaries()
    assert bin_folder is not None
    subprocess.run([str(bin_folder / "createdb"), name], env={**os.environ, **env}, check=True)
    return env | {"PGDATABASE": name}


def answers(env: Mapping[str, str], *statements: str) -> list[tuple[Any, ...]]:
    """What the last statement gives, in the database of ``env``."""
    import psycopg2

    connection = psycopg2.connect(host=env["PGHOST"], port=env["PGPORT"], user=env["PGUSER"], dbname=env["PGDATABASE"])
    connection.autocommit = True
    try:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()
