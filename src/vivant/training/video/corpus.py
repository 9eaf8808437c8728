"""Shots with small frames in memory, and the windows that are cut from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats
from vivant.data.shards import Sample, read_samples
from vivant.errors import UsageError
from vivant.files import publish
from vivant.kept import fingerprint
from vivant.scene.eyes import see
from vivant.video.autoencoder import AutoencoderParams
from vivant.video.conditions import Box, features_of, fitted, motion_of, words_of

SEEN_EVERY = 16
"""Steps from one look at the scene to the next; a window's is the last one before it."""
LEAST_SIDE = 0.67
"""The smallest window, in sides of the largest that fits."""
LEAST_GAIN, MOST_GAIN = 0.85, 1.15


@dataclass(frozen=True)
class Shot:
    """``frames`` ``[N, H, W, 3]`` uint8 and ``velocity`` ``[N, 2, h, w]`` float16, one a step of
    1/8 s; ``features`` ``[15, h, w]`` float16 of the scene at every 16th step;
    ``words`` ``[16]`` of its caption or category; ``made`` procedurally or filmed."""

    name: str
    frames: NDArray[np.uint8]
    velocity: NDArray[np.float16]
    features: dict[int, NDArray[np.float16]]
    words: NDArray[np.int64]
    made: bool


@dataclass(frozen=True)
class Shape:
    """Windows of ``height`` x ``width`` pixels and ``frames``, ``count`` of them a batch."""

    height: int = 64
    width: int = 64
    frames: int = 17
    count: int = 8


@dataclass(frozen=True)
class Window:
    """A piece of a shot: ``clip`` ``[T, H, W, 3]`` uint8, and its conditions on a grid of latents
    (see `vivant.video.conditions`)."""

    clip: NDArray[np.uint8]
    features: Floats
    motion: Floats
    words: NDArray[np.int64]


def read_shots(
    folder: Path,
    frames: int,
    kept: Path,
    progress: Callable[[float], None] = lambda share: None,
) -> list[Shot]:
    """The shots of ``folder`` that are at least ``frames`` steps long. What the eyes see of their
    key frames is kept in the folder ``kept``, since it takes longest.

    Raises UsageError where no shot has small frames or is long enough.
    """
    kept.mkdir(parents=True, exist_ok=True)
    samples = [s for s in read_samples(folder) if s.frames is not None and len(s.frames) >= frames]
    if not samples:
        raise UsageError(
            f"{folder} holds no shot of {frames / 8:.2g} s with small frames; make them with"
            " `vivant prepare --frames 96`."
        )
    shots = []
    for number, sample in enumerate(samples, 1):
        shots.append(shot_of(sample, frames, kept))
        progress(number / len(samples))
    return shots


def shot_of(sample: Sample, frames: int, kept: Path) -> Shot:
    """A sample with small frames as a shot for windows of ``frames``; see `read_shots`."""
    facts: dict[str, Any] = sample.facts
    small = sample.frames if sample.frames is not None else np.zeros((0, 1, 1, 3), np.uint8)
    starts = [k for k in sample.keys if k % SEEN_EVERY == 0 and k + frames <= len(small)]
    return Shot(
        name=sample.key,
        frames=small,
        velocity=sample.labels.velocity.astype(np.float16),
        features=_seen(sample, starts, kept),
        words=words_of(str(facts.get("caption") or facts.get("category", ""))),
        made=facts.get("origin") == "procedural",
    )


def _seen(sample: Sample, starts: list[int], kept: Path) -> dict[int, NDArray[np.float16]]:
    digest = fingerprint([sample.key, starts, str(sample.facts.get("sha256", ""))])[:16]
    path = kept / f"{sample.key}-{digest}.npy"
    if path.is_file():
        return dict(zip(starts, np.load(path), strict=True))
    every = [features_of(see(sample.keys[step])).astype(np.float16) for step in starts]
    with publish(path) as temporary:
        np.save(temporary, np.stack(every))
    return dict(zip(starts, every, strict=True))


def draw_window(
    shot: Shot,
    shape: Shape,
    params: AutoencoderParams,
    rng: np.random.Generator,
    *,
    plain: bool = False,
) -> Window:
    """A window of a shot: where and when it is cut, mirrored or lit is drawn; ``plain`` takes the
    first frames and the middle. ``params`` say how many pixels and frames make a latent."""
    start = 0 if plain else int(rng.integers(len(shot.frames) - shape.frames + 1))
    key = start // SEEN_EVERY * SEEN_EVERY
    frames = shot.frames[start : start + shape.frames]
    height, width = frames.shape[1:3]
    most = min(height / shape.height, width / shape.width)
    scale = most if plain else most * rng.uniform(LEAST_SIDE, 1.0)
    high, wide = round(scale * shape.height), round(scale * shape.width)
    free = height - high, width - wide
    top, left = (s // 2 if plain else int(rng.integers(s + 1)) for s in free)
    cut = frames[:, top : top + high, left : left + wide]
    clip = np.stack([_resized(frame, shape) for frame in cut])
    box: Box = (top / height, left / width, (top + high) / height, (left + wide) / width)
    grid = shape.height // params.space, shape.width // params.space
    zoom = min(height, width) / min(high, wide)
    velocity = shot.velocity[start : start + shape.frames - 1].astype(np.float32) * zoom
    motion = motion_of(velocity, params.time, grid, box)
    window = Window(clip, fitted(shot.features[key], box, grid), motion, shot.words)
    return window if plain else _varied(window, rng)


def _resized(frame: NDArray[np.uint8], shape: Shape) -> NDArray[np.uint8]:
    size = (shape.width, shape.height)
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)


def _varied(window: Window, rng: np.random.Generator) -> Window:
    """Mirrored half of the time, and lighter or darker."""
    gain = rng.uniform(LEAST_GAIN, MOST_GAIN)
    clip = np.clip(window.clip * np.float32(gain), 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        return Window(clip, window.features, window.motion, window.words)
    motion = window.motion[..., ::-1].copy()
    motion[0] *= -1
    features = np.ascontiguousarray(window.features[..., ::-1])
    return Window(np.ascontiguousarray(clip[:, :, ::-1]), features, motion, window.words)


def draw_shots(shots: list[Shot], count: int, made: float, rng: np.random.Generator) -> list[Shot]:
    """``count`` shots, each of its group alike, the share ``made`` of them procedural."""
    groups = [[s for s in shots if s.made], [s for s in shots if not s.made]]
    chosen = []
    for _ in range(count):
        group = groups[0] if rng.random() < made else groups[1]
        group = group or groups[0] or groups[1]
        chosen.append(group[int(rng.integers(len(group)))])
    return chosen
