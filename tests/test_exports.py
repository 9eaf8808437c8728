from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from conftest import photo_like, simple_field
from vivant.clip import Picture
from vivant.controls.types import Camera, Controls
from vivant.errors import UsageError
from vivant.render.exports import export, flows
from vivant.render.renderer import render
from vivant.request import Request

SMOOTH = Picture(cv2.GaussianBlur(photo_like(160, 96), (0, 0), 2))
REQUEST = Request(SMOOTH, seconds=0.5, fps=24)


@pytest.mark.parametrize("camera", [Camera(), Camera(zoom=0.3, pan_x=0.1)])
def test_flow_is_what_the_renderer_did(camera: Camera) -> None:
    request = replace(REQUEST, controls=Controls(camera=camera))
    field = simple_field(sway=0.15)
    frames = list(render(SMOOTH, field, request.spec, camera=camera))
    y, x = np.mgrid[0:96, 0:160].astype(np.float32)
    grid = np.dstack([x, y])
    for t, pair in enumerate(flows(request, field)):
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
    pair = next(flows(REQUEST, field))
    export(REQUEST, field, tmp_path / "flo", ("flow", "mask"))
    data = (tmp_path / "flo" / "forward_00000.flo").read_bytes()
    assert struct.unpack("<fii", data[:12]) == (202021.25, 160, 96)
    np.testing.assert_array_equal(np.frombuffer(data[12:], "<f4").reshape(96, 160, 2), pair.forward)
    assert len(list((tmp_path / "flo").glob("moving_*.png"))) == REQUEST.spec.count - 1
    export(REQUEST, field, tmp_path / "kitti", ("flow",), flow_format="kitti")
    coded = cv2.imread(str(tmp_path / "kitti" / "backward_00000.png"), cv2.IMREAD_UNCHANGED)
    flow = (coded[..., :0:-1].astype(np.float32) - 32768) / 64
    np.testing.assert_allclose(flow, pair.backward, atol=1 / 64)
    export(REQUEST, field, tmp_path / "npz", ("flow",), flow_format="npz")
    with np.load(tmp_path / "npz" / "forward_00000.npz") as stored:
        np.testing.assert_allclose(stored["flow"], pair.forward, atol=0.01)


def test_unknown_formats_and_existing_folders(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="flow format"):
        export(REQUEST, simple_field(), tmp_path / "x", ("flow",), flow_format="exr")
    (tmp_path / "y").mkdir()
    (tmp_path / "y" / "mine").touch()
    with pytest.raises(UsageError, match="exists already"):
        export(REQUEST, simple_field(), tmp_path / "y", ("flow",))
