from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from conftest import photo_like, picture, simple_field
from vivant.clip import Picture, VideoSpec
from vivant.controls.camera import Camera
from vivant.field import operations as ops
from vivant.field.motion_field import MotionField, still_field
from vivant.media.resize import fit
from vivant.rendering.blend import mix
from vivant.rendering.camera import view
from vivant.rendering.guided import guided_filter
from vivant.rendering.light import apply_light
from vivant.rendering.renderer import render

SPEC = VideoSpec(160, 96, 24.0, 48)


def run(field: MotionField, spec: VideoSpec = SPEC, **options: object) -> NDArray[np.uint8]:
    return np.stack(list(render(picture(), field, spec, **options)))  # type: ignore[arg-type]


def test_the_first_frame_is_the_picture() -> None:
    frames = run(simple_field(drift=(0.1, 0), sway=0.05), camera=Camera(zoom=0.2))
    np.testing.assert_array_equal(frames[0], picture().pixels)
    assert frames.shape == (48, 96, 160, 3)


def test_a_still_field_is_a_still_clip() -> None:
    frames = run(still_field(32, 53))
    assert (frames == picture().pixels).all()


def test_what_does_not_move_is_untouched() -> None:
    frames = run(simple_field(drift=(0.1, 0)))
    np.testing.assert_array_equal(
        frames[:, :, 100:], np.broadcast_to(picture().pixels[:, 100:], frames[:, :, 100:].shape)
    )
    assert (frames[20, :, :60] != frames[0, :, :60]).mean() > 0.3


def test_the_still_mask_holds_exactly() -> None:
    still = np.zeros((96, 160), np.uint8)
    still[20:60, 10:50] = 255
    field = simple_field(drift=(0.1, 0.05))
    lit = MotionField(
        field.velocity,
        field.light + np.linspace(0, 1, 16, dtype=np.float32)[:, None, None],
        field.map,
        field.still,
    )
    frames = run(lit, still=still)
    assert (frames[:, still > 0] == picture().pixels[still > 0]).all()
    assert (frames[40][still == 0] != frames[0][still == 0]).any()


def test_drift_moves_by_what_the_field_says() -> None:
    spec = VideoSpec(320, 320, 24.0, 13)
    pixels = cv2.GaussianBlur(photo_like(320, 320), (0, 0), 2)
    h = np.zeros((16, 2, 32, 32), np.float32)
    h[:, 0] = 0.08
    flat = np.zeros((32, 32), np.float32)
    field = MotionField(h, np.zeros((16, 32, 32), np.float32), flat + 0.08, flat)
    frames = list(render(Picture(pixels), field, spec))
    # early in the period the first layer dominates: measure the shift of the middle
    moved = frames[2][60:260, 60:260].astype(np.float32).mean(axis=2)
    before = frames[0][60:260, 60:260].astype(np.float32).mean(axis=2)
    (dx, dy), _ = cv2.phaseCorrelate(before, moved, cv2.createHanningWindow((200, 200), cv2.CV_32F))
    assert dx == pytest.approx(0.08 * 320 * 2 / 24, abs=0.35)
    assert abs(dy) < 0.2


def test_strength_scales_motion_monotonically() -> None:
    field = simple_field(sway=0.05)
    change = [
        np.abs(run(ops.scale(field, s))[6].astype(int) - picture().pixels).mean()
        for s in (0, 0.5, 1, 2)
    ]
    assert change[0] == 0
    assert change == sorted(change)
    assert change[3] > change[1] > 0


@pytest.mark.parametrize("seconds", [2.0, 4.0, 5.0])
@pytest.mark.parametrize(
    "motion", [{"drift": (0.12, 0.0)}, {"sway": 0.08}, {"drift": (0.06, 0.02), "sway": 0.05}]
)
def test_a_loop_has_no_seam(seconds: float, motion: dict[str, object]) -> None:
    spec = VideoSpec(160, 96, 24.0, round(seconds * 24))
    field = ops.periodic(simple_field(**motion), seconds)  # type: ignore[arg-type]
    photo = Picture(cv2.GaussianBlur(picture().pixels, (0, 0), 1.2))
    frames = np.stack(list(render(photo, field, spec, loop=True))).astype(np.float32)
    jumps = np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3))
    seam = np.abs(frames[0] - frames[-1]).mean()
    assert seam <= 1.05 * np.median(jumps)  # under a steady drift all steps are alike
    assert np.median(jumps) > 0.05


def test_light_is_multiplied_in_linear_light() -> None:
    grey = np.full((64, 64, 3), 100, np.uint8)
    out = apply_light(grey, np.full((32, 32), 1.0, np.float32))
    linear = (out[0, 0, 0] / 255) ** 2.2 / (100 / 255) ** 2.2
    assert linear == pytest.approx(2.0, rel=0.03)
    np.testing.assert_array_equal(apply_light(grey, np.zeros((32, 32), np.float32)), grey)


def test_one_or_two_threads_make_the_same_frames() -> None:
    field = simple_field(drift=(0.1, 0.02), sway=0.05)
    made = []
    before = cv2.getNumThreads()
    for threads in (1, 2):
        cv2.setNumThreads(threads)
        made.append(run(field, camera=Camera(zoom=0.1, pan_x=0.1)))
    cv2.setNumThreads(before)
    np.testing.assert_array_equal(made[0], made[1])


