"""Motion latents: fields to and from the numbers that the diffusion transformer samples.

A window of T steps is divided by the motion map (the *unit field*), averaged onto tokens of
2 x 2 cells, and taken through an orthonormal DCT-II over time (Ahmed et al., 1974), of which
the first terms are kept and scaled to unit variance. Light rides along as further channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vivant.clip import Floats

MAP_FLOOR = 0.004
"""Added to speeds before a logarithm or a division, short sides per second."""
MAP_CENTRE, MAP_SPREAD = -3.5, 1.5
"""Normalisation of the log motion map before the transformer sees it."""


@dataclass(frozen=True)
class Codec:
    """The fixed linear map between fields and latents.

    ``steps`` T; ``terms`` DCT terms kept per velocity component; ``light_terms`` of light;
    ``scales`` standard deviation of each raw channel, ``(2 * terms + light_terms,)``.
    Channel order: x terms, y terms, light terms.
    """

    steps: int
    terms: int
    light_terms: int
    scales: tuple[float, ...] = ()

    @property
    def channels(self) -> int:
        """Number of latent channels."""
        return 2 * self.terms + self.light_terms

    def _scales(self) -> Floats:
        scales = np.array(self.scales or [1.0] * self.channels, np.float32)
        return scales[:, None, None]

    def encode(self, velocity: Floats, light: Floats, motion_map: Floats) -> Floats:
        """``velocity`` ``[T, 2, h, w]``, ``light`` ``[T, h, w]`` stops and ``motion_map``
        ``[h, w]``, all already on tokens, to latents ``[C, h, w]``."""
        unit = velocity / (motion_map + MAP_FLOOR)
        basis = dct_basis(self.steps)
        moved = np.tensordot(basis[: self.terms], unit, axes=1)
        lit = np.tensordot(basis[: self.light_terms], light, axes=1)
        raw = np.concatenate([moved[:, 0], moved[:, 1], lit])
        return np.asarray(raw / self._scales(), np.float32)

    def decode(self, latents: Floats, motion_map: Floats) -> tuple[Floats, Floats]:
        """Latents ``[C, h / 2, w / 2]`` to velocity ``[T, 2, h, w]`` and light ``[T, h, w]``
        on the cells of ``motion_map`` ``[h, w]``."""
        h, w = motion_map.shape
        raw = (latents * self._scales()).astype(np.float32)
        fine = np.stack([cv2.resize(c, (w, h), interpolation=cv2.INTER_LINEAR) for c in raw])
        basis = dct_basis(self.steps)
        k = self.terms
        unit = np.stack(
            [np.tensordot(basis[:k].T, part, axes=1) for part in (fine[:k], fine[k : 2 * k])], 1
        )
        light = np.tensordot(basis[: self.light_terms].T, fine[2 * k :], axes=1)
        velocity = unit * (motion_map + MAP_FLOOR)
        return velocity.astype(np.float32), (light - light[:1]).astype(np.float32)


def dct_basis(steps: int) -> Floats:
    """Orthonormal DCT-II basis, ``[steps, steps]``, row k = frequency k / (2 T) cycles a step."""
    k, n = np.mgrid[0:steps, 0:steps]
    basis = np.cos(np.pi * k * (2 * n + 1) / (2 * steps)) * np.sqrt(2.0 / steps)
    basis[0] /= np.sqrt(2.0)
    return basis.astype(np.float32)


def rope_table(h: int, w: int, head_dim: int) -> tuple[Floats, Floats]:
    """Cosines and sines of 2-D rotary positions, each ``[h * w, head_dim / 2]``.

    Su et al., RoFormer (2021), with the first half of the angles for rows and the second for
    columns. Angles come from here for both PyTorch and ONNX, so that any grid size works.
    """
    quarter = head_dim // 4
    frequencies = 100.0 ** (-np.arange(quarter) / quarter)
    y, x = np.mgrid[0:h, 0:w].reshape(2, -1)
    angles = np.concatenate([np.outer(y, frequencies), np.outer(x, frequencies)], axis=1)
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
