"""Straight lines of a picture stay straight under a moving camera.

A line in space that is seen straight has an inverse depth that changes evenly along it (inverse
depth is linear over a plane). Seen depth has bumps, which bend kerbs, roofs and window frames as
soon as the camera goes by. So along every line that is found in the picture the sheets' disparity
is brought to what is even, and what is beside the line follows, as when pictures are warped and
their lines are kept (Carroll, Agrawala and Agarwala, SIGGRAPH 2010).
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame
from vivant.rendering.space.relief import Relief, Sheet

SHORT = 480
"""Short side at which lines are looked for."""
LEAST = 1 / 12
"""Short sides that a line is long at least."""
TURN, APART, GAP = 1.5, 1 / 160, 0.25
"""Degrees, short sides aside and shares of the longer one by which two parts of one line differ."""
MOST = 0.15
"""Disparity by which a line changes a sheet at most."""
SPACING = 0.5
"""Cells of the disparity between two points of a line."""
STEP = 0.05
"""Disparity by which half of a line may be off: more, and it is not one line in space."""
REACH = 1.2
"""Cells over which what is beside a line follows it."""
ROUNDS = 20
LEAST_POINTS = 6


def straightened(relief: Relief, picture: Frame) -> Relief:
    """A relief whose disparity is even along the lines of its ``picture`` ``[H, W, 3]``."""
    rows, columns = relief.sheets[0].disparity.shape
    seen, found = relief.at((rows, columns)), []
    for line in lines_of(picture):
        points = _points(line, min(rows, columns))
        wanted = _even(_at(seen, points), points)
        if wanted is not None:
            found.append((points, wanted))
    if not found:
        return relief
    points, wanted = (np.concatenate(column) for column in zip(*found, strict=True))
    return Relief(tuple(_straight(sheet, points, wanted) for sheet in relief.sheets))


def lines_of(picture: Frame) -> Floats:
    """Straight lines ``[n, 4]`` (x, y, x, y in short sides), parts of one line joined, the longest
    first (von Gioi et al., LSD, IPOL 2012)."""
    short = min(picture.shape[:2])
    scale = min(1.0, SHORT / short)
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    found = cv2.createLineSegmentDetector().detect(small)[0]
    if found is None:
        return np.zeros((0, 4), np.float32)
    parts = found.reshape(-1, 4) / np.float32(min(small.shape))
    parts = parts[np.argsort(-_lengths(parts))]
    joined = _joined(parts[_lengths(parts) > LEAST / 3])
    return joined[_lengths(joined) > LEAST]


def _lengths(lines: Floats) -> Floats:
    return np.asarray(np.hypot(lines[:, 2] - lines[:, 0], lines[:, 3] - lines[:, 1]), np.float32)


def _joined(parts: Floats) -> Floats:
    """Lines, longest first, each with the shorter ones that go on where it ends."""
    out = []
    while len(parts):
        line, parts = parts[0], parts[1:]
        while True:
            begin, end, belongs = _along(line, parts)
            if not belongs.any():
                break
            start, along = line[:2], (line[2:] - line[:2]) / _lengths(line[None])
            low = min(0.0, float(begin[belongs].min()))
            high = max(float(_lengths(line[None])[0]), float(end[belongs].max()))
            line = np.concatenate([start + low * along, start + high * along])
            parts = parts[~belongs]
        out.append(line)
    return np.array(out, np.float32).reshape(-1, 4)


def _along(line: Floats, parts: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Where ``parts`` ``[n, 4]`` begin and end along a line, and which of them are of it."""
    length = float(_lengths(line[None])[0])
    along = (line[2:] - line[:2]) / length
    places = parts.reshape(-1, 2, 2) - line[:2]
    on, aside = places @ along, places @ np.array([-along[1], along[0]], np.float32)
    begin, end = on.min(1), on.max(1)
    sine = np.abs(aside[:, 1] - aside[:, 0]) / np.maximum(_lengths(parts), 1e-6)
    near = np.abs(aside).max(1) < APART
    gap = np.maximum(begin - length, -end)
    belongs = near & (sine < np.sin(np.radians(TURN))) & (gap < GAP * length)
    return begin, end, belongs


def _points(line: Floats, scale: int) -> Floats:
    """Points ``[n, 2]`` of a line, in cells."""
    cells = line * scale - 0.5
    count = max(LEAST_POINTS, int(np.hypot(*(cells[2:] - cells[:2])) / SPACING))
    share = np.linspace(0, 1, count, dtype=np.float32)[:, None]
    return np.asarray(cells[:2] + share * (cells[2:] - cells[:2]), np.float32)


def _even(seen: Floats, points: Floats) -> Floats | None:
    """Disparity ``[n]`` that changes evenly along a line, robustly fitted to what is seen; None
    where that steps, so that the line is not one in space."""
    along = np.linalg.norm(points - points[0], axis=1)
    basis = np.stack([np.ones_like(along), along], 1)
    weight = np.ones_like(seen)
    for _ in range(5):
        fit = np.linalg.lstsq(basis * weight[:, None], seen * weight, rcond=None)[0]
        left = np.abs(seen - basis @ fit)
        weight = 1 / np.maximum(left / 0.01, 1)
    return np.asarray(basis @ fit, np.float32) if np.median(left) < STEP else None


def _straight(sheet: Sheet, points: Floats, wanted: Floats) -> Sheet:
    """A sheet whose disparity is as ``wanted`` ``[n]`` at those ``points`` that are its own."""
    rows, columns = sheet.disparity.shape
    matte = cv2.resize(sheet.matte, (columns, rows), interpolation=cv2.INTER_AREA)
    own = _at(cv2.dilate(matte, np.ones((3, 3))).astype(np.float32), points) > 127
    own &= np.abs(_at(sheet.disparity, points) - wanted) < MOST
    if not own.any():
        return sheet
    disparity, points, wanted = sheet.disparity, points[own], wanted[own]
    for _ in range(ROUNDS):
        disparity = disparity + _spread(wanted - _at(disparity, points), points, disparity.shape)
    return replace(sheet, disparity=np.clip(disparity, 0, 1).astype(np.float32))


def _at(values: Floats, points: Floats) -> Floats:
    found = cv2.remap(
        values, points[None].astype(np.float32), None, cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return np.asarray(found[0], np.float32)


def _spread(change: Floats, points: Floats, shape: tuple[int, ...]) -> Floats:
    """Changes at points over a grid, fading beside them."""
    total, weight = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    low = np.floor(points).astype(int)
    part = points - low
    for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
        share = np.abs(1 - dx - part[:, 0]) * np.abs(1 - dy - part[:, 1])
        x = np.clip(low[:, 0] + dx, 0, shape[1] - 1)
        y = np.clip(low[:, 1] + dy, 0, shape[0] - 1)
        np.add.at(total, (y, x), share * change)
        np.add.at(weight, (y, x), share)
    blurred = cv2.GaussianBlur(np.dstack([total, weight]), (0, 0), REACH)
    full = SPACING**-1 / (np.sqrt(2 * np.pi) * REACH)
    return np.asarray(blurred[..., 0] / np.maximum(blurred[..., 1], 0.5 * full), np.float32)
