"""From what is seen in a picture to what light falls on."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from vivant.clip import Floats, Frame, Plane
from vivant.controls.light import Light
from vivant.media.resize import fit_plane
from vivant.motion.held import Looked
from vivant.rendering.disc import disc
from vivant.rendering.lamps import lamps
from vivant.rendering.renderer import Held
from vivant.rendering.space.pose import Lens
from vivant.rendering.space.relief import Relief
from vivant.rendering.surfaces import Surfaces, bulging, ground_of, normals

ROUND = ("being", "cloth", "plant", "vehicle", "object", "smoke")
"""Kinds whose things stand out round from where they are."""
GREY = 3.0
"""Deviation of colour, levels, under which a picture has none."""
WITHIN, MOST_OFF = 0.06, 40.0
"""Half width, in short sides, of what may lie within the sky and be of it; and the levels by which
its colour may differ, half of it wholly."""
SOFT = 0.012
"""Short sides beyond what holds over which the light's changes set in."""


def surfaces_of(
    pixels: Frame, looked: Looked, relief: Relief, held: Held | None, view: float = Lens().view
) -> Surfaces:
    """What light falls on in a picture ``[H, W, 3]`` of the size of the frames; ``held`` ``[H, W]``
    never changes."""
    shape = (pixels.shape[0], pixels.shape[1])
    size, lens = shape[::-1], Lens(view)

    def fitted(*kinds: str) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        return np.asarray(fit_plane(looked.of(kinds), size), np.uint8)

    round_ = [plane for kind in ROUND if (plane := fitted(kind)).any()]
    facing = zip(normals(relief, lens, shape), bulging(round_, shape), strict=True)
    across, up = (np.clip(flat + more, -1, 1) for flat, more in facing)
    sky, fire = whole_sky(fitted("sky"), pixels), fitted("fire")
    return Surfaces(
        across=across,
        up=up,
        sky=sky.astype(np.float32) / np.float32(255),
        free=_free(held, shape),
        ground=ground_of(relief, lens),
        lamps=lamps(pixels, fire, sky),
        grey=_is_grey(pixels),
    )


def whole_sky(sky: Plane, pixels: Frame) -> Plane:
    """The sky ``[H, W]`` with what lies within it and has its colour: haze, a reflection in a
    window. Left out, such places would turn into smudges when the sky keeps its light."""
    short = min(sky.shape)
    closed = cv2.morphologyEx(sky, cv2.MORPH_CLOSE, disc(WITHIN * short))
    share = sky.astype(np.float32) / np.float32(255)
    around = 2 * WITHIN * short
    total = cv2.GaussianBlur(share, (0, 0), around)[..., None]
    own = cv2.GaussianBlur(pixels * share[..., None], (0, 0), around) / np.maximum(total, 1e-3)
    off = cv2.GaussianBlur(np.abs(pixels - own).mean(axis=2), (0, 0), 1.0)
    like = np.clip((MOST_OFF - off) / (MOST_OFF / 2), 0, 1)
    return np.maximum(sky, (closed * like).astype(np.uint8))


def light_notes(lights: Iterable[Light]) -> list[str]:
    """What is to be said of the light."""
    said = ", ".join(light.said for light in lights)
    return [f"The light changes: {said}."] if said else []


def _is_grey(pixels: Frame) -> bool:
    """Whether a picture ``[H, W, 3]`` has no colours of its own; a toned one has none, either."""
    few = cv2.resize(pixels, (64, 64), interpolation=cv2.INTER_AREA).astype(np.float32)
    return float((few - few.mean(axis=2, keepdims=True)).std(axis=(0, 1)).max()) < GREY


def _free(held: Held | None, shape: tuple[int, int]) -> Floats:
    """Share 0..1 ``[H, W]`` in which the light may change: 0 where it holds, and softly less
    around."""
    if held is None or not held.any():
        return np.ones(shape, np.float32)
    away = cv2.distanceTransform(np.where(held, np.uint8(0), np.uint8(255)), cv2.DIST_L2, 3)
    share = np.clip(away / (SOFT * min(shape)), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)
