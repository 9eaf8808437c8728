"""What is no scene is found: borders, bars, captions; and nothing is found where there is none."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from conftest import EXAMPLES, photo_like
from films import read_video
from test_cli import run
from vivant.media.read import read_picture
from vivant.scene.surround import find_surround, inner_box

PHOTO = read_picture(EXAMPLES / "flower.jpg").pixels


def bordered(
    depths: tuple[int, int, int, int], colour: tuple[int, int, int], noise: float = 0.0
) -> NDArray[np.uint8]:
    """The photograph with borders (left, top, right, bottom) of a colour."""
    left, top, right, bottom = depths
    out = cv2.copyMakeBorder(PHOTO, top, bottom, left, right, cv2.BORDER_CONSTANT, value=colour)
    if noise:
        grain = np.random.default_rng(0).normal(0, noise, out.shape)
        out = np.clip(out + grain, 0, 255).astype(np.uint8)
    return out


BORDERS = [
    ((40, 40, 40, 40), (255, 255, 255), 0.0),
    ((40, 40, 40, 120), (250, 246, 238), 3.0),  # an instant photograph, scanned
    ((0, 60, 0, 60), (0, 0, 0), 0.0),  # letter box
    ((90, 0, 90, 0), (12, 12, 12), 1.0),  # pillar box
    ((20, 20, 20, 20), (160, 40, 30), 2.0),
    ((0, 110, 0, 0), (255, 255, 255), 0.0),
]


@pytest.mark.parametrize(("depths", "colour", "noise"), BORDERS)
def test_borders_are_found_to_the_line(
    depths: tuple[int, int, int, int], colour: tuple[int, int, int], noise: float
) -> None:
    height, width = PHOTO.shape[:2]
    left, top = depths[:2]
    box = inner_box(bordered(depths, colour, noise))
    np.testing.assert_allclose(box, (left, top, left + width, top + height), atol=1)


def test_a_caption_with_writing_is_found() -> None:
    image = bordered((0, 130, 0, 0), (255, 255, 255))
    for row in (50, 105):
        cv2.putText(image, "WHEN THE SUN SHINES", (20, row), 0, 1.6, (0, 0, 0), 4)
    assert inner_box(image)[1] == pytest.approx(130, abs=1)


@pytest.mark.parametrize("colour", [(24, 24, 28), (32, 90, 168), (200, 200, 204)])
def test_the_bar_of_a_program_is_found(colour: tuple[int, int, int]) -> None:
    image = photo_like(320, 240)
    image[:18] = colour
    cv2.putText(image, "9:41", (6, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1)
    cv2.rectangle(image, (280, 5), (305, 12), (255, 255, 255), 1)
    found = find_surround(image)
    assert found is not None
    assert found[:17].all()
    assert not found[20:].any()
    rough = image.copy()
    rough[:18] = np.clip(np.random.default_rng(0).normal(colour, 6, (18, 320, 3)), 0, 255)
    assert find_surround(rough) is None  # a sky is never so even


def test_a_frame_in_a_frame() -> None:
    image = cv2.copyMakeBorder(
        bordered((30, 30, 30, 30), (255, 255, 255)),
        70,
        70,
        0,
        0,
        cv2.BORDER_CONSTANT,
        value=(0, 0, 0),
    )
    box = inner_box(image)
    np.testing.assert_allclose(box[:2], (30, 100), atol=1)


@pytest.mark.parametrize("name", ["china.jpg", "flower.jpg", "mountains.jpg", "stream.jpg"])
def test_photographs_have_none(name: str) -> None:
    assert find_surround(read_picture(EXAMPLES / name).pixels) is None


def test_skies_and_flat_pictures_are_none() -> None:
    sky = photo_like(200, 150)
    sky[:60] = np.linspace(150, 240, 60).astype(np.uint8)[:, None, None]
    assert find_surround(sky) is None
    assert find_surround(np.full((100, 100, 3), 255, np.uint8)) is None
    assert find_surround(photo_like(20, 20)) is None
    slanted = photo_like(200, 150)
    for x in range(200):
        slanted[: 30 + x // 4, x] = 255  # ends along a slope
    assert find_surround(slanted) is None


def test_a_border_holds_to_the_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = cv2.resize(read_picture(EXAMPLES / "stream.jpg").pixels, (240, 160))
    framed = cv2.copyMakeBorder(scene, 24, 24, 24, 24, cv2.BORDER_CONSTANT, value=(255,) * 3)
    cv2.imwrite(str(tmp_path / "p.png"), framed[..., ::-1])
    out = tmp_path / "a.mkv"
    words = ["animate", tmp_path / "p.png", "-o", out, "--seconds", "1", "--no-watermark"]
    assert run(monkeypatch, *words) == 0
    assert "The border around the scene" in capsys.readouterr().err
    frames = read_video(out).frames
    surround = find_surround(framed)
    assert surround is not None
    assert (frames[:, surround] == framed[surround]).all()
    assert (frames[-1][~surround] != framed[~surround]).mean() > 0.1
    shutil.rmtree(tmp_path / "x", ignore_errors=True)
