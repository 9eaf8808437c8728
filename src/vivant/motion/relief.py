"""From what is seen to a relief: every kind is a sheet with its matte, and things stand upright."""

from __future__ import annotations

import cv2
import numpy as np

from vivant.clip import Floats, Frame, Plane
from vivant.kinds import INDEX
from vivant.media.resize import covering
from vivant.motion.held import Looked
from vivant.rendering.plates import filled
from vivant.rendering.space.lines import straightened
from vivant.rendering.space.outline import crisp, shared
from vivant.rendering.space.relief import Relief, Sheet

Kinds = tuple[str, ...]
TOGETHER: tuple[Kinds, ...] = (
    ("being", "cloth"),
    ("sky",),
    ("water", "fall"),
    ("plant",),
    ("vehicle",),
    ("object",),
    ("built",),
    ("ground",),
    ("smoke", "fire"),
)
"""Kinds that lie at one depth where they meet: a person's clothes and hair are the person's."""
STANDING = ("being", "vehicle", "object", "cloth")
"""Kinds whose things stand upright: what is at one foot is at one depth."""
UPRIGHT = 0.6
"""By so much of the way their depth is that of the whole thing."""
MOST_STANDING = 0.35
"""Share of the picture from which a thing has a depth of its own at each place."""
SURE = 0.6
AROUND = 3
"""Cells around a place whose depth a sheet may have there."""
SLACK = 0.02
STEP = 0.012, 0.03
"""What a plane leaves over of depth around a place where there is no step, and where there is."""
LEAST = 0.001
BLURRED = 3
"""Cells over which seen depth runs from one side of a skyline to the other."""
BEYOND = 0.06
"""Disparity that all but the sky has at least where there is sky."""
SKY = 0.4, 0.7
"""Share of sky from which what is seen of depth is the sky's, too, and from which it surely is."""
NEAR_SKY = 0.2, 0.35
"""Disparity from which what was taken for sky may be something else, and is."""


def relief_of(looked: Looked, size: tuple[int, int]) -> Relief:
    """The relief of a picture at ``size`` (width, height), of its middle where the shape is another
    than the picture's."""
    whole = covering(looked.mattes.size, size)
    if whole != size:
        return relief_of(looked, whole).middle(size[::-1])
    scene = looked.scene
    seen = _standing(looked)
    sky, depth = _parted(seen, scene.kinds[INDEX["sky"]])
    sheets = []
    for kinds, matte in _outlined(looked, size):
        share = np.sum([scene.kinds[INDEX[kind]] for kind in kinds], axis=0)
        own = depth if not kinds else _bounded(_continued(depth, share), depth)
        sheets.append(Sheet(matte, sky if kinds == ("sky",) else own))
    return Relief(tuple(sheets))


def relief_in(looked: Looked, pixels: Frame) -> Relief:
    """The relief of a picture ``[H, W, 3]`` at its size, in which what is straight stays so."""
    return straightened(relief_of(looked, (pixels.shape[1], pixels.shape[0])), pixels)


def _outlined(looked: Looked, size: tuple[int, int]) -> list[tuple[Kinds, Plane]]:
    """What lies at one depth, and its matte ``[H, W]`` at ``size``, the last that of what no kind
    claims; together they are 255."""
    left = np.full(size[::-1], 255, np.uint8)
    found: list[tuple[Kinds, Plane]] = []
    for kinds in TOGETHER:
        matte = cv2.resize(looked.of(kinds), size, interpolation=cv2.INTER_AREA)
        matte = np.minimum(matte, left)
        left -= matte
        own = crisp(matte)
        if (own > 127).mean() > LEAST:
            found.append((kinds, own))
    found.append(((), crisp(left)))
    even = shared([matte for _, matte in found])
    return [(kinds, matte) for (kinds, _), matte in zip(found, even, strict=True) if matte.any()]


def _parted(seen: Floats, sky: Floats) -> tuple[Floats, Floats]:
    """Depth ``[h, w]`` of the sky, and of all else continued behind it: at a skyline, and where
    something thin stands before the sky, what is seen lies half way between the two."""
    sure = np.clip((sky - SKY[0]) / (SKY[1] - SKY[0]), 0, 1)
    sure *= np.clip((NEAR_SKY[1] - seen) / (NEAR_SKY[1] - NEAR_SKY[0]), 0, 1)
    behind = seen * (1 - cv2.dilate(sure, np.ones((3, 3))))
    clear = 1 - np.clip(cv2.dilate(sky, np.ones((BLURRED, BLURRED))) / SKY[0], 0, 1)
    clear = np.asarray(clear, np.float32)
    if clear.max() < 0.5 or not sure.any():
        return np.asarray(behind, np.float32), seen
    rest = filled((seen * clear)[..., None], clear)[..., 0]
    return np.asarray(behind, np.float32), np.maximum(rest, np.float32(BEYOND))


def _standing(looked: Looked) -> Floats:
    """Inverse depth ``[h, w]`` on the scene's grid, of which upright things have little within."""
    scene = looked.scene
    depth = scene.depth.copy()
    for number, one in enumerate(scene.instances):
        if one.kind in STANDING and one.area < MOST_STANDING:
            own = scene.parts == number
            depth[own] += UPRIGHT * (float(np.median(depth[own])) - depth[own])
    return depth


def _continued(depth: Floats, share: Floats) -> Floats:
    """Depth ``[h, w]`` of a kind, continued from where it is sure beyond its edge."""
    sure = np.clip((share - SURE) / 0.3, 0, 1)
    if sure.max() < 0.5:
        sure = np.clip(share / max(float(share.max()), 1e-3), 0, 1) ** 2
    inner = np.minimum(sure, cv2.erode(sure, np.ones((3, 3))) + 0.05)
    whole = filled((depth * inner)[..., None], inner)[..., 0]
    return np.asarray(np.clip(whole, 0, 1), np.float32)


def _bounded(sheet: Floats, depth: Floats) -> Floats:
    """A sheet's depth ``[h, w]`` brought to what is seen around each place: a hole in the matte of
    a face is no window to the far."""
    kernel = np.ones((2 * AROUND + 1,) * 2, np.uint8)
    low, high = cv2.erode(depth, kernel) - SLACK, cv2.dilate(depth, kernel) + SLACK
    bounded = np.clip(sheet, np.maximum(low, 0), np.minimum(high, 1))
    return np.asarray(depth + steps(depth) * (bounded - depth), np.float32)


def steps(depth: Floats) -> Floats:
    """How surely 0..1 depth ``[h, w]`` jumps near each place, by what a plane through its
    surroundings leaves over: sloping ground is no step, whatever grows on it."""
    side = 2 * AROUND + 1
    along = np.arange(side, dtype=np.float32) - AROUND
    spread = float((along**2).mean())
    flat = np.full((side, side), 1 / side**2, np.float32)
    mean = cv2.filter2D(depth, -1, flat, borderType=cv2.BORDER_REPLICATE)
    left = cv2.filter2D(depth**2, -1, flat, borderType=cv2.BORDER_REPLICATE) - mean**2
    for kernel in (np.tile(along, (side, 1)), np.tile(along[:, None], (1, side))):
        slope = cv2.filter2D(
            depth, -1, (kernel / side**2).astype(np.float32), borderType=cv2.BORDER_REPLICATE
        )
        left = left - slope**2 / spread
    rough = np.sqrt(np.maximum(left, 0))
    found = np.clip((rough - STEP[0]) / (STEP[1] - STEP[0]), 0, 1)
    return np.asarray(cv2.dilate(found, np.ones((3, 3))), np.float32)
