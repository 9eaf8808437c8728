"""A checkpoint folder in the layout of diffusers, read without loading anything.

Only what JSON and the headers of safetensors and GGUF files say is looked at; pickled weights and
code are refused.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vivant.adapters.gguf import OPENED, gguf_header
from vivant.errors import BundleError
from vivant.files import listed, sha256_of

MAX_HEADER = 100 << 20
"""Bytes; the format's own limit."""
LIBRARIES = ("diffusers", "transformers", "ltx2")
"""Whose classes are run; "ltx2" is a package of diffusers."""
UNSAFE = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".py")


@dataclass(frozen=True)
class Checkpoint:
    """``pipeline``: the name of its class; ``configs`` and ``tensors`` (names, to their shapes)
    by component; ``licence`` as its card states it; ``sha256`` over all of its files; ``flags``
    of the whole; ``classes``: library and class of each component; ``packed``: bytes of
    the tensors of those that are kept quantised, in a GGUF file."""

    folder: Path
    pipeline: str
    configs: dict[str, dict[str, Any]]
    tensors: dict[str, dict[str, tuple[int, ...]]]
    licence: str
    sha256: str
    flags: dict[str, Any] = field(default_factory=dict)
    classes: dict[str, tuple[str, str]] = field(default_factory=dict)
    packed: dict[str, dict[str, int]] = field(default_factory=dict)

    def parameters(self, component: str) -> int:
        """How many numbers a component has."""
        return sum(math.prod(shape) for shape in self.tensors[component].values())


def read_checkpoint(folder: Path, *, hashed: bool = True) -> Checkpoint:
    """Look through ``folder``; ``sha256`` stays "" unless ``hashed``, which reads every byte.

    Raises BundleError where it is no such folder, holds code or pickles, or a file lacks or is
    cut short.
    """
    index = _json(folder / "model_index.json")
    _refuse_unsafe(folder)
    named = [k for k, v in index.items() if isinstance(v, list) and len(v) == 2 and v[0]]
    classes = {name: _class_of(folder, name, index[name]) for name in named}
    configs, tensors = {}, {}
    packed: dict[str, dict[str, int]] = {}
    for component in named:
        place = folder / component
        if not place.is_dir():
            raise BundleError(f"The checkpoint {folder} lacks its part {component}.")
        path = place / "config.json"
        configs[component] = _json(path) if path.is_file() else {}
        quantised = gguf_of(place)
        if quantised is not None:
            rows = gguf_header(_opened_by(classes[component][1], quantised))
            tensors[component] = {name: row.shape for name, row in rows.items()}
            packed[component] = {name: row.size for name, row in rows.items()}
        elif path.is_file():
            tensors[component] = _tensors(place)
    return Checkpoint(
        folder,
        str(index.get("_class_name", "")),
        configs,
        tensors,
        _licence(folder),
        _digest(folder) if hashed else "",
        {k: v for k, v in index.items() if not isinstance(v, list) and not k.startswith("_")},
        classes,
        packed,
    )


def gguf_of(place: Path) -> Path | None:
    """The one GGUF file of a part; None where its weights are plain. Raises BundleError where
    it is not clear which file holds them."""
    files = listed(place, "*.gguf")
    if not files:
        return None
    if len(files) > 1 or listed(place, "*.safetensors"):
        raise BundleError(f"{place} holds several files of weights; keep one of them.")
    return files[0]


def _opened_by(kind: str, path: Path) -> Path:
    if kind not in OPENED:
        raise BundleError(f"{path}: diffusers opens no {kind} from a GGUF file.")
    return path


def _class_of(folder: Path, component: str, stated: list[Any]) -> tuple[str, str]:
    library, name = (str(word) for word in stated)
    if not (library.isidentifier() and name.isidentifier()) or library not in LIBRARIES:
        raise BundleError(
            f"The part {component} of {folder} is of {library}.{name}: code that vivant does not"
            " run."
        )
    return library, name


def header_of(path: Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors of a safetensors file. Raises BundleError where the file is
    damaged or cut short."""
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > min(MAX_HEADER, size):
                raise ValueError("its header is longer than the file")
            header = json.loads(file.read(length))
        header.pop("__metadata__", None)
        ends = [int(entry["data_offsets"][1]) for entry in header.values()]
        shapes = {name: tuple(entry["shape"]) for name, entry in header.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BundleError(f"{path} is no whole safetensors file ({error}).") from error
    if size != 8 + length + max(ends, default=0):
        raise BundleError(f"{path} is cut short; fetch it again.")
    return shapes


def _tensors(place: Path) -> dict[str, tuple[int, ...]]:
    files = listed(place, "*.safetensors")
    for index in listed(place, "*.safetensors.index.json"):
        for name in set(_json(index).get("weight_map", {}).values()):
            if not (place / str(name)).is_file():
                raise BundleError(f"{place} lacks {name}; fetch it again.")
    if not files:
        raise BundleError(f"{place} holds no safetensors weights.")
    if len({_variant(path) for path in files}) > 1:
        raise BundleError(f"{place} holds weights in several variants; keep one of them.")
    found: dict[str, tuple[int, ...]] = {}
    for path in files:
        found |= header_of(path)
    return found


def _variant(path: Path) -> str:
    """ "fp16" of model.fp16.safetensors and model.fp16-00001-of-00002.safetensors, else ""."""
    stem = re.sub(r"-\d{5}-of-\d{5}", "", path.name.removesuffix(".safetensors"))
    return stem.partition(".")[2]


def variant_of(checkpoint: Checkpoint) -> str | None:
    """The variant that the weights are kept in, None for the plain one."""
    parts = (checkpoint.folder / name for name in checkpoint.tensors)
    found = {_variant(path) for place in parts for path in listed(place, "*.safetensors")}
    return max(found, default="") or None


def _refuse_unsafe(folder: Path) -> None:
    for path in listed(folder, deep=True):
        if path.suffix in UNSAFE:
            raise BundleError(
                f"{path} could run code when it is opened; vivant takes safetensors weights only."
                " Remove it, or fetch the safetensors edition."
            )


def _licence(folder: Path) -> str:
    card = folder / "README.md"
    text = card.read_text("utf-8", "replace") if card.is_file() else ""
    found = {k: v.strip() for k, v in re.findall(r"^(license(?:_name)?):[ ]*(\S.*)$", text, re.M)}
    return found.get("license_name") or found.get("license") or "not stated"


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in listed(folder, deep=True):
        if path.suffix in (".json", ".safetensors", ".gguf") and path.is_file():
            digest.update(f"{path.relative_to(folder).as_posix()}:{sha256_of(path)}".encode())
    return digest.hexdigest()


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise BundleError(
            f"{path.parent} is no checkpoint of diffusers: no {path.name}."
        ) from error
    except (ValueError, OSError) as error:
        raise BundleError(f"{path} is damaged ({error}).") from error
    if not isinstance(found, dict):
        raise BundleError(f"{path} is damaged (no object).")
    return found
