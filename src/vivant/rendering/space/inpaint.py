"""What lies behind: holes filled with texture from beside them.

Every hole pixel is given a place to copy from, so that the patches around both agree: found by
PatchMatch (Barnes et al., "PatchMatch", SIGGRAPH 2009) in the iterations of space-time completion
(Wexler, Shechtman and Irani, 2007), from coarse to fine. The search runs on small pictures; what is
copied at full size is detail alone, upon the smooth colours that were found, so that no seam shows.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame
from vivant.rendering.plates import filled

SHORT = 480
"""Short side in pixels at which holes are filled, at most."""
SIDE = 140
"""Short side in pixels at which places are searched for."""
LEVELS = 3
PATCH = 2
"""Patches reach so many pixels to each side."""
ROUNDS = (1, 2, 3)
"""Of propagation, from the finest level to the coarsest."""
LEAST_KNOWN = 60
"""Pixels that must be known, at the coarsest size, for anything to be copied."""

Places = NDArray[np.int32]
Bools = NDArray[np.bool_]


def inpainted(pixels: Frame, known: Bools, wanted: Bools) -> Frame:
    """``pixels`` ``[H, W, 3]`` where ``known`` ``[H, W]``; where ``wanted`` and not known, texture
    like that beside it; smooth colours elsewhere."""
    smooth = filled(pixels.astype(np.float32) * known[..., None], known.astype(np.float32))
    base = np.clip(smooth, 0, 255)
    hole = wanted & ~known
    if not hole.any():
        return np.where(known[..., None], pixels, base.round().astype(np.uint8))
    scale = min(1.0, SIDE / min(known.shape))
    size = (max(8, round(known.shape[1] * scale)), max(8, round(known.shape[0] * scale)))
    small = cv2.resize(base, size, interpolation=cv2.INTER_AREA)
    sure = cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.98
    want = cv2.resize(hole.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.01
    found = _searched(small, sure, want & ~sure)
    if found is None:
        return np.where(known[..., None], pixels, base.round().astype(np.uint8))
    places, colours = found
    return _copied(pixels, known, hole, places, colours, base)


def behind(pixels: Frame, known: Bools, wanted: Bools, short: int) -> Frame:
    """As `inpainted`, made at most at `SHORT` of a picture whose short side is ``short``, of which
    ``pixels`` may be a part."""
    cut = np.ascontiguousarray(pixels)
    scale = min(1.0, SHORT / short)
    if scale == 1:
        return inpainted(cut, known, wanted)
    size = (max(8, round(known.shape[1] * scale)), max(8, round(known.shape[0] * scale)))
    small = cv2.resize(cut, size, interpolation=cv2.INTER_AREA)
    sure = cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.98
    want = cv2.resize(wanted.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
    made = inpainted(np.asarray(small, np.uint8), sure, want)
    wide = cv2.resize(made, known.shape[::-1], interpolation=cv2.INTER_CUBIC)
    share = cv2.GaussianBlur(known.astype(np.float32), (0, 0), 1.0)
    share = np.where(known, share, 0)[..., None]
    return np.asarray(np.round(cut * share + wide * (1 - share)), np.uint8)


def _searched(pixels: Floats, sure: Bools, hole: Bools) -> tuple[Places, Floats] | None:
    """Where each pixel of a hole copies from, ``[h, w, 2]`` rows and columns, and the colours
    ``[h, w, 3]``, coarse to fine."""
    rng = np.random.default_rng(0)
    levels = [(pixels, sure, hole)]
    for _ in range(LEVELS - 1):
        image, whole, gap = levels[-1]
        if min(whole.shape) < 40:
            break
        size = (whole.shape[1] // 2, whole.shape[0] // 2)
        halved = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        kept = cv2.resize(whole.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.98
        gaps = cv2.resize(gap.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
        levels.append((halved, kept, gaps & ~kept))
    places: Places | None = None
    for number in reversed(range(len(levels))):
        image, whole, gap = levels[number]
        search = _Search(image, whole, gap, rng)
        if len(search.sources) < LEAST_KNOWN:
            return None
        places = search.begin(places)
        for _ in range(ROUNDS[number]):
            places = search.improve(places)
            search.vote(places)
        pixels = search.image
    if places is None:
        return None
    return places, pixels


class _Search:
    """One level: ``image`` ``[h, w, 3]`` is changed in the ``hole``; patches come from around
    ``sources``, pixels whose whole patch is known."""

    def __init__(self, image: Floats, sure: Bools, hole: Bools, rng: np.random.Generator) -> None:
        self.image, self.hole, self.rng = image.astype(np.float32).copy(), hole, rng
        side = np.ones((2 * PATCH + 1,) * 2, np.uint8)
        whole = cv2.erode(sure.astype(np.uint8), side, borderValue=1)
        whole[:PATCH], whole[-PATCH:], whole[:, :PATCH], whole[:, -PATCH:] = 0, 0, 0, 0
        self.allowed = whole > 0
        self.sources = np.argwhere(self.allowed).astype(np.int32)
        self.targets = np.argwhere(hole).astype(np.int32)
        steps = np.arange(-PATCH, PATCH + 1)
        self.window = np.stack(np.meshgrid(steps, steps, indexing="ij"), -1).reshape(-1, 2)
        known = np.where(sure, 1.0, 0.35).astype(np.float32)
        self.flat = self.window @ (self.hole.shape[1], 1)
        self.around = self._around(self.targets)
        self.trust = known.ravel()[self.around]

    def _around(self, at: Places) -> Places:
        """Flat indices of the patches around places, ``[N, patch]``, kept within the picture."""
        h, w = self.hole.shape
        rows = np.clip(at[:, None, 0] + self.window[None, :, 0], 0, h - 1)
        columns = np.clip(at[:, None, 1] + self.window[None, :, 1], 0, w - 1)
        return np.asarray(rows * w + columns, np.int32)

    def begin(self, coarser: Places | None) -> Places:
        """Places for every pixel ``[h, w, 2]``: those of the coarser level, or near by chance."""
        h, w = self.hole.shape
        out = np.stack(np.meshgrid(np.arange(h), np.arange(w), indexing="ij"), -1).astype(np.int32)
        if coarser is None:
            picks = self.rng.integers(0, len(self.sources), len(self.targets))
            out[self.hole] = self.sources[picks]
            return out
        rows = np.clip(self.targets[:, 0] // 2, 0, coarser.shape[0] - 1)
        columns = np.clip(self.targets[:, 1] // 2, 0, coarser.shape[1] - 1)
        wide = 2 * coarser[rows, columns] + (self.targets & 1)
        out[self.hole] = self._lawful(wide, out[self.hole])
        return out

    def _lawful(self, places: Places, target: Places) -> Places:
        """Places outside of the sources are replaced by ones drawn by chance."""
        h, w = self.hole.shape
        places = np.clip(places, 0, (h - 1, w - 1)).astype(np.int32)
        bad = ~self.allowed[places[:, 0], places[:, 1]]
        picks = self.rng.integers(0, len(self.sources), int(bad.sum()))
        places[bad] = self.sources[picks]
        return places

    def cost(self, places: Places, wanted: Floats) -> Floats:
        """How much the patches around sources differ from those that are ``wanted``, ``[N]``."""
        at = (places @ (self.hole.shape[1], 1))[:, None] + self.flat
        apart = self.image.reshape(-1, 3)[at] - wanted
        unlike = np.einsum("npc,npc,np->n", apart, apart, self.trust) / len(self.flat)
        near = np.abs(places - self.targets).max(axis=1)
        return np.asarray(unlike + 0.5 * near, np.float32)

    def improve(self, places: Places) -> Places:
        """One round of propagation and random search."""
        wanted = self.image.reshape(-1, 3)[self.around]
        best = places[self.hole]
        cost = self.cost(best, wanted)
        h, w = self.hole.shape
        out = places.copy()
        radius = float(max(h, w)) / 2
        for step in ((0, 1), (0, -1), (1, 0), (-1, 0), (0, 4), (4, 0)):
            beside = np.clip(self.targets + step, 0, (h - 1, w - 1))
            guess = out[beside[:, 0], beside[:, 1]] - (beside - self.targets)
            best, cost = self._better(best, cost, guess, wanted)
            out[self.hole] = best
        while radius > 1:
            shift = self.rng.uniform(-radius, radius, best.shape)
            best, cost = self._better(best, cost, best + shift.astype(np.int32), wanted)
            radius /= 2.5
        out[self.hole] = best
        return out

    def _better(
        self, best: Places, cost: Floats, guess: Places, wanted: Floats
    ) -> tuple[Places, Floats]:
        guess = self._lawful(guess, best)
        other = self.cost(guess, wanted)
        wins = other < cost
        return np.where(wins[:, None], guess, best), np.where(wins, other, cost)

    def vote(self, places: Places) -> None:
        """Every pixel of the hole becomes the mean of what the patches around it say."""
        h, w = self.hole.shape
        total = np.zeros((len(self.targets), 3), np.float32)
        weight = np.zeros(len(self.targets), np.float32)
        for step in self.window:
            beside = np.clip(self.targets + step, 0, (h - 1, w - 1))
            inside = self.hole[beside[:, 0], beside[:, 1]]
            at = places[beside[:, 0], beside[:, 1]] - (beside - self.targets)
            at = np.clip(at, 0, (h - 1, w - 1))
            total += np.where(inside[:, None], self.image[at[:, 0], at[:, 1]], 0)
            weight += inside
        self.image[self.hole] = total / np.maximum(weight, 1)[:, None]


def _copied(
    pixels: Frame, known: Bools, hole: Bools, places: Places, colours: Floats, base: Floats
) -> Frame:
    """Detail from the places found, upon the colours found."""
    height, width = known.shape
    h, w = places.shape[:2]
    scale = np.array([height / h, width / w], np.float32)
    rows, columns = np.nonzero(hole)
    cell = np.minimum((np.column_stack([rows, columns]) / scale).astype(np.int32), (h - 1, w - 1))
    own = places[cell[:, 0], cell[:, 1]]
    shift = np.round((own - cell) * scale).astype(np.int32)
    at = np.clip(np.column_stack([rows, columns]) + shift, 0, (height - 1, width - 1))
    wide = cv2.resize(colours, (width, height), interpolation=cv2.INTER_CUBIC)
    sigma = float(scale.mean())
    plain = np.where(known[..., None], pixels, base).astype(np.float32)
    soft = cv2.GaussianBlur(plain, (0, 0), sigma)
    detail = (plain - soft)[at[:, 0], at[:, 1]]
    detail *= known[at[:, 0], at[:, 1]][:, None]
    out = np.where(known[..., None], pixels, base).astype(np.float32)
    mixed = out.copy()
    mixed[rows, columns] = wide[rows, columns] + detail
    near = cv2.distanceTransform((~known).astype(np.uint8), cv2.DIST_L2, 3)
    share = np.clip(near / max(1.0, sigma), 0, 1)[..., None] * hole[..., None]
    # smooth colours meet the known ones without a step
    return np.asarray(np.clip(np.round(out * (1 - share) + mixed * share), 0, 255), np.uint8)
