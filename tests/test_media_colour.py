"""Colours that a file states: the same picture must come out of every way of saying it."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pillow_heif
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from conftest import photo_like
from vivant.media.colourspace import by_cicp, to_srgb
from vivant.media.icc import curves_and_matrix
from vivant.media.read import read_picture

pillow_heif.register_heif_opener()
Pixels = NDArray[np.uint8]
SOFT: Pixels = cv2.GaussianBlur(photo_like(96, 64), (0, 0), 2)

# published matrices from linear P3 and AdobeRGB to linear sRGB
P3 = np.array([[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]])
ADOBE = np.array([[1.39836, -0.39836, 0.0], [0.0, 1.0, 0.0], [0.0, -0.04293, 1.04293]])
SRGB_CHRM = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
ADOBE_CHRM = (31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)


def decoded(values: Pixels) -> NDArray[np.float64]:
    v = values / 255
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def encoded(light: NDArray[np.float64]) -> NDArray[np.float64]:
    x = np.clip(light, 0, 1)
    return 255 * np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)


def expected(space: str, values: Pixels = SOFT) -> NDArray[np.float64]:
    if space == "p3":
        return encoded(decoded(values) @ P3.T)
    if space == "adobe":
        return encoded((values / 255) ** (563 / 256) @ ADOBE.T)
    return encoded((values / 255) ** {"linear": 1.0, "gamma 1.8": 1.8}[space])


def png(values: Pixels, *chunks: tuple[bytes, bytes], **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG", **options)
    data = buffer.getvalue()
    more = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
    return data[:33] + more + data[33:]  # behind the header


def chrm(numbers: tuple[int, ...]) -> tuple[bytes, bytes]:
    return b"cHRM", struct.pack(">8I", *numbers)


def gama(gamma: float) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", round(gamma * 1e5))


def curved_profile(gamma: float) -> bytes:
    """LittleCMS's sRGB profile with a power law in the place of its curves."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    at = data.index(b"para\0\0\0\0")
    data[at + 12 : at + 32] = struct.pack(">5i", *(round(v * 65536) for v in (gamma, 1, 0, 0, 0)))
    return bytes(data)


def grey_profile(gamma: float) -> bytes:
    """The least that makes a profile for grey: white point, curve, names."""
    text = b"desc" + struct.pack(">II", 0, 5) + b"grey\0" + bytes(78 + 3)
    tags = [
        (b"desc", text),
        (b"cprt", b"text\0\0\0\0CC0\0"),
        (b"wtpt", b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)),
        (b"kTRC", b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))),
    ]
    table, body, start = b"", b"", 132 + 12 * len(tags)
    for name, said in tags:
        value = said + bytes(-len(said) % 4)
        table += struct.pack(">4sII", name, start + len(body), len(value))
        body += value
    head = struct.pack(
        ">I4sI4s4s4s", start + len(body), b"lcms", 0x02400000, b"mntr", b"GRAY", b"XYZ "
    )
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def near(path: Path, right: NDArray[np.float64], mean: float) -> None:
    got = read_picture(path)
    assert np.abs(got.pixels - right).mean() < mean
    assert got.notes == ()


@pytest.mark.parametrize(
    ("space", "chunks"),
    [
        ("p3", [(b"cICP", bytes([12, 13, 0, 1]))]),
        ("p3", [(b"sRGB", b"\0"), (b"cICP", bytes([12, 13, 0, 1]))]),
        ("adobe", [gama(1 / 2.2), chrm(ADOBE_CHRM)]),
        ("linear", [gama(1.0)]),
        ("linear", [(b"cICP", bytes([1, 8, 0, 1]))]),
        ("gamma 1.8", [gama(1 / 1.8), chrm(SRGB_CHRM)]),
    ],
)
def test_png_chunks(tmp_path: Path, space: str, chunks: list[tuple[bytes, bytes]]) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png(SOFT, *chunks))
    near(path, expected(space), 0.6)


@pytest.mark.parametrize(
    "chunks",
    [
        [(b"cICP", bytes([1, 13, 0, 1])), gama(1.0)],
        [(b"sRGB", b"\0"), gama(1.0), chrm(ADOBE_CHRM)],
        [gama(0.45455), chrm(SRGB_CHRM)],
        [gama(0.45455)],
    ],
)
def test_what_is_srgb_stays_to_the_bit(tmp_path: Path, chunks: list[tuple[bytes, bytes]]) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png(SOFT, *chunks))
    np.testing.assert_array_equal(read_picture(path).pixels, SOFT)


