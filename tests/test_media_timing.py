from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from conftest import photo_like
from vivant.clip import VideoSpec
from vivant.errors import MediaError
from vivant.media.formats import FORMATS
from vivant.media.framing import rate_notes, target_of
from vivant.media.timing import delays, exact_rate, gif_frames
from vivant.media.write import write_video


def frames(spec: VideoSpec) -> Iterator[NDArray[np.uint8]]:
    base = photo_like(spec.width, spec.height)
    for k in range(spec.count):
        yield np.roll(base, k, axis=1)


def out(tmp_path: Path, name: str) -> Path:
    return tmp_path / f"clip{FORMATS[name].suffix}"


@pytest.mark.parametrize(
    ("fps", "rate"),
    [
        (29.97, Fraction(30000, 1001)),
        (23.976, Fraction(24000, 1001)),
        (23.98, Fraction(24000, 1001)),
        (59.94, Fraction(60000, 1001)),
        (30, Fraction(30)),
        (24.0, Fraction(24)),
        (12.5, Fraction(25, 2)),
        (0.2, Fraction(1, 5)),
        (1 / 3, Fraction(1, 3)),
        (0.0001, Fraction(1, 10000)),
    ],
)
def test_rates_are_exact(fps: float, rate: Fraction) -> None:
    assert exact_rate(fps) == rate


@pytest.mark.parametrize("name", ["mp4", "av1", "webm", "mkv"])
@pytest.mark.parametrize("fps", [29.97, 0.2])
def test_rates_in_the_file(tmp_path: Path, name: str, fps: float) -> None:
    spec = VideoSpec(160, 96, fps, 3)
    write_video(frames(spec), spec, out(tmp_path, name), FORMATS[name])
    with av.open(str(out(tmp_path, name))) as container:
        stream = container.streams.video[0]
        said = stream.base_rate if fps > 1 else stream.average_rate
        assert said == exact_rate(fps)
        assert container.duration / 1e6 == pytest.approx(3 / fps, abs=0.002)
        assert sum(1 for _ in container.decode(stream)) == 3


@pytest.mark.parametrize(("fps", "count"), [(24.0, 100), (15.0, 31), (29.97, 300), (0.2, 3)])
def test_delays_do_not_drift(fps: float, count: int) -> None:
    for ticks in (100, 1000):
        times = np.cumsum([0, *delays(count, fps, ticks)])
        exact = np.arange(count + 1) * ticks / float(exact_rate(fps))
        assert np.abs(times - exact).max() <= 0.5 + 1e-6


@pytest.mark.parametrize(("fps", "count"), [(60, 61), (59.94, 120), (240, 240), (100, 7), (51, 1)])
def test_a_fast_gif_keeps_its_duration(fps: float, count: int) -> None:
    shown = gif_frames(count, fps)
    assert min(delay for _, delay in shown) >= 2
    assert sum(delay for _, delay in shown) == max(2, round(100 * count / exact_rate(fps)))
    times = np.cumsum([0, *(delay for _, delay in shown)])[:-1] / 100
    meant = np.array([index for index, _ in shown]) / fps
    assert np.abs(times - meant).max() <= 0.5 / fps + 1e-3 or count == 1
    assert rate_notes(VideoSpec(16, 16, fps, count), target_of(FORMATS["gif"])) != ()
    assert rate_notes(VideoSpec(16, 16, 50.0, count), target_of(FORMATS["gif"])) == ()


def test_a_frame_that_a_gif_cannot_hold(tmp_path: Path) -> None:
    spec = VideoSpec(160, 96, 0.001, 1)
    with pytest.raises(MediaError, match="655 seconds"):
        write_video(frames(spec), spec, tmp_path / "a.gif", FORMATS["gif"])


@pytest.mark.parametrize("name", ["gif", "webp", "avif"])
@pytest.mark.parametrize(("fps", "count"), [(60.0, 31), (24.0, 25), (15.0, 16), (0.2, 2)])
def test_animations_last_as_long_as_they_should(
    tmp_path: Path, name: str, fps: float, count: int
) -> None:
    spec = VideoSpec(32, 32, fps, count)
    path = out(tmp_path, name)
    write_video(frames(spec), spec, path, FORMATS[name])
    with Image.open(path) as image:
        total = 0
        for index in range(image.n_frames):
            image.seek(index)
            image.load()
            total += image.info["duration"]
    assert total == pytest.approx(1000 * count / fps, abs=5 if name == "gif" else 1)
