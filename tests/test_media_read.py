from __future__ import annotations

import io
import json
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms, ImageOps

from conftest import photo_like
from vivant.clip import Picture
from vivant.errors import MediaError, UsageError
from vivant.media.decoder import Decoder
from vivant.media.mask import read_mask
from vivant.media.read import read_picture

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


def test_a_picture_of_nothing_is_refused(tmp_path: Path) -> None:
    rgba = np.dstack([photo_like(64, 64), np.zeros((64, 64), np.uint8)])
    path = save(tmp_path, "t.png", Image.fromarray(rgba))
    with Decoder() as decoder, pytest.raises(MediaError, match="transparent everywhere"):
        decoder.picture(path)


def test_a_tiff_of_floats_is_named(tmp_path: Path) -> None:
    path = tmp_path / "f.tif"
    cv2.imwrite(str(path), photo_like(64, 64).astype(np.float32))
    with pytest.raises(MediaError, match="numbers of a kind that is not read"):
        read_picture(path)


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


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.tif", {"compression": "tiff_lzw"}),
        ("a.bmp", {}),
        ("a.jp2", {"irreversible": False}),
    ],
)
def test_formats_of_scanners_and_archives(
    tmp_path: Path, name: str, options: dict[str, Any]
) -> None:
    pixels = photo_like(96, 64)
    path = save(tmp_path, name, Image.fromarray(pixels), **options)
    np.testing.assert_array_equal(read_picture(path).pixels, pixels)


