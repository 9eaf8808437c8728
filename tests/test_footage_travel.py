"""Things that travelled at the end of footage travel on."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from test_layers import H, W
from test_travel import with_boats
from vivant.footage.travel import cells_of, ground_below, travelling_on
from vivant.motion.held import Looked

FPS = 12.0
STEP = 2
"""Pixels to the right, a frame."""
CELLS = (24, 32)


def footage(back: int = 8) -> tuple[Looked, list[np.ndarray], np.ndarray]:
    """A boat that travels past one that lies still: what is seen in the last frame, the frames, and
    the matte of the boat that travels."""
    looked, _ = with_boats()
    rng = np.random.default_rng(0)
    ground, paint = (
        np.clip(mean + 30 * cv2.GaussianBlur(rng.normal(size=(H, W, 3)), (0, 0), 1.2) * 3, 0, 255)
        for mean in (90, 170)
    )
    matte = looked.mattes.alpha["vehicle"] > 0
    _, parts = cv2.connectedComponents(matte.astype(np.uint8))
    frames = []
    for k in range(-back, 1):
        frame = np.where((parts == 2)[..., None], paint, ground)
        moved = np.roll(parts == 1, STEP * k, axis=1)[..., None]
        frames.append(np.where(moved, np.roll(paint, STEP * k, axis=1), frame).astype(np.uint8))
    return looked, frames, (parts == 1).astype(np.float32)


def test_a_boat_travels_on_and_one_that_lies_still_does_not() -> None:
    looked, frames, matte = footage()
    bodies = travelling_on(frames, FPS, looked, frames[-1])
    assert len(bodies) == 1
    speed = STEP * FPS
    assert bodies[0].path[round(FPS)] == pytest.approx([speed, 0], abs=0.15 * speed)
    assert bodies[0].path[0] == pytest.approx([0, 0])
    assert bodies[0].path[round(20 * FPS), 0] == pytest.approx(20 * speed, rel=0.15)
    assert bodies[0].matte[matte > 0].mean() > 0.9
    cells = cells_of(bodies, CELLS[::-1])
    inside = cv2.resize(matte, CELLS[::-1], interpolation=cv2.INTER_AREA) > 0.9
    assert cells[inside].min() > 0.9
    assert cells[0, 0] == 0


def test_what_was_seen_before_it_came_is_behind_it() -> None:
    looked, frames, matte = footage(back=30)
    bodies = travelling_on(frames, FPS, looked, frames[-1])
    below = ground_below(frames, frames[-1], bodies)
    assert np.array_equal(below[matte > 0], frames[0][matte > 0])
    far = cv2.dilate(matte, np.ones((31, 31), np.uint8)) == 0
    assert np.array_equal(below[far], frames[-1][far])


def test_somebody_comes_to_rest() -> None:
    looked, frames, _ = footage()
    people = [replace(one, kind="being") if one.kind == "vehicle" else one
              for one in looked.scene.instances]  # fmt: skip
    looked = replace(looked, scene=replace(looked.scene, instances=tuple(people)))
    (body,) = travelling_on(frames, FPS, looked, frames[-1])
    steps = np.diff(body.path[:, 0])
    assert steps[0] == pytest.approx(STEP, rel=0.2)
    assert steps[round(3 * FPS)] < 0.1 * steps[0]


def test_before_a_camera_that_pans_nothing_travels() -> None:
    looked, frames, _ = footage()
    panned = [np.roll(frame, -STEP * k, axis=1) for k, frame in enumerate(frames)]
    last = np.roll(panned[-1], STEP * (len(panned) - 1), axis=1)
    panned = [np.roll(frame, STEP * (len(panned) - 1), axis=1) for frame in panned]
    assert np.array_equal(panned[-1], last)
    assert travelling_on(panned, FPS, looked, last) == []


def test_what_jumps_about_does_not_travel() -> None:
    looked, frames, _ = footage()
    jumping = [frames[k] for k in (0, 8, 2, 6, 1, 7, 3, 5, 8)]
    assert travelling_on(jumping, FPS, looked, jumping[-1]) == []
