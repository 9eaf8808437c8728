"""Model bundles: a folder that holds everything a released model is.

``config.json`` (format, name, version, codec, sampler defaults, licence), ONNX graphs with
half-precision weights, and ``model_card.md``. The identity of a bundle is the SHA-256 over
its graphs and configuration. Parameters that shape fields and frames are sections of
``config.json`` (``steering``, ``looping``, ``rendering``), read strictly by `parameters`.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from vivant.errors import BundleError
from vivant.files import sha256_of
from vivant.request import ModelIdentity

FORMAT = 1
Parameters = TypeVar("Parameters")
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


def parameters(bundle: Bundle, section: str, default: Parameters) -> Parameters:
    """A section of the configuration as a record of the kind of ``default``, a dataclass of
    numbers and tuples of numbers; ``default`` itself where the bundle has no such section.

    Raises BundleError where a field lacks, is not known, or is not of the default's kind.
    """
    rows = bundle.config.get(section)
    if rows is None:
        return default
    if not isinstance(rows, dict):
        raise BundleError(_damaged(bundle, f"{section} must be an object"))
    names = {f.name for f in fields(default)}  # type: ignore[arg-type]
    if odd := names.symmetric_difference(rows):
        word = "lacks" if min(odd) in names else "does not know"
        raise BundleError(_damaged(bundle, f"{section} {word} {min(odd)}"))
    values = {}
    for name, value in rows.items():
        values[name] = _alike(value, getattr(default, name))
        if values[name] is None:
            raise BundleError(_damaged(bundle, f"{section}.{name} cannot be {value!r}"))
    return type(default)(**values)


def _alike(value: Any, example: Any) -> Any:
    """``value`` in the kind of ``example``: a number, or a tuple of as many; else None."""
    if isinstance(example, tuple):
        if not isinstance(value, list) or len(value) != len(example):
            return None
        parts = tuple(_alike(v, e) for v, e in zip(value, example, strict=True))
        return None if None in parts else parts
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    if isinstance(example, int):
        return value if isinstance(value, int) else None
    return float(value)


def _damaged(bundle: Bundle, what: str) -> str:
    return f"{bundle.folder / 'config.json'} is damaged ({what}); reinstall the model."
