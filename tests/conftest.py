"""Every test runs without a network, without the user's settings, and with caches of its own."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("busy", deadline=None)  # a machine that others use too is slow at times, not wrong
settings.load_profile("busy")

LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1", "")
"""Where a test may connect to: servers it has started itself."""


@pytest.fixture(scope="session", autouse=True)
def _clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No hub, no telemetry, no setting from outside; user folders are temporary. Child processes inherit it."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(("EMBEDDING_", "DBT_")) or name in ("NO_COLOR", "FORCE_COLOR"):
                patch.delenv(name)
        for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
            patch.setenv(name, str(home / name.lower()))
        patch.setenv("GIT_AUTHOR_NAME", "Ana")  # who decides in mapping files
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("TOKENIZERS_PARALLELISM", "false")
        patch.setenv("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
        yield


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to another machine fails the test that opens it."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[0] not in LOCAL_HOSTS:
            raise AssertionError(f"a test tried to reach {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def cases(root: Path) -> Path:
    """Real projects with known answers. They lie beside the repository and are not part of it."""
    path = root.parent / "shared" / "cases"
    if not path.is_dir():
        pytest.skip("the folder ../shared/cases is not here")
    return path
