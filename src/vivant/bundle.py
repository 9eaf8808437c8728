"""Model bundles: a folder that holds everything a released model is.

``config.json`` (format, name, version, codec, sampler defaults, licence), ONNX graphs with
half-precision weights, and ``model_card.md``. The identity of a bundle is the SHA-256 over
its graphs and configuration.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vivant.errors import BundleError
from vivant.files import sha256_of
from vivant.request import ModelIdentity

FORMAT = 1
BUILTIN = Path(__file__).parent / "weights"


@dataclass(frozen=True)
class Bundle:
    """An opened bundle: where it lies, what it says of itself, and which weights it is."""

    folder: Path
    config: dict[str, Any]
    identity: ModelIdentity

    def file(self, name: str) -> Path:
        """Path of a member; raises BundleError where it is missing."""
        path = self.folder / name
        if not path.is_file():
            raise BundleError(f"The model folder {self.folder} lacks {name}; reinstall the model.")
        return path


def open_bundle(folder: Path) -> Bundle:
    """Read and check a bundle's configuration and hash its weights.

    Raises BundleError where it is missing, damaged, or made for a newer vivant.
    """
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text("utf-8"))
        version, name, members = config["format"], config["name"], config["members"]
    except FileNotFoundError as error:
        raise BundleError(f"{folder} holds no model (config.json is missing).") from error
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise BundleError(f"{path} is damaged ({error}); reinstall the model.") from error
    if version > FORMAT:
        raise BundleError(f"The model in {folder} was made for a newer vivant; upgrade vivant.")
    digest = hashlib.sha256(path.read_bytes())
    for member in sorted(members):
        if not (folder / member).is_file():
            raise BundleError(f"The model folder {folder} lacks {member}; reinstall the model.")
        digest.update(f"{member}:{sha256_of(folder / member)}".encode())
    identity = ModelIdentity(str(name), str(config["version"]), digest.hexdigest())
    return Bundle(folder, config, identity)
