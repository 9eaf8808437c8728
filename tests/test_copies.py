"""A second copy of what holds is found where there is one, and nowhere else."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vivant.evaluation.copies import copy_of

W, H = 480, 360


def texture(seed: int, scale: int = 3) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 1, (H // scale, W // scale)).astype(np.float32)
    return cv2.resize(noise, (W, H), interpolation=cv2.INTER_CUBIC)


def pictured() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A wall of stones that holds beside leaves that do not; the mattes of both."""
    held = np.zeros((H, W), np.uint8)
    held[:, :200] = 255
    grey = np.where(held > 0, 110 + 30 * texture(1, 7), 120 + 22 * texture(2))
    return np.clip(np.repeat(grey[..., None], 3, 2), 0, 255).astype(np.uint8), held, 255 - held


def swayed(first: np.ndarray, region: np.ndarray, size: float = 3.0) -> np.ndarray:
    y, x = np.mgrid[0:H, 0:W].astype(np.float32)
    shift = size * cv2.GaussianBlur(texture(5, 40), (0, 0), 8)
    own = np.where(region[..., None] > 0, first, 120).astype(np.uint8)
    moved = cv2.remap(own, x + shift, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return np.where(region[..., None] > 0, moved, first).astype(np.uint8)


@pytest.mark.parametrize("share", [0.15, 0.4])
def test_a_ghost_is_found_at_its_shift(share: float) -> None:
    first, held, region = pictured()
    frame = swayed(first, region).astype(np.float32)
    ghost = np.roll(first.astype(np.float32), 12, axis=1)
    there = (np.roll(held, 12, axis=1) > 0) & (region > 0)
    frame[there] += share * (ghost[there] - 110) * 2
    found = copy_of(first, np.clip(frame, 0, 255).astype(np.uint8), held, region)
    assert found is not None
    assert found.ratio > 1.5
    assert found.shift[0] == pytest.approx(12 / H, abs=0.006)
    assert found.shift[1] == pytest.approx(0, abs=0.006)


def test_leaves_that_sway_are_no_ghost() -> None:
    first, held, region = pictured()
    found = copy_of(first, swayed(first, region), held, region)
    assert found is not None
    assert found.ratio < 1.5
    assert found.correlation < 0.25


def test_nothing_is_said_of_a_still_picture_or_of_next_to_nothing() -> None:
    first, held, region = pictured()
    assert copy_of(first, first.copy(), held, region) is None
    assert copy_of(first, swayed(first, region), np.zeros_like(held), region) is None
    assert copy_of(first, swayed(first, region), held, np.zeros_like(held)) is None
