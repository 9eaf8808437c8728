"""``import vivant``: light, typed, and the same as the command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import vivant
from conftest import EXAMPLES, photo_like, simple_field
from films import read_video
from vivant.controls.camera import Camera
from vivant.errors import UnsupportedControl, UsageError
from vivant.facade import size_named
from vivant.field.file import save_field

PHOTO = EXAMPLES / "china.jpg"
SMALL = {"seconds": 0.25, "size": (192, 128)}


def test_the_import_is_light() -> None:
    code = (
        "import time; clock = time.perf_counter(); import vivant;"
        "took = time.perf_counter() - clock; import sys;"
        "print(took, [m for m in ('numpy', 'cv2', 'av', 'torch', 'onnxruntime', 'typer', 'msgspec')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    took, heavy = done.stdout.strip().split(" ", 1)
    assert heavy == "[]"
    assert float(took) < 0.1


def test_one_line_makes_a_clip(tmp_path: Path) -> None:
    out = tmp_path / "clip.mp4"
    done = vivant.animate(PHOTO, camera="push-in", **SMALL).save(out)  # type: ignore[arg-type]
    assert done.clip.path == out
    assert vivant.verify(out).state == "trusted"
    assert len(read_video(out).frames) == 6


def test_frames_field_and_seeds() -> None:
    clip = vivant.animate(str(PHOTO), **SMALL)  # type: ignore[arg-type]
    assert (clip.plan.video.width, clip.plan.video.count) == (192, 6)
    one = np.stack(list(clip.frames()))
    np.testing.assert_array_equal(one, np.stack(list(clip.frames())))
    other = np.stack(list(clip.with_seed(1).frames()))
    np.testing.assert_array_equal(one[0], other[0])
    assert (one[-1] != other[-1]).any()
    assert clip.field.velocity.shape[1] == 2
    assert "sky" not in {layer.kind for layer in clip.motion.layers}  # it has no cloud
    told = vivant.animate(str(PHOTO), strength="sky=1", **SMALL)  # type: ignore[arg-type]
    assert {"sky", "plant"} <= {layer.kind for layer in told.motion.layers}


def test_pictures_and_masks_in_memory(tmp_path: Path) -> None:
    pixels = photo_like(96, 64)
    held = np.zeros((64, 96), np.uint8)
    held[:, :48] = 255
    save_field(tmp_path / "f.vivant", simple_field(96, 64, drift=(0.2, 0.0)))
    clip = vivant.render(pixels, tmp_path / "f.vivant", seconds=0.5, still=held)
    frames = np.stack(list(clip.frames()))
    np.testing.assert_array_equal(frames[0], pixels)
    assert (frames[:, :, :48] == pixels[:, :48]).all()
    free = np.stack(list(vivant.render(pixels, tmp_path / "f.vivant", seconds=0.5).frames()))
    assert (free[-1][:, :40] != pixels[:, :40]).any()


def test_controls_typed_as_text_or_several() -> None:
    said = vivant.animate(PHOTO, camera=["push-in 0.2", "pan-left 0.1"], loop=True, strength=0.5)
    typed = vivant.animate(
        PHOTO, camera=[Camera(zoom=0.2), Camera(pan_x=-0.1)], loop=True, strength="0.5"
    )
    assert said.request == typed.request
    assert vivant.animate(PHOTO, loop=False).request.controls == ()


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (None, None),
        ("480p", "480p"),
        (480, "480p"),
        ((320, 200), "320x200"),
        ([320, 200], "320x200"),
    ],
)
def test_a_size_is_said_in_several_ways(size: object, said: str | None) -> None:
    assert size_named(size) == said  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [True, 1.5, (320,), (320, 200, 3), (320.0, 200.0), b"480p"])
def test_a_size_of_another_type_is_one_sentence(size: object) -> None:
    with pytest.raises(UsageError, match="is not understood"):
        vivant.animate(PHOTO, size=size)


def test_errors_come_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no control 'fly'"):
        vivant.animate(PHOTO, fly=True)
    with pytest.raises(UsageError, match="no file"):
        vivant.animate(tmp_path / "none.jpg")
    with pytest.raises(UsageError, match="no model"):
        vivant.animate(PHOTO, model="sora")
    (tmp_path / "a.mp4").write_bytes(b"mine")
    with pytest.raises(UsageError, match="exists already"):
        vivant.animate(PHOTO).save(tmp_path / "a.mp4")
    assert issubclass(UnsupportedControl, UsageError)
    with pytest.raises(AttributeError, match="nothing"):
        _ = vivant.nothing
