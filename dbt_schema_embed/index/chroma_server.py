"""A Chroma server that several machines share, spoken to in plain HTTP.

Chroma's own client is not used: it would build whatever embedding function the server names, and has no time limits.
Answers are asked for uncompressed, and read up to the size that they can have.
"""

import base64
import http.client
import json
import re
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from dbt_schema_embed.deadline import within
from dbt_schema_embed.errors import ConfigError, printable

BUDGET = 0.9
"""Seconds one question may take: a server that fails costs a search no more."""

FILLING_SECONDS = 60.0
"""Seconds that a thousand vectors may take on their way there."""

_ID_BYTES, _HEAD_BYTES = 200, 2**18  # of an answer: for each id in it, and for the rest
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PATH = "/api/v2/tenants/default_tenant/databases/default_database/collections"


class ChromaError(Exception):
    """Chroma cannot serve. The message says why, in one line."""


@dataclass(frozen=True, slots=True)
class Shared:
    """A Chroma server that several machines share.

    Raises:
        ConfigError: the URL is no http or https URL, or the token cannot be sent.
    """

    url: str = field(repr=False)  # http://host:port or https://host:port; may hold a password
    token: str | None = field(default=None, repr=False)  # sent as Authorization: Bearer and as X-Chroma-Token

    def __post_init__(self) -> None:
        if self.token is not None and not (self.token.isascii() and self.token.isprintable()):
            raise ConfigError("the token of the Chroma server holds characters that no header can carry")
        try:
            parts = urlsplit(self.url)
            known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:  # no port, or no address in brackets
            known = False
        if not known:
            raise ConfigError("the URL of the Chroma server must be http://host:port or https://host:port")

    @property
    def shown(self) -> str:
        """The URL without what may be secret in it."""
        parts = urlsplit(self.url)
        return printable(f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else ""))


class Server:
    """A Chroma that answers, and one collection in it."""

    def __init__(self, shared: Shared) -> None:
        parts = urlsplit(shared.url)
        user, _, place = parts.netloc.rpartition("@")
        self._base = f"{parts.scheme}://{place}{parts.path.rstrip('/')}{_PATH}"
        self._headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if user:
            self._headers["Authorization"] = "Basic " + base64.b64encode(user.encode()).decode()
        if shared.token:
            self._headers |= {"Authorization": f"Bearer {shared.token}", "X-Chroma-Token": shared.token}
        self._collection = ""

    def ask(self, what: str, content: dict[str, Any], ids: int) -> dict[str, Any]:
        """The answer, with ``ids`` ids at most, to "create", "get", "add" or "query" as Chroma's HTTP API has them.

        Raises:
            ChromaError: it cannot, in time.
        """
        seconds = FILLING_SECONDS if what in ("get", "add") else BUDGET
        end = time.monotonic() + seconds
        path = self._base if what == "create" else f"{self._base}/{self._collection}/{what}"
        request = urllib.request.Request(path, json.dumps(content).encode(), self._headers)  # noqa: S310  see Shared
        try:
            said = within(seconds, lambda: _answer(request, _HEAD_BYTES + ids * _ID_BYTES, end))
        except TimeoutError:
            raise ChromaError("it gave no answer in time") from None
        if what == "add":
            return {}
        if not isinstance(said, dict):
            raise ChromaError("it gave an unreadable answer")
        if what == "create":
            self._collection = str(said.get("id"))
            if not _UUID.fullmatch(self._collection):
                raise ChromaError("its collection is not one of ours")
        return said

    def close(self) -> None:
        """Nothing is kept open."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Vectors and token go where the user said, and nowhere else."""


def _answer(request: urllib.request.Request, size: int, end: float) -> Any:
    try:
        opener = urllib.request.build_opener(_NoRedirect)
        with opener.open(request, timeout=max(end - time.monotonic(), 0.01)) as answer:
            if answer.headers.get("Content-Encoding", "identity") != "identity":
                raise ChromaError("its answer is compressed, which was not asked for")
            received = bytearray()
            while piece := answer.read1(2**16):
                received += piece
                if len(received) > size or time.monotonic() > end:
                    raise ChromaError("its answer is too long")
        return json.loads(received)
    except urllib.error.HTTPError as problem:
        with problem:
            said = problem.read(200).decode(errors="replace")
        raise ChromaError(f"it answered {problem.code}: {printable(said)}") from None
    except (OSError, http.client.HTTPException) as problem:
        reason = getattr(problem, "reason", problem)
        raise ChromaError(f"{type(reason).__name__}: {printable(reason, 100)}") from None
    except (ValueError, RecursionError) as problem:
        raise ChromaError(f"it gave an unreadable answer: {printable(problem, 100)}") from None
