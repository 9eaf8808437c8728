"""From coarse kinds to mattes at the picture's own size: true to edges and to thin things.

A small network sees the picture at 512 pixels on its short side beside the coarse matte of one
kind and answers alpha; a guided filter's local line (He, Sun and Tang, "Fast Guided Filter", 2015)
carries alpha to the full size.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame, Plane
from vivant.kinds import INDEX, KINDS
from vivant.scene.network import Eyes
from vivant.scene.record import Scene
from vivant.scene.skyline import before_sky, given

SHORT = 512
MULTIPLE = 8
LEAST_SHARE = 0.002
"""Share of the picture under which a kind has no matte."""
SURE = (0.03, 0.97)
"""Coarse or fine alpha outside of this is 0 or 1: what holds, holds to the bit."""
MARGIN = 24
"""Pixels around the unsure part that the refiner sees as well."""
RADIUS, EPSILON = 2, 2e-4


@dataclass(frozen=True, eq=False)
class Mattes:
    """``alpha`` of each kind that is there, uint8 ``[H, W]``; at no pixel do they sum to more
    than 255. What none of them covers (thin things that nobody named) belongs to no kind."""

    alpha: dict[str, Plane]
    size: tuple[int, int]

    def of(self, kind: str) -> Plane:
        """The matte of ``kind``; all 0 where it is not there."""
        if kind in self.alpha:
            return self.alpha[kind]
        return np.zeros(self.size[::-1], np.uint8)


def mattes(eyes: Eyes, scene: Scene, pixels: Frame, kinds: tuple[str, ...] = KINDS) -> Mattes:
    """Mattes of ``kinds`` for a picture ``[H, W, 3]`` and its scene."""
    height, width = pixels.shape[:2]
    there = [kind for kind in kinds if _present(scene.kinds[INDEX[kind]])]
    work = _work_picture(pixels)
    alphas = [_refined(eyes, scene.kinds[INDEX[kind]], work) for kind in there]
    if "sky" in there:
        alphas = _before_sky(alphas, there.index("sky"), work)
    if alphas:
        total = np.maximum(np.sum(alphas, axis=0), 1)
        alphas = [alpha / total for alpha in alphas]
    guide = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    full = {k: _enlarged(a, work, guide) for k, a in zip(there, alphas, strict=True)}
    return Mattes(_shared(full), (width, height))


def _before_sky(alphas: list[Floats], sky: int, work: Floats) -> list[Floats]:
    """Alphas of which the sky's, at ``sky``, has no masts, twigs and pale tips any more."""
    clear = before_sky(work, alphas[sky])
    others = alphas[:sky] + alphas[sky + 1 :]
    others = given(others, alphas[sky], alphas[sky] - clear)
    return [*others[:sky], clear, *others[sky:]]


def thing_matte(scene: Scene, number: int, matte: Plane) -> Plane:
    """The part of its kind's ``matte`` ``[H, W]`` that belongs to one instance."""
    height, width = matte.shape
    kind = scene.instances[number].kind
    same = np.array([one.kind == kind for one in scene.instances])
    own = scene.parts == number
    rivals = (scene.parts >= 0) & same[scene.parts] & ~own
    near, far = (
        cv2.distanceTransform((~cells).astype(np.uint8), cv2.DIST_L2, 3)
        if cells.any()
        else np.full(scene.grid, 1e3, np.float32)
        for cells in (own, rivals)
    )
    share = np.clip(0.5 + (far - near) / 2, 0, 1) * (near <= 6)
    wide = cv2.resize(share.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.round(matte * wide), np.uint8)


def _shared(full: dict[str, Plane]) -> dict[str, Plane]:
    """Mattes that nowhere sum to more than 255: where edges followed the picture too far, each
    gets its share."""
    total = np.zeros(next(iter(full.values())).shape if full else (0, 0), np.uint16)
    for alpha in full.values():
        total += alpha
    over = total > 255
    for alpha in full.values() if over.any() else ():
        alpha[over] = alpha[over] * np.uint32(255) // total[over]
    return full


def _present(share: Floats) -> bool:
    return float(share.mean()) > LEAST_SHARE and float(share.max()) > 0.5


def _work_picture(pixels: Frame) -> Floats:
    """The picture, 0..1, with at most 512 pixels on its short side and sides of multiples of 8."""
    height, width = pixels.shape[:2]
    scale = min(1.0, SHORT / min(height, width))
    size = tuple(MULTIPLE * max(2, round(s * scale / MULTIPLE)) for s in (width, height))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small / np.float32(255), np.float32)


def _refined(eyes: Eyes, share: Floats, work: Floats) -> Floats:
    """Alpha ``[h, w]`` 0..1 at the working size."""
    h, w = work.shape[:2]
    coarse = np.clip(cv2.resize(share, (w, h), interpolation=cv2.INTER_LINEAR), 0, 1)
    box = _unsure_box(coarse)
    alpha = _snapped(coarse)
    if box is not None:
        image = np.ascontiguousarray(work[box].transpose(2, 0, 1)[None])
        part = np.ascontiguousarray(coarse[box][None, None])
        fine = eyes.refine.run(None, {"image": image, "coarse": part})[0][0, 0]
        alpha[box] = _snapped(fine)
    return alpha


def _unsure_box(coarse: Floats) -> tuple[slice, slice] | None:
    """The part that holds every edge of a coarse matte, with a margin; None where it has none.

    Thin things in front of a sure layer are looked for too, so a layer's whole extent counts.
    """
    there = coarse > SURE[0]
    if not there.any() or coarse.min() > SURE[1]:
        return None
    spans = []
    for axis, length in ((1, coarse.shape[0]), (0, coarse.shape[1])):
        hit = np.flatnonzero(there.any(axis))
        low = max(0, int(hit[0]) - MARGIN) // MULTIPLE * MULTIPLE
        high = min(length, -(-(int(hit[-1]) + 1 + MARGIN) // MULTIPLE) * MULTIPLE)
        low = min(low, high - 2 * MULTIPLE)
        spans.append(slice(low, high))
    return spans[0], spans[1]


def _snapped(alpha: Floats) -> Floats:
    low, high = SURE
    return np.asarray(np.clip((alpha - low) / (high - low), 0, 1), np.float32)


def _enlarged(alpha: Floats, work: Floats, guide: NDArray[np.uint8]) -> Plane:
    """Alpha at the size of ``guide``, following its edges where it is between 0 and 1."""
    height, width = guide.shape
    if alpha.shape == guide.shape:
        return np.asarray(np.round(255 * alpha), np.uint8)
    grey = cv2.cvtColor(work, cv2.COLOR_RGB2GRAY)
    size = (2 * RADIUS + 1,) * 2
    level, tone = cv2.blur(alpha, size), cv2.blur(grey, size)
    slope = (cv2.blur(grey * alpha, size) - tone * level) / (
        cv2.blur(grey * grey, size) - tone * tone + np.float32(EPSILON)
    )
    slope = cv2.blur(slope, size)
    offset = cv2.blur(level - slope * tone, size)
    wide = [cv2.resize(v, (width, height), interpolation=cv2.INTER_LINEAR) for v in (slope, offset)]
    plain = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_LINEAR)
    followed = wide[0] * (guide * np.float32(1 / 255)) + wide[1]
    edge = np.clip(4 * plain * (1 - plain) * 2, 0, 1)
    return np.asarray(np.round(255 * np.clip(plain + edge * (followed - plain), 0, 1)), np.uint8)
