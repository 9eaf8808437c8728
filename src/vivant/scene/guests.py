"""Networks of the user's own: a depth network (Depth Anything V2, MiDaS) or a segmenter of
ADE20K's 150 classes, as ONNX files. They are run in a child process, since a stranger's graph is a
stranger's file, and their hashes go into the scene's ``seen_by``.

A JSON file beside the network (``NAME.json``) may say how it wants its picture: ``mean`` and
``std`` (three numbers each, of 0..1; ImageNet's where left out), ``size`` [height, width] (the
graph's own, else 518 for depth and 512 for kinds), and of depth ``near``: "high" (inverse depth)
or "low".
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vivant.child import Broken, Child, Limits
from vivant.clip import Floats, Frame
from vivant.errors import BundleError
from vivant.files import sha256_of
from vivant.kinds import INDEX, KINDS
from vivant.records import from_data
from vivant.scene.network import relative, softmax, with_depth, with_kinds
from vivant.scene.record import Scene

LIMITS = Limits(seconds=300.0, memory_mib=12_288)
SIDE = "vivant.scene.guest_child"
ADE20K = {
    "sky": (3,),
    "water": (22, 27, 61, 110, 129),
    "fall": (105, 114),
    "plant": (5, 10, 18, 30, 67, 73),
    "cloth": (19, 82, 93, 132, 150),
    "being": (13, 127),
    "vehicle": (21, 77, 81, 84, 91, 103, 104, 117, 128),
    "built": (1, 2, 6, 9, 15, 26, 33, 39, 43, 49, 52, 54, 59, 60, 62, 80, 85, 87, 94, 96, 97, 141),
    "ground": (4, 7, 12, 14, 17, 29, 35, 47, 53, 55, 69, 92, 95),
}
"""Kinds and the classes of ADE20K (1 to 150) that they take in; all others are objects."""


@dataclass(frozen=True)
class Guests:
    """Files of networks that win over the built-in eyes; None where there is none."""

    depth: Path | None = None
    kinds: Path | None = None


@dataclass(frozen=True)
class Manners:
    """How a network wants its picture; see the module."""

    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    size: tuple[int, int] | None = None
    near: str = "high"


def manners_of(path: Path) -> Manners:
    """What the file beside a network says. Raises BundleError where it is damaged."""
    beside = path.with_suffix(".json")
    if not beside.is_file():
        return Manners()
    try:
        found = from_data(Manners, json.loads(beside.read_text("utf-8")), "sidecar")
        if min(found.std) <= 0 or found.near not in ("high", "low"):
            raise ValueError('std must be positive, near "high" or "low"')
        if found.size is not None and not all(16 <= side <= 2048 for side in found.size):
            raise ValueError("sizes must be from 16 to 2048")
    except Exception as error:
        raise BundleError(f"{beside} is not understood ({error}).") from error
    return found


def guests_at(home: Path) -> Guests:
    """The networks that were added for the user whose folder is ``home``."""
    depth, kinds = (home / "eyes" / f"{name}.onnx" for name in ("depth", "kinds"))
    return Guests(depth if depth.is_file() else None, kinds if kinds.is_file() else None)


def look_again(scene: Scene, pixels: Frame, guests: Guests) -> Scene:
    """The scene with what the guests see. Raises BundleError where one cannot be run or answers
    in a shape that it should not."""
    if guests.kinds is not None:
        kinds = kinds_by(guests.kinds, pixels, scene.grid)
        scene = with_kinds(scene, kinds, {guests.kinds.name: sha256_of(guests.kinds)})
    if guests.depth is not None:
        depth = depth_by(guests.depth, pixels, scene.grid)
        scene = with_depth(scene, depth, {guests.depth.name: sha256_of(guests.depth)})
    return scene


def depth_by(path: Path, pixels: Frame, grid: tuple[int, int]) -> Floats:
    """Relative inverse depth ``[h, w]`` 0..1 by a network that answers [1, H, W] or
    [1, 1, H, W]."""
    answer = _asked(path, pixels, 518)
    if answer.ndim == 4 and answer.shape[1] == 1:
        answer = answer[:, 0]
    if answer.ndim != 3 or answer.shape[0] != 1 or min(answer.shape) < 1:
        raise BundleError(f"{path} answers {list(answer.shape)}, not [1, H, W] of depth.")
    depth = cv2.resize(answer[0], grid[::-1], interpolation=cv2.INTER_AREA)
    if manners_of(path).near == "low":
        depth = 1 / np.maximum(depth, 1e-3)
    return relative(
        np.asarray(depth - min(float(np.percentile(depth, 1)), depth.max()), np.float32)
    )


def kinds_by(path: Path, pixels: Frame, grid: tuple[int, int]) -> Floats:
    """Kinds ``[12, h, w]`` by a segmenter that answers logits [1, 150, H, W]."""
    answer = _asked(path, pixels, 512)
    if answer.ndim != 4 or answer.shape[:2] != (1, 150):
        raise BundleError(f"{path} answers {list(answer.shape)}, not [1, 150, H, W] of ADE20K.")
    shares = softmax(np.asarray(answer[0], np.float32))
    kinds = np.zeros((len(KINDS), *shares.shape[1:]), np.float32)
    rest = np.ones(150, bool)
    for kind, classes in ADE20K.items():
        chosen = np.array(classes) - 1
        rest[chosen] = False
        kinds[INDEX[kind]] = shares[chosen].sum(0)
    kinds[INDEX["object"]] = shares[rest].sum(0)
    sized = np.stack([cv2.resize(k, grid[::-1], interpolation=cv2.INTER_AREA) for k in kinds])
    return np.asarray(sized / np.maximum(sized.sum(0), 1e-6), np.float32)


def check_guest(path: Path, kind: str) -> None:
    """Run a network once on a plain picture. Raises BundleError where it does not fit."""
    grey = np.full((64, 96, 3), 128, np.uint8)
    (depth_by if kind == "depth" else kinds_by)(path, grey, (16, 24))


def _asked(path: Path, pixels: Frame, side: int) -> Floats:
    manners = manners_of(path)
    arguments: dict[str, Any] = {
        "path": str(path),
        "mean": list(manners.mean),
        "std": list(manners.std),
        "size": None if manners.size is None else list(manners.size),
        "side": side,
    }
    short = min(1.0, 1024 / min(pixels.shape[:2]))
    small = cv2.resize(pixels, None, fx=short, fy=short, interpolation=cv2.INTER_AREA)
    try:
        with Child(LIMITS, called=f"the network {path.name}") as child:
            arrays = {"pixels": np.asarray(small, np.uint8)}
            answers = list(child.ask(f"{SIDE}:answer", arrays=arrays, **arguments))
    except Broken as error:
        raise BundleError(f"{path} cannot be run as a network (it {error.why}).") from error
    found = answers[0].arrays.get("answer") if len(answers) == 1 else None
    if found is None or not np.isfinite(found).all():
        raise BundleError(f"{path} answers nothing that can be used.")
    return np.asarray(found, np.float32)
