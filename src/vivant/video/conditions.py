"""What a clip is sampled under besides the picture: its scene, words, and a motion field.

Everything lies on the grid of the latents, so that training and sampling share these functions.
"""

from __future__ import annotations

import re
import zlib

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats
from vivant.kinds import KINDS
from vivant.scene.record import Scene

FEATURES = len(KINDS) + 3
"""Channels of `features_of`."""
VOCABULARY = 1024
"""Words are told apart by a hash of so many values; 0 is no word."""
MOST_WORDS = 16
SPEED_CENTRE, SPEED_SPREAD = -3.5, 1.5
"""Of log speeds, so that they come out about -1 to 1."""
VELOCITY_UNIT = 0.1
"""Short sides per second that count as 1."""

Box = tuple[float, float, float, float]
"""Top, left, bottom, right as shares."""
WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


def features_of(scene: Scene) -> Floats:
    """What the eyes see, ``[15, h, w]``: shares of the kinds, the chance that it moves, its log
    speed about -1 to 1, inverse depth."""
    log_speed = np.clip((scene.log_speed - SPEED_CENTRE) / SPEED_SPREAD, -3, 3)
    rest = np.stack([scene.moving, log_speed, scene.depth])
    return np.concatenate([scene.kinds, rest]).astype(np.float32)


def fitted(values: NDArray[np.floating], box: Box, size: tuple[int, int]) -> Floats:
    """The part ``box`` of maps ``[C, h, w]`` brought to ``size`` (rows, columns)."""
    h, w = values.shape[1:]
    top, left = (min(int(share * side), side - 1) for share, side in zip(box, (h, w), strict=False))
    low, right = max(top + 1, round(box[2] * h)), max(left + 1, round(box[3] * w))
    part = values[:, top:low, left:right].astype(np.float32)
    shrinks = part.shape[1] >= size[0] and part.shape[2] >= size[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.stack([cv2.resize(one, size[::-1], interpolation=how) for one in part])


def motion_of(
    velocity: NDArray[np.floating], chunk: int, size: tuple[int, int], box: Box = WHOLE
) -> Floats:
    """A motion field as a condition, ``[3, N, h, w]``: mean velocity over each chunk in units of
    `VELOCITY_UNIT`, and 1 where it is given. The first latent shows one instant: nothing there.

    ``velocity`` ``[T, 2, rows, columns]`` one step a frame, in short sides of what ``box`` cuts
    out; ``chunk`` frames a latent; ``size`` (rows, columns) of the latents.
    """
    chunks = velocity[: len(velocity) // chunk * chunk]
    means = chunks.reshape(-1, chunk, *velocity.shape[1:]).mean(axis=1)
    out = np.zeros((3, 1 + len(means), *size), np.float32)
    for index, mean in enumerate(means, 1):
        out[:2, index] = fitted(mean, box, size) / VELOCITY_UNIT
    out[2, 1:] = 1.0
    return out


def words_of(text: str) -> NDArray[np.int64]:
    """The words of a caption as numbers ``[16]``, 0 where there are no more."""
    found = re.findall(r"[a-z]+", text.lower())[:MOST_WORDS]
    numbers = [1 + zlib.crc32(word.encode()) % (VOCABULARY - 1) for word in found]
    return np.array(numbers + [0] * (MOST_WORDS - len(numbers)), np.int64)
