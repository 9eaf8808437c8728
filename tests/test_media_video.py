from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from conftest import EXAMPLES, photo_like
from films import read_video
from vivant.clip import VideoSpec
from vivant.errors import MediaError, UsageError
from vivant.media.colour import from_yuv420, to_yuv420
from vivant.media.formats import FORMATS, check_size, format_for, largest_size
from vivant.media.framing import framing_notes
from vivant.media.read import read_picture
from vivant.media.resize import fit, parse_size
from vivant.media.video import iter_video, probe
from vivant.media.write import CAPTURED, write_video

SPEC = VideoSpec(160, 96, 24.0, 8)


def frames(spec: VideoSpec = SPEC) -> Iterator[NDArray[np.uint8]]:
    base = cv2.GaussianBlur(photo_like(spec.width, spec.height), (0, 0), 1.0)
    for k in range(spec.count):
        yield np.roll(base, k, axis=1)


def out(tmp_path: Path, name: str) -> Path:
    return tmp_path / f"clip{FORMATS[name].suffix}"


@pytest.mark.parametrize("name", list(FORMATS))
def test_every_format_holds_every_frame(tmp_path: Path, name: str) -> None:
    path = out(tmp_path, name)
    write_video(frames(), SPEC, path, FORMATS[name])
    clip = read_video(path)
    assert clip.frames.shape == (8, 96, 160, 3)
    error = np.abs(clip.frames[3].astype(int) - list(frames())[3]).mean()
    assert error < 6


