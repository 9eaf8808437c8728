"""A picture of layers that move in place: ``out(t) = I + sum_k m_k (L_k(t) - L_k(0))``.

Nothing of the picture outside of the mattes is touched, frame 0 is the picture, and nothing is
fetched from across a layer's edge, since every layer moves a texture continued from its own sure
pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame, Plane
from vivant.rendering.manners.manner import Manner, Outlined

Box = tuple[slice, slice]
HELD = 127


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer: its ``box`` (rows, columns) in the picture, its ``matte`` ``[h, w]`` there,
    255 = its own, and the ``manner`` it moves by; a ``veil`` hides nothing of what is behind it but
    where it is seen."""

    box: Box
    matte: Plane
    manner: Manner
    veil: bool = False


def box_of(matte: Plane, margin: int = 0) -> Box | None:
    """Rows and columns that hold all of ``matte`` ``[H, W]``; None where it is empty."""
    spans = []
    for axis, length in ((1, matte.shape[0]), (0, matte.shape[1])):
        hit = np.flatnonzero(matte.any(axis))
        if not len(hit):
            return None
        spans.append(slice(max(0, int(hit[0]) - margin), min(length, int(hit[-1]) + 1 + margin)))
    return spans[0], spans[1]


class Stage:
    """A picture ``[H, W, 3]`` and its layers; ``held`` ``[H, W]`` (255 = holds) never changes."""

    def __init__(self, pixels: Frame, layers: tuple[Layer, ...], held: Plane | None) -> None:
        self.pixels = pixels
        self.layers = layers
        self.mattes = [_share(layer, held) for layer in layers]

    def at(self, seconds: float) -> Frame:
        """The picture at a time; at 0 it is the picture itself."""
        if seconds == 0 or not self.layers:
            return self.pixels.copy()
        total = self.pixels.astype(np.int16)
        for layer, share in zip(self.layers, self.mattes, strict=True):
            manner = layer.manner
            change = cv2.subtract(manner.at(seconds), manner.texture, dtype=cv2.CV_16S)
            part = total[layer.box]
            if isinstance(manner, Outlined):
                _hide(part, self.pixels[layer.box], manner.cover(seconds), layer.matte)
            cv2.add(part, cv2.multiply(change, share, scale=1 / 255), dst=change)
            part[...] = change
        return np.asarray(cv2.add(total, 0, dtype=cv2.CV_8U), np.uint8)

    def shown(self, seconds: float) -> tuple[Floats, Floats, Floats, NDArray[np.bool_]]:
        """Ground truth: where the two textures of each place are read, pixels ``[H, W, 2]``, the
        share ``[H, W]`` of the second, and where all of this is exact."""
        h, w = self.pixels.shape[:2]
        even, odd = (np.zeros((h, w, 2), np.float32) for _ in range(2))
        share, exact = np.zeros((h, w), np.float32), np.ones((h, w), bool)
        for layer, matte in zip(self.layers, self.mattes, strict=True):
            found, own = layer.manner.shown(seconds), matte[..., 0]
            inside = own > HELD if found.where is None else found.where & (own > HELD)
            even[layer.box][inside] = found.even[inside]
            odd[layer.box][inside] = found.odd[inside]
            share[layer.box][inside] = found.share[inside]
            if layer.veil:
                exact[layer.box] &= ~inside
            else:
                exact[layer.box] &= (own == 0) | ((own == 255) & found.exact)
        return even, odd, share, exact

    def frames(self, count: int, fps: float) -> Iterator[Frame]:
        """``count`` frames at ``fps``."""
        return (self.at(index / fps) for index in range(count))


def _hide(total: NDArray[np.int16], pixels: Frame, cover: Plane | None, matte: Plane) -> None:
    """Take what has changed of ``total`` ``[h, w, 3]`` back where a layer hides it."""
    if cover is None:
        return
    left = (255 - np.minimum(cover, matte)).astype(np.int16)
    changed = cv2.subtract(total, pixels, dtype=cv2.CV_16S)
    changed = cv2.multiply(changed, cv2.merge([left] * 3), scale=1 / 255)
    cv2.add(changed, pixels, dst=total, dtype=cv2.CV_16S)


def _share(layer: Layer, held: Plane | None) -> NDArray[np.int16]:
    """The matte for three channels, int16, 0 where the picture holds."""
    matte = layer.matte
    if held is not None:
        matte = np.where(held[layer.box] > HELD, np.uint8(0), matte)
    return np.ascontiguousarray(np.repeat(matte[..., None], 3, axis=2).astype(np.int16))