def test_a_stated_profile_goes_before_gamma_and_grey_has_gamma_too(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path.write_bytes(png(SOFT, gama(1.0), icc_profile=profile))
    assert np.abs(read_picture(path).pixels.astype(int) - SOFT).max() <= 1
    grey = SOFT[..., 0].copy()
    path.write_bytes(png(grey, gama(1.0), chrm(ADOBE_CHRM)))
    right = expected("linear", grey)
    assert np.abs(read_picture(path).pixels - right[..., None]).max() <= 1


@pytest.mark.parametrize("chunks", [[chrm((0,) * 8)], [(b"cICP", bytes([77, 13, 0, 1]))]])
def test_nonsense_is_said_and_passed_over(
    tmp_path: Path, chunks: list[tuple[bytes, bytes]]
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png(SOFT, *chunks))
    got = read_picture(path)
    np.testing.assert_array_equal(got.pixels, SOFT)
    assert any("taken as sRGB" in note for note in got.notes)


def test_nclx_of_avif_and_heic(tmp_path: Path) -> None:
    path = tmp_path / "a.avif"
    Image.fromarray(SOFT).save(path, quality=100, subsampling="4:4:4")
    data = path.read_bytes()
    assert data.count(b"colrnclx\0\1\0\r") == 1
    path.write_bytes(data.replace(b"colrnclx\0\1\0\r", b"colrnclx\0\x0c\0\r"))
    near(path, expected("p3"), 1.5)
    path = tmp_path / "a.heic"
    options = {"color_primaries": 12, "transfer_characteristics": 13}
    Image.fromarray(SOFT).save(path, quality=-1, chroma=444, **options)
    near(path, expected("p3"), 1.5)


def _interop(index: str) -> bytes:
    """EXIF with ColorSpace "uncalibrated" and an interoperability index, as DCF writes it."""

    def entry(tag: int, kind: int, count: int, value: bytes) -> bytes:
        return struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\0")

    def table(*entries: bytes) -> bytes:
        return struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)

    outer = table(entry(0x8769, 4, 1, struct.pack("<I", 26)))
    inner = table(
        entry(0xA001, 3, 1, struct.pack("<H", 0xFFFF)), entry(0xA005, 4, 1, struct.pack("<I", 56))
    )
    last = table(entry(1, 2, 4, index.encode() + b"\0"))
    return b"Exif\0\0II*\0" + struct.pack("<I", 8) + outer + inner + last


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".png"])
def test_exif_says_adobergb(tmp_path: Path, suffix: str) -> None:
    options: dict[str, Any] = {
        ".jpg": {"quality": 100, "subsampling": 0},
        ".webp": {"lossless": True},
        ".png": {},
    }[suffix]
    path = tmp_path / f"a{suffix}"
    Image.fromarray(SOFT).save(path, exif=_interop("R03"), **options)
    near(path, expected("adobe"), 1.2)
    Image.fromarray(SOFT).save(path, exif=_interop("R98"), **options)
    assert np.abs(read_picture(path).pixels.astype(int) - SOFT).mean() < 0.8


