"""A motion put on its picture: every layer cut out with its matte, ready to be looked at."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame, Plane
from vivant.kinds import INDEX
from vivant.media.resize import fit_plane
from vivant.motion.floating import float_matte
from vivant.motion.held import Looked, rest_of_water
from vivant.motion.layered import REST, LayerMotion, Motion
from vivant.rendering.disc import disc
from vivant.rendering.layers import HELD, Box, Layer, Stage, box_of
from vivant.rendering.manners.bob import Bob
from vivant.rendering.manners.flight import FlightManner
from vivant.rendering.manners.manner import Ground, Veil
from vivant.rendering.manners.table import Row, manner_of
from vivant.scene.mattes import thing_matte
from vivant.scene.record import Scene

LEAST = 0.0008
"""Share of the picture under which a layer is not worth moving."""
SPECK = 0.0004
"""Parts of a matte smaller than this share of the picture are specks: they hold."""


OUTLINE = 0.025
"""An outline moves by at most so many short sides."""
ISLANDS = {"sky": 0.6, "water": 0.9}
"""Kinds whose mattes have holes that are none, and the share from which they are none."""
SHARP = 24.0
"""Levels a 720th of the short side: clouds have up to 18, lettering over 50."""
SOFT = 4.0
"""Rim, in the same unit, so soft that no thing has it: half the share is enough."""
WHOLE = 250
"""Matte under which a place is part of a hole."""
MOST_ISLAND = 0.03
"""Share of the picture from which a hole is a hole."""


def region(looked: Looked, layer: LayerMotion, pixels: Frame) -> Plane:
    """The matte ``[H, W]`` of a layer, in a picture ``[H, W, 3]``."""
    matte = looked.mattes.of(layer.kind)
    if isinstance(layer.manner, Bob):
        matte = float_matte(looked, layer.manner.place)
    elif layer.part == REST:
        matte = rest_of_water(looked)
    elif layer.part is not None:
        matte = thing_matte(looked.scene, layer.part, matte)
    matte = fit_plane(matte, (pixels.shape[1], pixels.shape[0]))
    sure = ISLANDS.get(layer.kind)
    if sure is not None:
        share = looked.scene.kinds[INDEX[layer.kind]]
        matte = without_islands(matte, share, sure, pixels)
    if layer.kind == "water" and looked.firm is not None:
        matte = np.minimum(matte, 255 - fit_plane(looked.firm, matte.shape[::-1]))
    return without_specks(matte)


def without_islands(matte: Plane, share: Floats, sure: float, pixels: Frame) -> Plane:
    """A matte ``[H, W]`` whose holes are filled where the scene is ``sure`` of the kind (its
    ``share`` ``[h, w]``) and nothing sharp is seen: a dark cloud is no thing before the sky, but
    lettering and a lamp are."""
    wide = cv2.resize(share, matte.shape[::-1], interpolation=cv2.INTER_LINEAR)
    edges = _edges(pixels)
    count, labels, stats, _ = cv2.connectedComponentsWithStats((matte < WHOLE).astype(np.uint8))
    out = matte.copy()
    for number in range(1, count):
        x, y, w, h, area = stats[number]
        if y + h == matte.shape[0] or area >= MOST_ISLAND * matte.size:
            continue
        box = slice(max(0, y - 3), y + h + 3), slice(max(0, x - 3), x + w + 3)
        own = labels[box] == number
        rim = _rim(own, edges[box])
        cut = x == 0 or x + w == matte.shape[1]  # what is blurred there may be near
        if rim < SHARP and wide[box][own].mean() > (sure if cut or rim > SOFT else 0.5 * sure):
            out[box][own] = 255
    return out


def _edges(pixels: Frame) -> Floats:
    """Gradient in levels a 720th of the short side, ``[H, W]``."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    x, y = (cv2.Sobel(grey, cv2.CV_32F, *order, ksize=3) for order in ((1, 0), (0, 1)))
    scale = max(min(grey.shape) / 720, 0.5) / 8
    return np.asarray(cv2.magnitude(x, y) * np.float32(scale), np.float32)


def _rim(own: NDArray[np.bool_], edges: Floats) -> float:
    """How sharp the rim of an island is."""
    plane = own.astype(np.uint8)
    rim = cv2.dilate(plane, np.ones((5, 5))) - cv2.erode(plane, np.ones((3, 3)))
    return float(np.percentile(edges[rim > 0], 75))


def without_specks(matte: Plane) -> Plane:
    """A matte without parts that are too small to be seen to move, ``[H, W]``."""
    there = (matte > 24).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(there)
    small = stats[:, cv2.CC_STAT_AREA] < SPECK * matte.size
    small[0] = False
    if count < 2 or not small.any():
        return matte
    return np.where(small[labels], np.uint8(0), matte)


def staged(
    pixels: Frame,
    motion: Motion,
    looked: Looked,
    *,
    held: Plane | None = None,
    loop: float | None = None,
) -> Stage:
    """Everything that ``motion`` moves in a picture ``[H, W, 3]``; ``held`` ``[H, W]`` (255 =
    holds) never changes; it closes after ``loop`` seconds."""
    cuts = [_cut_out(layer, looked, pixels, held) for layer in motion.layers]
    cuts = [cut for cut in cuts if box_of(cut.matte) and cut.matte.mean() > LEAST * 255]
    _behind_outlines(cuts)
    layers: list[Layer] = []
    veils: list[Layer] = []
    behind = pixels
    for cut in sorted(cuts, key=lambda one: not one.row.veil):
        if cut.layer.kind == "sky" and not cut.row.veil:
            _closed(cut, veils, held)
        made = _layer(behind, cut, looked.scene, loop)
        if cut.row.veil:
            veils.append(made)
            behind = _without(behind, made)
        else:
            layers.append(made)
    return Stage(pixels, (*layers, *veils), held)


