"""Waves: a height field with a directional wind-sea spectrum and the deep-water dispersion
``w^2 = g k`` (Tessendorf, "Simulating Ocean Water", 2001) on the water plane, seen in perspective.

The slope of the surface does two things: it shifts what the water mirrors, mostly up and down, and
it glints, in proportion to the picture's own local contrast. Far waves are averaged over what a
pixel sees (mip levels), so that they do not shimmer. Where no horizon is seen the plane is looked
at from above.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats
from vivant.rendering.manners.manner import Ground
from vivant.rendering.noise import closed

GRAVITY = 9.81
SIDE = 256
"""Samples on a side of the tile of waves."""
LEVELS = 6
NODE = 160
"""Nodes of the displacement's grid on the short side of a picture."""
ABOVE = 0.03
"""Water that begins so near the upper edge has no horizon: it is seen from above."""
ABOVE_TILES = 0.8
"""Tiles of waves on the short side, seen from above."""
MOST_GLINT = 0.8

Complex = NDArray[np.complex64]


@dataclass(frozen=True)
class Waves:
    """``shift``: amplitude in short sides at the near edge, by which a reflection moves up and down
    (sideways half of it); ``glint``: brightness in units of the local contrast; ``wind`` metres a
    second; ``heading`` degrees on the plane: 0 to the right, 90 away from the viewer, 270 towards;
    ``eye`` metres above the water; ``view`` degrees across the picture; ``tile`` metres of water
    until its waves return."""

    shift: float = 0.0045
    glint: float = 0.4
    wind: float = 2.5
    heading: float = 270.0
    eye: float = 2.0
    view: float = 50.0
    tile: float = 20.0

    def scaled(self, factor: float) -> Waves:
        """The same water, so many times as rough."""
        glint = min(MOST_GLINT, self.glint * factor**0.5)
        return replace(self, shift=self.shift * factor, glint=glint)


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Amplitudes of the waves of a tile, and how each turns, radians a second; both
    ``[SIDE, SIDE]``; ``across`` and ``along`` wave numbers, radians a metre."""

    amplitude: Complex
    omega: Floats
    across: Floats
    along: Floats

    def slopes(self, seconds: float) -> Floats:
        """Slope of the surface across and along ``[SIDE, SIDE, 2]``, about unit variance."""
        moving = self.amplitude * np.exp(-1j * self.omega * np.float32(seconds)).astype(
            np.complex64
        )
        both = [1j * k * moving for k in (self.across, self.along)]
        each = [np.fft.ifft2(one.astype(np.complex64)).real for one in both]
        return np.asarray(np.dstack(each), np.float32)


def spectrum(waves: Waves, rng: np.random.Generator, loop: float | None) -> Spectrum:
    """The waves that a wind makes; where they must loop, each turns a whole number of times."""
    line = 2 * np.pi * np.fft.fftfreq(SIDE, waves.tile / SIDE)
    across, along = np.meshgrid(line, line)
    number = np.hypot(across, along)
    number[0, 0] = 1e-9
    turn = np.radians(waves.heading)
    cosine = (across * np.cos(turn) + along * np.sin(turn)) / number
    reach = waves.wind**2 / GRAVITY
    power = np.exp(-1 / (number * reach) ** 2) / number**4
    power *= np.where(cosine > 0, 1, 0.05) * cosine**4
    power *= np.exp(-((number * waves.tile / SIDE * 1.2) ** 2))
    power[0, 0] = 0
    white = rng.standard_normal((2, SIDE, SIDE))
    amplitude = (white[0] + 1j * white[1]) * np.sqrt(power / 2)
    omega = np.sqrt(GRAVITY * number)
    if loop is not None:
        omega = 2 * np.pi * closed(np.asarray(omega / (2 * np.pi), np.float32), loop)
    made = Spectrum(
        amplitude.astype(np.complex64),
        np.asarray(omega, np.float32),
        np.asarray(across, np.float32),
        np.asarray(along, np.float32),
    )
    scale = float(made.slopes(0.0).std())
    return Spectrum(made.amplitude / np.complex64(scale), made.omega, made.across, made.along)


@dataclass(frozen=True, eq=False)
class Plane:
    """Where the nodes of a grid lie on the tile (``places`` ``[rows, columns, 2]`` samples), which
    mip level they see (``level`` ``[rows]``) and how much of the motion is seen (``near``
    ``[rows]`` 0..1)."""

    places: Floats
    level: Floats
    near: Floats


def plane(ground: Ground, waves: Waves, nodes: tuple[int, int]) -> Plane:
    """The water plane under the nodes of a layer's box."""
    h, w = ground.shape
    width, height = ground.picture if ground.picture[0] else (w, h)
    left, top = ground.origin
    x = left + (np.arange(nodes[1]) + 0.5) * w / nodes[1]
    y = top + (np.arange(nodes[0]) + 0.5) * h / nodes[0]
    horizon = horizon_of(ground, width)
    if horizon < ABOVE * height:
        scale = ABOVE_TILES * SIDE / ground.short
        places = np.dstack(np.meshgrid(x * scale, y * scale))
        still = np.zeros(nodes[0], np.float32)
        return Plane(places.astype(np.float32), still, still + np.float32(0.6))
    focal = width / 2 / np.tan(np.radians(waves.view) / 2)
    below = np.maximum(y - (horizon - 0.01 * height), 1.0)
    away = waves.eye * focal / below
    samples = SIDE / waves.tile
    places = np.dstack(
        [
            (x[None] - width / 2) * (away / focal)[:, None] * samples,
            np.repeat(away[:, None] * samples, nodes[1], axis=1),
        ]
    )
    seen = away / focal * samples * np.sqrt(away / waves.eye)
    level = np.clip(np.log2(np.maximum(seen * w / nodes[1] / 2, 1)), 0, LEVELS - 1e-3)
    near = np.clip(below / max(height - horizon, 1), 0.02, 1) ** 0.6
    near *= np.clip(below / (0.04 * height), 0, 1)
    return Plane(places.astype(np.float32), level.astype(np.float32), near.astype(np.float32))


