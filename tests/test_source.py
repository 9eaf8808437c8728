"""The photograph between its pixels and beyond the frames' size: crisp, and in its place."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from conftest import photo_like, simple_field
from vivant.clip import Frame, Picture, VideoSpec
from vivant.controls.camera import Camera
from vivant.field.motion_field import still_field
from vivant.media.resize import fit
from vivant.rendering.camera import ease, view
from vivant.rendering.renderer import render
from vivant.rendering.source import denser

SIZE = (216, 144)


def detailed(width: int = 400, height: int = 267) -> Picture:
    """Fine texture over a photo-like ground."""
    rng = np.random.default_rng(5)
    fine = cv2.GaussianBlur(rng.normal(0, 90, (height, width, 3)), (0, 0), 0.8)
    return Picture(np.clip(photo_like(width, height) + fine, 0, 255).astype(np.uint8))


def crispness(frame: Frame) -> float:
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


@pytest.mark.parametrize("zoom", [0.3, 0.6])
def test_a_camera_that_closes_in_sees_the_photograph(zoom: float) -> None:
    photo = detailed()
    spec = VideoSpec(*SIZE, 24.0, 12)
    camera = Camera(zoom=zoom)
    last = list(render(photo, still_field(32, 48), spec, camera=camera))[-1]
    affine = view(camera, ease(11 / 12, False), *SIZE)
    ratio = photo.size[0] / SIZE[0], photo.size[1] / SIZE[1]
    edge = [affine[k, k] * -0.5 + affine[k, 2] + 0.5 for k in (0, 1)]
    box = [edge[k] * ratio[k] for k in (0, 1)]
    box += [(edge[k] + affine[k, k] * SIZE[k]) * ratio[k] for k in (0, 1)]
    cut = Image.fromarray(photo.pixels).resize(SIZE, Image.Resampling.LANCZOS, box=tuple(box))
    wanted = np.asarray(cut)
    inner = np.s_[8:-8, 8:-8]
    error = np.mean((wanted[inner].astype(float) - last[inner]) ** 2)
    assert 10 * np.log10(255**2 / error) > 32  # a quarter of a pixel aside gives 24
    assert crispness(last) > 0.8 * crispness(wanted)


def test_the_second_frame_is_as_crisp_as_the_first() -> None:
    photo = fit(detailed(), SIZE)
    spec = VideoSpec(*SIZE, 24.0, 4)
    field = simple_field(*SIZE, drift=(0.05, 0.01))
    frames = list(render(photo, field, spec))
    left = np.s_[10:-10, 10:90]
    for frame in frames[1:]:
        assert crispness(frame[left]) == pytest.approx(crispness(frames[0][left]), rel=0.05)


def test_denser_keeps_the_pixels_and_finds_what_is_between() -> None:
    x = np.arange(64)
    wave = (128 + 90 * np.sin(0.9 * x)).astype(np.uint8)
    image = np.repeat(np.repeat(wave[None, :, None], 24, 0), 3, 2)
    out = denser(image)
    np.testing.assert_array_equal(out[::2, ::2], image)
    between = 128 + 90 * np.sin(0.9 * (x + 0.5))
    assert np.abs(out[24, 1::2, 0][10:-10] - between[10:-10]).max() < 4
