from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

import vivant
from test_layers import looked
from vivant.controls.aspect import Aspect, parse_aspect
from vivant.controls.stroke import Stroke
from vivant.controls.table import words_of
from vivant.errors import UsageError
from vivant.kinds import INDEX
from vivant.motion.crop import window_of
from vivant.motion.motion_file import motion_bytes
from vivant.scene.network import assemble
from vivant.scene.record import Scene

LAKE = Path(__file__).parents[1] / "examples" / "lake.jpg"
OPTIONS: dict[str, object] = {"seconds": 0.5, "fps": 8, "size": "96p"}


def scene_with(left: float, top: float, width: float, height: float) -> Scene:
    """Someone on a lawn."""
    h, w = 64, 96
    kinds = np.zeros((12, h, w), np.float32)
    kinds[INDEX["ground"]] = 1
    rows = slice(round(top * h), round((top + height) * h))
    columns = slice(round(left * w), round((left + width) * w))
    kinds[:, rows, columns] = 0
    kinds[INDEX["being"], rows, columns] = 1
    flat = np.full((h, w), 0.5, np.float32)
    waters = np.full((4, h, w), 0.25, np.float32)
    return assemble(kinds, waters, flat, flat * 0, flat * 0, {})


@pytest.mark.parametrize("left", [0.0, 0.05, 0.4, 0.8, 0.85])
@pytest.mark.parametrize("text", ["9:16", "1:1", "4:5"])
def test_the_main_thing_stays_whole(left: float, text: str) -> None:
    scene = scene_with(left, 0.3, 0.12, 0.5)
    ratio = parse_aspect(text, None)[0].ratio  # type: ignore[arg-type]
    window = window_of(scene, (960, 640), ratio)
    assert window.main is not None
    one = scene.instances[window.main]
    assert one.kind == "being"
    assert window.left <= one.box[0] + 1e-6
    assert window.left + window.width >= one.box[2] - 1e-6
    assert (window.top, window.height) == (0.0, 1.0)
    box = window.box((640, 960, 3))
    shape = box[1].stop - box[1].start, box[0].stop - box[0].start
    assert shape[0] / shape[1] == pytest.approx(ratio, rel=0.01)
    assert box[1].start >= 0
    assert box[1].stop <= 960


def test_who_is_too_tall_keeps_the_head() -> None:
    tall = scene_with(0.3, 0.2, 0.4, 0.78)
    window = window_of(tall, (640, 960), 1.0)
    assert window.top < 0.2
    assert window.top + window.height < 0.9
    wide = scene_with(0.1, 0.3, 0.8, 0.4)
    middle = window_of(wide, (960, 640), 9 / 16)
    assert middle.left + middle.width / 2 == pytest.approx(0.5, abs=0.02)
    empty = looked().scene
    assert 0 <= window_of(empty, (960, 640), 1.0).left <= 1 / 3


def test_shapes_are_words_with_limits() -> None:
    assert parse_aspect("9:16", None) == (Aspect(9, 16),)  # type: ignore[arg-type]
    assert words_of(Aspect(4, 5)) == ("--aspect", "4:5")
    for text, said in (("tall", "not understood"), ("1:9", "out of range"), ("0:1", "out of range"), ("9x16", "not understood")):  # fmt: skip
        with pytest.raises(UsageError, match=said):
            parse_aspect(text, None)  # type: ignore[arg-type]


def test_a_clip_of_another_shape_is_a_part_of_the_picture(tmp_path: Path) -> None:
    made = vivant.animate(LAKE, aspect="9:16", **OPTIONS)  # type: ignore[arg-type]
    assert (made.plan.video.width, made.plan.video.height) == (96, 170)
    assert any("cut by" in note and "9:16" in note for note in made.plan.notes)
    frames = list(made.frames())
    whole = np.asarray(Image.open(LAKE).convert("RGB"))
    scale = 170 / whole.shape[0]
    small = cv2.resize(whole, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    found = cv2.matchTemplate(small, frames[0][2:-2, 2:-2], cv2.TM_SQDIFF_NORMED)
    assert found.min() < 0.02
    assert np.median(found) > 4 * found.min()
    same = vivant.animate(LAKE, aspect="16:9", **OPTIONS)  # type: ignore[arg-type]
    assert not any("cut" in note for note in same.plan.notes)
    motion = tmp_path / "m.motion"
    motion.write_bytes(motion_bytes(made.motion))
    again = list(vivant.render(LAKE, motion, **OPTIONS).frames())  # type: ignore[arg-type]
    for one, other in zip(frames, again, strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_is_given_for_the_picture_is_cut_alike(tmp_path: Path) -> None:
    h, w = 144, 256
    held = np.zeros((h, w), np.uint8)
    held[:, : w // 2] = 255
    Image.fromarray(held).save(tmp_path / "held.png")
    depth = np.tile(np.linspace(60, 255, w).astype(np.uint8), (h, 1))
    Image.fromarray(depth).save(tmp_path / "depth.png")
    options = {**OPTIONS, "aspect": "1:1", "seconds": 1.0}
    made = vivant.animate(LAKE, still=tmp_path / "held.png", **options)  # type: ignore[arg-type]
    frames = [frame.astype(int) for frame in made.frames()]
    changed = np.abs(frames[-1] - frames[0]).max(axis=2) > 0
    free = list(vivant.animate(LAKE, **options).frames())  # type: ignore[arg-type]
    moves = np.abs(free[-1].astype(int) - free[0]).max(axis=2) > 0
    columns = np.flatnonzero(changed.any(0))
    edge = int(columns.min())
    assert 5 < edge < 90  # the mask's edge, where it lies in the part
    assert moves[:, : edge - 4].any()
    assert not changed[:, :edge].any()
    near = vivant.animate(LAKE, depth=tmp_path / "depth.png", camera="truck-right", **options)  # type: ignore[arg-type]
    list(near.frames())
    kept = near.motion.depth
    assert kept is not None
    assert kept.shape[0] == kept.shape[1]
    with pytest.raises(UsageError, match="outside of the part"):
        vivant.animate(LAKE, stroke="0.01,0.2>0.01,0.4", **{**options, "aspect": "1:4"})  # type: ignore[arg-type]
    inside = vivant.animate(LAKE, stroke="0.2,0.2>0.9,0.2", **options)  # type: ignore[arg-type]
    assert inside.request.one(Stroke) is not None
    list(inside.frames())
