"""Several pictures and footage: met exactly, refused in one sentence, recorded."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from films import read_video
from test_cli import report, run
from vivant.footage.between import Between

RNG = np.random.default_rng(1)
NOISE = cv2.GaussianBlur(RNG.integers(0, 256, (160, 240, 3)).astype(np.uint8), (0, 0), 2.5)
TEXTURE = cv2.normalize(NOISE, None, 0, 255, cv2.NORM_MINMAX)


def shifted(pixels: float) -> np.ndarray:
    map_ = np.float32([[1, 0, -40 + pixels], [0, 1, -40]])
    return cv2.warpAffine(TEXTURE, map_, (96, 64), borderMode=cv2.BORDER_REFLECT)


def write_clip(path: Path, frames: list[np.ndarray], fps: int = 10) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": "4"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def write_picture(path: Path, pixels: np.ndarray) -> Path:
    cv2.imwrite(str(path), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    return path


def error(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(float) - b)[8:-8, 8:-8].mean())


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_what_moves_is_between(share: float) -> None:
    a, b = shifted(0), shifted(6)
    middle = Between(a, b).at(share)
    dissolve = (1 - share) * a.astype(float) + share * b
    assert error(middle, shifted(6 * share)) < error(dissolve, shifted(6 * share)) / 3
    assert np.array_equal(Between(a, b).at(0), a)
    assert np.array_equal(Between(a, b).at(1), b)


def test_pictures_are_met_and_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = (write_picture(tmp_path / f"{n}.png", shifted(d)) for n, d in (("a", 0), ("b", 6)))
    out = tmp_path / "c.mkv"
    words = ["between", a, b, "-o", out, "--seconds", 0.5, "--fps", 8, "--no-watermark"]
    assert run(monkeypatch, *words) == 0
    frames = read_video(out).frames
    assert len(frames) == 5
    assert np.array_equal(frames[0], shifted(0))
    assert np.array_equal(frames[-1], shifted(6))
    capsys.readouterr()
    assert run(monkeypatch, "verify", out, "--json") == 0
    said = report(capsys)[0]  # type: ignore[index]
    assert said["record"]["request"]["controls"] == [{"control": "between", "dissolve": False}]
    assert said["source_types"] == ["algorithmicallyEnhanced"]
    assert set(said["ingredients"]) == {"a.png", "b.png"}


def test_another_scene_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    a = write_picture(tmp_path / "a.png", shifted(0))
    b = write_picture(tmp_path / "b.png", cv2.rotate(shifted(30), cv2.ROTATE_180))
    out = tmp_path / "c.mp4"
    assert run(monkeypatch, "between", a, b, "-o", out) == 2
    assert "different scenes" in capsys.readouterr().err
    assert not out.exists()
    assert run(monkeypatch, "between", a, b, "-o", out, "--seconds", 0.2, "--dissolve") == 0


def test_slower_footage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = write_clip(tmp_path / "a.mp4", [shifted(4 * k) for k in range(4)])
    out = tmp_path / "b.mkv"
    assert run(monkeypatch, "retime", clip, "-o", out, "--speed", 0.5, "--no-watermark") == 0
    film = read_video(out)
    assert film.fps == 10
    assert len(film.frames) == 7
    assert error(film.frames[3], shifted(6)) < 6


def test_retiming_to_the_same_says_that_nothing_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = write_clip(tmp_path / "a.mp4", [shifted(4 * k) for k in range(3)])
    assert run(monkeypatch, "retime", clip, "-o", tmp_path / "b.mkv", "--fps", 10) == 0
    assert "retime changes nothing" in capsys.readouterr().err


def test_footage_that_cannot_be_taken_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one = write_clip(tmp_path / "one.mp4", [shifted(0)])
    sound = tmp_path / "sound.mp4"
    with av.open(str(sound), "w") as container:
        stream = container.add_stream("aac", rate=8000, layout="mono")
        tone = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        tone.rate = 8000
        container.mux(stream.encode(tone))
        container.mux(stream.encode(None))
    for path, says in ((one, "is one frame"), (sound, "holds no moving picture")):
        assert run(monkeypatch, "retime", path, "--speed", 0.5, "-o", tmp_path / "x.mp4") != 0
        assert says in capsys.readouterr().err
    assert not (tmp_path / "x.mp4").exists()


def test_the_command_of_an_edit_is_its_own() -> None:
    from vivant.asset import Asset
    from vivant.cli.verify import command_of
    from vivant.controls.edits import Between, Retime
    from vivant.provenance.record import Recorded
    from vivant.request import Keyframe, ModelIdentity, Request, SourceType, Target

    def said(*names: str, edit: Between | Retime) -> str:
        frames = tuple(
            Keyframe(Asset(f"{k}" * 64, "clip" if isinstance(edit, Retime) else "picture", name))
            for k, name in enumerate(names)
        )
        request = Request(frames, (edit,), 2.0, model="footage")
        return command_of(
            Recorded(
                request, Target(), ModelIdentity("footage", "1", "0"), SourceType.ALGORITHMIC, ()
            )
        )

    assert said("a.png", "b.png", edit=Between(dissolve=True)) == "vivant between a.png b.png --seconds 2 --dissolve"  # fmt: skip
    assert said("a.mp4", edit=Retime(0.5)) == "vivant retime a.mp4 --speed 0.5"
