"""The noise that sampling starts from: Gaussian, but as smooth in space as motion is.

Real motion mostly shares one direction over large parts of a picture. Flow matching may start
from any distribution (Lipman et al., 2023), so each latent channel starts from a sum of one
number for the whole picture, coarse blobs, and white noise, in the shares that the training
data show. What is far apart in a sample then agrees from the start, instead of having to be
brought into line by the network.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vivant.clip import Floats

BLOB_TOKENS = 6.0
"""Distance between the nodes of the blobs, in tokens (12 cells)."""


@dataclass(frozen=True)
class Noise:
    """Shares of the unit variance per channel, ``[C]`` each: one number for the whole picture
    (``everywhere``) and ``coarse`` blobs; the rest is white. Empty: all white."""

    everywhere: tuple[float, ...] = ()
    coarse: tuple[float, ...] = ()


def draw(
    noise: Noise, rng: np.random.Generator, count: int, channels: int, grid: tuple[int, int]
) -> Floats:
    """``[count, channels, h, w]`` of unit variance in every place."""
    white = rng.standard_normal((count, channels, *grid), dtype=np.float32)
    if not noise.everywhere:
        return white
    rows, columns = (_interpolation(side) for side in grid)
    nodes = rng.standard_normal(
        (count, channels, rows.shape[1], columns.shape[1]), dtype=np.float32
    )
    blobs = np.einsum("yi,bcij,xj->bcyx", rows, nodes, columns)
    whole = rng.standard_normal((count, channels, 1, 1), dtype=np.float32)
    a, b = (np.array(s, np.float32)[:, None, None] for s in (noise.everywhere, noise.coarse))
    out = np.sqrt(a) * whole + np.sqrt(b) * blobs + np.sqrt(1 - a - b) * white
    return np.asarray(out, np.float32)


def _interpolation(side: int) -> Floats:
    """Linear interpolation from nodes to ``side`` tokens, ``[side, nodes]``, rows of norm 1."""
    nodes = max(2, round(side / BLOB_TOKENS) + 1)
    at = (np.arange(side) + 0.5) / side * (nodes - 1)
    weights = np.clip(1 - np.abs(at[:, None] - np.arange(nodes)), 0, 1)
    return np.asarray(weights / np.linalg.norm(weights, axis=1, keepdims=True), np.float32)