def test_exif_says_adobergb_in_other_words(tmp_path: Path) -> None:
    path = tmp_path / "a.webp"
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA001] = 2
    Image.fromarray(SOFT).save(path, exif=exif, lossless=True)
    near(path, expected("adobe"), 0.6)
    exif = Image.Exif()
    exif[0x013E], exif[0x013F] = (0.3127, 0.329), (0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
    exif.get_ifd(0x8769)[0xA500] = 2.2
    Image.fromarray(SOFT).save(path, exif=exif, lossless=True)
    near(path, expected("adobe"), 0.6)


@pytest.mark.parametrize("kind", ["grey", "grey and alpha", "grey with a transparent level"])
def test_grey_with_a_profile(tmp_path: Path, kind: str) -> None:
    grey = SOFT[..., 0].copy()
    grey[:8] = 3
    options: dict[str, Any] = {"icc_profile": grey_profile(1.8)}
    values = grey
    if kind == "grey and alpha":
        values = np.dstack([grey, np.where(grey == 3, 0, 255).astype(np.uint8)])
    elif kind != "grey":
        options["transparency"] = 3
    path = tmp_path / "a.png"
    path.write_bytes(png(values, **options))
    got = read_picture(path)
    right = expected("gamma 1.8", grey)
    assert np.abs(got.pixels[8:] - right[8:, :, None]).mean() < 0.6
    assert not any("profile" in note for note in got.notes)
    assert (got.alpha is not None) == (kind != "grey")


def test_grey_with_a_profile_of_colour(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png(SOFT[..., 0].copy(), icc_profile=curved_profile(1.8)))
    near(path, expected("gamma 1.8", SOFT[..., 0])[..., None], 0.8)


@pytest.mark.parametrize("colour", [False, True])
def test_sixteen_bits_are_reduced_after_the_profile(tmp_path: Path, colour: bool) -> None:
    """A dark ramp of linear light: 8 bits of it would be a dozen bands."""
    ramp = np.tile(np.linspace(0, 3000, 512), (32, 1)).astype(np.uint16)
    values = cv2.merge([ramp] * 3) if colour else ramp
    plain = tmp_path / "plain.png"
    assert cv2.imwrite(str(plain), values)
    profile = curved_profile(1.0) if colour else grey_profile(1.0)
    body = b"icc\0\0" + zlib.compress(profile)
    chunk = struct.pack(">I", len(body)) + b"iCCP" + body
    chunk += struct.pack(">I", zlib.crc32(b"iCCP" + body))
    data = plain.read_bytes()
    path = tmp_path / "a.png"
    path.write_bytes(data[:33] + chunk + data[33:])
    near(path, encoded(ramp / 65535.0)[..., None], 0.6)
    assert len(np.unique(read_picture(path).pixels)) > 55


def test_sixteen_bits_with_gamma(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 3000, 512), (32, 1)).astype(np.uint16)
    plain = tmp_path / "a.png"
    cv2.imwrite(str(plain), cv2.merge([ramp] * 3))
    data = plain.read_bytes()
    body = b"gAMA" + struct.pack(">I", 100_000)
    chunk = struct.pack(">I", 4) + body + struct.pack(">I", zlib.crc32(body))
    plain.write_bytes(data[:33] + chunk + data[33:])
    near(plain, encoded(ramp / 65535.0)[..., None], 0.6)


def test_our_reading_of_profiles_agrees_with_littlecms() -> None:
    for profile in (
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        curved_profile(1.8),
    ):
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        theirs = ImageCms.profileToProfile(Image.fromarray(SOFT), source, target)
        space = curves_and_matrix(profile)
        assert space is not None
        assert np.abs(to_srgb(SOFT, space) - np.asarray(theirs).astype(int)).max() <= 2
    for cut in range(0, 600, 7):
        curves_and_matrix(curved_profile(1.8)[:cut])  # raises nothing


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_hdr_is_said_and_its_highlights_are_compressed(
    tmp_path: Path, transfer: int, name: str
) -> None:
    ramp = np.tile(np.arange(256, dtype=np.uint8), (32, 1))
    path = tmp_path / "a.png"
    path.write_bytes(png(cv2.merge([ramp] * 3), (b"cICP", bytes([9, transfer, 0, 1]))))
    got = read_picture(path)
    assert any(f"HDR ({name})" in note for note in got.notes)
    row = got.pixels[0, :, 1].astype(int)
    assert (np.diff(row) >= 0).all()
    assert row[0] == 0
    assert row[255] == 255
    white = round(255 * (0.58 if name == "PQ" else 0.75))  # where BT.2408 has its white
    assert 200 < row[white] < 240


def test_narrow_range_is_stretched() -> None:
    space = by_cicp(1, 13, full_range=False)
    assert space is not None
    flat = np.array([[16, 235, 126]], np.uint8)
    np.testing.assert_allclose(to_srgb(flat, space)[0, :, 0], [0, 255, 128], atol=1)


def test_ten_bits_of_heic_are_kept_before_the_curve(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 3000, 512), (64, 1)).astype(np.uint16)
    path = tmp_path / "a.heic"
    options = {"color_primaries": 1, "transfer_characteristics": 8, "quality": -1, "chroma": 444}
    data = np.ascontiguousarray(cv2.merge([ramp] * 3)).tobytes()
    pillow_heif.encode("RGB;16", (512, 64), data, str(path), **options)
    got = read_picture(path).pixels
    assert len(np.unique(got)) > 40  # 12 of 8 bits
    assert np.abs(got - encoded(ramp / 65535.0)[..., None]).mean() < 1.5
