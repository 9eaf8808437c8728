"""From what is seen to a relief: every kind is a sheet with its matte, and things stand upright."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Plane
from vivant.kinds import INDEX
from vivant.motion.held import Looked
from vivant.rendering.plates import filled
from vivant.rendering.space.relief import Relief, Sheet
from vivant.rendering.space.surfaces import plain
from vivant.scene.record import Scene

Bools = NDArray[np.bool_]
TOGETHER = (
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
OUTLINE = 1 / 54
"""Short sides on either side of an outline in which a matte may be soft."""
SPECK = 1 / 60
"""Short sides of a square as large as the smallest part of a matte that counts."""


def relief_of(looked: Looked, size: tuple[int, int]) -> Relief:
    """The relief of a picture at ``size`` (width, height)."""
    scene = looked.scene
    seen = _standing(looked)
    seen = plain(seen, np.maximum(steps(seen), _meeting(scene)))
    sky, depth = _parted(seen, scene.kinds[INDEX["sky"]])
    sheets = []
    for kinds, matte in _outlined(looked, size):
        share = np.sum([scene.kinds[INDEX[kind]] for kind in kinds], axis=0)
        own = depth if not kinds else _bounded(_continued(depth, share), depth)
        sheets.append(Sheet(matte, sky if kinds == ("sky",) else own))
    return Relief(tuple(sheets))


def _outlined(looked: Looked, size: tuple[int, int]) -> list[tuple[tuple[str, ...], Plane]]:
    """What lies at one depth, its matte ``[H, W]`` at ``size``; all mattes together are 255. What
    no kind claims has none."""
    left = np.full(size[::-1], 255, np.int16)
    found = []
    for kinds in TOGETHER:
        matte = cv2.resize(looked.of(kinds), size, interpolation=cv2.INTER_AREA)
        matte = np.minimum(matte, np.clip(left, 0, 255).astype(np.uint8))
        left -= matte
        own = crisp(matte)
        if (own > 127).mean() > LEAST:
            found.append((kinds, own))
    found.append(((), crisp(np.clip(left, 0, 255).astype(np.uint8))))
    total = np.sum([matte for _, matte in found], axis=0, dtype=np.uint16)
    found[-1][1][total == 0] = 255
    total = np.maximum(total, 1) + 255 * (total == 0)
    out, left = [], np.full(size[::-1], 255, np.int16)
    for kinds, matte in found:
        even = np.minimum(np.round(matte * (255.0 / total)), left).astype(np.uint8)
        left -= even
        out.append((kinds, even))
    np.add(out[-1][1], left.astype(np.uint8), out=out[-1][1])
    return [(kinds, matte) for kinds, matte in out if matte.any()]


def crisp(matte: Plane) -> Plane:
    """A matte ``[H, W]`` that is soft along its outline only, and has no specks: what is half one
    thing and half another over a wide area would be seen twice as soon as the camera moves."""
    short = min(matte.shape)
    core = _without_specks(_without_specks(matte > 127, short), short, holes=True)
    inside, outside = (
        cv2.distanceTransform(part.astype(np.uint8), cv2.DIST_L2, 3) for part in (core, ~core)
    )
    rim = np.maximum(inside, outside) <= OUTLINE * short
    return np.where(rim & core.any(), matte, np.where(core, 255, 0)).astype(np.uint8)


def _without_specks(there: Bools, short: int, *, holes: bool = False) -> Bools:
    """What is there ``[H, W]`` without parts (or holes) of hardly any size."""
    part = (~there if holes else there).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(part, connectivity=8)
    large = stats[:, cv2.CC_STAT_AREA] >= (SPECK * short) ** 2
    large[0] = False
    kept = large[labels]
    return np.asarray(~kept if holes else kept)


def _meeting(scene: Scene) -> Floats:
    """1 where in the scene's grid ``[h, w]`` one thing that lies at one depth meets another."""
    shares = [np.sum([scene.kinds[INDEX[kind]] for kind in kinds], axis=0) for kinds in TOGETHER]
    which = np.argmax(shares, axis=0).astype(np.uint8)
    kernel = np.ones((3, 3), np.uint8)
    return (cv2.dilate(which, kernel) > cv2.erode(which, kernel)).astype(np.float32)


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
