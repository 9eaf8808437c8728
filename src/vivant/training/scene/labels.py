"""From teachers' classes to our kinds: a soft target and how far to trust it.

MOSAIC's classes are merged; the VOC network adds animals, boats and other vehicles, the person
matte sharpens people, the hair network turns hair into cloth, and the sky network sharpens the
sky where both agree that there is one. The target's own sureness is the weight.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats
from vivant.data.teachers import CREATURES, MOSAIC, VOC, SoftLabels
from vivant.kinds import INDEX, KINDS

MERGED = {
    "sky": ("sky",),
    "water": ("water", "sea"),
    "plant": ("tree", "plant", "grass", "field"),
    "cloth": ("curtain",),
    "being": ("person",),
    "vehicle": ("car",),
    "built": ("wall", "building", "ceiling", "window", "door", "house"),
    "ground": ("earth", "mountain", "road", "sidewalk", "floor", "rug"),
    "object": (
        *("bed", "cabinet", "table", "chair", "painting"),
        *("sofa", "shelf", "mirror", "armchair"),
    ),
}
"""Kinds and the classes of MOSAIC that they take in; its class `other` is no kind."""
VEHICLES = ("aeroplane", "bicycle", "boat", "bus", "car", "motorbike", "train")
NO_SKY = ("candle", "fire", "food", "interior", "macro", "portrait", "object", "cat", "kitchen")
"""Categories in which dark blur is taken for sky, unless the sky network says so as well."""


@dataclass(frozen=True)
class KindTarget:
    """``kinds`` ``[12, h, w]`` shares that sum to 1 (or to 0 where nothing is known) and
    ``weight`` ``[h, w]`` 0..1."""

    kinds: Floats
    weight: Floats


def merged(mosaic: NDArray[np.uint8]) -> Floats:
    """MOSAIC's shares ``[32, h, w]`` uint8 merged into kinds ``[12, h, w]`` 0..1."""
    kinds = np.zeros((len(KINDS), *mosaic.shape[1:]), np.float32)
    for kind, names in MERGED.items():
        for name in names:
            kinds[INDEX[kind]] += mosaic[MOSAIC.index(name)] / np.float32(255)
    return kinds


def certain(mosaic: NDArray[np.uint8], share: float = 0.9) -> NDArray[np.int64]:
    """The kind ``[h, w]`` where one has more than ``share`` of MOSAIC's votes, else -1."""
    kinds = merged(mosaic)
    return np.where(kinds.max(0) > share, kinds.argmax(0), -1)


def kind_target(labels: SoftLabels, category: str = "") -> KindTarget:
    """The soft target of one picture from everything the teachers said."""
    kinds = merged(labels.mosaic)
    _mend_sky(kinds, labels, category)
    voc = labels.voc / np.float32(255)
    creature = sum(voc[VOC.index(name)] for name in CREATURES)
    vehicle = sum(voc[VOC.index(name)] for name in VEHICLES)
    _claim(kinds, "vehicle", _sure(np.asarray(vehicle, np.float32)))
    _claim(kinds, "being", _sure(np.asarray(creature, np.float32)))
    person = np.asarray(labels.person / np.float32(255), np.float32)
    if ((person > 0.5) & (kinds[INDEX["being"]] > 0.5)).sum() > 0.3 * (person > 0.5).sum():
        _claim(kinds, "being", person)
    _claim(kinds, "cloth", labels.hair / np.float32(255) * kinds[INDEX["being"]])
    known = kinds.sum(0)
    shares = kinds / np.maximum(known, 1e-6)
    sureness = np.clip((shares.max(0) - 0.35) / 0.5, 0, 1)
    return KindTarget(shares.astype(np.float32), (known * sureness).astype(np.float32))


def _sure(chance: Floats) -> Floats:
    """The VOC network is coarse and often half sure: only from 0.5 on does it count."""
    return np.asarray(np.clip((chance - 0.5) / 0.35, 0, 1), np.float32)


def _claim(kinds: Floats, kind: str, share: Floats) -> None:
    """Give ``kind`` at least ``share`` of every cell; the others keep their proportions."""
    share = np.maximum(share, kinds[INDEX[kind]])
    rest = np.maximum(kinds.sum(0) - kinds[INDEX[kind]], 1e-6)
    kinds *= np.minimum(1, (1 - share) / rest)
    kinds[INDEX[kind]] = share


def _mend_sky(kinds: Floats, labels: SoftLabels, category: str) -> None:
    sky, said = kinds[INDEX["sky"]], labels.sky / np.float32(255)
    if any(word in category for word in NO_SKY):
        kinds[INDEX["sky"]] = np.minimum(sky, said)
        return
    inside = sky > 0.8
    if inside.sum() < 0.01 * inside.size or int(labels.sky_doubt) > 13:
        return
    if said[inside].mean() < 0.8:
        return
    band = _dilated(inside) & (_dilated(sky < 0.2))  # both agree: the finer one draws the edge
    sharp = np.where(band, said, sky)
    rest = np.maximum(kinds.sum(0) - sky, 1e-6)
    room = np.minimum(1, (1 - sharp) / rest)
    kinds *= room
    kinds[INDEX["sky"]] = sharp


def _dilated(where: NDArray[np.bool_], radius: int = 3) -> NDArray[np.bool_]:
    kernel = np.ones((2 * radius + 1,) * 2, np.uint8)
    return np.asarray(cv2.dilate(where.astype(np.uint8), kernel) > 0)
