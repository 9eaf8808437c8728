from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from conftest import photo_like, simple_field
from vivant.clip import Picture
from vivant.controls.camera import Camera
from vivant.controls.drawn import Drawn
from vivant.rendering.exports import export, export_bytes, flows
from vivant.rendering.renderer import render
from vivant.rendering.shot import Shot

SMOOTH = Picture(cv2.GaussianBlur(photo_like(160, 96), (0, 0), 2))
SHOT = Shot(SMOOTH, seconds=0.5, fps=24)


@pytest.mark.parametrize("camera", [Camera(), Camera(zoom=0.3, pan_x=0.1)])
def test_flow_is_what_the_renderer_did(camera: Camera) -> None:
    shot = replace(SHOT, controls=Drawn(camera=camera))
    field = simple_field(sway=0.15)
    frames = list(render(SMOOTH, field, shot.spec, camera=camera))
    y, x = np.mgrid[0:96, 0:160].astype(np.float32)
    grid = np.dstack([x, y])
    for t, pair in enumerate(flows(shot, field)):
        again = cv2.remap(
            frames[t],
            grid + pair.backward,
            None,
            cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REFLECT_101,
        )
        inside = np.s_[8:-8, 8:-8]
        error = np.abs(again[inside].astype(int) - frames[t + 1][inside]).mean()
        still = np.abs(frames[t][inside].astype(int) - frames[t + 1][inside]).mean()
        assert error < 0.6
        assert error < 0.6 * still or still < 0.3


def test_files_have_the_standard_layouts(tmp_path: Path) -> None:
    field = simple_field(sway=0.15)
    pair = next(flows(SHOT, field))
    parts = {"flo": ("flow", "mask"), "kitti": ("flow:kitti",), "npz": ("flow:npz",)}
    for name, wanted in parts.items():
        (tmp_path / name).mkdir()
        export(flows(SHOT, field), SHOT.spec.count, tmp_path / name, wanted)
    data = (tmp_path / "flo" / "forward_00000.flo").read_bytes()
    assert struct.unpack("<fii", data[:12]) == (202021.25, 160, 96)
    np.testing.assert_array_equal(np.frombuffer(data[12:], "<f4").reshape(96, 160, 2), pair.forward)
    assert len(list((tmp_path / "flo").glob("moving_*.png"))) == SHOT.spec.count - 1
    coded = cv2.imread(str(tmp_path / "kitti" / "backward_00000.png"), cv2.IMREAD_UNCHANGED)
    flow = (coded[..., :0:-1].astype(np.float32) - 32768) / 64
    np.testing.assert_allclose(flow, pair.backward, atol=1 / 64)
    with np.load(tmp_path / "npz" / "forward_00000.npz") as stored:
        np.testing.assert_allclose(stored["flow"], pair.forward, atol=0.01)


def test_the_size_of_an_export_is_known_before(tmp_path: Path) -> None:
    parts = ("flow", "mask")
    export(flows(SHOT, simple_field(sway=0.15)), SHOT.spec.count, tmp_path, parts)
    written = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert export_bytes(SHOT.spec, parts) == pytest.approx(written, rel=0.1)


def test_where_the_flow_is_not_exact_is_said() -> None:
    shot = replace(SHOT, seconds=1.5)
    field = simple_field(drift=(0.12, 0.0))  # textures renew
    frames = list(render(SMOOTH, field, shot.spec))
    y, x = np.mgrid[0:96, 0:160].astype(np.float32)
    exact, rest = [], []
    for t, pair in enumerate(flows(shot, field)):
        at = np.dstack([x, y]) + pair.backward
        again = cv2.remap(frames[t], at, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
        error = np.abs(again.astype(int) - frames[t + 1]).max(axis=2)
        error[:8] = error[-8:] = 0
        exact.append(float(error[pair.backward_exact].mean()))
        rest.append(
            float(error[~pair.backward_exact].mean()) if (~pair.backward_exact).any() else 0
        )
    assert np.mean(exact) < 0.6
    assert max(rest) > 3 * np.mean(exact)  # the mask names what it must
