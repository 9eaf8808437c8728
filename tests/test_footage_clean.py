"""A model's clip and its picture: the first frame exact, drift taken out, wrong inputs refused."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from films import read_video
from test_cli import report, run
from test_footage import shifted, write_clip, write_picture

COUNT = 8


def spoiled(frame: np.ndarray, drift: float = 0.0) -> np.ndarray:
    """Soft, off-colour, and darker by ``drift`` levels."""
    soft = cv2.GaussianBlur(frame, (0, 0), 1.0).astype(np.float32)
    return np.clip(soft * 0.95 + 5 - drift, 0, 255).astype(np.uint8)


def inputs(tmp_path: Path, drift: float = 0.0) -> tuple[Path, Path]:
    frames = [spoiled(shifted(2 * k), drift * k / (COUNT - 1)) for k in range(COUNT)]
    return write_clip(tmp_path / "model.mp4", frames), write_picture(tmp_path / "p.png", shifted(0))


def test_the_first_frame_is_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clip, picture = inputs(tmp_path)
    out = tmp_path / "c.mkv"
    assert run(monkeypatch, "clean", clip, "--picture", picture, "-o", out, "--no-watermark") == 0
    frames = read_video(out).frames
    assert len(frames) == COUNT
    assert np.array_equal(frames[0], shifted(0))
    inner = np.s_[8:-8, 8:-24]
    for k in (1, COUNT - 1):
        true = shifted(2 * k).astype(float)[inner]
        before = np.abs(spoiled(shifted(2 * k)).astype(float)[inner] - true).mean()
        assert np.abs(frames[k][inner] - true).mean() < 0.6 * before
    capsys.readouterr()
    assert run(monkeypatch, "verify", out, "--json") == 0
    said = report(capsys)[0]  # type: ignore[index]
    assert said["record"]["request"]["controls"] == [{"control": "clean"}]
    assert said["source_types"] == ["compositeWithTrainedAlgorithmicMedia"]
    assert set(said["ingredients"]) == {"model.mp4", "p.png"}
    assert run(monkeypatch, "verify", out) == 0
    assert "vivant clean model.mp4 --picture p.png" in capsys.readouterr().err


def test_drift_is_taken_out_on_request_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clip, picture = inputs(tmp_path, drift=20)
    words = ["clean", clip, "--picture", picture, "--no-watermark", "--json"]
    true = float(shifted(2 * (COUNT - 1)).mean())
    assert run(monkeypatch, *words, "-o", tmp_path / "a.mkv") == 0
    assert not any("drift" in note for note in report(capsys)["notes"])  # type: ignore[call-overload]
    assert true - float(read_video(tmp_path / "a.mkv").frames[-1].mean()) > 14
    assert run(monkeypatch, *words, "-o", tmp_path / "b.mkv", "--steady-colour") == 0
    told = [n for n in report(capsys)["notes"] if "drift by" in n]  # type: ignore[call-overload]
    assert 16 < float(told[0].split("drift by ")[1].split(" levels")[0]) < 25
    assert abs(float(read_video(tmp_path / "b.mkv").frames[-1].mean()) - true) < 4


def test_a_squeezed_clip_is_given_its_picture_s_shape(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = write_picture(tmp_path / "p.png", shifted(0))
    frames = [cv2.resize(spoiled(shifted(k)), (64, 64)) for k in range(COUNT)]
    clip = write_clip(tmp_path / "model.mp4", frames)
    out = tmp_path / "c.mkv"
    words = ["clean", clip, "--picture", picture, "-o", out, "--no-watermark"]
    assert run(monkeypatch, *words, "--size", "source") == 0
    assert np.array_equal(read_video(out).frames[0], shifted(0))


def test_what_comes_after_a_cut_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = [np.full((64, 96, 3), (230, 200, 20), np.uint8)] * 5
    frames = [spoiled(shifted(2 * k)) for k in range(COUNT)] + other
    clip = write_clip(tmp_path / "model.mp4", frames)
    picture = write_picture(tmp_path / "p.png", shifted(0))
    out = tmp_path / "c.mkv"
    words = ["clean", clip, "--picture", picture, "-o", out, "--no-watermark", "--json"]
    assert run(monkeypatch, *words) == 0
    assert any("is cut at" in note for note in report(capsys)["notes"])  # type: ignore[call-overload]
    assert np.abs(read_video(out).frames[-1].astype(float) - other[0]).mean() < 3


def test_another_picture_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clip, _ = inputs(tmp_path)
    other = write_picture(tmp_path / "o.png", cv2.rotate(shifted(30), cv2.ROTATE_180))
    out = tmp_path / "c.mp4"
    assert run(monkeypatch, "clean", clip, "--picture", other, "-o", out) == 2
    assert "does not begin with" in capsys.readouterr().err
    assert run(monkeypatch, "clean", other, "--picture", other, "-o", out) != 0
    assert not out.exists()