def horizon_of(ground: Ground, width: int) -> float:
    """The layer's highest row that is more than a speck, in pixels of the picture."""
    rows = np.flatnonzero((ground.matte > 127).sum(1) > 0.02 * width)
    return float(ground.origin[1] + (rows[0] if len(rows) else 0))


class Ripples:
    """Slopes of the water at the nodes of a layer's grid, at any time."""

    def __init__(self, ground: Ground, waves: Waves, rng: np.random.Generator) -> None:
        h, w = ground.shape
        step = max(2.0, ground.short / NODE)
        self.nodes = max(4, round(h / step)), max(4, round(w / step))
        self.spectrum = spectrum(waves, rng, ground.loop)
        self.plane = plane(ground, waves, self.nodes)
        self.amplitude = waves.shift * ground.short * self.plane.near[:, None]

    def slopes(self, seconds: float) -> Floats:
        """Slopes across and along ``[rows, columns, 2]``, of unit variance where waves are near."""
        tile = self.spectrum.slopes(seconds)
        out = np.zeros((*self.nodes, 2), np.float32)
        lowest = np.floor(self.plane.level).astype(int)
        share = self.plane.level - lowest
        for level in range(int(lowest.max()) + 2):
            weight = np.where(lowest == level, 1 - share, 0) + np.where(
                lowest == level - 1, share, 0
            )
            rows = np.flatnonzero(weight)
            if len(rows):
                part = slice(int(rows[0]), int(rows[-1]) + 1)
                places = self.plane.places[part] * np.float32(0.5**level) % tile.shape[0]
                found = cv2.remap(
                    np.pad(tile, ((0, 1), (0, 1), (0, 0)), mode="wrap"),
                    np.ascontiguousarray(places),
                    None,
                    cv2.INTER_LINEAR,
                    borderMode=cv2.BORDER_REPLICATE,
                )
                out[part] += found * weight[part, None, None]
            tile = _halved(tile)
        return out

    def shift(self, slopes: Floats) -> Floats:
        """Pixels ``[rows, columns, 2]`` by which what the water mirrors is moved."""
        across = 0.5 * self.amplitude * slopes[..., 0]
        return np.asarray(np.dstack([across, self.amplitude * slopes[..., 1]]), np.float32)


def _halved(tile: Floats) -> Floats:
    """A periodic tile at half its resolution."""
    wrapped = np.pad(tile, ((1, 1), (1, 1), (0, 0)), mode="wrap")
    smooth = cv2.blur(wrapped, (3, 3))[1:-1, 1:-1]
    size = (tile.shape[1] // 2, tile.shape[0] // 2)
    return np.asarray(cv2.resize(smooth, size, interpolation=cv2.INTER_AREA), np.float32)
