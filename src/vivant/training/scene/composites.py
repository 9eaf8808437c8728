"""Composites with exact alpha: skies, waters and anything else behind procedural silhouettes.

As matting networks are trained (Xu et al., Deep Image Matting, CVPR 2017), but with drawn
silhouettes, since cut-outs with exact alpha are not to be had freely. The coarse matte that the
refiner gets is the true one as the seeing network would see it: coarse, without thin things,
shifted and unsure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame
from vivant.data.silhouettes import silhouette
from vivant.data.teacher_files import Taught, read_taught
from vivant.files import listed
from vivant.media.decoder import Decoder
from vivant.training.scene.labels import kind_target

GRID = 8
"""Refiner pixels to one cell of the seeing network's grid."""
OPEN_TRIES = 24
PLATE_SHORT = 640


@dataclass(frozen=True)
class Composite:
    """``image`` ``[S, S, 3]`` 0..1, ``coarse`` matte ``[S, S]`` 0..1, the exact ``alpha``, and
    ``edge`` ``[S, S]``, 1 within 10 pixels of its edge."""

    image: Floats
    coarse: Floats
    alpha: Floats
    edge: Floats


@dataclass(frozen=True)
class Plate:
    """A photograph ``[H, W, 3]`` uint8 and where it is sky or water, ``[H, W]`` 0 or 1."""

    image: Frame
    open: NDArray[np.uint8]


def read_plates(taught: Path, photos: Path, split: str) -> list[Plate]:
    """The photographs of a split at 640 pixels on the short side, with where the teachers see
    sky or water; ``taught`` is the folder of labels, ``photos`` that of the photographs."""
    labelled = [read_taught(path) for path in listed(taught, "photo-*.npz")]
    with Decoder() as decoder:
        return [
            _plate(decoder.picture(photos / one.facts["path"]).pixels, one)
            for one in labelled
            if one.facts["split"] == split
        ]


def _plate(pixels: Frame, taught: Taught) -> Plate:
    scale = min(1.0, PLATE_SHORT / min(pixels.shape[:2]))
    image = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    open_ = kind_target(taught.labels, taught.facts["category"]).kinds[:2].max(0)
    wide = cv2.resize(open_, image.shape[1::-1])
    return Plate(np.asarray(image, np.uint8), (wide > 0.95).astype(np.uint8))


def composite(rng: np.random.Generator, plates: Sequence[Plate], side: int = 128) -> Composite:
    """One composite; the layer asked for is what is behind (two in three) or in front."""
    alpha = silhouette(rng, side)
    if rng.random() < 0.5:
        alpha = np.ascontiguousarray(alpha[:, ::-1])
    behind, front = _behind(rng, plates, side), _front(rng, plates, side)
    image = behind * (1 - alpha[..., None]) + front * alpha[..., None]
    if rng.random() < 0.3:  # what the air and the lens add
        image = image + 0.3 * rng.random() * cv2.GaussianBlur(behind - image, (0, 0), side / 20)
    image = np.clip(image + rng.normal(0, rng.uniform(0, 0.02), image.shape), 0, 1)
    wanted = alpha if rng.random() < 0.33 else 1 - alpha
    coarse, wanted = coarsened(wanted, rng), wanted.astype(np.float32)
    return Composite(image.astype(np.float32), coarse, wanted, edge_band(wanted, 10))


def edge_band(alpha: Floats, radius: int) -> Floats:
    """1 within ``radius`` pixels of an edge of ``alpha`` ``[h, w]``, else 0."""
    kernel = np.ones((2 * radius + 1,) * 2, np.uint8)
    spread = cv2.dilate(alpha, kernel) - cv2.erode(alpha, kernel)
    return (spread > 0.1).astype(np.float32)


def coarsened(alpha: Floats, rng: np.random.Generator) -> Floats:
    """A matte as the seeing network answers it: on its grid, thin things lost, the edge moved."""
    side = len(alpha)
    cells = cv2.resize(alpha, (side // GRID, side // GRID), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.75:  # thin things in front are not seen
        kernel = np.ones((3, 3), np.uint8)
        how = cv2.MORPH_CLOSE if alpha.mean() > 0.3 else cv2.MORPH_OPEN
        lost = cv2.morphologyEx(cells, how, kernel)
        cells = cells + rng.uniform(0.5, 1.0) * (lost - cells)
    cells = cv2.GaussianBlur(cells, (0, 0), rng.uniform(0.3, 1.1))
    wobble = cv2.resize(rng.normal(0, 1, (6, 6)).astype(np.float32), cells.shape[::-1])
    cells = 1 / (
        1 + np.exp(-rng.uniform(4, 12) * (cells - 0.5 + rng.normal(0, 0.05) + 0.1 * wobble))
    )
    wide = cv2.resize(cells.astype(np.float32), (side, side), interpolation=cv2.INTER_LINEAR)
    shift = np.array([[1, 0, rng.normal(0, 1.5)], [0, 1, rng.normal(0, 1.5)]], np.float32)
    return np.asarray(
        cv2.warpAffine(wide, shift, (side, side), borderMode=cv2.BORDER_REPLICATE), np.float32
    )


def _behind(rng: np.random.Generator, plates: Sequence[Plate], side: int) -> Floats:
    """The openest of some parts of photographs: sky or water, nearly always."""
    best: tuple[float, Floats | None] = (-1.0, None)
    for _ in range(OPEN_TRIES):
        plate = plates[int(rng.integers(len(plates)))]
        box = _box(rng, plate.image.shape, side, least=0.12)
        share = float(plate.open[box].mean())
        if share > best[0]:
            best = share, _sized(plate.image[box], side)
        if share > 0.97:
            break
    assert best[1] is not None
    return best[1]


def _front(rng: np.random.Generator, plates: Sequence[Plate], side: int) -> Floats:
    """Any part of a photograph, half of the time as dark as against the light."""
    plate = plates[int(rng.integers(len(plates)))]
    part = _sized(plate.image[_box(rng, plate.image.shape, side, least=0.15)], side)
    if rng.random() < 0.5:
        part = part * np.float32(rng.uniform(0.02, 0.5))
    return part


def _box(
    rng: np.random.Generator, shape: tuple[int, ...], side: int, least: float
) -> tuple[slice, slice]:
    short = min(shape[:2])
    size = int(np.clip(short * rng.uniform(least, 0.6), 32, short))
    top, left = (int(rng.integers(0, n - size + 1)) for n in shape[:2])
    return slice(top, top + size), slice(left, left + size)


def _sized(part: Frame, side: int) -> Floats:
    how = cv2.INTER_AREA if len(part) > side else cv2.INTER_CUBIC
    return np.clip(cv2.resize(part, (side, side), interpolation=how) / np.float32(255), 0, 1)
