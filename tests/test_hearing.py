"""Sound: read beside the picture, edited with it, written into every format that holds it."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from test_cli import report, run
from test_footage_extend import pan
from test_footage_loop import swinging
from vivant.clip import Sound
from vivant.footage.hearing import closed, fitted, silenced
from vivant.media.decoder import Decoder

RATE = 48_000


def tone(seconds: float, channels: int = 2, hertz: float = 440.0) -> np.ndarray:
    t = np.arange(round(seconds * RATE)) / RATE
    wave = (12_000 * np.sin(2 * np.pi * hertz * t)).astype(np.int16)
    return np.repeat(wave[:, None], channels, axis=1)


def sounding(path: Path, frames: list[np.ndarray], fps: int, late: float = 0.0) -> Path:
    """A clip with a tone that begins ``late`` seconds after its first frame."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=fps, options={"crf": "4"})
        video.height, video.width = frames[0].shape[:2]
        video.pix_fmt = "yuv420p"
        audio = container.add_stream("aac", rate=RATE, layout="stereo")
        for frame in frames:
            container.mux(video.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(video.encode(None))
        samples = tone(len(frames) / fps - late)
        whole = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="stereo")
        whole.sample_rate = RATE
        whole.pts = round(late * RATE)
        container.mux(audio.encode(whole))
        container.mux(audio.encode(None))
    return path


def heard(path: Path) -> Sound | None:
    with Decoder() as decoder:
        return decoder.sound(path)


def loud(samples: np.ndarray) -> float:
    return float(np.sqrt((samples.astype(float) ** 2).mean()))


def pitch(samples: np.ndarray) -> float:
    line = np.abs(np.fft.rfft(samples[:, 0].astype(float)))
    return float(line.argmax() * RATE / len(samples))


def test_a_sound_begins_where_it_began(tmp_path: Path) -> None:
    found = heard(sounding(tmp_path / "a.mp4", pan(10), 10, late=0.4))
    assert found is not None
    assert found.rate == RATE
    assert found.samples.shape[1] == 2
    assert loud(found.samples[: round(0.3 * RATE)]) < 200
    assert loud(found.samples[round(0.5 * RATE) : round(0.9 * RATE)]) > 7000


def test_sounds_are_fitted_silenced_and_closed() -> None:
    sound = Sound(tone(1.0), RATE)
    assert len(fitted(sound, 1.5).samples) == 1.5 * RATE
    assert len(fitted(sound, 0.5).samples) == 0.5 * RATE
    after, before = (silenced(sound, 1.0, 0.5, way) for way in (False, True))
    assert after.seconds == before.seconds == 1.5
    assert not after.samples[RATE:].any()
    assert not before.samples[: RATE // 2].any()
    assert abs(int(after.samples[RATE - 1, 0])) < 50
    loop = closed(Sound(tone(1.0, hertz=441), RATE), 0.3, 0.9, 0.2)
    assert loop.seconds == pytest.approx(0.6)
    jump = np.abs(np.diff(np.concatenate([loop.samples[-2:], loop.samples[:2]])[:, 0].astype(int)))
    assert jump.max() < 1500


@pytest.mark.parametrize("ending", ["mp4", "mov", "webm", "mkv"])
def test_footage_keeps_its_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    clip = sounding(tmp_path / "a.mp4", pan(8), 10)
    out = tmp_path / f"b.{ending}"
    assert run(monkeypatch, "extend", clip, "-o", out, "--seconds", 0.4, "--size", "96x64") == 0
    found = heard(out)
    assert found is not None
    assert found.seconds == pytest.approx(1.2, abs=0.1)
    own, made = (
        found.samples[round(a * RATE) : round(b * RATE)] for a, b in ((0.1, 0.6), (0.9, 1.1))
    )
    assert pitch(own) == pytest.approx(440, abs=4)
    assert loud(own) > 6000
    assert loud(made) < 400


def test_a_loop_is_heard_and_slow_motion_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = sounding(tmp_path / "a.mp4", swinging(50, 20), 10)
    out = tmp_path / "b.mp4"
    assert run(monkeypatch, "loop", clip, "-o", out, "--json") == 0
    said = report(capsys)
    found = heard(out)
    assert found is not None
    assert found.seconds == pytest.approx(said["video"]["count"] / 10, abs=0.1)  # type: ignore[call-overload,index]
    assert run(monkeypatch, "retime", clip, "-o", tmp_path / "c.mp4", "--speed", 0.5, "--json") == 0
    assert any("sound is left out" in note for note in report(capsys)["notes"])  # type: ignore[call-overload]
    assert heard(tmp_path / "c.mp4") is None
    assert run(monkeypatch, "loop", clip, "-o", tmp_path / "d.gif", "--json") == 0
    assert any("sound is left out" in note for note in report(capsys)["notes"])  # type: ignore[call-overload]
