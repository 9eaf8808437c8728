"""Velocity fields of what flows, from its shape: rivers between their ends, the sea towards its
shore, falls down and smoke up.

A river is a potential flow: no water goes through its banks, and what comes in at the source leaves
at the sink (Laplace's equation on cells, solved coarse to fine). All fields are
``[rows, columns, 2]`` over the whole picture, short sides a second, x right and y down.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Plane

CELLS = 112
"""Cells along the long side."""
FEW = 20
"""Parts of fewer cells do not flow by themselves."""
SWEEPS = 60
"""Relaxations on each level."""

Cells = NDArray[np.bool_]
Place = tuple[float, float]


@dataclass(frozen=True)
class Arrow:
    """Part of a stroke: at ``place`` (x, y as shares of the picture) it flows with ``velocity``
    (short sides a second)."""

    place: Place
    velocity: tuple[float, float]


def cells_of(matte: Plane) -> Cells:
    """Cells that a matte ``[H, W]`` covers mostly."""
    height, width = matte.shape
    scale = CELLS / max(height, width)
    size = max(8, round(width * scale)), max(8, round(height * scale))
    return np.asarray(cv2.resize(matte, size, interpolation=cv2.INTER_AREA) > 127)


def river(matte: Plane, ends: tuple[Place, Place], speed: float) -> Floats:
    """From the first of ``ends`` (x, y as shares) to the second, near the viewer at ``speed``."""
    cells = cells_of(matte)
    field = np.zeros((*cells.shape, 2), np.float32)
    for part in _parts(cells):
        source, sink = (_mouth(part, place) for place in ends)
        if (source & sink).any():
            source, sink = _rows(part)
        field += _unit(potential(part, source, sink), part)
    return _perspective(field, cells, 0.8) * np.float32(speed)


def fall(matte: Plane, speed: float) -> Floats:
    """Down, faster and faster; at its foot it slows down and spreads."""
    cells = cells_of(matte)
    field = np.zeros((*cells.shape, 2), np.float32)
    for part in _parts(cells):
        down = _unit(potential(part, *_rows(part)), part) * np.array([0.6, 1.0], np.float32)
        down[..., 1] = np.maximum(down[..., 1], 0.5 * part)
        field += _unit(down, part) * _falling(part)[..., None]
    return field * np.float32(speed)


def plume(matte: Plane, speed: float, lean: float) -> Floats:
    """Smoke, steam, fog: carried at an angle of ``lean`` degrees (0 right, 90 up), meandering."""
    cells = cells_of(matte)
    h, w = cells.shape
    y, x = np.mgrid[0:h, 0:w].astype(np.float32) / min(h, w)
    bend = np.radians(18) * np.sin(5 * y + 2 * x) + np.radians(12) * np.sin(7 * x - 3 * y + 1)
    turn = np.radians(lean) + bend
    field = np.stack([np.cos(turn), -np.sin(turn)], -1).astype(np.float32)
    return np.asarray(field * cells[..., None] * np.float32(speed), np.float32)


def open_water(matte: Plane, speed: float, degrees: float) -> Floats:
    """The same way everywhere (0 right, 90 up): a sea that rolls in."""
    cells = cells_of(matte)
    turn = np.radians(degrees)
    way = np.array([np.cos(turn), -np.sin(turn)], np.float32)
    field = np.asarray(cells[..., None] * way, np.float32)
    return _perspective(field, cells, 0.8) * np.float32(speed)


def straight(matte: Plane, speed: float, degrees: float) -> Floats:
    """Everywhere about the same way (0 right, 90 up), along the banks where they are near."""
    cells = cells_of(matte)
    turn = np.radians(degrees)
    way = np.array([np.cos(turn), -np.sin(turn)], np.float32)
    field = np.zeros((*cells.shape, 2), np.float32)
    h, w = cells.shape
    along = (np.mgrid[0:h, 0:w][::-1] + 0.5).transpose(1, 2, 0) @ way
    for part in _parts(cells):
        low, high = np.quantile(along[part], (0.06, 0.94))
        field += _unit(potential(part, part & (along <= low), part & (along >= high)), part)
    return _perspective(field, cells, 0.8) * np.float32(speed)


def turned(field: Floats, matte: Plane, arrows: tuple[Arrow, ...]) -> Floats:
    """A field that obeys arrows: every part that they touch flows their way, the more the nearer,
    and at their speed beside them."""
    cells = cv2.resize(cells_of(matte).astype(np.uint8), field.shape[1::-1]) > 0
    out = field.copy()
    for part in _parts(cells):
        own = [arrow for arrow in arrows if part[_cell(arrow.place, part)]]
        if own:
            out[part] = _obeying(field, part, own)[part]
    return out


def _obeying(field: Floats, part: Cells, arrows: list[Arrow]) -> Floats:
    h, w = part.shape
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    total, weights = np.zeros((h, w, 2), np.float32), np.zeros((h, w, 1), np.float32)
    near = np.zeros((h, w), np.float32)
    for arrow in arrows:
        row, column = _cell(arrow.place, part)
        away = np.hypot(y - row, x - column) / min(h, w)
        weight = 1 / (0.02 + away) ** 2
        total += weight[..., None] * np.array(arrow.velocity, np.float32)
        weights += weight[..., None]
        near = np.maximum(near, np.exp(-((away / 0.12) ** 2)))
    asked = total / weights
    size = np.linalg.norm(asked, axis=-1, keepdims=True)
    base = field
    if float((field * asked)[part].sum()) < 0:
        base = -field  # against the current: source and sink change places
    own = np.linalg.norm(base, axis=-1, keepdims=True)
    speed = own + (size - own) * near[..., None]
    mixed = base / np.maximum(own, 1e-6) + 3.0 * asked / np.maximum(size, 1e-6)
    mixed = mixed + 6.0 * near[..., None] * asked / np.maximum(size, 1e-6)
    return _unit(mixed, part) * speed


def potential(part: Cells, source: Cells, sink: Cells) -> Floats:
    """Gradient of the harmonic function on ``part``, 0 at ``source`` and 1 at ``sink``, with no
    flux through the rest of its edge, ``[h, w, 2]``."""
    value = _solved(part, source & part, sink & part)
    wide, inside = np.pad(value, 1), np.pad(part, 1).astype(np.float32)
    out = []
    for axis in (1, 0):
        ahead, behind = (np.roll(wide, s, axis)[1:-1, 1:-1] for s in (-1, 1))
        there, before = (np.roll(inside, s, axis)[1:-1, 1:-1] for s in (-1, 1))
        slope = (ahead - value) * there + (value - behind) * before
        out.append(slope / np.maximum(there + before, 1))
    return np.asarray(np.stack(out, -1) * part[..., None], np.float32)


def _solved(part: Cells, source: Cells, sink: Cells) -> Floats:
    """The harmonic function, from a coarser solution on."""
    h, w = part.shape
    if min(h, w) > 12:
        half = [cv2.resize(c.astype(np.float32), (w // 2, h // 2), interpolation=cv2.INTER_AREA)
                for c in (part, source, sink)]  # fmt: skip
        coarse = _solved(half[0] > 0.3, half[1] > 0.2, half[2] > 0.2)
        value = cv2.resize(coarse, (w, h), interpolation=cv2.INTER_LINEAR)
    else:
        value = np.full((h, w), 0.5, np.float32)
    return _relaxed(value, part, source, sink)


def _relaxed(value: Floats, part: Cells, source: Cells, sink: Cells) -> Floats:
    inside = part.astype(np.float32)
    kernel = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32)
    count = cv2.filter2D(inside, -1, kernel, borderType=cv2.BORDER_CONSTANT)
    free = part & ~source & ~sink & (count > 0)
    share = np.where(free, 1 / np.maximum(count, 1), 0).astype(np.float32)
    fixed = np.where(sink, 1, np.where(source | free, 0, value)).astype(np.float32)
    value = np.where(free, value, fixed).astype(np.float32)
    for _ in range(SWEEPS):
        mean = cv2.filter2D(value * inside, -1, kernel, borderType=cv2.BORDER_CONSTANT)
        value = np.asarray(np.where(free, mean * share, fixed), np.float32)
    return value


def _parts(cells: Cells) -> list[Cells]:
    count, labels = cv2.connectedComponents(cells.astype(np.uint8), connectivity=4)
    parts = [labels == k for k in range(1, count)]
    return [part for part in parts if part.sum() >= FEW]


def _rows(part: Cells) -> tuple[Cells, Cells]:
    """The far and the near edge of a part."""
    rows = np.flatnonzero(part.any(1))
    depth = max(1, len(rows) // 16)
    y = np.arange(part.shape[0])[:, None]
    return part & (y < rows[0] + depth), part & (y > rows[-1] - depth)


def _mouth(part: Cells, place: Place) -> Cells:
    """The cells of a part nearest to one of its ends: about a twelfth of its extent."""
    h, w = part.shape
    y, x = np.mgrid[0:h, 0:w]
    away = np.hypot(x + 0.5 - place[0] * w, y + 0.5 - place[1] * h)
    nearest = float(away[part].min())
    return np.asarray(part & (away <= nearest + max(1.5, 0.06 * np.sqrt(part.sum() * 4))))


def _unit(field: Floats, part: Cells) -> Floats:
    """Directions alone, smoothed inside of a part."""
    size = np.linalg.norm(field, axis=-1, keepdims=True)
    unit = np.asarray(field / np.maximum(size, 1e-9) * part[..., None], np.float32)
    smooth = cv2.GaussianBlur(unit, (0, 0), 1.6)
    size = np.linalg.norm(smooth, axis=-1, keepdims=True)
    return np.asarray(smooth / np.maximum(size, 1e-6) * part[..., None], np.float32)


def _perspective(field: Floats, cells: Cells, power: float) -> Floats:
    """Slower the nearer to the horizon, which is taken to be the water's highest row."""
    rows = np.flatnonzero(cells.any(1))
    if not len(rows):
        return field
    h = cells.shape[0]
    far = rows[0]
    if far < 0.03 * h:  # seen from above
        return field
    near = np.clip((np.arange(h) - far) / max(1, h - far), 0.06, 1) ** power
    return np.asarray(field * near[:, None, None].astype(np.float32), np.float32)


def _falling(part: Cells) -> Floats:
    """Speed down a fall, 0.6 at its lip to 1.2 above its foot, where it slows down."""
    h = part.shape[0]
    lip = np.where(part.any(0), part.argmax(0), 0)
    foot = np.where(part.any(0), h - 1 - part[::-1].argmax(0), 1)
    y = np.arange(h)[:, None]
    way = np.clip((y - lip) / np.maximum(foot - lip, 1), 0, 1)
    speed = 0.6 + 0.6 * np.sqrt(way) - 0.7 * np.clip((way - 0.85) / 0.15, 0, 1)
    return np.asarray(speed * part, np.float32)


def _cell(place: Place, part: Cells) -> tuple[int, int]:
    h, w = part.shape
    return min(h - 1, int(place[1] * h)), min(w - 1, int(place[0] * w))