@pytest.mark.parametrize(
    "camera",
    [Camera(pan_x=0.3), Camera(pan_y=-0.2), Camera(roll=10), Camera(zoom=0.5, pan_x=-0.2, roll=5)],
)
def test_the_view_never_leaves_the_picture(camera: Camera) -> None:
    for way in (0.0, 0.3, 1.0):
        affine = view(camera, way, 320, 180)
        corners = np.array([[0, 0, 1], [319, 0, 1], [0, 179, 1], [319, 179, 1]]) @ affine.T
        assert corners[:, 0].min() >= -0.01
        assert corners[:, 0].max() <= 319.01
        assert corners[:, 1].min() >= -0.01
        assert corners[:, 1].max() <= 179.01
    np.testing.assert_allclose(view(camera, 0.0, 320, 180), [[1, 0, 0], [0, 1, 0]], atol=1e-5)


def test_push_in_enlarges_by_what_was_asked() -> None:
    affine = view(Camera(zoom=0.25), 1.0, 320, 180)
    assert affine[0, 0] == pytest.approx(1 / 1.25)
    right = view(Camera(pan_x=0.2), 1.0, 320, 180)
    centre = right @ np.array([159.5, 89.5, 1])
    assert centre[0] - 159.5 == pytest.approx(0.2 * 180, abs=0.01)


def test_a_mix_keeps_contrast() -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.integers(60, 196, (128, 128, 3)).astype(np.uint8) for _ in range(2))
    a, b = (cv2.resize(x[:40, :40], (160, 160), interpolation=cv2.INTER_CUBIC) for x in (a, b))
    plain = (a.astype(float) + b) / 2
    half = np.full((160, 160), 0.5, np.float32)
    kept = mix(a, b, half)
    assert plain.std() < 0.8 * a.std()
    assert kept.std() > 0.88 * a.std()
    assert abs(kept.mean() - plain.mean()) < 1.5
    np.testing.assert_array_equal(mix(a, a, half), a)
    np.testing.assert_array_equal(mix(a, b, 0 * half), a)
    np.testing.assert_array_equal(mix(a, b, 2 * half), b)


def test_the_guided_filter_follows_edges() -> None:
    guide = np.zeros((64, 64, 3), np.float32)
    guide[:, 30:] = 1.0
    values = np.zeros((64, 64), np.float32)
    values[:, 34:] = 1.0  # the coarse edge is four pixels off
    out = guided_filter(guide, values, 8, 1e-4)
    assert out[32, 31] - out[32, 28] > 0.3
    assert abs(guided_filter(guide, np.ones((64, 64), np.float32), 8, 1e-4) - 1).max() < 1e-3


def test_the_picture_is_fitted_to_the_frames() -> None:
    large = picture(320, 200)
    spec = VideoSpec(160, 96, 24, 2)
    first = next(render(large, simple_field(), spec))
    np.testing.assert_array_equal(first, fit(large, (160, 96)).pixels)


def test_masks_must_agree() -> None:
    mask = np.zeros((50, 50), np.uint8)
    with pytest.raises(ValueError, match="still mask must have"):
        next(render(picture(), simple_field(), VideoSpec(160, 96, 24, 2), still=mask))


def test_a_long_clip_does_not_repeat_or_pulse() -> None:
    spec = VideoSpec(96, 64, 8.0, 96)
    field = simple_field(96, 64, drift=(0.08, 0.02), sway=0.06)
    photo = Picture(cv2.GaussianBlur(picture(96, 64).pixels, (0, 0), 1.0))
    frames = np.stack(list(render(photo, field, spec))).astype(np.float32)[:, :, :44]

    def apart(seconds: float) -> float:
        shift = round(seconds * spec.fps)
        return float(np.abs(frames[shift:] - frames[:-shift]).mean())

    assert apart(4.0) > 0.5 * apart(3.0)
    assert apart(2.0) > 0.5 * apart(1.5)
    energy = np.abs(np.diff(frames, axis=2)).mean(axis=(1, 2, 3))
    assert (energy / energy[0]).min() > 0.8
    assert (energy / energy[0]).max() < 1.2


@pytest.mark.parametrize("fps", [0.05, 0.3, 1.0])
def test_few_frames_a_second(fps: float) -> None:
    spec = VideoSpec(96, 64, fps, 4)
    frames = list(render(picture(96, 64), simple_field(96, 64, drift=(0.1, 0.0), sway=0.1), spec))
    assert len(frames) == 4
    assert (frames[-1] != frames[0]).any()


def test_light_belongs_to_the_scene() -> None:
    stops = np.zeros((8, 8), np.float32)
    stops[:, :4] = 1.0
    grey = np.full((64, 64, 3), 100, np.uint8)
    aside = np.array([[1, 0, 16], [0, 1, 0]], np.float32)  # the view is 16 pixels to the right
    plain, seen = apply_light(grey, stops), apply_light(grey, stops, affine=aside)
    np.testing.assert_allclose(seen[:, :40].astype(int), plain[:, 16:56], atol=2)
