"""From files of soft labels and made-up worlds to examples in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from vivant.clip import Frame
from vivant.data.teacher_files import Taught, read_taught
from vivant.data.teachers import MOSAIC
from vivant.data.worlds import make_world
from vivant.kinds import INDEX, WATERS
from vivant.training.scene.corpus import Example, empty_targets
from vivant.training.scene.labels import KindTarget, kind_target
from vivant.training.scene.marks import Marks, apply_marks
from vivant.training.scene.popup import pop_up

CHARACTERS = {
    "lake": "still",
    "river": "river",
    "sea": "sea",
    "beach": "surf",
    "water: lake/pond ripples": "still",
    "water: river/stream": "river",
    "water: ocean/waves/beach": "sea",
}
"""Categories that say what their water is like."""


def photo_examples(
    paths: Iterable[Path], marks: Marks, splits: Sequence[str] = ("train",)
) -> list[Example]:
    """Examples of the photographs of some splits."""
    examples = []
    for path in paths:
        taught = read_taught(path)
        if taught.facts.get("split") in splits:
            name = path.stem.removeprefix("photo-")

            def mend(target: KindTarget, taught: Taught = taught, name: str = name) -> KindTarget:
                sky = np.asarray(taught.labels.sky / np.float32(255), np.float32)
                return apply_marks(target, taught.pixels, name, marks, sky)

            example = example_of(taught, path.stem, mend)
            examples.append(replace(example, water=marked_water(example.water, name, marks)))
    return examples


def marked_water(character: int, name: str, marks: Marks) -> int:
    """The character of a picture's water, as marked where it is."""
    if name in marks.no_water:
        return -1
    return WATERS.index(marks.waters[name]) if name in marks.waters else character


def example_of(
    taught: Taught,
    name: str,
    mend: Callable[[KindTarget], KindTarget] = lambda target: target,
) -> Example:
    """One picture with its targets; ``mend`` may change what the teachers said of kinds."""
    category = str(taught.facts.get("category", ""))
    target = mend(kind_target(taught.labels, category))
    shape = target.weight.shape
    depth = pop_up(taught.labels.mosaic, target.kinds)
    values, trust = (depth.depth, depth.weight) if depth else (np.zeros(shape), np.zeros(shape))
    return Example(
        image=taught.pixels,
        kinds=np.round(255 * target.kinds).astype(np.uint8),
        trust=np.round(255 * target.weight).astype(np.uint8),
        depth=values.astype(np.float16),
        depth_trust=np.round(255 * trust).astype(np.uint8),
        water=character(taught, category),
        name=name,
        category=category,
    )


def character(taught: Taught, category: str) -> int:
    """Index of the character of a picture's water, -1 where nothing says it."""
    if category in CHARACTERS:
        return WATERS.index(CHARACTERS[category])
    mosaic = taught.labels.mosaic.astype(np.float32).sum((1, 2))
    sea, other = mosaic[MOSAIC.index("sea")], mosaic[MOSAIC.index("water")]
    return WATERS.index("sea") if sea > 4 * other else -1


def world_examples(count: int, photos: Sequence[Frame], seed: int = 0) -> list[Example]:
    """Made-up worlds: depth is exact; of kinds only the sky is known, the rest is nameless."""
    examples = []
    for k in range(count):
        world = make_world(np.random.default_rng((seed, k)), photos)
        depth = cv2.resize(world.depth, (128, 128), interpolation=cv2.INTER_AREA)
        kinds, trust = empty_targets(128, 128)
        top = np.float32(np.percentile(depth, 98) + 1e-4)
        near = np.clip(depth / top, 0, 1.5)
        examples.append(
            Example(
                image=world.image,
                kinds=kinds,
                trust=trust,
                depth=near.astype(np.float16),
                depth_trust=np.full((128, 128), 255, np.uint8),
                name=f"world-{k}",
                category="world",
            )
        )
    return examples


def share_of(example: Example, kind: str) -> float:
    """Share of a picture that is ``kind``, 0..1."""
    return float(example.kinds[INDEX[kind]].mean() / 255)
