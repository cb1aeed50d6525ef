"""From a command to an exit code: every error is a message here, and never a traceback."""

import atexit
import gc
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

import click

from dbt_schema_embed.cli.console import complain, settle
from dbt_schema_embed.cli.group import group
from dbt_schema_embed.errors import SchemaEmbedError, printable

INTERRUPTED = 130
BROKEN_PIPE = 141
"""What shells report for a program that SIGINT or SIGPIPE ended."""

PATIENCE = 0.5
"""Seconds after Ctrl-C in which the work may put away what it has begun."""

DEBUG = "SCHEMA_EMBED_DEBUG"


def run() -> NoReturn:
    """Run the command in sys.argv and exit with its code."""
    gc.set_threshold(2_000_000, 10, 1_000)  # what a command reads it keeps: to look for cycles often finds none
    try:
        with _interruptible():
            code = _code()
            sys.stdout.flush()
    except (KeyboardInterrupt, click.Abort):
        _leave(INTERRUPTED)
    except BrokenPipeError:
        _leave(BROKEN_PIPE)
    atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)  # all is done: Python only has to go
    sys.exit(code)


def run_and_leave() -> NoReturn:
    """As `run`, in a process of its own: what was read of a project is not put away bit by bit, a tenth of a run."""
    try:
        run()
    except SystemExit as stop:
        atexit._run_exitfuncs()
        with suppress(OSError):
            sys.stdout.flush()
        _leave(int(stop.code or 0))


def _code() -> int:
    for stream in (sys.stdout, sys.stderr):  # a name that the terminal cannot show is no reason to die
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        result = group.main(prog_name="dbt-schema-embed", standalone_mode=False)
    except SchemaEmbedError as problem:
        complain(problem.message, problem.hint)
        return problem.exit_code
    except click.ClickException as problem:
        settle()
        problem.show()
        return problem.exit_code
    except (BrokenPipeError, click.Abort):
        raise
    except SystemExit as stop:  # how click answers a broken pipe, and what a shell asks it to complete
        if stop.code:
            raise BrokenPipeError from None
        return 0
    except Exception as problem:
        if os.environ.get(DEBUG, "") not in ("", "0"):
            raise
        complain(*_unexpected(problem))
        return 1
    return result if isinstance(result, int) else 0


def _unexpected(problem: Exception) -> tuple[str, str]:
    """What to say of an error that is none of ours, and what to do about it."""
    # a library that no longer fits is an ImportError of the dynamic loader
    short = ("failed to map segment", "can't start new thread")
    if isinstance(problem, MemoryError) or any(said in str(problem) for said in short):
        return "there is not enough memory for this", "give the process more, or ask about less: --select"
    said = printable(problem) or "no message"
    return f"unexpected {type(problem).__name__}: {said}", f"this is a bug: please report it, with what {DEBUG}=1 shows"


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C ends the process soon, whatever becomes of the exception: a library may take it for a failed import."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:  # a parent wants it ignored
        yield
        return
    end = threading.Timer(PATIENCE, _leave, (INTERRUPTED,))
    end.daemon = True

    def interrupted(*_: object) -> None:
        if end.is_alive():
            _leave(INTERRUPTED)
        end.start()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        end.cancel()


def _leave(code: int) -> NoReturn:
    """End at once, without waiting for threads. Files are whole: every write is a rename."""
    try:
        settle()
        sys.stderr.flush()
    finally:
        os._exit(code)
