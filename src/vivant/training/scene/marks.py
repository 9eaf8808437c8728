"""What people saw and no teacher knows: falls, fire, smoke, cloth, and where water is none.

A small file (``recipes/scene_photos.json``) names pictures of the training split; a mark is a
kind and a box, inside which whatever is not surely some other thing becomes that kind.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vivant.clip import Floats, Frame
from vivant.errors import UsageError
from vivant.kinds import INDEX, WATERS
from vivant.training.scene.labels import KindTarget

THINGS = ("plant", "being", "vehicle", "object")
"""Kinds that teachers know well enough to be left alone inside a mark."""


@dataclass(frozen=True)
class Marks:
    """By name of a picture: the character of its water, whether it has none, and its boxes
    (kind, left, top, right, lower edge as shares); ``swaps`` (what it was taken for, what it is,
    and a box likewise)."""

    waters: dict[str, str]
    no_water: frozenset[str]
    boxes: dict[str, list[tuple[str, float, float, float, float]]]
    swaps: dict[str, list[tuple[str, str, float, float, float, float]]] = field(
        default_factory=dict
    )


def read_marks(path: Path) -> Marks:
    """Read a file of marks; raises UsageError where it is missing or damaged."""
    try:
        data: dict[str, Any] = json.loads(path.read_text("utf-8"))
        waters = {name: kind for kind, names in data["waters"].items() for name in names}
        boxes = {k: [(str(b[0]), *map(float, b[1:5])) for b in v] for k, v in data["marks"].items()}
        swaps = {
            k: [(str(b[0]), str(b[1]), *map(float, b[2:6])) for b in v]
            for k, v in data.get("swaps", {}).items()
        }
        known = set(waters.values()) <= set(WATERS)
        known = known and all({*b[:2]} <= set(INDEX) for v in swaps.values() for b in v)
        if not known or not all(b[0] in INDEX for v in boxes.values() for b in v):
            raise ValueError("an unknown kind or character")
        return Marks(waters, frozenset(data["no_water"]), boxes, swaps)  # type: ignore[arg-type]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise UsageError(f"{path} is no file of marks ({error}).") from error


def apply_marks(
    target: KindTarget, pixels: Frame, name: str, marks: Marks, sky: Floats
) -> KindTarget:
    """The target with the marks of picture ``name``; ``sky`` ``[h, w]`` 0..1 is the sky
    network's answer, which says what water that is none may be."""
    kinds, weight = target.kinds.copy(), target.weight.copy()
    for taken, true, *box in marks.swaps.get(name, ()):
        moved = kinds[INDEX[taken]] * inside_of(box, kinds.shape[1:])
        kinds[INDEX[taken]] -= moved
        kinds[INDEX[true]] += moved
    if name in marks.no_water:
        wrong = kinds[INDEX["water"]] > 0.2
        clear = wrong & (sky > 0.8)
        kinds[:, clear], weight[clear] = 0, 0.9
        kinds[INDEX["sky"], clear] = 1
        weight[wrong & ~clear] = 0
    for kind, *box in marks.boxes.get(name, ()):
        share = box_share(kinds, pixels, kind, box)
        kinds *= 1 - share
        kinds[INDEX[kind]] += share
        weight = np.maximum(weight, 0.9 * share)
        doubt = (share > 0.05) & (share < 0.6)
        weight[doubt] *= 0.3
    return KindTarget(kinds, weight.astype(np.float32))


def box_share(kinds: Floats, pixels: Frame, kind: str, box: list[float]) -> Floats:
    """How much of each cell ``[h, w]`` inside the box is the marked kind, 0..1."""
    h, w = kinds.shape[1:]
    inside = inside_of(box, (h, w))
    things = sum(kinds[INDEX[name]] for name in THINGS if name != kind)
    share = inside * (np.asarray(things) < 0.7)
    if kind == "fire":
        share = share * glow(pixels, h, w)
    return np.asarray(share, np.float32)


def inside_of(box: list[float], grid: tuple[int, ...]) -> Floats:
    """1 inside a box (left, top, right, lower edge as shares), else 0, ``[h, w]``."""
    h, w = grid
    left, top, right, low = box
    inside = np.zeros((h, w), np.float32)
    inside[round(top * h) : round(low * h), round(left * w) : round(right * w)] = 1
    return inside


def glow(pixels: Frame, h: int, w: int) -> Floats:
    """How much a cell looks like flame, 0..1: bright, and redder than blue (or burnt out)."""
    small = cv2.resize(pixels, (w, h), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    bright = np.clip((small.max(2) - 0.55) / 0.25, 0, 1)
    warm = np.clip((small[..., 0] - small[..., 2] - 0.1) / 0.2, 0, 1)
    burnt = np.clip((small.min(2) - 0.9) / 0.08, 0, 1)
    return np.asarray(bright * np.maximum(warm, burnt), np.float32)
