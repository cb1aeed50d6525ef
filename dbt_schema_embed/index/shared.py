"""Which server is shared, and how. No heavy import: callers make these values before anything is opened."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from dbt_schema_embed.errors import ConfigError, printable

BUDGET = 0.9
"""Seconds one request may take, retries and the waits between them included; also what getting ready may take, and what
all queries may take beyond the usual: a server that fails costs a run less than two seconds in all."""


@dataclass(frozen=True, slots=True)
class Shared:
    """A Chroma server that several machines share.

    Raises:
        ConfigError: the URL is no http or https URL, or the token cannot be sent.
    """

    url: str = field(repr=False)  # http://host:port or https://host:port; may hold a password
    token: str | None = field(default=None, repr=False)  # sent as Authorization: Bearer and as X-Chroma-Token
    project: str = ""  # projects of different names do not see each other's vectors
    seconds: float = BUDGET  # most time to spend on putting vectors there; what is missing follows next time

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
