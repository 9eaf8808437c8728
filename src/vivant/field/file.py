"""The ``.vivant`` file: a motion field as safetensors with JSON metadata.

Tensors are little-endian float32 under the names of `MotionField`; the metadata holds
``format`` = "vivant-motion-field", ``version`` = "1", ``rate`` and, where the field loops,
``loop_seconds``; keys that begin with ``about.`` are free text. See ``docs/motion-field.md``.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import load, save

from vivant.errors import FieldFileError, UsageError
from vivant.field.motion_field import MotionField
from vivant.files import check_output, publish

FORMAT = "vivant-motion-field"
VERSION = 1
TENSORS = {"velocity", "light", "map", "still"}
OPTIONAL = {"body"}
MAX_BYTES = 1 << 30
MAX_HEADER = 1 << 20


def save_field(path: Path, field: MotionField, *, overwrite: bool = False) -> None:
    """Write a field, whole or not at all.

    Raises UsageError where the output exists or its folder cannot be written to.
    """
    check_output(path, overwrite)
    with publish(path) as temporary:
        write_field(temporary, field)


def write_field(path: Path, field: MotionField) -> None:
    """Write a field to ``path`` as it is named; the caller publishes it."""
    metadata = {"format": FORMAT, "version": str(VERSION), "rate": repr(field.rate)}
    if field.loop_seconds is not None:
        metadata["loop_seconds"] = repr(field.loop_seconds)
    metadata |= {f"about.{key}": value for key, value in field.about.items()}
    names = TENSORS if field.body is None else TENSORS | OPTIONAL
    tensors = {name: np.ascontiguousarray(getattr(field, name)) for name in sorted(names)}
    path.write_bytes(save(tensors, metadata))


def load_field(path: Path) -> MotionField:
    """Read and check a field.

    Raises UsageError where there is no such file, FieldFileError where it is damaged, not a
    motion field, or made by a newer vivant.
    """
    return field_from(_read(path), str(path))


def field_from(data: bytes, path: str) -> MotionField:
    """The field of a file's bytes, checked; ``path`` names it in errors.

    Raises FieldFileError where it is damaged, not a motion field, or made by a newer vivant.
    """
    metadata = _metadata(data, path)
    _check_version(path, metadata)
    try:
        tensors = load(data)
    except Exception as error:  # the parser raises its own errors, some of them ValueError
        raise FieldFileError(f"{path} is damaged ({error}).") from error
    if set(tensors) - OPTIONAL != TENSORS:
        names = ", ".join(sorted(TENSORS))
        raise FieldFileError(f"{path} must hold exactly the tensors {names}.")
    try:
        loop = metadata.get("loop_seconds")
        return MotionField(
            **tensors,
            rate=_positive(metadata["rate"]),
            loop_seconds=None if loop is None else _positive(loop),
            about={
                k.removeprefix("about."): v for k, v in metadata.items() if k.startswith("about.")
            },
        )
    except (KeyError, ValueError, TypeError) as error:
        raise FieldFileError(f"{path} is not a valid motion field ({error}).") from error


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e6:
        raise ValueError(f"{text} is not a positive number")
    return value


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise UsageError(f"{path} is a folder, not a motion field.")
        if size > MAX_BYTES:
            raise FieldFileError(f"{path} is {size >> 20} MiB; motion fields are at most 1 GiB.")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise UsageError(f"There is no motion field {path}.") from error
    except OSError as error:
        raise FieldFileError(f"{path} cannot be read ({error.strerror}).") from error


def _metadata(data: bytes, path: str) -> dict[str, str]:
    """The header's metadata; its size is checked before it is believed."""
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > min(MAX_HEADER, len(data) - 8):
        raise FieldFileError(f"{path} is not a motion field (.vivant), or it is cut short.")
    try:
        header = json.loads(data[8 : 8 + length])
        metadata: dict[str, str] = header["__metadata__"]
        if not all(isinstance(k, str) and isinstance(v, str) for k, v in metadata.items()):
            raise TypeError("metadata must be text")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FieldFileError(f"{path} is not a motion field (.vivant).") from error
    return metadata


def _check_version(path: str, metadata: dict[str, str]) -> None:
    if metadata.get("format") != FORMAT:
        raise FieldFileError(f"{path} is not a motion field (.vivant).")
    version = metadata.get("version", "")
    if not (version.isascii() and version.isdigit()):
        raise FieldFileError(f"{path} does not state its version.")
    if int(version) > VERSION:
        raise FieldFileError(
            f"{path} was made by a newer vivant (format {version}); upgrade vivant."
        )
    if int(version) < 1:
        raise FieldFileError(f"{path} states the version {version}, which never existed.")
