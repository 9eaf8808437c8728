"""Decoding in a child: the same pictures, and whatever happens stays there."""

from __future__ import annotations

import os
import signal
import struct
import time
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from conftest import photo_like
from vivant.child import Limits
from vivant.clip import VideoSpec
from vivant.errors import MediaError, UsageError
from vivant.media.decoder import Decoder, decoded_frames
from vivant.media.formats import FORMATS
from vivant.media.mask import read_mask
from vivant.media.read import read_picture
from vivant.media.video import iter_video, probe
from vivant.media.write import write_video


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("guard")
    pixels = photo_like(96, 64)
    Image.fromarray(pixels).save(folder / "a.png")
    alpha = np.dstack([pixels, np.linspace(0, 255, 96 * 64).reshape(64, 96).astype(np.uint8)])
    Image.fromarray(alpha).save(folder / "alpha.png")
    Image.fromarray(255 * (pixels[..., 0] > 127).astype(np.uint8)).save(folder / "mask.png")
    (folder / "junk.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"junk" * 99)
    frames = [photo_like(96, 64, k) for k in range(5)]
    write_video(iter(frames), VideoSpec(96, 64, 12.0, 5), folder / "a.mp4", FORMATS["mp4"])
    return folder


@pytest.fixture(scope="module")
def decoder():  # type: ignore[no-untyped-def]
    with Decoder() as one:
        yield one


def test_a_guarded_picture_is_the_same(files: Path, decoder: Decoder) -> None:
    for name in ("a.png", "alpha.png"):
        mine, theirs = decoder.picture(files / name), read_picture(files / name)
        np.testing.assert_array_equal(mine.pixels, theirs.pixels)
        assert (mine.name, mine.sha256, mine.notes) == (theirs.name, theirs.sha256, theirs.notes)
        assert (mine.alpha is None) == (theirs.alpha is None)
        if mine.alpha is not None:
            np.testing.assert_array_equal(mine.alpha, theirs.alpha)
    np.testing.assert_array_equal(
        decoder.mask(files / "mask.png").values, read_mask(files / "mask.png").values
    )


def test_decoded_frames_are_the_same(files: Path, decoder: Decoder) -> None:
    plain = np.stack(list(iter_video(files / "a.mp4")))
    np.testing.assert_array_equal(np.stack(list(decoder.frames(files / "a.mp4"))), plain)
    np.testing.assert_array_equal(np.stack(list(decoded_frames(files / "a.mp4"))), plain)
    assert decoder.info(files / "a.mp4") == probe(files / "a.mp4")


def test_errors_keep_their_kind_and_the_child_goes_on(files: Path, decoder: Decoder) -> None:
    before = decoder._child._process
    with pytest.raises(UsageError, match="no file"):
        decoder.picture(files / "missing.png")
    with pytest.raises(MediaError, match=r"junk\.png"):
        decoder.picture(files / "junk.png")
    with pytest.raises(MediaError, match=r"junk\.png"):
        list(decoder.frames(files / "junk.png"))
    assert decoder.picture(files / "a.png").size == (96, 64)
    assert decoder._child._process is before


def test_frames_left_half_way_do_not_mix_with_what_follows(files: Path) -> None:
    with Decoder() as one:
        frames = one.frames(files / "a.mp4")
        next(frames)
        frames.close()  # type: ignore[attr-defined]
        assert one.picture(files / "a.png").size == (96, 64)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_crash_is_one_error_and_the_next_file_is_read(files: Path) -> None:
    with Decoder() as one:
        assert one.picture(files / "a.png").size == (96, 64)
        assert one._child._process is not None
        os.kill(one._child._process.pid, signal.SIGSEGV)
        with pytest.raises(MediaError, match="crashed the decoder"):
            one.picture(files / "a.png")
        assert one.picture(files / "a.png").size == (96, 64)


@pytest.mark.skipif(os.name != "posix", reason="named pipes")
def test_a_hang_is_ended_in_time(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")  # opening it for reading waits for a writer
    clock = time.monotonic()
    late = pytest.raises(MediaError, match=r"longer than 1\.5 s")
    with Decoder(Limits(seconds=1.5)) as one, late:
        list(one.frames(tmp_path / "pipe.mp4"))
    assert time.monotonic() - clock < 15


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="Linux only")
def test_memory_is_capped(tmp_path: Path) -> None:
    Image.new("RGB", (8000, 8000)).save(tmp_path / "large.png")
    with Decoder(Limits(memory_mib=700)) as one, pytest.raises(MediaError, match=r"large\.png"):
        one.picture(tmp_path / "large.png")


def png_of(width: int, height: int) -> bytes:
    """A PNG of zeros, well formed and tiny."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    packer = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def gif_of(frames: int) -> bytes:
    """A GIF of 1-pixel updates."""
    screen = b"GIF89a" + struct.pack("<HHBBB", 64, 64, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    one = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return screen + one * frames + b";"


def strips(path: Path) -> None:
    Image.new("RGB", (20_000, 1), (9, 9, 9)).save(path)


def changing(path: Path) -> None:
    """A transport stream whose size changes in the middle."""
    with av.open(str(path), "w", format="mpegts") as container:
        stream = container.add_stream("mpeg2video", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for start, (width, height) in enumerate(((64, 48), (96, 80))):
            coder: Any = av.CodecContext.create("mpeg2video", "w")
            coder.width, coder.height, coder.pix_fmt = width, height, "yuv420p"
            coder.framerate, coder.time_base = 24, Fraction(1, 24)
            frames: list[Any] = [
                av.VideoFrame.from_ndarray(photo_like(width, height), format="rgb24")
                for _ in "123456"
            ]
            for k, frame in enumerate([*frames, None]):
                ready = frame and frame.reformat(format="yuv420p")
                if ready:
                    ready.pts = k
                for packet in coder.encode(ready):
                    packet.stream = stream
                    packet.pts = packet.dts = packet.dts + 20 * start
                    container.mux(packet)


def test_bombs(tmp_path: Path, decoder: Decoder) -> None:
    bomb = png_of(16_000, 16_000)
    assert len(bomb) < 40_000
    (tmp_path / "bomb.png").write_bytes(bomb)
    with pytest.raises(MediaError, match="at most 220 megapixels"):
        decoder.picture(tmp_path / "bomb.png")

    (tmp_path / "many.gif").write_bytes(gif_of(100_000))
    picture = decoder.picture(tmp_path / "many.gif")
    assert picture.size == (64, 64)
    assert "100000 frames" in picture.notes[0]

    strips(tmp_path / "strip.png")
    with pytest.raises(MediaError, match="20000x1"):
        decoder.picture(tmp_path / "strip.png")

    whole = tmp_path / "zip.avif"
    Image.new("RGB", (64, 64)).save(whole)
    whole.write_bytes(whole.read_bytes() + b"PK\x03\x04" + bytes(10_000))
    assert decoder.picture(whole).size == (64, 64)


def test_a_video_that_changes_its_size(tmp_path: Path, decoder: Decoder) -> None:
    changing(tmp_path / "two.ts")
    with pytest.raises(MediaError, match="changes its size from 64x48 to 96x80"):
        list(decoder.frames(tmp_path / "two.ts"))


def test_a_play_list_is_no_video(files: Path, tmp_path: Path, decoder: Decoder) -> None:
    (tmp_path / "a.mp4").write_bytes((files / "a.mp4").read_bytes())
    hls = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na.mp4\n#EXT-X-ENDLIST\n"
    for name, text in {"list.mp4": hls, "list.mkv": "ffconcat version 1.0\nfile a.mp4\n"}.items():
        (tmp_path / name).write_text(text)
        for read in (decoder.info, lambda path: list(decoder.frames(path))):
            with pytest.raises(MediaError, match=name):
                read(tmp_path / name)


def test_huge_frames(tmp_path: Path, decoder: Decoder) -> None:
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "0.png").write_bytes(png_of(7000, 7000))
    with pytest.raises(MediaError, match="at most 40 megapixels"):
        list(decoder.frames(tmp_path / "f"))