@pytest.mark.parametrize("name", ["mkv", "png", "webp"])
def test_lossless_is_exact(tmp_path: Path, name: str) -> None:
    path = out(tmp_path, name)
    write_video(frames(), SPEC, path, FORMATS[name], lossless=True)
    for a, b in zip(iter_video(path), frames(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("photo", ["china.jpg", "flower.jpg"])
def test_colours_of_the_first_frame_stay(tmp_path: Path, photo: str) -> None:
    pixels = fit(read_picture(EXAMPLES / photo), (640, 426)).pixels
    path = tmp_path / "c.mp4"
    write_video([pixels] * 4, VideoSpec(640, 426, 24, 4), path, FORMATS["mp4"])
    shift = (read_video(path).frames[0].astype(float) - pixels).mean(axis=(0, 1))
    assert np.abs(shift).max() < 0.5


def test_primary_colours_are_within_a_level() -> None:
    for rgb in [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (12, 200, 77)]:
        flat = np.full((16, 16, 3), rgb, np.uint8)
        back = from_yuv420(to_yuv420(flat), 16, 16).astype(int)
        assert np.abs(back - flat).max() <= 2


def test_mp4_says_its_colour_and_starts_fast(tmp_path: Path) -> None:
    path = tmp_path / "c.mp4"
    write_video(frames(), SPEC, path, FORMATS["mp4"], tags={"comment": "AI-generated"})
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert context.profile == "High"
        assert context.pix_fmt == "yuv420p"
        tags = (context.color_primaries, context.color_trc, context.colorspace, context.color_range)
        assert [int(tag) for tag in tags] == [1, 1, 1, 1]
        assert container.metadata["comment"] == "AI-generated"
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert probe(path).count == 8


def test_the_same_frames_give_the_same_video(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        write_video(frames(), SPEC, tmp_path / name, FORMATS["mp4"])
    np.testing.assert_array_equal(
        read_video(tmp_path / "a.mp4").frames, read_video(tmp_path / "b.mp4").frames
    )


def test_odd_sides_and_changing_frames_are_refused(tmp_path: Path) -> None:
    odd = VideoSpec(161, 96, 24, 2)
    with pytest.raises(UsageError, match="even"):
        write_video(frames(odd), odd, tmp_path / "o.mp4", FORMATS["mp4"])
    with pytest.raises(ValueError, match="frame 0"):
        write_video(frames(), VideoSpec(128, 96, 24, 2), tmp_path / "s.mp4", FORMATS["mp4"])


def test_reading_what_is_not_a_video(tmp_path: Path) -> None:
    bad = tmp_path / "x.mp4"
    bad.write_bytes(b"nothing at all" * 50)
    for read in (read_video, probe):
        with pytest.raises(MediaError):
            read(bad)
    with pytest.raises(UsageError, match="no file"):
        read_video(tmp_path / "none.mp4")
    with pytest.raises(MediaError, match="no PNG"):
        read_video(tmp_path)


def test_formats_by_name_and_suffix() -> None:
    assert format_for(Path("a.webm"), None).name == "webm"
    assert format_for(Path("a.mp4"), "av1").name == "av1"
    assert format_for(None, None).name == "mp4"
    assert format_for(None, None, lossless=True).name == "mkv"
    with pytest.raises(UsageError, match="choose from"):
        format_for(None, "mpeg")
    with pytest.raises(UsageError, match="not known"):
        format_for(Path("a.doc"), None)
    with pytest.raises(UsageError, match="mkv, png, webp"):
        format_for(Path("a.mp4"), None, lossless=True)


@pytest.mark.parametrize(
    ("text", "size"),
    [("1280x720", (1280, 720)), ("720p", (1080, 720)), ("source", (3001, 2001)), ("480P", None),
     ("0x0", None), ("99999x10", None), ("-1x5", None), ("nan", None)],
)  # fmt: skip
def test_sizes(text: str, size: tuple[int, int] | None) -> None:
    if size is None:
        with pytest.raises(UsageError):
            parse_size(text, (3001, 2001))
    else:
        assert parse_size(text, (3001, 2001)) == size


def test_fit_never_stretches() -> None:
    picture = read_picture(EXAMPLES / "china.jpg")
    assert fit(picture, picture.size) is picture
    cut = fit(picture, (400, 400))
    assert cut.size == (400, 400)
    assert any("cut by" in note for note in framing_notes(picture.size, cut.size))
    even = fit(picture, (picture.size[0], picture.size[1] - 1))
    np.testing.assert_array_equal(even.pixels, picture.pixels[:-1])


# --- names ---------------------------------------------------------------------------------

NAMES = ["12:30:15", "http:x", "-x", "caf\udce9", "%05d", "\u96ea" * 80, "a|b", "sub dir#?&"]


@pytest.mark.skipif(os.name != "posix", reason="names of bytes")
@pytest.mark.parametrize("name", ["mp4", "mkv", "gif", "webp", "png"])
@pytest.mark.parametrize("stem", NAMES)
def test_any_name_is_a_file_to_the_encoder_and_the_decoder(
    tmp_path: Path, name: str, stem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    spec = VideoSpec(32, 32, 24.0, 2)
    path = Path(stem + FORMATS[name].suffix)
    write_video(frames(spec), spec, path, FORMATS[name])
    assert [os.fsencode(p.name) for p in tmp_path.iterdir()] == [os.fsencode(path.name)]
    assert len(list(iter_video(path))) == 2
    if name == "mp4":
        data = path.read_bytes()
        assert data.index(b"moov") < data.index(b"mdat")
        assert probe(path).count == 2


# --- sizes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("source", [(9600, 800), (800, 9600), (720, 12000), (32 * 300, 300)])
@pytest.mark.parametrize("text", ["720p", "2160p"])
def test_a_short_side_never_asks_for_too_much(text: str, source: tuple[int, int]) -> None:
    for longest in (8192, 4096):
        size = parse_size(text, source, longest)
        assert max(size) <= longest
        assert size[0] / size[1] == pytest.approx(source[0] / source[1], rel=0.02)
        assert all(side % 2 == 0 for side in size)


@pytest.mark.parametrize("name", list(FORMATS))
@pytest.mark.parametrize("source", [(1280, 720), (9600, 800), (721, 12001), (8000, 6000), (33, 17)])
def test_the_largest_size_is_taken_and_a_larger_one_is_not(
    name: str, source: tuple[int, int]
) -> None:
    fmt = FORMATS[name]
    size = largest_size(fmt, source)
    check_size(fmt, size)
    assert size[0] / size[1] == pytest.approx(source[0] / source[1], rel=0.07)
    assert all(a <= b for a, b in zip(size, source, strict=True))
    if size != source:
        with pytest.raises(UsageError, match=f"{size[0]}x{size[1]}"):
            check_size(fmt, source)


def test_what_plays_everywhere_is_level_5_2_at_most(tmp_path: Path) -> None:
    assert largest_size(FORMATS["mp4"], (720, 12000)) == (244, 4096)
    assert largest_size(FORMATS["mp4"], (4096, 2304)) == (4096, 2304)
    assert largest_size(FORMATS["mp4"], (4096, 4096)) == (3072, 3072)
    tall = VideoSpec(720, 12000, 24.0, 1)
    with pytest.raises(UsageError, match="too large for mp4"):
        write_video(iter([]), tall, tmp_path / "a.mp4", FORMATS["mp4"])


# --- facts ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mp4", "mov", "av1", "webm", "mkv", "webp", "avif"])
@pytest.mark.parametrize(
    ("said", "utc"),
    [
        ("2024-05-01T12:30:15", "2024-05-01T12:30:15"),
        ("2024-05-01T12:30:15+02:00", "2024-05-01T10:30:15"),
    ],
)
def test_the_day_it_was_taken_survives(tmp_path: Path, name: str, said: str, utc: str) -> None:
    path = out(tmp_path, name)
    write_video(frames(), SPEC, path, FORMATS[name], tags={CAPTURED: said})
    if name in ("webp", "avif"):
        assert read_picture(path).captured == said
        return
    with av.open(str(path)) as container:
        assert container.metadata["creation_time"].startswith(utc)


@pytest.mark.parametrize(
    ("name", "tags"),
    [("mov", [1, 1, 1, 1]), ("av1", [1, 1, 1, 1]), ("webm", [1, 1, 1, 1]), ("mkv", [1, 13, 0, 2])],
)
def test_colour_is_tagged(tmp_path: Path, name: str, tags: list[int]) -> None:
    write_video(frames(), SPEC, out(tmp_path, name), FORMATS[name])
    with av.open(str(out(tmp_path, name))) as container:
        context = container.streams.video[0].codec_context
        said = (context.color_primaries, context.color_trc, context.colorspace, context.color_range)
        assert [int(tag) for tag in said] == tags


def test_avif_says_srgb(tmp_path: Path) -> None:
    write_video(frames(), SPEC, out(tmp_path, "avif"), FORMATS["avif"])
    assert b"nclx\0\1\0\r" in out(tmp_path, "avif").read_bytes()


def test_what_is_exact() -> None:
    exact = {name for name, fmt in FORMATS.items() if fmt.exact(lossless=False)}
    assert exact == {"mkv", "png"}
    assert {n for n, fmt in FORMATS.items() if fmt.exact(lossless=True)} == {"mkv", "png", "webp"}
