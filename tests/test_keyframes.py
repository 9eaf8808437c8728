"""Several key frames: met exactly, alive between and after them, other scenes only if asked."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

import vivant
from films import read_video
from test_cli import report, run
from test_footage import shifted, write_picture
from vivant.asset import Asset
from vivant.clip import VideoSpec
from vivant.controls.loop import Loop
from vivant.errors import UsageError
from vivant.footage.passage import crisp
from vivant.footage.through import arriving, stops_of
from vivant.request import Keyframe, Request

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture(scope="module")
def lake() -> np.ndarray:
    """A lake with mountains, small."""
    pixels = cv2.imread(str(EXAMPLES / "lake.jpg"), cv2.IMREAD_COLOR)
    small = cv2.resize(pixels, (288, 162), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_BGR2RGB)


@pytest.fixture(scope="module")
def later(lake: np.ndarray) -> np.ndarray:
    """The same lake: the camera has turned a little, and the light has changed."""
    map_ = np.float32([[1, 0, 4], [0, 1, 0]])
    moved = cv2.warpAffine(lake, map_, lake.shape[1::-1], borderMode=cv2.BORDER_REFLECT)
    return cv2.convertScaleAbs(moved, alpha=0.94)


def keyframe(name: str, at: float) -> Keyframe:
    return Keyframe(Asset("0" * 64, "picture", name), at)


def request(*times: float, loop: bool = False) -> Request:
    frames = tuple(keyframe(f"{at:g}.jpg", at) for at in times)
    return Request(frames, (Loop(),) if loop else ())


def test_pictures_are_met_and_the_water_goes_on(lake: np.ndarray, later: np.ndarray) -> None:
    clip = vivant.animate(lake, seconds=1.5, fps=8, keyframes=[(later, 1.0)], size="source")
    frames = list(clip.frames())
    assert len(frames) == 12
    assert np.array_equal(frames[0], lake)
    assert np.array_equal(frames[8], later)
    middle = frames[4].astype(float)
    half = np.float32([[1, 0, 4 * arriving(0.5)], [0, 1, 0]])
    true = cv2.warpAffine(lake, half, lake.shape[1::-1], borderMode=cv2.BORDER_REFLECT) * 0.97
    mountains = slice(40, 90)
    away = np.abs(middle - true)[mountains, 8:-8].mean()
    assert away < np.abs((lake.astype(float) + later) / 2 - true)[mountains, 8:-8].mean() / 2
    after = np.abs(frames[11].astype(int) - later).max(axis=2)
    assert after[130:].mean() > 1  # the lake
    assert after[60:80].mean() < 0.5  # the mountains


def test_in_a_loop_the_first_picture_comes_again(lake: np.ndarray, later: np.ndarray) -> None:
    clip = vivant.animate(
        lake, seconds=1, fps=8, keyframes=[(later, 0.5)], size="source", loop=True
    )
    frames = [frame.astype(int) for frame in clip.frames()]
    steps = [np.abs(b - a).mean() for a, b in itertools.pairwise(frames)]
    assert np.array_equal(frames[4], later)
    assert np.abs(frames[-1] - frames[0]).mean() < 1.3 * max(steps)


def test_on_the_command_line_and_made_again(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    lake: np.ndarray,
    later: np.ndarray,
) -> None:
    a, b = write_picture(tmp_path / "a.png", lake), write_picture(tmp_path / "b@1.png", later)
    out = tmp_path / "c.mkv"
    words = ["animate", a, "--keyframe", f"{b}@0.5", "-o", out, "--seconds", 0.5, "--fps", 8]
    assert run(monkeypatch, *words, "--no-watermark") == 0
    frames = read_video(out).frames
    assert np.array_equal(frames[-1], later)  # at the very end is the last frame
    capsys.readouterr()
    assert run(monkeypatch, "verify", out, "--rerender", "--json") == 0
    said = report(capsys)[0]  # type: ignore[index]
    assert said["rerendered"]["matches"]
    assert set(said["ingredients"]) == {"a.png", "b@1.png"}
    assert said["record"]["request"]["keyframes"][1]["at"] == 0.5


def test_a_burst_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lake: np.ndarray,
                       later: np.ndarray) -> None:  # fmt: skip
    names = [write_picture(tmp_path / f"{k}.png", x) for k, x in enumerate((lake, later, lake))]
    out = tmp_path / "c.mkv"
    words = ["between", *names, "-o", out, "--seconds", 0.5, "--fps", 8, "--alive"]
    assert run(monkeypatch, *words, "--no-watermark") == 0
    frames = read_video(out).frames
    assert np.array_equal(frames[4], later)
    assert np.array_equal(frames[-1], lake)


def test_another_scene_passes_only_if_asked(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    lake: np.ndarray,
) -> None:
    a = write_picture(tmp_path / "a.png", lake)
    b = write_picture(tmp_path / "b.png", cv2.resize(shifted(0), (288, 162)))
    out = tmp_path / "c.mkv"
    words = ["animate", a, "--keyframe", f"{b}@1", "-o", out, "--seconds", 1, "--fps", 4]
    assert run(monkeypatch, *words) == 2
    assert "--transition" in capsys.readouterr().err
    assert not out.exists()
    assert run(monkeypatch, *words, "--transition", "--no-watermark") == 0
    frames = read_video(out).frames
    assert np.array_equal(frames[0], lake)
    assert np.array_equal(frames[-1], cv2.resize(shifted(0), (288, 162)))
    assert len(np.unique(frames[2], axis=0)) > 8


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--keyframe", "B"], "FILE@SECONDS"),
        (["--keyframe", "B@soon"], "FILE@SECONDS"),
        (["--keyframe", "none.png@1"], "There is no file"),
        (["--keyframe", "B@9"], "after the end"),
        (["--keyframe", "B@0"], "follow each other"),
        (["--keyframe", "B@1", "--camera", "push-in"], "cannot honour the control camera"),
        (["--keyframe", "B@1", "--stroke", "0.1,0.1>0.5,0.5"], "cannot honour the control stroke"),
        (["--keyframe", "B@1", "--save-motion", "m.motion"], "cannot honour the export of motion"),
    ],
)
def test_what_does_not_go_together_is_said(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    says: str,
) -> None:
    a, b = (write_picture(tmp_path / f"{n}.png", shifted(d)) for n, d in (("a", 0), ("b", 3)))
    given = [str(tmp_path / w) if w == "m.motion" else w.replace("B", str(b)) for w in words]
    assert run(monkeypatch, "animate", a, *given, "-o", tmp_path / "x.mp4", "--seconds", 2) != 0
    assert says in capsys.readouterr().err
    assert not (tmp_path / "x.mp4").exists()


def test_key_frames_by_number_of_frame() -> None:
    video = VideoSpec(16, 16, 8.0, 16)
    places = [stop.place for stop in stops_of(request(0, 0.5, 2.0), video)]
    assert places == [0, 4, 15]
    looped = [stop.place for stop in stops_of(request(0, 0.5, loop=True), video)]
    assert looped == [0, 4, 16]
    with pytest.raises(UsageError, match="after the end"):
        stops_of(request(0, 2.0, loop=True), video)


def test_motion_comes_to_rest_at_the_last_key_frame() -> None:
    shares = np.array([arriving(k / 200) for k in range(201)])
    speed = np.diff(shares) * 200
    assert (shares[0], shares[-1]) == (0, 1)
    assert speed[0] == pytest.approx(1, abs=0.02)
    assert speed[-1] == pytest.approx(0, abs=0.02)
    assert speed.min() > 0


def test_contrast_that_a_mixture_loses_comes_back() -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.integers(60, 200, (96, 128, 3)).astype(np.uint8) for _ in range(2))
    mixed = cv2.addWeighted(a, 0.5, b, 0.5, 0)
    everywhere = np.ones(a.shape[:2], np.float32)
    assert abs(crisp(mixed, a, b, 0.5, everywhere).std() / a.std() - 1) < 0.12
    assert np.array_equal(crisp(mixed, a, b, 0.5, 0 * everywhere), mixed)
