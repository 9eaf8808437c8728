from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from test_layers import PIXELS, H, W, looked
from vivant.clip import Picture
from vivant.controls.camera import Camera
from vivant.controls.drawn import Drawn
from vivant.controls.stroke import Stroke
from vivant.motion.asked import Asked
from vivant.motion.choose import choose
from vivant.motion.performance import Performance, things_of
from vivant.motion.steering import FIRST
from vivant.rendering.parameters import RENDERING
from vivant.rendering.shot import Shot

SOFT = cv2.GaussianBlur(PIXELS, (0, 0), 1.5)


def performance(drawn: Drawn = Drawn(), seed: int = 0, **shot: object) -> Performance:  # noqa: B008
    picture = Picture(SOFT, name="p.png", sha256="1" * 64)
    one = Shot(picture, 1.0, 8.0, seed=seed, controls=drawn, **shot)  # type: ignore[arg-type]
    scene = looked()
    motion = choose(scene, Asked(seed=seed, strokes=drawn.strokes, seconds=1.0))
    return Performance(one, scene, motion, things_of(one, scene, FIRST), RENDERING, "m")


def test_the_first_frame_is_the_picture_and_what_is_outside_holds() -> None:
    move = np.zeros((H, W), np.uint8)
    move[70:120, :100] = 255
    frames = list(performance(Drawn(move=move)).frames())
    assert len(frames) == 8
    np.testing.assert_array_equal(frames[0], SOFT)
    for frame in frames[1:]:
        np.testing.assert_array_equal(frame[move == 0], SOFT[move == 0])
    assert (frames[-1][move > 0] != SOFT[move > 0]).any()


def test_the_camera_looks_at_layers_that_move() -> None:
    still, seen = (
        list(performance(Drawn(camera=camera)).frames()) for camera in (Camera(), Camera(zoom=0.2))
    )
    np.testing.assert_array_equal(seen[0], SOFT)
    zoomed = cv2.getRectSubPix(still[-1], (round(W / 1.18), round(H / 1.18)), (W / 2, H / 2))
    zoomed = cv2.resize(zoomed, (W, H), interpolation=cv2.INTER_CUBIC)
    assert (
        np.abs(zoomed.astype(int) - seen[-1]).mean()
        < np.abs(still[-1].astype(int) - seen[-1]).mean()
    )


def test_a_stroke_drives_a_thing_over_what_moves() -> None:
    things = np.zeros((H, W), np.uint8)
    things[80:96, 30:50] = 255  # a boat on the water
    stroke = Stroke(((0.2, 0.68), (0.5, 0.68)), 1.0)
    one = performance(Drawn(strokes=(stroke,), things=things))
    assert one.things is None or one.things.body is not None  # on water it may flow instead
    frames = list(one.frames())
    assert (frames[-1][80:96, 30:110] != SOFT[80:96, 30:110]).mean() > 0.3


def test_nothing_moves_without_a_scene() -> None:
    one = replace(performance(), looked=None)
    assert all((frame == SOFT).all() for frame in one.frames())
    assert not one.field().velocity.any()


def test_loops_lead_into_their_beginning() -> None:
    frames = [f.astype(int) for f in performance(loop=True).frames()]
    steps = [np.abs(b - a).mean() for a, b in pairwise(frames)]
    assert np.abs(frames[-1] - frames[0]).mean() <= 1.5 * max(steps)
    assert performance(loop=True).field().loop_seconds == pytest.approx(1.0)


def test_truth_leads_from_frame_to_frame() -> None:
    one = performance()
    frames = list(one.frames())
    y, x = np.mgrid[0:H, 0:W].astype(np.float32)
    errors, changes, shares = [], [], []
    for index, pair in enumerate(one.flows()):
        at = np.dstack([x, y]) + pair.backward
        fetched = cv2.remap(frames[index], at, None, cv2.INTER_LINEAR)
        own = pair.backward_exact & (np.abs(pair.backward).max(-1) > 0.1)
        shares.append(pair.backward_exact.mean())
        if own.sum() > 50:
            errors.append(np.abs(fetched[own].astype(int) - frames[index + 1][own]).mean())
            changes.append(np.abs(frames[index][own].astype(int) - frames[index + 1][own]).mean())
    assert len(shares) == 7
    assert np.mean(shares) > 0.1
    assert errors
    assert np.mean(errors) < 0.6 * np.mean(changes)
    held = one.shot.picture.pixels[30:60, 84:108]
    np.testing.assert_array_equal(frames[-1][30:60, 84:108], held)
