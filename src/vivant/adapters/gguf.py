"""What the header of a GGUF file says of its tensors, read without loading them.

GGUF is the format in which quantised networks are passed on; the layout is that of its
specification (github.com/ggml-org/ggml/blob/master/docs/gguf.md), versions 2 and 3.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from vivant.errors import BundleError

OPENED = (
    "WanTransformer3DModel", "SkyReelsV2Transformer3DModel", "LTXVideoTransformer3DModel",
    "LTX2VideoTransformer3DModel", "HunyuanVideoTransformer3DModel",
)  # fmt: skip
"""Classes that diffusers opens from such a file."""
BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 20: (32, 18),
    23: (256, 136), 30: (1, 2),
}  # fmt: skip
"""Numbers in a block and its bytes, by the format's number: F32, F16, Q4_0 ... Q8_0, Q2_K ... Q6_K,
IQ4_NL, IQ4_XS, BF16; those that diffusers turns back."""
PLAIN = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
TEXT, ARRAY = 8, 9
MOST = 1 << 20
"""Tensors, facts, or members of a fact; more is no header."""


@dataclass(frozen=True)
class Stored:
    """``shape`` of a tensor as PyTorch counts it, and the ``size`` in bytes that it is kept in."""

    shape: tuple[int, ...]
    size: int


def gguf_header(path: Path) -> dict[str, Stored]:
    """The tensors of a GGUF file by name. Raises BundleError where it is none, cut short, or
    quantised in a way that diffusers does not turn back."""
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            if file.read(4) != b"GGUF" or _number(file, "I") not in (2, 3):
                raise ValueError("not version 2 or 3")
            count, facts = _count(file), _count(file)
            known = {_text(file): _value(file, _number(file, "I")) for _ in range(facts)}
            rows = [_row(file) for _ in range(count)]
            start = file.tell()
    except (ValueError, KeyError, struct.error, UnicodeDecodeError, OverflowError) as error:
        raise BundleError(f"{path} is no whole GGUF file ({error}).") from error
    odd = next((kind for _, _, kind, _ in rows if kind not in BLOCKS), None)
    if odd is not None:
        raise BundleError(f"{path} is quantised in a way that is not known here (number {odd}).")
    tensors = {name: Stored(shape, _bytes(shape, kind)) for name, shape, kind, _ in rows}
    align = int(known.get("general.alignment") or 32)
    ends = [offset + tensors[name].size for name, _, _, offset in rows]
    if not rows or size < -(-start // align) * align + max(ends):
        raise BundleError(f"{path} is cut short; fetch it again.")
    return tensors


def _row(file: IO[bytes]) -> tuple[str, tuple[int, ...], int, int]:
    name = _text(file)
    sides = [_number(file, "Q") for _ in range(_number(file, "I"))]
    return name, tuple(reversed(sides)), _number(file, "I"), _number(file, "Q")


def _bytes(shape: tuple[int, ...], kind: int) -> int:
    numbers, size = BLOCKS[kind]
    return -(-math.prod(shape) // numbers) * size


def _value(file: IO[bytes], kind: int) -> Any:
    if kind == TEXT:
        return _text(file)
    if kind == ARRAY:
        inner = _number(file, "I")
        return [_value(file, inner) for _ in range(_count(file))]
    return _number(file, PLAIN[kind])


def _text(file: IO[bytes]) -> str:
    return file.read(_count(file)).decode("utf-8")


def _count(file: IO[bytes]) -> int:
    found = _number(file, "Q")
    if found > MOST:
        raise ValueError(f"{found} of something")
    return found


def _number(file: IO[bytes], kind: str) -> Any:
    return struct.unpack(f"<{kind}", file.read(struct.calcsize(f"<{kind}")))[0]
