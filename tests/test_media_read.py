from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from conftest import photo_like
from vivant.errors import MediaError, UsageError
from vivant.media.read import read_mask, read_picture

pillow_heif.register_heif_opener()


def save(tmp_path: Path, name: str, image: Image.Image, **options: Any) -> Path:
    path = tmp_path / name
    image.save(path, **options)
    return path


@pytest.mark.parametrize(
    ("name", "options", "near"),
    [
        ("a.png", {}, 0),
        ("a.webp", {"lossless": True}, 0),
        ("a.jpg", {"quality": 95}, 3),
        ("a.avif", {"quality": 95}, 3),
        ("a.heic", {"quality": 95}, 3),
    ],
)
def test_every_format(tmp_path: Path, name: str, options: dict[str, Any], near: float) -> None:
    pixels = cv2.GaussianBlur(photo_like(96, 64), (0, 0), 2)
    path = save(tmp_path, name, Image.fromarray(pixels), **options)
    picture = read_picture(path)
    assert picture.size == (96, 64)
    assert picture.name == name
    assert len(picture.sha256) == 64
    assert np.abs(picture.pixels.astype(int) - pixels).mean() <= near


def test_orientation_is_applied(tmp_path: Path) -> None:
    pixels = photo_like(96, 64)
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(tmp_path, "r.png", Image.fromarray(pixels), exif=exif)
    np.testing.assert_array_equal(read_picture(path).pixels, np.rot90(pixels, -1))


def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 65535, 256), (32, 1)).astype(np.uint16)
    grey = tmp_path / "g16.png"
    cv2.imwrite(str(grey), ramp)
    expected = np.round(ramp / 257.0)
    assert np.abs(read_picture(grey).pixels[..., 0] - expected).max() <= 1
    colour = tmp_path / "c16.png"
    cv2.imwrite(str(colour), np.dstack([ramp, ramp // 2, 65535 - ramp]))
    pixels = read_picture(colour).pixels.astype(float)
    for channel, want in enumerate([65535 - ramp, ramp // 2, ramp]):
        assert np.abs(pixels[..., channel] - np.round(want / 257.0)).max() <= 1


def test_transparency_is_kept_and_laid_over_a_colour(tmp_path: Path) -> None:
    rgba = np.dstack([photo_like(64, 64), np.full((64, 64), 255, np.uint8)])
    rgba[:32, :, 3] = 0
    path = save(tmp_path, "t.png", Image.fromarray(rgba))
    picture = read_picture(path, background=(0, 0, 0))
    assert picture.alpha is not None
    assert not picture.pixels[:32].any()
    np.testing.assert_array_equal(picture.pixels[32:], rgba[32:, :, :3])
    assert any("transparent" in note for note in picture.notes)
    assert (read_picture(path).pixels[:32] == 255).all()


def test_palette_cmyk_and_profiles(tmp_path: Path) -> None:
    base = Image.fromarray(photo_like(64, 64))
    assert read_picture(save(tmp_path, "p.png", base.quantize(64))).size == (64, 64)
    cmyk = read_picture(save(tmp_path, "k.jpg", base.convert("CMYK"), quality=95))
    assert np.abs(cmyk.pixels.astype(int) - np.asarray(base)).mean() < 8
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    same = read_picture(save(tmp_path, "i.png", base, icc_profile=profile))
    assert np.abs(same.pixels.astype(int) - np.asarray(base)).max() <= 1
    garbage = read_picture(save(tmp_path, "b.png", base, icc_profile=b"garbage" * 30))
    np.testing.assert_array_equal(garbage.pixels, np.asarray(base))
    assert any("profile" in note for note in garbage.notes)


def test_the_first_frame_of_an_animation_is_said(tmp_path: Path) -> None:
    frames = [Image.fromarray(photo_like(64, 48, k)) for k in range(3)]
    path = save(tmp_path, "a.gif", frames[0], save_all=True, append_images=frames[1:])
    assert any("first of its 3 frames" in note for note in read_picture(path).notes)


def test_tiff_only_where_allowed(tmp_path: Path) -> None:
    path = save(tmp_path, "a.tiff", Image.fromarray(photo_like(64, 64)))
    with pytest.raises(MediaError, match="known format"):
        read_picture(path)
    assert read_picture(path, allow_tiff=True).size == (64, 64)


def _bomb(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * 100_000, 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: b"", "empty"),
        (lambda: b"hello, not a picture" * 10, "known format"),
        (lambda: _bomb(20000, 20000), "(megapixels|too many pixels)"),
        (lambda: _bomb(9000, 9000), "megapixels"),
        (lambda: _png(1, 1), "at least 16x16"),
        (lambda: _png(1000, 16), "too narrow"),
        (lambda: _png(64, 64)[:300], "cannot be decoded"),
    ],
)
def test_bad_files_are_one_sentence(tmp_path: Path, make: Callable[[], bytes], says: str) -> None:
    path = tmp_path / "bad.png"
    path.write_bytes(make())
    with pytest.raises(MediaError, match=says) as info:
        read_picture(path)
    assert "\n" not in str(info.value)


def _png(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(photo_like(width, height)).save(buffer, "PNG")
    return buffer.getvalue()


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file"):
        read_picture(tmp_path / "none.png")
    with pytest.raises(UsageError, match="is a folder"):
        read_picture(tmp_path)


def test_masks_are_brightness(tmp_path: Path) -> None:
    mask = np.zeros((40, 60), np.uint8)
    mask[10:20] = 255
    np.testing.assert_array_equal(read_mask(save(tmp_path, "m.png", Image.fromarray(mask))), mask)