@dataclass(eq=False)
class _CutOut:
    """A layer cut out of a picture: the ``matte`` ``[H, W]`` it is shown with, what of it is its
    ``own``, and the sky beside it, before which its outline moves."""

    layer: LayerMotion
    row: Row
    matte: Plane
    own: Plane
    sky: Plane | None = None


def _cut_out(layer: LayerMotion, looked: Looked, pixels: Frame, held: Plane | None) -> _CutOut:
    row = manner_of(layer.manner)
    own = matte = region(looked, layer, pixels)
    if row.reaches is not None:
        matte = row.reaches(matte)
    sky = _open(looked, own, pixels) if row.over else None
    if sky is not None:
        matte = np.asarray(cv2.add(own, sky), np.uint8)
    if held is not None:
        matte = np.where(held > 127, np.uint8(0), matte)
        own = np.minimum(own, matte)
    return _CutOut(layer, row, matte, own, sky)


def _behind_outlines(cuts: list[_CutOut]) -> None:
    """The sky goes on behind what moves its outline before it."""
    covers = [cut for cut in cuts if cut.row.over and cut.sky is not None and cut.sky.any()]
    for cut in cuts:
        if cut.layer.kind != "sky" or cut.row.veil:
            continue
        near = _reached(cut.own)
        for cover in covers:
            cut.matte = np.maximum(cut.matte, np.minimum(near, cover.own))


def _closed(sky: _CutOut, veils: list[Layer], held: Plane | None) -> None:
    """The sky goes on where something flew before it."""
    for veil in veils:
        if not isinstance(veil.manner, FlightManner):
            continue
        own = np.minimum(veil.manner.cleared, veil.matte)
        if held is not None:
            own = np.where(held[veil.box] > HELD, np.uint8(0), own)
        for plane in (sky.matte, sky.own):
            np.maximum(plane[veil.box], own, out=plane[veil.box])


def _open(looked: Looked, own: Plane, pixels: Frame) -> Plane:
    """The sky ``[H, W]`` beside a layer, before which its outline may move."""
    sky = fit_plane(looked.mattes.of("sky"), (pixels.shape[1], pixels.shape[0]))
    return np.asarray(np.minimum(np.minimum(_reached(own), sky), 255 - own), np.uint8)


def _reached(own: Plane) -> Plane:
    """A matte ``[H, W]`` and as far beside it as an outline moves."""
    return cv2.dilate(own, disc(max(2, OUTLINE * min(own.shape))))


def _without(pixels: Frame, veil: Layer) -> Frame:
    """The picture ``[H, W, 3]`` as it is behind a veil."""
    if not isinstance(veil.manner, Veil):
        return pixels
    out = pixels.copy()
    own = veil.matte > HELD
    out[veil.box][own] = veil.manner.beneath[own]
    return out


def _layer(pixels: Frame, cut: _CutOut, scene: Scene, loop: float | None) -> Layer:
    box = box_of(cut.matte)
    if box is None:
        raise ValueError("an empty layer")
    rows, columns = box
    layer, shape = cut.layer, cut.matte.shape
    sky = cut.layer.kind == "sky" and not cut.row.veil  # seen behind outlines, but not sure there
    ground = Ground(
        pixels=np.ascontiguousarray(pixels[box]),
        matte=np.ascontiguousarray((cut.own if sky else cut.matte)[box]),
        origin=(columns.start, rows.start),
        picture=(pixels.shape[1], pixels.shape[0]),
        loop=loop,
        velocity=None if layer.velocity is None else _cut(layer.velocity, box, shape),
        moving=_cut(scene.moving, box, shape),
        near=_cut(nearness(scene.depth), box, shape),
        own=np.ascontiguousarray(cut.own[box]),
        open=None if cut.sky is None else np.ascontiguousarray(cut.sky[box]),
    )
    rng = np.random.default_rng(layer.seed)
    made = cut.row.make(ground, layer.manner, rng)
    return Layer(box, np.ascontiguousarray(cut.matte[box]), made, cut.row.veil)


def nearness(depth: Floats) -> Floats:
    """Inverse depth ``[rows, columns]``, 1 for the nearest twentieth of a picture."""
    return np.asarray(np.clip(depth / max(float(np.percentile(depth, 95)), 1e-3), 0, 1), np.float32)


def _cut(values: Floats, box: Box, shape: tuple[int, ...]) -> Floats:
    """The part of a map ``[rows, columns(, n)]`` of the picture that lies over a box."""
    rows, columns = box
    scale = values.shape[0] / shape[0], values.shape[1] / shape[1]
    count = tuple(max(4, round((s.stop - s.start) * k)) for s, k in zip(box, scale, strict=True))
    y = (np.linspace(rows.start, rows.stop, count[0], dtype=np.float32) - 0.5) * scale[0]
    x = (np.linspace(columns.start, columns.stop, count[1], dtype=np.float32) - 0.5) * scale[1]
    at = np.dstack(np.meshgrid(x, y)).astype(np.float32)
    out = cv2.remap(values, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.float32)
