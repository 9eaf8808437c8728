"""Lettering and panels laid over a scene are found and hold; scenes have none."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from conftest import EXAMPLES
from films import read_video
from test_cli import run
from vivant.media.read import read_picture
from vivant.scene.overlay import find_overlay, held_cells

STREAM = cv2.resize(read_picture(EXAMPLES / "stream.jpg").pixels, (320, 216))


def written(size: int, outline: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The photograph with a line of lettering, and where that is."""
    image = Image.fromarray(STREAM)
    font = ImageFont.load_default(size)
    draw = ImageDraw.Draw(image)
    draw.text((30, 150), "Where are you", (255, 240, 90), font, stroke_width=outline,
              stroke_fill=(0, 0, 0))  # fmt: skip
    pixels = np.array(image)
    return pixels, (np.abs(pixels.astype(int) - STREAM) > 8).any(axis=2)


@pytest.mark.parametrize("size", [24, 36])
def test_subtitles_are_found(size: int) -> None:
    pixels, laid = written(size, 2)
    found = find_overlay(pixels)
    assert found is not None
    assert found[laid].mean() > 0.95
    assert found[:100].mean() < 0.02


def test_parts_are_held_by_their_surest_cells_and_lines_as_boxes() -> None:
    sure = np.zeros((60, 100), np.float32)
    sure[10:14, 10:40] = 0.5
    sure[11, 12] = 0.95  # a line: sure
    sure[11, 20:23] = 0.0  # a gap between words
    sure[30:40, 20:30] = 0.6  # a faint part as high as wide: not enough
    sure[50:52, 60:90] = 0.5
    sure[50, 61] = 0.75  # a faint line
    held = held_cells(sure)
    assert held[9:15, 9:41].all()
    assert not held[25:45].any()
    assert held[49:53, 59:91].all()
    assert held.mean() < 0.1


def test_a_rounded_panel_is_found() -> None:
    image = Image.fromarray(STREAM)
    ImageDraw.Draw(image).rounded_rectangle((60, 60, 220, 110), 12, (32, 90, 168))
    found = find_overlay(np.array(image))
    assert found is not None
    assert found[62:109, 75:205].all()
    assert not found[:50].any()


@pytest.mark.parametrize("name", ["china.jpg", "flower.jpg", "mountains.jpg", "stream.jpg"])
def test_scenes_have_little(name: str) -> None:
    found = find_overlay(read_picture(EXAMPLES / name).pixels)
    assert found is None or found.mean() < 0.01


def test_tiny_and_flat_pictures_have_none() -> None:
    assert find_overlay(np.zeros((20, 20, 3), np.uint8)) is None
    assert find_overlay(np.full((100, 100, 3), 255, np.uint8)) is None


def test_subtitles_hold_to_the_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pixels, laid = written(30, 2)
    cv2.imwrite(str(tmp_path / "p.png"), pixels[..., ::-1])
    out = tmp_path / "a.mkv"
    words = ["animate", tmp_path / "p.png", "-o", out, "--seconds", "1", "--no-watermark"]
    assert run(monkeypatch, *words) == 0
    assert "Lettering or panels" in capsys.readouterr().err
    frames = read_video(out).frames
    assert (frames[:, laid] == pixels[laid]).mean() > 0.97
    assert (frames[-1] != pixels).mean() > 0.1
