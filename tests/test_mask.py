"""Masks of many kinds are understood by what they show, or refused by name."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from conftest import photo_like
from vivant.errors import UsageError
from vivant.media.mask import read_mask

SIZE = (96, 64)
DISC = np.zeros((64, 96), np.uint8)
cv2.circle(DISC, (40, 30), 18, 255, -1)
INSIDE = DISC > 0


def rgba(colour: tuple[int, int, int], alpha: NDArray[np.uint8]) -> Image.Image:
    pixels = np.zeros((64, 96, 4), np.uint8)
    pixels[..., :3] = colour
    pixels[..., 3] = alpha
    return Image.fromarray(pixels)


def painted(colour: tuple[int, int, int], ground: tuple[int, int, int]) -> Image.Image:
    pixels = np.zeros((64, 96, 3), np.uint8)
    pixels[:] = ground
    pixels[INSIDE] = colour
    return Image.fromarray(pixels)


def erased() -> Image.Image:
    pixels = np.dstack([photo_like(*SIZE), 255 - DISC])
    return Image.fromarray(pixels)


def cut_out() -> Image.Image:
    return Image.fromarray(np.dstack([photo_like(*SIZE), DISC]))


def palette(colours: list[int], entries: NDArray[np.uint8]) -> Image.Image:
    image = Image.fromarray(entries).convert("L")
    image = Image.frombytes("P", SIZE, entries.tobytes())
    image.putpalette(colours + [0] * (768 - len(colours)))
    return image


DEEP = Image.fromarray(DISC.astype(np.uint16) * 257)
KINDS = {
    "white on black": Image.fromarray(DISC),
    "one bit": Image.fromarray(INSIDE),
    "sixteen bits": DEEP,
    "grey with alpha": Image.merge("LA", [Image.fromarray(DISC), Image.new("L", SIZE, 255)]),
    "black brush on nothing": rgba((0, 0, 0), DISC),
    "red brush on nothing": rgba((230, 20, 20), DISC),
    "red on black": painted((255, 0, 0), (0, 0, 0)),
    "red on white": painted((255, 0, 0), (255, 255, 255)),
    "0 and 1": Image.fromarray(INSIDE.astype(np.uint8)),
    "labels": Image.fromarray(INSIDE.astype(np.uint8) * 15),
    "palette of entries 0 and 1": palette([90, 30, 40, 40, 160, 90], INSIDE.astype(np.uint8)),
    "VOC palette": palette(
        [0, 0, 0, *[128, 0, 0] * 15, 192, 128, 128], INSIDE.astype(np.uint8) * 15
    ),
    "picture with a hole": erased(),
    "picture cut out": cut_out(),
}


@pytest.mark.parametrize("name", list(KINDS))
def test_kinds_of_masks(tmp_path: Path, name: str) -> None:
    KINDS[name].save(tmp_path / "m.png")
    mask = read_mask(tmp_path / "m.png")
    np.testing.assert_array_equal(mask.values > 127, INSIDE)
    plain = name in ("white on black", "one bit", "sixteen bits", "grey with alpha")
    assert bool(mask.notes) != plain  # what was not plain is said


def test_a_jpeg_mask_rings_and_still_is_one(tmp_path: Path) -> None:
    Image.fromarray(DISC).save(tmp_path / "m.jpg", quality=60)
    mask = read_mask(tmp_path / "m.jpg")
    core = cv2.erode(DISC, np.ones((5, 5), np.uint8)) > 0
    far = cv2.dilate(DISC, np.ones((7, 7), np.uint8)) == 0
    assert (mask.values[core] > 127).all()
    assert mask.values[far].max() < 64


def test_a_soft_mask_stays_soft(tmp_path: Path) -> None:
    soft = cv2.GaussianBlur(DISC, (0, 0), 6)
    Image.fromarray(soft).save(tmp_path / "m.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "m.png").values, soft)


@pytest.mark.parametrize(
    ("image", "says"),
    [
        (Image.fromarray(photo_like(96, 64)), "is a picture, not a mask"),
        (Image.fromarray(np.zeros((64, 96), np.uint8)), "holds no white"),
        (rgba((255, 255, 255), np.zeros((64, 96), np.uint8)), "fully transparent"),
    ],
)
def test_what_is_no_mask_is_refused_by_name(tmp_path: Path, image: Image.Image, says: str) -> None:
    image.save(tmp_path / "mine.png")
    with pytest.raises(UsageError, match=says) as refused:
        read_mask(tmp_path / "mine.png")
    assert "mine.png" in str(refused.value)


def test_what_a_mask_covers_is_said(tmp_path: Path) -> None:
    Image.fromarray(np.full((64, 96), 255, np.uint8)).save(tmp_path / "all.png")
    assert "white everywhere" in read_mask(tmp_path / "all.png").notes[0]
    Image.fromarray(DISC // 2).save(tmp_path / "half.png")
    assert "no full white" in read_mask(tmp_path / "half.png").notes[0]


def test_it_is_turned_as_cameras_say(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(DISC).save(tmp_path / "m.png", exif=exif)
    mask = read_mask(tmp_path / "m.png")
    np.testing.assert_array_equal(mask.values > 127, np.rot90(INSIDE, -1))
