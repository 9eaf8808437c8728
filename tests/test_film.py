"""Footage as it comes: made plain, or refused in one sentence."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from films import read_video
from test_cli import run
from vivant.clip import FilmInfo
from vivant.errors import MediaError
from vivant.media.film import film_frames, film_info
from vivant.media.pace import pace_of

RNG = np.random.default_rng(1)
NOISE = cv2.GaussianBlur(RNG.integers(0, 256, (160, 280)).astype(np.uint8), (0, 0), 2.5)
GREY = cv2.cvtColor(cv2.normalize(NOISE, None, 0, 255, cv2.NORM_MINMAX), cv2.COLOR_GRAY2RGB)
COUNT = 6


def moved(pixels: int, width: int = 96, height: int = 64) -> np.ndarray:
    return np.ascontiguousarray(GREY[40 : 40 + height, 40 - pixels : 40 - pixels + width])


FRAMES = [moved(4 * k) for k in range(COUNT)]


def write(
    path: Path,
    frames: list[np.ndarray],
    *,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    times: list[float] | None = None,
    turned: int = 0,
    **colours: Any,
) -> Path:
    options = {"crf": "3"} if codec == "libx264" else {}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10, options=options)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pix_fmt
        if turned:
            stream.set_display_rotation(turned)
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for name, value in colours.items():
            setattr(stream.codec_context, name, value)
        for index, pixels in enumerate(frames):
            deep = "rgb24" if pixels.dtype == np.uint8 else "rgb48le"
            frame = av.VideoFrame.from_ndarray(pixels, format=deep)
            if "colorspace" in colours:
                frame = frame.reformat(format=pix_fmt, dst_colorspace=colours["colorspace"])
            if times is not None:
                frame.pts, frame.time_base = round(times[index] * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def read(path: Path) -> tuple[FilmInfo, list[np.ndarray]]:
    info, frames = film_info(path), list(film_frames(path))
    assert len(frames) == info.count
    assert all(frame.shape == (info.height, info.width, 3) for frame in frames)
    return info, frames


def error(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(float) - b)[6:-6, 6:-6].mean())


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_a_varying_rate_is_made_even(tmp_path: Path, ending: str) -> None:
    times = [0.0, 0.1, 0.2, 0.6, 0.7, 0.8]
    info, frames = read(write(tmp_path / f"a.{ending}", FRAMES, times=times))
    assert (info.fps, info.count) == (10, 9)
    assert any("frame rate varies" in note for note in info.notes)
    for index, shows in enumerate([0, 1, 2, 2, 2, 2, 3, 4, 5]):
        assert error(frames[index], FRAMES[shows]) < 3, index


@pytest.mark.parametrize(("turned", "turns"), [(90, 1), (-90, 3), (180, 2)])
def test_a_turned_clip_is_upright(tmp_path: Path, turned: int, turns: int) -> None:
    info, frames = read(write(tmp_path / "a.mp4", FRAMES, turned=turned))
    assert error(frames[0], np.rot90(FRAMES[0], turns)) < 3
    assert any("filmed turned" in note for note in info.notes)


def test_a_mirrored_clip_is_as_it_is_meant(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", FRAMES)
    content = bytearray(path.read_bytes())
    at = content.index((65536).to_bytes(4, "big"), content.index(b"tkhd") + 40)
    content[at : at + 4] = (-65536).to_bytes(4, "big", signed=True)
    path.write_bytes(content)
    assert error(read(path)[1][0], FRAMES[0][:, ::-1]) < 3


def test_ten_bits_are_reduced(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", FRAMES, pix_fmt="yuv420p10le", colorspace=1, color_trc=1)
    info, frames = read(path)
    assert error(frames[0], FRAMES[0]) < 2
    assert any("more than 8 bits" in note for note in info.notes)


def test_interlaced_lines_are_joined(tmp_path: Path) -> None:
    woven = []
    for k in range(COUNT):
        frame = moved(4 * k)
        frame[1::2] = moved(4 * k + 2)[1::2]
        woven.append(frame)
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        options = {"crf": "3", "x264-params": "tff=1"}
        stream = container.add_stream("libx264", rate=10, options=options)
        stream.height, stream.width = 64, 96
        stream.pix_fmt = "yuv420p"
        for frame in woven:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    info, frames = read(path)
    assert any("interlaced" in note for note in info.notes)
    whole = min(error(frames[2], moved(8)), error(frames[2], moved(10)))
    assert whole < error(woven[2], moved(8)) / 2
    assert whole < 4


def pq(linear: float) -> float:
    power = (linear * 203 / 1e4) ** 0.1593017578125
    return float(((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375)


def hlg(linear: float) -> float:
    scene = (linear * 203 / 1000) ** (1 / 1.2)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return float(np.sqrt(3 * scene) if scene <= 1 / 12 else a * np.log(12 * scene - b) + c)


@pytest.mark.parametrize(("transfer", "curve", "name"), [(16, pq, "PQ"), (18, hlg, "HLG")])
def test_hdr_becomes_what_a_screen_shows(
    tmp_path: Path, transfer: int, curve: Any, name: str
) -> None:
    grey = np.full((64, 96, 3), round(curve(0.2) * 65535), np.uint16)
    path = write(
        tmp_path / "a.mkv",
        [grey] * 3,
        pix_fmt="yuv420p10le",
        colorspace=9,
        color_primaries=9,
        color_trc=transfer,
    )
    info, frames = read(path)
    assert any(f"HDR ({name})" in note for note in info.notes)
    assert np.abs(frames[0].astype(int) - 124).max() <= 2  # linear 0.2 in sRGB


def test_a_wide_gamut_is_brought_to_srgb(tmp_path: Path) -> None:
    red = np.zeros((64, 96, 3), np.uint8)
    red[:] = (140, 110, 110)
    path = write(tmp_path / "a.mkv", [red] * 3, pix_fmt="yuv444p", colorspace=1, color_primaries=12)
    frame = read(path)[1][0]
    assert frame[30, 40, 0] - int(frame[30, 40, 1]) > 33  # P3's red lies farther out than sRGB's


@pytest.mark.parametrize("ending", ["gif", "webp", "png", "avif"])
def test_animations_keep_their_rate(tmp_path: Path, ending: str) -> None:
    first, *others = (Image.fromarray(frame) for frame in FRAMES)
    path = tmp_path / f"a.{ending}"
    first.save(path, save_all=True, append_images=others, duration=80)
    info, frames = read(path)
    assert (info.fps, info.count, info.notes) == (12.5, COUNT, ())
    assert error(frames[2], FRAMES[2]) < 8


def test_an_animation_of_delays_that_differ(tmp_path: Path) -> None:
    first, *others = (Image.fromarray(frame) for frame in FRAMES)
    path = tmp_path / "a.gif"
    first.save(path, save_all=True, append_images=others, duration=[80, 80, 320, 80, 80, 80])
    info, _ = read(path)
    assert (info.fps, info.count) == (12.5, COUNT + 3)
    assert any("varies" in note for note in info.notes)


def test_an_animation_without_a_name_and_transparent(tmp_path: Path) -> None:
    clear = Image.new("RGBA", (32, 24), (0, 0, 0, 0))
    clear.paste((255, 0, 0, 255), (0, 0, 8, 8))
    path = tmp_path / "noname"
    clear.save(
        path, "PNG", save_all=True, append_images=[clear.transpose(Image.Transpose.ROTATE_180)]
    )
    info, frames = read(path)
    assert info.codec == "apng"
    assert tuple(frames[0][20, 20]) == (255, 255, 255)


@pytest.mark.parametrize("size", [(95, 63), (97, 64), (16, 16)])
def test_odd_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    frames = [moved(4 * k, *size) for k in range(3)]
    info, read_frames = read(write(tmp_path / "a.mkv", frames, codec="ffv1", pix_fmt="bgr0"))
    assert (info.width, info.height) == size
    assert np.array_equal(read_frames[1], frames[1])


def test_the_times_are_read_once(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", FRAMES)
    assert pace_of(path, False) is pace_of(path, False)
    first = pace_of(path, False)
    write(path, FRAMES[:3])
    assert pace_of(path, False) != first


def test_a_clip_that_stands_still_for_long_is_refused(tmp_path: Path) -> None:
    times = [0.0, 0.005, 0.01, 0.015, 0.02, 12.1]
    path = write(tmp_path / "a.mkv", FRAMES, times=times)
    with pytest.raises(MediaError, match="stands still"):
        film_info(path)


def test_retime_across_a_cut_makes_nothing_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dark = [np.full_like(FRAMES[0], 20) // 2 + moved(4 * k) // 8 for k in range(COUNT)]
    clip = write(tmp_path / "a.mkv", [*FRAMES, *dark], codec="ffv1", pix_fmt="bgr0")
    out = tmp_path / "b.mkv"
    assert run(monkeypatch, "retime", clip, "-o", out, "--speed", 0.5, "--no-watermark") == 0
    frames = read_video(out).frames
    assert len(frames) == 4 * COUNT - 1
    assert np.array_equal(frames[2 * COUNT - 1], FRAMES[-1])
    assert np.array_equal(frames[2 * COUNT], dark[0])


def test_a_clip_that_was_cut_short_is_taken_as_far_as_it_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = write(tmp_path / "a.mkv", FRAMES * 4, codec="ffv1", pix_fmt="bgr0")
    content = clip.read_bytes()
    clip.write_bytes(content[: len(content) * 2 // 3])
    out = tmp_path / "b.mkv"
    assert run(monkeypatch, "retime", clip, "-o", out, "--speed", 0.5) == 0
    clip.write_bytes(content[:200])
    assert run(monkeypatch, "retime", clip, "-o", tmp_path / "c.mkv", "--speed", 0.5) != 0
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("ending", ["png", "gif"])
def test_a_picture_is_no_clip(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    ending: str,
) -> None:
    path = tmp_path / f"a.{ending}"
    Image.fromarray(FRAMES[0]).save(path)
    assert run(monkeypatch, "retime", path, "--speed", 0.5, "-o", tmp_path / "x.mp4") == 2
    assert "one frame; animate it" in capsys.readouterr().err


def test_sound_is_left_out_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = tmp_path / "a.mp4"
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.height, stream.width = 64, 96
        stream.pix_fmt = "yuv420p"
        sound = container.add_stream("aac", rate=8000, layout="mono")
        for frame in FRAMES:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        for _ in range(4):
            tone = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            tone.rate = 8000
            container.mux(sound.encode(tone))
        container.mux(stream.encode(None))
        container.mux(sound.encode(None))
    assert run(monkeypatch, "retime", clip, "--speed", 0.5, "-o", tmp_path / "b.mp4") == 0
    assert "sound is left out" in capsys.readouterr().err


def test_four_thousand_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = [cv2.resize(frame, (3840, 2160)) for frame in FRAMES[:2]]
    clip = write(tmp_path / "a.mp4", wide)
    out = tmp_path / "b.mp4"
    assert run(monkeypatch, "retime", clip, "--speed", 0.5, "-o", out, "--no-watermark") == 0
    film = read_video(out)
    assert film.frames.shape == (3, 2160, 3840, 3)
