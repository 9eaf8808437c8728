"""Where a checkpoint lies: a folder, what was fetched from the Hugging Face hub, or the hub."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from typing import Any

from vivant.errors import BundleError

NEEDED = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja", "README.md", "LICENSE*")
"""What is fetched: neither pickles nor code."""
FULL = (errno.ENOSPC, errno.EDQUOT)
WHY = {
    "GatedRepoError": "its licence has to be accepted on the hub first, then: hf auth login",
    "RepositoryNotFoundError": "the hub has none of this name, or not for everyone",
    "LocalEntryNotFoundError": "the hub cannot be reached",
    "ConnectError": "the hub cannot be reached",
    "ConnectionError": "the hub cannot be reached",
}
"""What the errors of the hub's client mean, by the names of their classes."""
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


def folder_of(source: str) -> Path:
    """The folder of ``source``, a folder or "owner/name" of the hub; what lies on this machine is
    taken before anything is fetched.

    Raises BundleError where it is neither, or cannot be fetched.
    """
    folder = Path(source).expanduser()
    if folder.is_dir():
        return folder.resolve()
    if not HUB_ID.fullmatch(source):
        raise BundleError(f"There is no folder {source}, and it is no id of the hub (owner/name).")
    kept = _kept(source)
    return kept if kept is not None else _fetched(source)


def _kept(name: str) -> Path | None:
    """The newest snapshot in the cache of the hub's own programs."""
    home = os.environ.get("HF_HOME", str(Path.home() / ".cache" / "huggingface"))
    cache = Path(os.environ.get("HF_HUB_CACHE", str(Path(home) / "hub")))
    place = cache / f"models--{name.replace('/', '--')}"
    try:
        revision = (place / "refs" / "main").read_text("utf-8").strip()
    except OSError:
        return None
    snapshot = place / "snapshots" / revision
    return snapshot if (snapshot / "model_index.json").is_file() else None


def _fetched(name: str) -> Path:
    way_out = (
        f"fetch it where there is a network (hf download {name} --local-dir FOLDER), then:"
        " vivant models add NAME FOLDER"
    )
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise BundleError(
            f"{name} is not on this machine, and huggingface_hub is not installed; {way_out}"
        ) from error
    download: Any = snapshot_download
    try:
        return Path(download(name, allow_patterns=list(NEEDED)))
    except Exception as error:  # the hub's client raises many kinds
        raise BundleError(
            f"{name} is not on this machine and could not be fetched ({_why(error)}); {way_out}"
        ) from error


def _why(error: Exception) -> str:
    kinds = [kind.__name__ for kind in type(error).__mro__]
    found = next((said for kind, said in WHY.items() if kind in kinds), None)
    if isinstance(error, OSError) and error.errno in FULL:
        return "no room is left on the disk"
    return found or type(error).__name__
