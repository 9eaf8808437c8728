"""The camera measured from frames: known views, with something else moving."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vivant.controls.camera import Camera
from vivant.evaluation.camera import Move, asked, camera_error, camera_of, similarity
from vivant.rendering.camera import ease, view

W, H = 240, 160


def _clip(camera: Camera, walker: bool = False) -> np.ndarray:
    rng = np.random.default_rng(1)
    picture = cv2.resize(rng.integers(0, 256, (20, 30, 3), np.uint8), (W, H), None, 0, 0, 2)
    frames = []
    for k in range(13):
        moving = picture.copy()
        if walker:
            moving[60:100, 20 + 8 * k : 60 + 8 * k] = (250, 30, 30)
        at = view(camera, ease(k / 12, loop=False), W, H)
        frames.append(
            cv2.warpAffine(moving, at, (W, H), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        )
    return np.stack(frames).astype(np.uint8)


@pytest.mark.parametrize(
    "camera",
    [
        Camera(zoom=0.2),
        Camera(pan_x=0.12),
        Camera(pan_y=-0.08),
        Camera(roll=6.0),
        Camera(pan_x=-0.06, zoom=0.1, roll=-3.0),
    ],
)
@pytest.mark.parametrize("walker", [False, True])
def test_what_the_camera_does_is_found(camera: Camera, walker: bool) -> None:
    found, wanted = camera_of(_clip(camera, walker)), asked(camera, W, H)
    error = camera_error(found, wanted)
    assert error.pan < 0.01
    assert error.scale < 0.015
    assert error.roll < 0.4
    # and the measure tells it from a camera that stands still
    away = camera_error(found, asked(Camera(), W, H))
    assert max(away.pan / 0.01, away.scale / 0.015, away.roll / 0.4) > 3


def test_signs_and_amounts_of_a_request() -> None:
    zoom = asked(Camera(zoom=0.25), W, H)
    assert (zoom.scale, zoom.pan_x, zoom.roll) == pytest.approx((1.25, 0, 0), abs=1e-5)
    assert asked(Camera(pan_x=0.1), W, H).pan_x == pytest.approx(0.1, abs=1e-5)
    assert camera_error(Move(0.3, 0.4, 1, 179, 1), Move(0, 0, 1, -179, 1)).pan == pytest.approx(0.5)
    assert camera_error(Move(0, 0, 1, 179, 1), Move(0, 0, 1, -179, 1)).roll == pytest.approx(2)


def test_a_flow_in_closed_form() -> None:
    y, x = np.mgrid[0:80, 0:120].astype(np.float32)
    field = np.stack([0.1 * x - 2, 0.1 * y + 1], axis=-1)
    field[30:50, 40:60] += 15
    matrix, share = similarity(field)
    assert matrix == pytest.approx(np.array([[1.1, 0, -2], [0, 1.1, 1]]), abs=1e-3)
    assert 0.9 < share < 1


def test_a_still_has_no_camera() -> None:
    found = camera_of(_clip(Camera()))
    assert camera_error(found, asked(Camera(), W, H)).pan < 1e-3
    with pytest.raises(ValueError, match="two frames"):
        camera_of(_clip(Camera())[:1])
