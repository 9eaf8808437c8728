"""What a parent and its child say to each other: a line of JSON, then raw arrays.

Nothing that arrives is ever executed or unpickled: a line that is no JSON, an array of another
kind than those listed, or one that is too large ends the conversation.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

MAX_LINE = 1 << 24
MAX_BYTES = 1 << 31
"""Of one array."""
KINDS = {"|u1", "|b1", "<i2", "<i8", "<f2", "<f4", "<f8"}

Arrays = Mapping[str, NDArray[Any]]


class WireError(ValueError):
    """The other side has gone, or what it says makes no sense."""


@dataclass(frozen=True)
class Answer:
    """``facts`` that JSON can say, and ``arrays`` by name."""

    facts: dict[str, Any] = field(default_factory=dict)
    arrays: Arrays = field(default_factory=dict)


def send(stream: IO[bytes], head: dict[str, Any], arrays: Arrays | None = None) -> None:
    """Write one message: ``head`` with a list of the arrays, then their bytes."""
    whole = {name: np.ascontiguousarray(array) for name, array in (arrays or {}).items()}
    listed = [[name, array.dtype.str, array.shape] for name, array in whole.items()]
    stream.write(json.dumps({**head, "arrays": listed}).encode() + b"\n")
    for array in whole.values():
        stream.write(array.reshape(-1).view(np.uint8).data)
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read one message. Raises WireError where it is damaged or the stream ends."""
    line = stream.readline(MAX_LINE)
    if not line.endswith(b"\n"):
        raise WireError("the stream has ended")
    try:
        head = dict(json.loads(line))
        listed = [(str(name), str(kind), list(shape)) for name, kind, shape in head.pop("arrays")]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise WireError("the line is no message") from error
    return head, {name: _array(stream, kind, shape) for name, kind, shape in listed}


def _array(stream: IO[bytes], kind: str, shape: list[Any]) -> NDArray[Any]:
    if kind not in KINDS or not all(type(side) is int and side >= 0 for side in shape):
        raise WireError(f"an array {kind} of shape {shape}")
    size = math.prod(shape) * np.dtype(kind).itemsize
    if size > MAX_BYTES:
        raise WireError(f"an array of {size} bytes")
    raw = np.empty(size, np.uint8)
    view, filled = memoryview(raw.data), 0
    while filled < size:
        got = stream.readinto(view[filled:])  # type: ignore[attr-defined] # a buffered reader
        if not got:
            raise WireError("the stream has ended")
        filled += got
    return raw.view(kind).reshape(shape)
