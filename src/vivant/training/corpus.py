"""The training corpus in memory: windows, their views and cached encoder features."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from vivant.clip import Floats
from vivant.data.shards import Sample, read_samples
from vivant.data.windows import Window, view, windows_of
from vivant.motion.encoder import Encoder
from vivant.motion.map_head import cell_features
from vivant.training.precision import autocast

Half = NDArray[np.float16]
FLUID = ("water", "sky", "fog", "snow", "underwater", "fire", "smoke", "rain")
SOLID = ("animal", "object", "city", "traffic", "foliage", "cloth", "people")


@dataclass(frozen=True)
class Part:
    """Views of one shape, arrays by view: ``features`` ``[V, 472, h, w]`` float16,
    ``velocity`` ``[V, T, 2, h, w]``, ``light`` ``[V, T, h, w]``, ``weight`` and ``gradient``
    ``[V, h, w]``; ``camera_moves`` ``[V]``; ``fluid`` ``[V]`` 1 where the shot's category says
    that what moves is a fluid, 0 where it says objects or plants, -1 where it says nothing;
    ``source`` ``[V]`` index of the shot."""

    features: Half
    velocity: Half
    light: Half
    weight: Half
    gradient: Half
    camera_moves: NDArray[np.bool_]
    fluid: NDArray[np.int8]
    source: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.source)


def _views(sample: Sample, rng: np.random.Generator, squares: int) -> Iterator[Window]:
    for window in windows_of(sample):
        h, w = window.weight.shape
        for mirror in (False, True):
            plain = mirror is False
            yield view(window, rng, mirror=mirror, square=h > w, recolour=not plain)
        for k in range(squares):
            yield view(window, rng, mirror=k % 2 == 1, square=True, recolour=True)


def build(
    folder: Path,
    encoder: Encoder,
    *,
    squares: int = 2,
    seed: int = 0,
    procedural: bool = False,
    precision: str = "float32",
    progress: Callable[[float], None] = lambda share: None,
) -> list[Part]:
    """All views of the real (or the procedural) shots of ``folder``, grouped by shape, encoded
    once, in the number format ``precision``."""
    rng = np.random.default_rng(seed)
    groups: dict[tuple[int, int], list[tuple[Window, int, Half]]] = {}
    samples = [
        s for s in read_samples(folder) if (s.facts.get("origin") == "procedural") == procedural
    ]
    for index, sample in enumerate(samples):
        views = list(_views(sample, rng, squares))
        for one in views:
            features = encode(encoder, one.image, precision)
            groups.setdefault(one.weight.shape, []).append((one, index, features))
        progress((index + 1) / len(samples))
    kinds = [fluid_of(str(sample.facts.get("category", ""))) for sample in samples]
    return [_stack(rows, kinds) for rows in groups.values()]


def fluid_of(category: str) -> int:
    """1 for water, sky and their like, 0 for objects and plants, -1 for anything else."""
    if any(word in category for word in FLUID):
        return 1
    return 0 if any(word in category for word in SOLID) else -1


def encode(encoder: Encoder, image: NDArray[np.uint8], precision: str = "float32") -> Half:
    """Cell features ``[472, h, w]`` of one picture at the working size."""
    pixels = torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() / 255
    with torch.no_grad(), autocast("cpu", precision):
        maps = encoder(pixels.contiguous(memory_format=torch.channels_last))
        cells = cell_features(maps)
    return np.ascontiguousarray(cells[0].float().numpy(), np.float16)


def _stack(rows: list[tuple[Window, int, Half]], kinds: list[int]) -> Part:
    def gather(name: str) -> Half:
        return np.stack([getattr(window, name).astype(np.float16) for window, _, _ in rows])

    return Part(
        features=np.stack([features for _, _, features in rows]),
        velocity=gather("velocity"),
        light=gather("light"),
        weight=gather("weight"),
        gradient=gather("gradient"),
        camera_moves=np.array([window.camera_moves for window, _, _ in rows]),
        fluid=np.array([kinds[source] for _, source, _ in rows], np.int8),
        source=np.array([source for _, source, _ in rows]),
    )


def mean_speed(velocity: NDArray[Any]) -> Floats:
    """Mean speed over the window, ``[..., T, 2, h, w]`` -> ``[..., h, w]``."""
    return np.linalg.norm(velocity.astype(np.float32), axis=-3).mean(axis=-3).astype(np.float32)


def smooth_map(speed: Floats, weight: Floats, sigma: float = 1.5) -> Floats:
    """Trust-weighted Gaussian smoothing of a speed map ``[h, w]``: the motion map."""
    trusted = weight + 0.02
    total = cv2.GaussianBlur(trusted, (0, 0), sigma)
    return np.asarray(cv2.GaussianBlur(speed * trusted, (0, 0), sigma) / total, np.float32)
