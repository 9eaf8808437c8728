"""Noise that moves: fresh at first, then carried along by flow, and still noise in every frame.

After "Go-with-the-Flow" (Burgert et al., CVPR 2025): on a grid four times as fine, each cell
fetches the nearest one that it came from; a cell that several want goes to one of them, the others
get fresh noise; sums over blocks, divided by 4, are of deviation 1 again and do not correlate.
"""

from __future__ import annotations

import cv2
import numpy as np

from vivant.clip import Floats

FINER = 4


def moved_noise(motion: Floats, shape: tuple[int, int, int], seed: int) -> Floats:
    """Normal noise ``[T, C, h, w]`` for ``shape`` (C, h, w): T = the steps of ``motion``
    ``[T - 1, y, x, 2]`` + 1, where a place was in the frame before, less where it is, as shares
    of width and height."""
    rng = np.random.default_rng(seed)
    channels, h, w = shape
    fine = rng.standard_normal((h * FINER, w * FINER, channels), np.float32)
    frames = [_blocks(fine)]
    for step in motion:
        fine = _carried(fine, step, rng)
        frames.append(_blocks(fine))
    return np.stack(frames)


def _carried(fine: Floats, step: Floats, rng: np.random.Generator) -> Floats:
    """The next frame's noise on the fine grid ``[H, W, C]``."""
    h, w, channels = fine.shape
    size = np.array([w, h], np.float32)
    shift = cv2.resize(step * size, (w, h), interpolation=cv2.INTER_LINEAR)
    y, x = np.mgrid[:h, :w]
    from_x = np.rint(x + shift[..., 0]).astype(np.int64)
    from_y = np.rint(y + shift[..., 1]).astype(np.int64)
    inside = (from_x >= 0) & (from_x < w) & (from_y >= 0) & (from_y < h)
    source = np.where(inside, from_y * w + from_x, -1).ravel()
    order = rng.permutation(h * w)  # of those that want a cell, any one gets it
    owner = np.full(h * w, -1)
    wanting = order[source[order] >= 0]
    owner[source[wanting]] = wanting
    kept = owner[source] == np.arange(h * w)
    kept &= source >= 0
    moved = rng.standard_normal((h * w, channels), np.float32)
    moved[kept] = fine.reshape(-1, channels)[source[kept]]
    return moved.reshape(h, w, channels)


def _blocks(fine: Floats) -> Floats:
    """``[C, h, w]``: sums over blocks of 4x4, of deviation 1."""
    h, w, channels = fine.shape
    blocks = fine.reshape(h // FINER, FINER, w // FINER, FINER, channels)
    return np.asarray(blocks.sum(axis=(1, 3)).transpose(2, 0, 1) / FINER, np.float32)


def composed(motion: Floats, every: int) -> Floats:
    """Motion over ``every`` frames at a time, of motion ``[T - 1, y, x, 2]`` from frame to frame:
    of the first frame, then one of each group of ``every``."""
    groups = [motion[start : start + every] for start in range(0, len(motion), every)]
    return np.stack([_chained(group) for group in groups if len(group) == every])


def _chained(steps: Floats) -> Floats:
    h, w = steps.shape[1:3]
    y, x = np.mgrid[:h, :w].astype(np.float32)
    size = np.array([w, h], np.float32)
    total = steps[-1].astype(np.float32)
    for step in steps[-2::-1]:
        places = np.stack([x, y], -1) + total * size
        total = total + cv2.remap(
            step, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    return np.asarray(total, np.float32)
