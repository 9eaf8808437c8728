"""Depth of field: slices blurred before they are laid over one another."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from conftest import photo_like
from vivant.clip import VideoSpec
from vivant.controls.camera import Camera, parse_camera
from vivant.rendering.space.focus import defocused
from vivant.rendering.space.path import path_of
from vivant.rendering.space.pose import Pose
from vivant.rendering.space.relief import Relief, Sheet
from vivant.rendering.space.view import View, viewed_along

W, H = 192, 128
SPEC = VideoSpec(W, H, 12.0, 12)
DISC = cv2.circle(np.zeros((H, W), np.uint8), (96, 64), 40, 255, -1, cv2.LINE_AA)


def relief() -> Relief:
    """A disc before a wall."""
    near, far = (np.full((16, 24), q, np.float32) for q in (0.9, 0.1))
    return Relief((Sheet(np.asarray(255 - DISC, np.uint8), far), Sheet(DISC, near)))


def sharpness(frame: np.ndarray, where: np.ndarray) -> float:
    return float(np.abs(cv2.Laplacian(frame.astype(np.float32), cv2.CV_32F))[where].mean())


INSIDE = cv2.erode(DISC, np.ones((25, 25))) > 0
OUTSIDE = cv2.dilate(DISC, np.ones((25, 25))) == 0


@pytest.mark.parametrize("name", ["focus-near", "focus-far"])
def test_the_one_stays_sharp_and_the_other_blurs(name: str) -> None:
    pixels = photo_like(W, H, seed=2)
    path = path_of(parse_camera(f"{name} 2%"), SPEC, False, relief())
    frames = list(viewed_along(pixels, iter([pixels] * SPEC.count), relief(), path))
    np.testing.assert_array_equal(frames[0], pixels)
    sharp, soft = (INSIDE, OUTSIDE) if name == "focus-near" else (OUTSIDE, INSIDE)
    assert sharpness(frames[-1], soft) < 0.4 * sharpness(pixels, soft)
    assert sharpness(frames[-1], sharp) > 0.8 * sharpness(pixels, sharp)
    blur = [sharpness(frame, soft) for frame in frames]
    assert blur[3] > blur[6] > blur[-1]  # the lens opens by and by


def test_what_is_sharp_does_not_bleed_into_what_is_blurred_behind_it() -> None:
    pixels = np.full((H, W, 3), 60, np.uint8)
    pixels[cv2.dilate(DISC, np.ones((3, 3))) > 0] = (250, 0, 0)  # with its soft edge
    pose = Pose(blurs=((0.9, 0.04),))
    view = View(pixels, relief(), path_of(Camera(focus_near=0.02), SPEC, False, relief()))
    seen = view.at(pixels, pose)
    ring = (cv2.dilate(DISC, np.ones((13, 13))) > 0) & (cv2.dilate(DISC, np.ones((9, 9))) == 0)
    plain = cv2.GaussianBlur(pixels, (0, 0), 0.04 * H)
    assert seen[ring][:, 0].mean() < 60 + 0.35 * (plain[ring][:, 0].mean() - 60)


def test_blur_grows_with_the_distance_from_the_focus() -> None:
    pose = Pose(blurs=((0.25, 0.03),))
    blur = pose.blur(np.array([[0.25, 0.0, 1.0, 0.625]], np.float32))[0]
    assert blur[0] == 0
    assert blur[1] == pytest.approx(0.01)
    assert blur[2] == pytest.approx(0.03)
    assert blur[3] == pytest.approx(0.015)


def test_no_blur_changes_nothing_and_an_even_one_is_a_gaussian() -> None:
    colours = photo_like(64, 48, seed=4)
    share = np.ones((48, 64), np.float32)
    same, covered = defocused(colours, share, np.zeros((48, 64), np.float32))
    np.testing.assert_array_equal(same, colours)
    np.testing.assert_array_equal(covered, share)
    even, _ = defocused(colours, share, np.full((48, 64), 2.0, np.float32))
    wanted = cv2.GaussianBlur(colours, (0, 0), 2.0, borderType=cv2.BORDER_REPLICATE)
    assert np.abs(even.astype(int) - wanted).max() <= 1
    mixed, _ = defocused(colours, share, np.tile(np.linspace(0, 3, 64, dtype=np.float32), (48, 1)))
    left, right = np.s_[:, :8], np.s_[:, -8:]
    assert np.abs(mixed[left].astype(int) - colours[left]).mean() < 6
    assert sharpness(mixed, right) < 0.3 * sharpness(colours, right)
