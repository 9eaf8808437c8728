"""A camera through footage: near moves more than far, nothing is torn, the first frame is as it was."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from films import read_video
from test_cli import report, run
from test_footage import write_clip
from test_footage_freeze import seen
from vivant.footage.stir import near_of, seen_from
from vivant.rendering.space.pose import Lens, Pose
from vivant.rendering.space.relief import Relief, Sheet

SIDE = Pose(position=(0.05, 0.0, 0.0))


def shift_of(moved: np.ndarray, still: np.ndarray, rows: slice) -> int:
    """Pixels by which some rows have moved sideways."""
    middle = still[rows, 60:180].astype(float)
    tries = {k: np.abs(moved[rows, 60 + k : 180 + k] - middle).mean() for k in range(-24, 25)}
    return min(tries, key=lambda k: tries[k])


def test_near_moves_more_than_far() -> None:
    frame = seen(0)
    near = np.repeat(np.linspace(0, 1, 96, dtype=np.float32)[:, None], 144, axis=1)
    lens = Lens()
    moved = seen_from(frame, SIDE, near, lens)
    far, close = shift_of(moved, frame, slice(0, 16)), shift_of(moved, frame, slice(144, 160))
    wanted = -SIDE.position[0] * lens.focal * 160
    assert abs(far) <= 1
    assert close == pytest.approx(0.95 * wanted, abs=1.5)
    assert seen_from(frame, Pose(), near, lens) is frame


def test_near_has_no_steps() -> None:
    matte = np.zeros((160, 240), np.uint8)
    matte[40:120, 80:160] = 255
    ones = np.ones((24, 36), np.float32)
    near = near_of(Relief((Sheet(matte, ones), Sheet(255 - matte, 0 * ones))))
    assert near.max() > 0.95
    assert near.min() < 0.05
    assert np.abs(np.diff(near, axis=1)).max() < 0.35


def test_footage_that_a_camera_moves_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = write_clip(tmp_path / "a.mp4", [seen(0, light=4 * k) for k in range(8)], fps=4)
    own = read_video(clip).frames
    out = tmp_path / "b.mkv"
    words = ["stir", clip, "-o", out, "--camera", "truck-right 8%", "--no-watermark"]
    assert run(monkeypatch, *words) == 0
    made = read_video(out).frames
    assert len(made) == 8
    assert np.array_equal(made[0], own[0])
    assert np.abs(made[-1].astype(float) - own[-1]).mean() > 2
    assert abs(float(made[-1].mean()) - float(own[-1].mean())) < 6
    capsys.readouterr()
    assert run(monkeypatch, "verify", out, "--json") == 0
    asked = report(capsys)[0]["record"]["request"]["controls"]  # type: ignore[index]
    assert [control["control"] for control in asked] == ["stir", "camera"]
    assert asked[1]["truck"] == pytest.approx(0.08)


def test_footage_in_another_light(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = write_clip(tmp_path / "a.mp4", [seen(0)] * 8, fps=4)
    own = read_video(clip).frames
    out = tmp_path / "b.mkv"
    words = ["stir", clip, "-o", out, "--light", "darker 0.8", "--no-watermark"]
    assert run(monkeypatch, *words) == 0
    made = read_video(out).frames
    levels = [float(frame.mean()) for frame in made]
    assert np.array_equal(made[0], own[0])
    assert all(a > b for a, b in itertools.pairwise(levels))
    assert levels[-1] < 0.8 * levels[0]


def test_what_cannot_be_stirred_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = write_clip(tmp_path / "a.mp4", [seen(-8 * k) for k in range(8)])
    out = tmp_path / "b.mp4"
    assert run(monkeypatch, "stir", clip, "-o", out) == 2
    assert "Say how the camera shall move" in capsys.readouterr().err
    assert run(monkeypatch, "stir", clip, "-o", out, "--camera", "orbit") == 2
    assert "moves on" in capsys.readouterr().err
    assert not out.exists()
