"""One run of frames turned into another without a ghost: what moved is bent, what boils is cut.

Place by place, what motion explains (a head that turned, a camera that shook) is brought from one
to the other by it; what no motion explains (waves, leaves, flames) goes over at a moment of its
own, when both runs are most alike there, instead of being shown twice (after Kwatra et al.,
Graphcut textures, 2003, with neighbours held together by smoothing). Broad colour goes over slowly
(Burt and Adelson, 1983). A thing that is elsewhere in the other run goes over at one moment, whole,
colour and all: it comes or goes, but is never seen through.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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
LASTS_THINGS = 1.0
"""The same for things that travel."""
THING, AROUND = 1.5, 8.0
"""Cells over which a thing and what is around it are averaged."""
TRAVELS, SURELY = 18.0, 1.6
"""Levels by which the runs differ there, from which on it may be a thing that travels, and times
that, from which it is."""
STANDS_OUT = 3.0
"""Times the usual difference by which it does, too: what boils differs everywhere."""
THING_SIZES = 0.0015, 0.2
"""Shares of the picture between which what differs is a thing."""
BANDS = 5
EXPLAINED, UNEXPLAINED = 0.45, 0.9
"""Shares of the local contrast left by motion up to which it is believed, and from which not."""
CONTRAST = 4.0
"""Levels that are added to the local contrast, against noise."""


def turned(first: Sequence[Frame], second: Sequence[Frame]) -> Iterator[Frame]:
    """Frames ``[H, W, 3]`` that begin as ``first`` and end as ``second`` does, of equal number; the
    last of them is ``second``'s own."""
    over = _over(first, second)
    for k, (a, b) in enumerate(zip(first, second, strict=True)):
        gone, slow = over.shares(k)
        cut = _joined(a, b, gone, slow)
        moved = Between(a, b).at(over.share(k)).astype(np.float32)
        mixed = cut + over.bent[..., None] * (moved - cut)
        yield np.asarray(np.clip(np.rint(mixed), 0, 255), np.uint8)


def unexplained(first: Sequence[Frame], second: Sequence[Frame]) -> float:
    """Mean difference, in levels, between two runs in their middle that motion leaves: the more it
    is, the more of one is seen through the other while one turns into the other."""
    middle = len(first) // 2
    a, b = (shrunk(run[middle], SHORT) for run in (first, second))
    return float(Between(a, b).doubt(0.5).mean())


@dataclass(frozen=True, eq=False)
class _Over:
    """How one run of ``count`` frames goes over into another: ``moments`` in frames, how far motion
    is believed (``bent``), and where ``things`` are, all ``[H, W]``."""

    count: int
    moments: Floats
    bent: Floats
    things: Floats

    def share(self, k: int) -> float:
        """How far all has gone over by the ``k``-th frame, 0..1."""
        return eased((k + 1) / self.count)

    def shares(self, k: int) -> tuple[Floats, Floats]:
        """How far detail, and how far broad colour, has gone over ``[H, W]``."""
        lasts = LASTS + self.things * np.float32(LASTS_THINGS - LASTS)
        latest = np.maximum(self.count - 1 - lasts, 0)
        gone = np.clip((k - np.minimum(self.moments, latest)) / (2 * lasts) + 0.5, 0, 1)
        gone = np.asarray(gone * gone * (3 - 2 * gone), np.float32)
        if k == self.count - 1:
            gone = np.ones_like(gone)
        share = self.share(k)
        return gone, np.asarray(share + self.things * (gone - share), np.float32)


def _over(first: Sequence[Frame], second: Sequence[Frame]) -> _Over:
    bent = _bent(first, second)
    things = _unexplained(travelling(first, second), bent)
    moments = _moments(first, second, things)
    size = (first[0].shape[1], first[0].shape[0])
    wide = (cv2.resize(x, size, interpolation=cv2.INTER_LINEAR) for x in (moments, bent, things))
    return _Over(len(first), *(np.asarray(x, np.float32) for x in wide))


def eased(share: float) -> float:
    """0..1 with no jump of speed at its ends."""
    return share * share * (3 - 2 * share)


def travelling(first: Sequence[Frame], second: Sequence[Frame]) -> Floats:
    """How far 0..1 a place ``[h, w]`` shows, in one of two runs, a thing that the other has not
    there: compact, and of another colour than what is around it."""
    most = np.maximum.reduce([_blobs(a, b) for a, b in zip(first, second, strict=True)])
    low = max(TRAVELS, STANDS_OUT * float(np.median(most)))
    return np.asarray(np.clip((most / low - 1) / (SURELY - 1), 0, 1), np.float32)


def _blobs(a: Frame, b: Frame) -> Floats:
    """Compact differences in levels ``[h, w]``."""
    apart = shrunk(a, SHORT).astype(np.float32) - shrunk(b, SHORT)
    near, far = (cv2.GaussianBlur(apart, (0, 0), sigma) for sigma in (THING, AROUND))
    return np.asarray(np.abs(near - far).max(axis=2), np.float32)


def _unexplained(things: Floats, bent: Floats) -> Floats:
    """Things whose motion between the runs was not found; each a little larger than it is seen."""
    size = (things.shape[1], things.shape[0])
    left = things * (1 - cv2.resize(bent, size, interpolation=cv2.INTER_AREA))
    _, labels, stats, _ = cv2.connectedComponentsWithStats((left > 0.5).astype(np.uint8))
    share = stats[:, cv2.CC_STAT_AREA] / left.size
    sized = (share >= THING_SIZES[0]) & (share <= THING_SIZES[1])
    sized[0] = False
    whole = cv2.dilate(sized[labels].astype(np.float32), np.ones((5, 5), np.uint8))
    return np.asarray(cv2.GaussianBlur(whole, (0, 0), 1.0), np.float32)


def _moments(first: Sequence[Frame], second: Sequence[Frame], things: Floats) -> Floats:
    """When each place goes over, in frames ``[h, w]``: when both look most alike there, held
    together with its neighbours, inside the run; of ``things`` ``[h, w]`` each at one moment."""
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
    moments = cv2.GaussianBlur(moments, (0, 0), 1.0)
    number, labels = cv2.connectedComponents((things > 0.1).astype(np.uint8))
    for one in range(1, number):
        own = labels == one
        moments[own] = cost[:, own].mean(axis=1).argmin()
    return np.asarray(moments, np.float32)


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


def _joined(a: Frame, b: Frame, gone: Floats, share: Floats) -> Floats:
    """Two frames by ``gone`` ``[H, W]`` 0..1 in detail, and by ``share`` ``[H, W]`` in broad
    colour."""
    bands = min(BANDS, int(np.log2(max(min(gone.shape), 8))) - 2)
    rest = (b.astype(np.float32) - a, gone, share)
    parts = []
    for _ in range(bands):
        few = cv2.pyrDown(rest[0])
        wide = cv2.pyrUp(few, dstsize=(rest[0].shape[1], rest[0].shape[0]))
        parts.append((rest[0] - wide, *rest[1:]))
        rest = (few, cv2.pyrDown(rest[1]), cv2.pyrDown(rest[2]))
    out = rest[0] * rest[2][..., None]
    for number, (band, weight, slow) in reversed(list(enumerate(parts))):
        broad = (number / bands) ** 2
        mixed = (1 - broad) * weight + broad * slow
        large = cv2.pyrUp(out, dstsize=(band.shape[1], band.shape[0]))
        out = large + band * mixed[..., None]
    return np.asarray(a + out, np.float32)
