from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from conftest import photo_like, simple_field
from vivant.clip import Picture, VideoSpec
from vivant.controls.camera import Camera
from vivant.controls.drawn import Drawn
from vivant.controls.stroke import Stroke
from vivant.field import operations
from vivant.field.file import load_field, save_field
from vivant.field.motion_field import MotionField
from vivant.motion.apply import apply_controls, guidance_for
from vivant.rendering.exports import flows
from vivant.rendering.renderer import render
from vivant.rendering.shot import Shot

SPEC = VideoSpec(320, 192, 24.0, 25)


def disc(width: int = 320, height: int = 192) -> np.ndarray:
    """A mask with a disc of radius 30 around (80, 96)."""
    mask = np.zeros((height, width), np.uint8)
    cv2.circle(mask, (80, 96), 30, 255, -1)
    return mask


@pytest.fixture
def picture() -> Picture:
    pixels = cv2.GaussianBlur(photo_like(320, 192) // 3, (0, 0), 4)
    pixels[disc() > 0] = (230, 160, 40)
    return Picture(pixels, name="disc.png", sha256="0" * 64)


@pytest.fixture
def body_field() -> MotionField:
    field = simple_field(320, 192)
    h, w = field.grid
    cells = cv2.resize(disc(), (w, h), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    velocity = field.velocity.copy()
    velocity[:, 0] = 0.5 * (cells > 0)
    return replace(field, velocity=velocity, body=cells)


def test_a_body_leaves_its_place_whole(picture: Picture, body_field: MotionField) -> None:
    frames = list(render(picture, body_field, SPEC))
    np.testing.assert_array_equal(frames[0], picture.pixels)
    last, travelled = frames[-1], round(0.5 * 192)
    there = np.roll(cv2.erode(disc(), np.ones((9, 9))), travelled, axis=1) > 0
    assert np.abs(last[there].astype(int) - (230, 160, 40)).max() <= 12
    left = cv2.erode(disc(), np.ones((9, 9))) > 0
    left &= np.roll(cv2.dilate(disc(), np.ones((15, 15))), travelled, axis=1) == 0
    assert left.sum() > 500
    assert last[left].max() < 130  # ground, neither the disc's colour nor a smear of it
    far = np.zeros((192, 320), bool)
    far[:, 240:] = True
    np.testing.assert_array_equal(last[far], picture.pixels[far])


def test_the_ground_truth_of_a_body(picture: Picture, body_field: MotionField) -> None:
    shot = Shot(picture, seconds=1.0)
    pairs = list(flows(shot, body_field))
    step = 0.5 * 192 / 24
    assert pairs[0].forward[96, 80, 0] == pytest.approx(step, abs=0.05)
    assert not pairs[0].forward[20, 300].any()
    assert pairs[5].occluded.any()


def test_bodies_come_back_in_a_loop_and_keep_to_masks(
    picture: Picture, body_field: MotionField
) -> None:
    frames = np.stack(list(render(picture, body_field, SPEC, loop=True))).astype(np.float32)
    jumps = np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3))
    assert np.abs(frames[-1] - frames[0]).mean() <= np.median(jumps)
    still = np.zeros((192, 320), np.uint8)
    still[:, 100:] = 255
    held = list(render(picture, body_field, SPEC, still=still))[-1]
    np.testing.assert_array_equal(held[:, 100:], picture.pixels[:, 100:])


def test_the_camera_sees_bodies(picture: Picture, body_field: MotionField) -> None:
    last = list(render(picture, body_field, SPEC, camera=Camera(zoom=0.5)))[-1]
    # the disc's centre (80 + 96, 96) is 16 right of the middle, 24 after the push-in
    assert np.abs(last[96, 160 + 24].astype(int) - (230, 160, 40)).max() <= 12


def test_body_cells_survive_the_file_and_the_operations(
    tmp_path: Path, body_field: MotionField
) -> None:
    save_field(tmp_path / "f.vivant", body_field)
    again = load_field(tmp_path / "f.vivant")
    assert again.body is not None
    np.testing.assert_array_equal(again.body, body_field.body)
    h, w = body_field.grid
    frozen = operations.freeze(body_field, np.ones((h, w), np.float32))
    assert frozen.body is not None
    assert not frozen.body.any()
    finer = operations.resample(body_field, grid=(2 * h, 2 * w))
    assert finer.body is not None
    assert finer.body.shape == (2 * h, 2 * w)
    both = operations.add(simple_field(320, 192), body_field)
    assert both.body is not None


def test_a_masked_and_driven_thing_becomes_a_body_unless_it_is_fluid(picture: Picture) -> None:
    stroke = Stroke(((0.25, 0.5), (0.5, 0.5)))
    shot = Shot(picture, seconds=1.0, controls=Drawn(move=disc(), strokes=(stroke,)))
    field = simple_field(320, 192)
    guidance = guidance_for(shot, field.grid)
    solid = apply_controls(field, guidance, shot, np.zeros(field.grid, np.float32))
    assert solid.body is not None
    inside = solid.body > 0.9
    assert inside.sum() > 50
    np.testing.assert_allclose(solid.velocity[:, 0, inside], 0.25 * 320 / 192, rtol=1e-3)
    assert apply_controls(field, guidance, shot, np.ones(field.grid, np.float32)).body is None
    everything = np.full((192, 320), 255, np.uint8)
    wide = replace(shot, controls=replace(shot.controls, move=everything))
    whole = apply_controls(
        field, guidance_for(wide, field.grid), wide, np.zeros(field.grid, np.float32)
    )
    assert whole.body is None


def test_a_body_at_rest_changes_nothing(picture: Picture, body_field: MotionField) -> None:
    resting = replace(body_field, velocity=np.zeros_like(body_field.velocity))
    for frame in list(render(picture, resting, SPEC))[:5]:
        np.testing.assert_array_equal(frame, picture.pixels)
