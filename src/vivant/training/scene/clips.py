"""Examples from clips: own kinds from what moves, depth from parallax, and the motion itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from vivant.clip import Floats
from vivant.data.parallax import parallax
from vivant.data.shards import KEY_EVERY, Sample, read_sample, shard_paths
from vivant.data.teacher_files import Taught, read_taught
from vivant.data.windows import Window, windows_of
from vivant.kinds import INDEX
from vivant.training.scene.corpus import Example
from vivant.training.scene.examples import example_of, marked_water
from vivant.training.scene.labels import KindTarget
from vivant.training.scene.marks import Marks, apply_marks, glow

MOVERS = {
    "fire": "fire",
    "fog": "smoke",
    "smoke": "smoke",
    "waterfall": "fall",
    "cloth": "cloth",
    "river": "water",
    "lake": "water",
    "ocean": "water",
    "foliage": "plant",
    "animals": "being",
    "people": "being",
    "traffic": "vehicle",
    "clouds": "sky",
    "aurora": "sky",
    "sunset": "sky",
}
"""Words of a clip's category and the kind of what moves in it."""
FLOWING = ("cloud", "sky", "water", "fog", "smoke", "fire", "snow", "underwater")
"""Words of categories whose flow is no parallax, however the camera moves."""
OWN = ("fire", "smoke", "fall", "cloth")
"""Kinds that only clips teach: they win over what the teachers say, things excepted."""


@dataclass(frozen=True)
class Moving:
    """The motion after one key frame, on cells of 8 pixels: mean ``speed`` ``[h, w]`` short
    sides per second, ``weight`` and ``gradient`` ``[h, w]``; ``camera`` is still, removed or
    moves; ``clip`` names the clip, so that no clip is on both sides of a split."""

    speed: Floats
    weight: Floats
    gradient: Floats
    camera: str
    clip: str


def mover(category: str) -> str | None:
    """The kind of what moves in clips of a category, None where it does not say."""
    return next((kind for word, kind in MOVERS.items() if word in category), None)


def clip_examples(shards: Path, taught: Path, marks: Marks) -> Iterator[tuple[Example, Moving]]:
    """Every labelled key frame of the shards with its motion."""
    for path in shard_paths(shards):
        sample = read_sample(path)
        for number, window in enumerate(windows_of(sample)):
            file = taught / f"clip-{path.stem}-{number * KEY_EVERY:03d}.npz"
            if file.is_file():
                moving = moving_of(window, path.stem.split("-")[0])
                yield _example(sample, window, number, read_taught(file), moving, marks), moving


def moving_of(window: Window, clip: str) -> Moving:
    """Speed of a window, the camera's part taken out where it can be."""
    speed = np.linalg.norm(window.velocity, axis=1).mean(0).astype(np.float32)
    camera = "removed" if window.camera_removed else "moves" if window.camera_moves else "still"
    return Moving(speed, window.weight, window.gradient, camera, clip)


def _example(
    sample: Sample, window: Window, number: int, taught: Taught, moving: Moving, marks: Marks
) -> Example:
    category = str(taught.facts.get("category", ""))
    name = moving.clip

    def mend(target: KindTarget) -> KindTarget:
        mended = own_kinds(target, taught, moving, category)
        sky = np.asarray(taught.labels.sky / np.float32(255), np.float32)
        return apply_marks(mended, taught.pixels, f"clip-{name}", marks, sky)

    example = example_of(taught, f"clip-{name}-{number}", mend)
    example = replace(example, water=marked_water(example.water, f"clip-{name}", marks))
    depth = None if any(word in category for word in FLOWING) else parallax_depth(sample, number)
    return example if depth is None else _with_parallax(example, *depth)


def _with_parallax(example: Example, depth: Floats, trust: Floats) -> Example:
    """Parallax wins where the world stands still; the sky is infinitely far."""
    h, w = example.trust.shape
    kinds = example.kinds / np.float32(255)
    sky = kinds[INDEX["sky"]] > 0.7
    flowing = sum(kinds[INDEX[kind]] for kind in ("water", "fall", "fire", "smoke", "being"))
    values = np.where(sky, 0, cv2.resize(depth, (w, h)))
    trust = np.where(sky, 0.7, np.clip(cv2.resize(trust, (w, h)), 0, 1) * (flowing < 0.3))
    return replace(
        example,
        depth=values.astype(np.float16),
        depth_trust=np.round(255 * 0.7 * trust).astype(np.uint8),
    )


def own_kinds(target: KindTarget, taught: Taught, moving: Moving, category: str) -> KindTarget:
    """What moves in a clip is what its category says, teacher-certain things excepted."""
    kind = mover(category)
    if kind is None or moving.camera == "moves":
        return target
    h, w = target.weight.shape
    share = cv2.resize(mask_of_moving(moving), (w, h))
    sure = target.kinds * target.weight
    rivals = [k for k in range(len(sure)) if k != INDEX[kind]]
    if kind in OWN:
        rivals = [INDEX[k] for k in ("being", "vehicle", "plant", "object") if k != kind]
    share = share * (sure[rivals].max(0) < 0.75)
    if kind == "fire":
        share = share * glow(taught.pixels, h, w)
    if kind == "smoke":
        share = share * (sure[INDEX["sky"]] < 0.75)
    kinds = target.kinds * (1 - share)
    kinds[INDEX[kind]] += share
    weight = np.where(share > 0.5, np.maximum(target.weight, 0.7 * share), target.weight)
    weight = np.where((share > 0.05) & (share <= 0.5), 0.3 * weight, weight)
    return KindTarget(kinds.astype(np.float32), weight.astype(np.float32))


def mask_of_moving(moving: Moving) -> Floats:
    """How surely a cell moves, 0..1, relative to the fastest of the picture."""
    top = max(float(np.percentile(moving.speed, 98)), 0.012)
    smooth = cv2.GaussianBlur(moving.speed, (0, 0), 1.0)
    return np.asarray(np.clip((smooth / top - 0.2) / 0.25, 0, 1), np.float32)


def parallax_depth(sample: Sample, number: int) -> tuple[Floats, Floats] | None:
    """Inverse depth ``[h, w]`` and its trust from the camera's motion, or None where the camera
    stands, only turns, or too little of the flow is rigid."""
    begin = number * KEY_EVERY
    index = slice(begin, min(begin + 6, sample.labels.steps))
    velocity = sample.labels.velocity[index].mean(0)
    confidence = sample.labels.confidence[index].mean(0)
    gradient = sample.labels.gradient[index].mean(0)
    if np.median(np.linalg.norm(velocity, axis=0)) < 0.02:
        return None
    trust = confidence * gradient / (gradient + 4)
    found = parallax(velocity, trust.astype(np.float32))
    if found.explained < 0.9 or found.share < 0.1:
        return None
    low, high = np.percentile(found.depth[trust > 0.3], (2, 98)) if (trust > 0.3).any() else (0, 0)
    if high - low < 1e-3:
        return None
    values = np.clip((found.depth - low) / (high - low), 0, 1.2)
    return values.astype(np.float32), trust.astype(np.float32)
