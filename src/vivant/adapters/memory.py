"""Where the parts of a video model go, decided and said before any of them is loaded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from vivant.adapters.families import Family
from vivant.adapters.layout import Checkpoint
from vivant.errors import BundleError

GIB = 1 << 30
BYTES = {"float32": 4, "bfloat16": 2, "int8": 2}
"""Of a number, by format; with "int8" the matrices of `SAMPLERS` are kept in one byte."""
SAMPLERS = ("unet", "transformer", "transformer_2")
"""Parts that sample."""
SPARE = 0.92
"""Share of what is free that is counted on."""
BLOCK = 0.06
"""Share of a network that is on the device at a time where its blocks take turns."""
SMALLER = 0.95
"""A placement counts as smaller where it needs at most this share."""
ALLOWANCE = GIB // 2
"""Bytes for the libraries themselves."""

Offload = Literal["", "parts", "blocks"]


@dataclass(frozen=True)
class Machine:
    """What a model can run on: ``device`` "cpu" or "cuda", its ``name``, bytes ``free`` on it, and
    bytes of main memory that are available, ``ram``; the same on a CPU."""

    device: str
    name: str
    free: int
    ram: int


@dataclass(frozen=True)
class Placement:
    """``device``; ``dtype`` of the weights ("int8": matrices of what samples in one byte, the rest
    in bfloat16); ``offload``: all parts on the device (""), one at a
    time ("parts"), or block by block ("blocks"); ``tiled``: frames are decoded in tiles;
    ``need`` bytes on the device and ``ram`` bytes of main memory, estimated."""

    device: str
    dtype: str
    offload: Offload
    tiled: bool
    need: int
    ram: int

    def said(self, machine: Machine) -> str:
        """As a sentence for people."""
        how = {"": "all parts at once", "parts": "one part at a time", "blocks": "block by block"}
        tiles = ", decoded in tiles" if self.tiled else ""
        return (
            f"It runs in {self.dtype} on {machine.name}, {how[self.offload]}{tiles}: about"
            f" {self.need / GIB:.1f} GiB of {machine.free / GIB:.1f} GiB free."
        )


def weights(checkpoint: Checkpoint, family: Family, dtype: str) -> dict[str, int]:
    """Bytes of each part once it is loaded."""
    return {
        part: sum(
            _bytes(family, checkpoint, part, name, dtype) for name in checkpoint.tensors[part]
        )
        for part in checkpoint.tensors
    }


def _bytes(family: Family, checkpoint: Checkpoint, part: str, name: str, dtype: str) -> int:
    """Of a tensor once it is loaded."""
    shape = checkpoint.tensors[part][name]
    if _in_float(family, part, name):
        return math.prod(shape) * BYTES["float32"]
    if part in checkpoint.packed:
        return checkpoint.packed[part][name]
    one_each = dtype == "int8" and part in SAMPLERS and len(shape) == 2
    return math.prod(shape) * (1 if one_each else BYTES[dtype])


def _in_float(family: Family, part: str, name: str) -> bool:
    delicate = part in SAMPLERS and any(word in name for word in family.names_in_float)
    return delicate or part in family.parts_in_float


def published(family: Family, dtype: str = "bfloat16") -> float:
    """GiB of the weights of the published checkpoint."""
    each = (
        size * (4 if part in family.parts_in_float else BYTES[dtype])
        for part, size in family.billions.items()
    )
    return sum(each) * 1e9 / GIB


def published_needs(family: Family) -> dict[Offload, float]:
    """GiB on a GPU for five seconds, or as much as there is, of the published checkpoint at its
    own size, by what is on it at a time."""
    each = {
        part: size * 1e9 * (4 if part in family.parts_in_float else BYTES["bfloat16"])
        for part, size in family.billions.items()
    }
    side = round(math.sqrt(family.area))
    frames = family.grid.given(family.grid.rounds(min(family.most, 5 * family.fps)))
    busy = working(family, (side, side), frames, "bfloat16", True) + ALLOWANCE
    loads = _loads(sum(each.values()), max(each.values()))
    return {offload: (load + busy) / GIB for offload, load in loads.items()}


def _loads(total: float, largest: float) -> dict[Offload, float]:
    """Bytes of weights on a device at a time."""
    return {"": total, "parts": largest, "blocks": largest * BLOCK}


def working(family: Family, size: tuple[int, int], frames: int, dtype: str, tiled: bool) -> int:
    """Bytes for what is under way: decoding frames of ``size`` (width, height), of which one
    window or all of them are decoded at once."""
    pixels = size[0] * size[1]
    at_once = frames if family.decodes == 0 else min(frames, family.decodes)
    if tiled and family.tile:
        pixels = min(pixels, family.tile**2)
    elif tiled:
        at_once = 1
    clip = size[0] * size[1] * frames * 3 * 4
    width = 4 if "vae" in family.parts_in_float else BYTES[dtype]
    return pixels * at_once * family.pixel_floats * width + 2 * clip


def placed(
    family: Family,
    checkpoint: Checkpoint,
    size: tuple[int, int],
    frames: int,
    machine: Machine,
    dtype: str = "auto",
    slim: int = 0,
) -> Placement:
    """The fastest placement that fits; the ``slim``-th smaller one where an earlier one did not.

    Raises BundleError, with numbers, where none fits or none smaller is left.
    """
    steps = _ladder(family, checkpoint, size, frames, machine, dtype)
    fitting = [
        step for step in steps
        if step.need <= machine.free * SPARE and step.ram <= machine.ram * SPARE
    ]  # fmt: skip
    for _ in range(slim):
        fitting = [step for step in fitting[1:] if step.need < SMALLER * fitting[0].need]
    if fitting:
        return fitting[0]
    least = min(steps, key=lambda step: step.need)
    raise BundleError(
        f"{family.title} needs at least {least.need / GIB:.1f} GiB on {machine.name} and"
        f" {least.ram / GIB:.1f} GiB of main memory for {frames} frames of {size[0]}x{size[1]};"
        f" {machine.free / GIB:.1f} and {machine.ram / GIB:.1f} GiB are free. Choose a smaller"
        " --size, fewer --seconds, or a smaller model."
    )


def _ladder(
    family: Family,
    checkpoint: Checkpoint,
    size: tuple[int, int],
    frames: int,
    machine: Machine,
    dtype: str,
) -> list[Placement]:
    """All placements, the fastest first."""
    found = []
    on_cpu = machine.device == "cpu"
    for kind in _dtypes(machine, dtype):
        parts = weights(checkpoint, family, kind)
        total, largest = sum(parts.values()), max(parts.values())
        loads = {k: round(load) for k, load in _loads(total, largest).items() if not (k and on_cpu)}
        for offload, load in loads.items():
            for tiled in (False, True):
                busy = working(family, size, frames, kind, tiled) + ALLOWANCE
                main = load + busy if on_cpu else (total if offload else largest) + ALLOWANCE
                found.append(Placement(machine.device, kind, offload, tiled, load + busy, main))
    return found


def _dtypes(machine: Machine, dtype: str) -> tuple[str, ...]:
    if dtype in BYTES:
        return (dtype,)
    return ("float32", "bfloat16") if machine.device == "cpu" else ("bfloat16",)
