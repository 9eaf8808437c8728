"""Cinemagraphs: what is held is the first frame's to the bit, shake is taken out, a pan is refused."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from films import read_video
from test_cli import report, run
from test_footage import TEXTURE, write_clip
from vivant.footage.camera import farthest, stands
from vivant.footage.steady import softened

LEFT = 120
COUNT = 8


def seen(
    x: float, y: float = 0.0, light: int = 0, size: tuple[int, int] = (240, 160)
) -> np.ndarray:
    """The world through a camera off by (x, y); the right part of the world changes with light."""
    world = cv2.resize(TEXTURE, (720, 480), interpolation=cv2.INTER_CUBIC).astype(np.int16)
    world[:, 240 + LEFT :] += light
    map_ = np.array([[1, 0, -240 - x], [0, 1, -160 - y]], np.float32)
    return cv2.warpAffine(np.clip(world, 0, 255).astype(np.uint8), map_, size)


def mask(path: Path) -> Path:
    values = np.zeros((160, 240), np.uint8)
    values[:, :LEFT] = 255
    cv2.imwrite(str(path), values)
    return path


def test_where_the_camera_stands() -> None:
    frames = [seen(1.5 * k, -0.5 * k) for k in range(COUNT)]
    found = stands(frames)
    for k, map_ in enumerate(found):
        assert map_ is not None
        assert np.abs(map_[:, 2] - (-1.5 * k, 0.5 * k)).max() < 0.2
    assert farthest(found[-1], (240, 160)) == pytest.approx(np.hypot(10.5, 3.5), abs=0.5)  # type: ignore[arg-type]
    assert stands([np.full((96, 96, 3), 90, np.uint8)] * 3)[1] is None


def test_a_mask_fades_beyond_its_edge_only() -> None:
    held = np.zeros((160, 240), np.uint8)
    held[:, :LEFT] = 255
    share = softened(held)
    assert (share[:, :LEFT] == 1).all()
    assert 0 < share[80, LEFT] < 1
    assert (share[:, LEFT + 12 :] == 0).all()


@pytest.mark.parametrize("shake", [0.0, 2.0])
def test_what_holds_is_the_first_frame(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    shake: float,
) -> None:
    frames = [seen(shake * np.sin(k), shake * np.cos(2 * k) - shake, 6 * k) for k in range(COUNT)]
    clip, hold = write_clip(tmp_path / "a.mp4", frames), mask(tmp_path / "m.png")
    out = tmp_path / "b.mkv"
    words = ["freeze", clip, "--hold", hold, "-o", out, "--no-watermark", "--json"]
    assert run(monkeypatch, *words) == 0
    said = report(capsys)
    assert any("steadied" in note for note in said["notes"]) == (shake > 0)  # type: ignore[call-overload]
    made = read_video(out).frames
    assert len(made) == COUNT
    assert all(np.array_equal(frame[:, :LEFT], made[0][:, :LEFT]) for frame in made)
    free = np.s_[16:-16, LEFT + 16 : -16]
    meant = seen(0, 0, 6 * (COUNT - 1))
    assert np.abs(made[-1][free].astype(float) - meant[free]).mean() < 4
    capsys.readouterr()
    assert run(monkeypatch, "verify", out, "--json") == 0
    record = report(capsys)[0]["record"]  # type: ignore[index]
    assert [c["control"] for c in record["request"]["controls"]] == ["freeze", "still"]
    assert len(record["masks"]) == 1


def test_a_camera_that_moves_on_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = write_clip(tmp_path / "a.mp4", [seen(-12 * k) for k in range(COUNT)])
    hold = mask(tmp_path / "m.png")
    out = tmp_path / "b.mp4"
    assert run(monkeypatch, "freeze", clip, "--hold", hold, "-o", out) == 2
    assert "moves on" in capsys.readouterr().err
    assert run(monkeypatch, "freeze", clip, "-o", out) == 2
    assert "Say what shall hold" in capsys.readouterr().err
    assert not out.exists()
