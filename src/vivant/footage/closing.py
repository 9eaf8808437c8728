"""One run of frames turned into another without a ghost: what moved is bent, what boils is cut.

Place by place, what motion explains (a head that turned, a camera that shook) is brought from one
to the other by it; what no motion explains (waves, leaves, flames) goes over at a moment of its
own, when both runs are most alike there, instead of being shown twice (after Kwatra et al.,
Graphcut textures, 2003, with neighbours held together by smoothing). Broad colour goes over slowly
(Burt and Adelson, 1983).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from vivant.clip import Floats, Frame
from vivant.footage.between import Between
from vivant.footage.flow import shrunk

SHORT = 96
"""Short side of the grid on which moments are chosen."""
ROUNDS = 12
TOGETHER = 0.35
"""Cost in units of the median difference of lying a twelfth of the run off one's neighbours."""
LASTS = 2.0
"""Frames that going over takes, half of them."""
BANDS = 5
EXPLAINED, UNEXPLAINED = 0.45, 0.9
"""Shares of the local contrast left by motion up to which it is believed, and from which not."""
CONTRAST = 4.0
"""Levels that are added to the local contrast, against noise."""


def turned(first: Sequence[Frame], second: Sequence[Frame]) -> Iterator[Frame]:
    """Frames ``[H, W, 3]`` that begin as ``first`` and end as ``second`` does, of equal number."""
    count = len(first)
    moments = _moments(first, second)
    bent = _bent(first, second)
    size = (first[0].shape[1], first[0].shape[0])
    moments, bent = (cv2.resize(x, size, interpolation=cv2.INTER_LINEAR) for x in (moments, bent))
    for k, (a, b) in enumerate(zip(first, second, strict=True)):
        share = eased((k + 1) / (count + 1))
        gone = np.clip((k - moments) / (2 * LASTS) + 0.5, 0, 1)
        cut = _joined(a, b, np.asarray(gone * gone * (3 - 2 * gone), np.float32), share)
        moved = Between(a, b).at(share).astype(np.float32)
        mixed = cut + bent[..., None] * (moved - cut)
        yield np.asarray(np.clip(np.rint(mixed), 0, 255), np.uint8)


def eased(share: float) -> float:
    """0..1 with no jump of speed at its ends."""
    return share * share * (3 - 2 * share)


def _moments(first: Sequence[Frame], second: Sequence[Frame]) -> Floats:
    """When each place goes over, in frames ``[h, w]``: when both look most alike there, held
    together with its neighbours, inside the run."""
    count = len(first)
    cost = np.stack([_apart(a, b) for a, b in zip(first, second, strict=True)])
    unit = float(np.median(cost)) + 1.0
    middle = 2 * np.abs((np.arange(count) + 0.5) / count - 0.5)
    cost += (2 * unit * middle**4)[:, None, None]
    moments = cost.argmin(0).astype(np.float32)
    steps = np.arange(count, dtype=np.float32)[:, None, None]
    for _ in range(ROUNDS):
        around = cv2.GaussianBlur(moments, (0, 0), 3.0)
        off = np.abs(steps - around) * (TOGETHER * unit * 12 / count)
        moments = (cost + off).argmin(0).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(moments, (0, 0), 1.0), np.float32)


def _apart(a: Frame, b: Frame) -> Floats:
    """Difference around each place, levels ``[h, w]``."""
    difference = cv2.absdiff(shrunk(a, SHORT), shrunk(b, SHORT)).astype(np.float32).mean(axis=2)
    return np.asarray(cv2.GaussianBlur(difference, (0, 0), 2.0), np.float32)


def _bent(first: Sequence[Frame], second: Sequence[Frame]) -> Floats:
    """How far 0..1 motion is believed at each place ``[h, w]``, one answer for all of the run."""
    tried = range(0, len(first), max(1, len(first) // 4))
    shares = [_explained(shrunk(first[k], 2 * SHORT), shrunk(second[k], 2 * SHORT)) for k in tried]
    left = cv2.GaussianBlur(np.mean(shares, axis=0), (0, 0), min(shares[0].shape) / 20)
    unsure = np.clip((left - EXPLAINED) / (UNEXPLAINED - EXPLAINED), 0, 1)
    return np.asarray(1 - unsure * unsure * (3 - 2 * unsure), np.float32)


def _explained(a: Frame, b: Frame) -> Floats:
    """Share of the local contrast that motion half way between two frames leaves ``[h, w]``."""
    left = Between(a, b).doubt(0.5)
    contrast = (_contrast(a) + _contrast(b)) / 2
    return np.asarray(left / (contrast + CONTRAST), np.float32)


def _contrast(frame: Frame) -> Floats:
    """Mean deviation from the surroundings, levels ``[h, w]``."""
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
    around = min(grey.shape) / 24
    broad = cv2.GaussianBlur(grey, (0, 0), around)
    return np.asarray(cv2.GaussianBlur(np.abs(grey - broad), (0, 0), around), np.float32)


def _joined(a: Frame, b: Frame, gone: Floats, share: float) -> Floats:
    """Two frames by ``gone`` ``[H, W]`` 0..1 in detail, and by ``share`` in broad colour."""
    bands = min(BANDS, int(np.log2(max(min(gone.shape), 8))) - 2)
    rest = (b.astype(np.float32) - a, gone)
    parts = []
    for _ in range(bands):
        few = cv2.pyrDown(rest[0])
        wide = cv2.pyrUp(few, dstsize=(rest[0].shape[1], rest[0].shape[0]))
        parts.append((rest[0] - wide, rest[1]))
        rest = (few, cv2.pyrDown(rest[1]))
    out = rest[0] * np.float32(share)
    for number, (band, weight) in reversed(list(enumerate(parts))):
        broad = (number / bands) ** 2
        mixed = (1 - broad) * weight + broad * share
        large = cv2.pyrUp(out, dstsize=(band.shape[1], band.shape[0]))
        out = large + band * mixed[..., None]
    return np.asarray(a + out, np.float32)
