"""A picture laid into a size that a model takes, and frames taken out of it: never stretched."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from vivant.adapters.families import Family
from vivant.adapters.layout import Checkpoint
from vivant.clip import Frame
from vivant.errors import BundleError

LATENT = 8
"""Pixels of one latent of CogVideoX, whose configuration states its size in latents."""
BUCKET = 16
"""Pixels of one latent of HunyuanVideo 1.5."""


@dataclass(frozen=True)
class Fit:
    """``outer`` (width, height) is what the model works on; the picture fills ``inner`` of it, at
    ``place`` (left, top), and is mirrored beyond."""

    outer: tuple[int, int]
    inner: tuple[int, int]
    place: tuple[int, int]

    def laid(self, picture: Frame) -> Frame:
        """``picture`` ``[H, W, 3]`` as the model gets it."""
        shrinks = picture.shape[1] > self.inner[0]
        method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
        small = cv2.resize(picture, self.inner, interpolation=method)
        left, top = self.place
        right = self.outer[0] - self.inner[0] - left
        bottom = self.outer[1] - self.inner[1] - top
        mirrored = cv2.copyMakeBorder(small, top, bottom, left, right, cv2.BORDER_REFLECT)
        return np.asarray(mirrored, np.uint8)

    def taken(self, frame: Frame) -> Frame:
        """The picture's part of a frame of the model. Raises BundleError for another size."""
        if frame.shape[:2] != self.outer[::-1]:
            height, width = frame.shape[:2]
            raise BundleError(
                f"The model gave frames of {width}x{height} where {self.outer[0]}x{self.outer[1]}"
                " were asked for; its weights are none that this version knows."
            )
        (left, top), (width, height) = self.place, self.inner
        return np.ascontiguousarray(frame[top : top + height, left : left + width])


def fit_for(family: Family, checkpoint: Checkpoint, size: tuple[int, int]) -> Fit:
    """How frames of ``size`` (width, height) lie in what the model works on."""
    outer = _outer(family, checkpoint, size)
    scale = min(o / s for o, s in zip(outer, size, strict=True))
    inner = tuple(min(o, max(1, round(s * scale))) for o, s in zip(outer, size, strict=True))
    place = tuple((o - i) // 2 for o, i in zip(outer, inner, strict=True))
    return Fit(outer, (inner[0], inner[1]), (place[0], place[1]))


def _outer(family: Family, checkpoint: Checkpoint, size: tuple[int, int]) -> tuple[int, int]:
    transformer = checkpoint.configs.get("transformer", {})
    if family.sizing == "fixed":
        wide, high = (int(transformer[name]) for name in ("sample_width", "sample_height"))
        return wide * LATENT, high * LATENT
    if family.sizing == "buckets":
        return bucket_of(size, int(transformer["target_size"]))
    scale = min(1.0, math.sqrt(family.area / (size[0] * size[1])))
    multiple = family.multiple
    width, height = (max(1, round(side * scale / multiple)) * multiple for side in size)
    return width, height


def bucket_of(size: tuple[int, int], side: int) -> tuple[int, int]:
    """Of the sizes (width, height) in latents whose area is at most that of a square of ``side``
    pixels, the largest of the nearest aspect; none is longer than four times its breadth."""
    most = round((side / BUCKET) ** 2)
    shapes = [
        (wide, most // wide)
        for wide in range(1, most + 1)
        if max(wide, most // wide) <= 4 * min(wide, most // wide) and _met(wide, most // wide)
    ]
    aspect = math.log(size[0] / size[1])
    wide, high = min(shapes, key=lambda s: (abs(math.log(s[0] / s[1]) - aspect), -s[0] * s[1]))
    return wide * BUCKET, high * BUCKET


def _met(wide: int, high: int) -> bool:
    """Whether diffusers finds this shape again: it seeks from one side, by rounded aspects."""
    aspect = high / wide
    return round(aspect, 5) <= aspect if aspect >= 1 else round(aspect, 5) >= aspect