def test_sixteen_bit_tiff_turned(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 65535, 256), (32, 1)).astype(np.uint16)
    path = tmp_path / "a.tif"
    assert cv2.imwrite(str(path), np.dstack([ramp, ramp // 2, 65535 - ramp]))
    pixels = read_picture(path).pixels.astype(float)
    for channel, want in enumerate([65535 - ramp, ramp // 2, ramp]):
        assert np.abs(pixels[..., channel] - want / 257.0).max() <= 0.51
    exif = Image.Exif()
    exif[0x0112] = 8
    turned = save(tmp_path, "t.tif", Image.fromarray(photo_like(96, 64)), exif=exif)
    np.testing.assert_array_equal(read_picture(turned).pixels, np.rot90(photo_like(96, 64)))
    grey = save(tmp_path, "g.tif", Image.fromarray(ramp), exif=exif)
    assert read_picture(grey).size == (32, 256)


def test_pages_are_said(tmp_path: Path) -> None:
    pages = [Image.fromarray(photo_like(64, 48, k)) for k in range(3)]
    path = save(tmp_path, "a.tif", pages[0], save_all=True, append_images=pages[1:])
    assert any("3 pages" in note for note in read_picture(path).notes)


def test_sixteen_bits_with_transparency(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 65535, 256), (32, 1)).astype(np.uint16)
    path = tmp_path / "a.png"
    assert cv2.imwrite(str(path), cv2.merge([ramp, ramp, ramp, 65535 - ramp]))
    picture = read_picture(path)
    assert picture.alpha is not None
    np.testing.assert_array_equal(picture.alpha, np.round((65535 - ramp) / 257.0))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("deep", [False, True])
def test_every_orientation(tmp_path: Path, orientation: int, deep: bool) -> None:
    pixels = photo_like(96, 64)
    exif = Image.Exif()
    exif[0x0112] = orientation
    right = np.asarray(ImageOps.exif_transpose(_with_exif(pixels, exif)))
    path = tmp_path / "a.png"
    if deep:
        cv2.imwrite(str(path), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR).astype(np.uint16) * 257)
        data, body = path.read_bytes(), exif.tobytes()[6:]
        chunk = struct.pack(">I", len(body)) + b"eXIf" + body
        chunk += struct.pack(">I", zlib.crc32(b"eXIf" + body))
        path.write_bytes(data[:33] + chunk + data[33:])
    else:
        save(tmp_path, "a.png", Image.fromarray(pixels), exif=exif)
    np.testing.assert_array_equal(read_picture(path).pixels, right)


def _with_exif(pixels: Any, exif: Image.Exif) -> Image.Image:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", exif=exif)
    return Image.open(buffer)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "alpha.png", "deep.png", "a.tif"])
def test_large_pictures_are_reduced_while_they_are_read(tmp_path: Path, name: str) -> None:
    pixels = cv2.GaussianBlur(photo_like(321, 200), (0, 0), 3)
    path = tmp_path / name
    if name == "deep.png":
        cv2.imwrite(str(path), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR).astype(np.uint16) * 257)
    elif name == "alpha.png":
        alpha = np.full(pixels.shape[:2], 200, np.uint8)
        Image.fromarray(np.dstack([pixels, alpha])).save(path)
    else:
        Image.fromarray(pixels).save(path, quality=95)
    picture = read_picture(path, max_pixels=321 * 200 // 3, background=(0, 0, 0))
    assert picture.size == (161, 100)
    assert any("1/2 of its size, 161x100" in note for note in picture.notes)
    share = 200 / 255 if name == "alpha.png" else 1.0
    right = cv2.resize(pixels, (161, 100), interpolation=cv2.INTER_AREA) * share
    assert np.abs(picture.pixels - right).mean() < 3
    assert (picture.alpha is not None) == (name == "alpha.png")


def test_over_a_hundred_megapixels(tmp_path: Path) -> None:
    path = save(tmp_path, "a.png", Image.new("1", (20_000, 9_500), 1))
    picture = read_picture(path)
    assert picture.size == (10_000, 4_750)
    assert any("large" in note for note in picture.notes)


def test_a_cut_jpeg_is_taken_with_a_note(tmp_path: Path) -> None:
    path = save(tmp_path, "a.jpg", Image.fromarray(photo_like(320, 320)), quality=90)
    whole, data = read_picture(path), path.read_bytes()
    for lost in (2, 17, len(data) // 5):
        path.write_bytes(data[:-lost])
        cut = read_picture(path)
        np.testing.assert_array_equal(cut.pixels[:160], whole.pixels[:160])
        if lost > 2:
            assert any("cut short" in note for note in cut.notes)
    path.write_bytes(data[: len(data) // 3])
    with pytest.raises(MediaError, match="was cut short"):
        read_picture(path)
    path.write_bytes(data)
    assert read_picture(path).notes == ()


FOREIGN = [
    ("a.jxl", b"\xff\x0a\0\0", "JPEG XL; convert"),
    ("b.jxl", b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL; convert"),
    ("a.psd", b"8BPS\0\1", "Photoshop file; export"),
    ("a.svg", b'\n<SVG xmlns="x"', "SVG.; export"),
    ("a.nef", b"MM\0*\0\0\0\x08", "raw file; develop"),
    ("a.mp4", b"\0\0\0\x18ftypisom", "a video; save one"),
    ("a.jpg", b"<!DOCTYPE html><html>", "a web page; download"),
    ("a.pdf", b"%PDF-1.7", "PDF; export"),
]


@pytest.mark.parametrize(("name", "head", "says"), FOREIGN, ids=[f[0] for f in FOREIGN])
def test_what_is_not_read_is_named_with_the_way_out(
    tmp_path: Path, name: str, head: bytes, says: str
) -> None:
    path = tmp_path / name
    path.write_bytes(head + bytes(100))
    with pytest.raises(MediaError, match=says) as info:
        read_picture(path)
    assert "TIFF" in str(info.value)


@pytest.mark.parametrize(
    ("date", "offset", "says"),
    [
        ("2024:05:01 12:30:15", None, "2024-05-01T12:30:15"),
        ("2024:05:01 12:30:15", "+02:00", "2024-05-01T12:30:15+02:00"),
        ("2024:05:01 12:30:15", "nonsense", "2024-05-01T12:30:15"),
        ("0000:00:00 00:00:00", None, ""),
        (None, None, ""),
    ],
)
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".avif", ".heic"])
def test_the_day_it_was_taken(
    tmp_path: Path, date: str | None, offset: str | None, says: str, suffix: str
) -> None:
    exif = Image.Exif()
    exif[0x010F] = "maker"
    if date is not None:
        exif.get_ifd(0x8769)[0x9003] = date
    if offset is not None:
        exif.get_ifd(0x8769)[0x9011] = offset
    path = save(tmp_path, f"a{suffix}", Image.fromarray(photo_like(64, 64)), exif=exif)
    assert read_picture(path).captured == says


@pytest.mark.skipif(os.name != "posix", reason="names of bytes")
@pytest.mark.parametrize("name", [b"caf\xe9.png", b"12:30:15.png", b"-x.png", b"\xff" * 100])
def test_names_are_text_whatever_the_file_system_holds(tmp_path: Path, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name)
    rgba = np.dstack([photo_like(64, 64), np.full((64, 64), 99, np.uint8)])
    Image.fromarray(rgba).save(path, "PNG")
    picture = read_picture(path)
    json.loads(json.dumps([picture.name, *picture.notes]).encode("utf-8"))
    assert "".join([picture.name, *picture.notes]).encode("utf-8")
    assert Picture(picture.pixels, name=path.name).name == picture.name


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
        (lambda: _bomb(16000, 16000), "megapixels"),
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
    np.testing.assert_array_equal(
        read_mask(save(tmp_path, "m.png", Image.fromarray(mask))).values, mask
    )


@pytest.mark.parametrize("exif", [b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0junk", b"\xff" * 9])
def test_damaged_exif_does_not_stop_a_good_picture(tmp_path: Path, exif: bytes) -> None:
    pixels = photo_like(64, 64)
    path = save(tmp_path, "a.png", Image.fromarray(pixels), exif=exif)
    picture = read_picture(path)
    np.testing.assert_array_equal(picture.pixels, pixels)
    assert picture.captured == ""
