"""python traced.py PROJECT OUTSIDE < commands.json: runs commands in one process and says what they touched.

Python's audit hooks tell of every file that is opened, changed or removed, every address that is looked up or reached,
and every program that is started. Standard output ends with a line of JSON: for each command its exit code, its words
and what it did that no command may do in a repository of somebody else's.
"""

import contextlib
import io
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from dbt_schema_embed.cli.run import run as run_tool
from tests.shop import with_hash_encoder, with_same_name

SENT = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request")
RUN = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.startfile", "pty.spawn")
TOUCHED = (
    "open", "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod",
    "os.chown", "os.utime", "os.listdir", "os.scandir", "shutil.rmtree", "sqlite3.connect",
)  # fmt: skip
NAMED = ("os.remove", "os.rename", "os.symlink", "os.link")  # about the name, not what it leads to
WRITTEN = frozenset(TOUCHED) - {"open", "os.listdir", "os.scandir"}


class Tracer:
    """Keeps what an audit hook is told, while it is asked to."""

    def __init__(self, project: Path, outside: Path) -> None:
        self.outside = os.path.realpath(outside)
        self.ours = [os.path.realpath(p) for p in (project, os.environ["XDG_CACHE_HOME"], tempfile.gettempdir())]
        self.found: list[str] = []
        self.on = False
        sys.addaudithook(self)

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event == "subprocess.Popen" and list(args[1][:2]) == [sys.executable, "-P"]:
            return  # a process of our own, into which nothing of the current folder is imported
        if event in SENT or event in RUN:
            self.found.append(f"{event} {args[0]!r} {args[1:2]!r}"[:200])
        elif event in TOUCHED and isinstance(args[0], str | bytes):
            self._touch(event, os.fsdecode(args[0]), args)

    def _touch(self, event: str, path: str, args: tuple[Any, ...]) -> None:
        if path.startswith(("file:", ":memory:")) or "\0" in path:  # sqlite's own spelling of what is opened anyway
            path = path.removeprefix("file:").partition("?")[0].replace("\0", "")
        real = os.path.realpath(path)
        if event in NAMED:
            real = str(Path(os.path.realpath(Path(path).parent)) / Path(path).name)
        changes = event in WRITTEN or (event == "open" and _for_writing(args))
        inside = any(real == top or real.startswith(top + os.sep) for top in self.ours)
        if (
            real == self.outside
            or real.startswith(self.outside + os.sep)
            or (changes and not inside and real != os.devnull)
        ):
            self.found.append(f"{event} {real}")


def _for_writing(args: tuple[Any, ...]) -> bool:
    mode, flags = args[1], args[2]
    return bool((flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)) or bool(set(mode or "") & set("wax+"))


class Terminal(io.TextIOWrapper):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def client() -> bytes:
    """What an agent says: every tool, and resources and prompts with hostile names."""
    from dbt_schema_embed.agent.tools import TOOLS

    given = {
        "source": "raw.orders", "source_column": "raw.orders.amount", "text": "amount", "why": "{{ x }}",
        "model_column": "stg_orders.amount",
    }  # fmt: skip
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    asked: list[tuple[str, dict[str, Any]]] = [("initialize", hello), ("tools/list", {})]
    for tool in TOOLS:
        arguments = {name: given[name] for name in tool.asked.__struct_fields__ if name in given}
        asked.append(("tools/call", {"name": tool.name, "arguments": arguments}))
    homes = ("habits", "glossary", "schema/mapping", "mapping/raw.orders", "mapping/../../../outside/file")
    asked += [("resources/read", {"uri": f"schema-embed://{home}"}) for home in homes]
    asked.append(("prompts/get", {"name": "review_source", "arguments": {"source": "{0.__class__}"}}))
    lines = [json.dumps({"jsonrpc": "2.0", "id": i, "method": m, "params": p}) for i, (m, p) in enumerate(asked)]
    lines.insert(1, json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}))
    return "\n".join(lines).encode() + b"\n"


@contextlib.contextmanager
def somebody_at(command: list[str], words: Terminal) -> Iterator[None]:
    """An agent for mcp, and a person for review, who accepts, takes back, chooses, rejects and leaves."""
    before = sys.stdin
    sys.stdin = Terminal(io.BytesIO(client() if command[0] == "mcp" else b""))
    try:
        with contextlib.ExitStack() as stack, contextlib.redirect_stdout(words), contextlib.redirect_stderr(words):
            if command[0] == "review":
                keys = stack.enter_context(create_pipe_input())
                stack.enter_context(create_app_session(input=keys, output=DummyOutput()))
                keys.send_text("aua1nx\r0oA0.1\rr/amount\rq" + "\rq" * 3)
            yield
    finally:
        sys.stdin = before


def run(tracer: Tracer, command: list[str]) -> dict[str, Any]:
    """One command under the tracer."""
    written = io.BytesIO()
    words = Terminal(written, encoding="utf-8", write_through=True)
    sys.argv = ["dbt-schema-embed", *command]
    tracer.found = []
    code: Any = None
    with somebody_at(command, words):
        tracer.on = True
        try:
            run_tool()
        except SystemExit as stop:
            code = stop.code or 0
        finally:
            tracer.on = False
    return {"command": command, "code": code, "found": tracer.found, "words": written.getvalue().decode()[-2000:]}


def leave(code: int) -> NoReturn:
    """In place of os._exit: one command after the other."""
    raise SystemExit(code)


if __name__ == "__main__":
    project, outside = Path(sys.argv[1]), Path(sys.argv[2])
    os.chdir(project)
    with pytest.MonkeyPatch.context() as patch:
        with_hash_encoder(patch, Path(os.environ["XDG_CACHE_HOME"]))
        with_same_name(patch)
        patch.setattr(os, "_exit", leave)
        tracer = Tracer(project, outside)
        done = []
        for step in json.load(sys.stdin):
            for link, target in step["links"]:
                place = project / link
                if os.path.lexists(place):
                    place.rename(place.with_name(f"{place.name}.aside"))
                place.parent.mkdir(parents=True, exist_ok=True)
                place.symlink_to(target)
            with pytest.MonkeyPatch.context() as base:
                if step.get("base"):
                    base.setattr("dbt_schema_embed.extras.MEMO", ("no_such_module",))
                done += [run(tracer, command) | {"links": step["links"]} for command in step["commands"]]
            for link, _ in step["links"]:
                place = project / link
                if place.is_symlink():
                    place.unlink()
                aside = place.with_name(f"{place.name}.aside")
                if os.path.lexists(aside):
                    aside.rename(place)
    print(json.dumps(done))
