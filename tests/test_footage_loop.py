"""Footage that closes: the seam is a step like any other, nothing is shown twice."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

from films import read_video
from test_cli import report, run
from test_footage import TEXTURE, write_clip
from vivant.errors import UsageError
from vivant.footage.closing import travelling, turned
from vivant.footage.cut import best_cut
from vivant.footage.forth import forth_and_back
from vivant.footage.loop import never_again

GROUND = np.ascontiguousarray(
    np.clip(TEXTURE[:64, :96].astype(np.int16) // 4 + 90, 0, 255), np.uint8
)


def disc(x: float, y: float = 32) -> np.ndarray:
    """A bright disc over a ground."""
    frame = cv2.cvtColor(GROUND, cv2.COLOR_GRAY2RGB) if GROUND.ndim == 2 else GROUND.copy()
    centre = (round(x * 16), round(y * 16))
    cv2.circle(frame, centre, 9 * 16, (250, 240, 60), -1, cv2.LINE_AA, shift=4)
    return frame


def swinging(count: int, period: float) -> list[np.ndarray]:
    return [disc(48 + 20 * np.sin(2 * np.pi * k / period)) for k in range(count)]


def step(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(float) - b).mean())


def test_the_best_cut_is_a_period() -> None:
    cut = best_cut(np.stack(swinging(50, 20)), fps=10)
    assert cut.count in (20, 40)
    assert cut.apart < 0.5
    assert cut.start >= cut.blend


def test_the_seam_is_no_large_step() -> None:
    """Shown twice each, frames differ at every second step: the seam is one of the still ones."""
    frames = np.stack([frame for frame in swinging(25, 10) for _ in range(2)])
    cut = best_cut(frames, fps=10)
    steps = [step(a, b) for a, b in itertools.pairwise(frames)]
    assert steps[cut.start - 1] <= np.median(steps)


def test_the_last_frame_leads_to_the_first_as_it_was_filmed() -> None:
    first, second = swinging(14, 17.0)[2:], swinging(14, 23.0)[2:]
    made = list(turned(first, second))
    assert np.array_equal(made[-1], second[-1])
    assert not np.array_equal(made[0], second[0])


def test_a_way_forth_and_back_turns_gently() -> None:
    way = forth_and_back(5, 45, fps=10)
    places = way.places
    assert places[0] == 0
    assert places[-1] == 39
    steps = np.diff(places)
    assert steps[0] < 0.5
    assert steps.max() == pytest.approx(1)
    assert np.allclose(steps, steps[::-1])
    middle = places[way.turn : -way.turn]
    assert np.array_equal(middle, np.rint(middle))  # as it was filmed
    assert abs(forth_and_back(0, 40, 10, 3.0).count - 30) <= 1
    with pytest.raises(UsageError, match="Forth and back"):
        forth_and_back(0, 40, 10, 60.0)


def strangers(count: int) -> np.ndarray:
    """A picture that becomes another one for good."""
    rng = np.random.default_rng(1)
    pair = [cv2.GaussianBlur(rng.normal(size=(64, 96, 3)), (0, 0), 3.0) for _ in range(2)]
    a, b = (128 + 45 * one / one.std() for one in pair)
    shares = np.linspace(0, 1, count)
    return np.stack([np.clip(a + s * (b - a), 0, 255).astype(np.uint8) for s in shares])


def test_what_never_looks_the_same_again_goes_forth_and_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = strangers(24)
    assert never_again(frames, best_cut(frames, 10))
    again = np.stack(swinging(50, 20))
    assert not never_again(again, best_cut(again, 10))
    clip, out = write_clip(tmp_path / "a.mp4", list(frames)), tmp_path / "b.mkv"
    words = ["-o", out, "--no-watermark"]
    assert run(monkeypatch, "loop", clip, *words, "--json") == 0
    notes = " ".join(report(capsys)["notes"])  # type: ignore[arg-type]
    assert "look alike" in notes
    assert "back again" in notes
    own, made = read_video(clip).frames, read_video(out).frames
    assert np.array_equal(made[0], own[0])
    assert np.array_equal(made[len(made) // 2], own[-1])
    for k in range(1, len(made) // 2):
        assert np.array_equal(made[k], made[-k])
    assert run(monkeypatch, "loop", clip, *words, "--overwrite", "--no-back", "--json") == 0
    assert "closes in" in " ".join(report(capsys)["notes"])  # type: ignore[arg-type]
    assert run(monkeypatch, "verify", out) == 0
    assert "vivant loop a.mp4 --no-back" in capsys.readouterr().err


def test_a_length_that_cannot_be_is_refused() -> None:
    frames = np.stack(swinging(50, 20))
    assert abs(best_cut(frames, 10, 2.0).count - 20) <= 2
    with pytest.raises(UsageError, match="at most"):
        best_cut(frames, 10, 10.0)


def test_what_moved_is_bent_not_doubled() -> None:
    """Half way, one disc: as much brightness as a disc has, no paler one beside it."""
    first, second = [disc(44)] * 8, [disc(50)] * 8
    made = list(turned(first, second))[3]
    bright = made[..., 0] > 200
    pale = (made[..., 0] > 150) & ~bright
    meant = disc(46.5)
    assert step(made, meant) < 0.5 * step(disc(44), disc(50))
    assert pale.sum() < 0.4 * bright.sum()


def test_what_boils_is_not_averaged() -> None:
    rng = np.random.default_rng(0)

    def noise() -> np.ndarray:
        plain = cv2.GaussianBlur(rng.normal(size=(96, 128, 3)), (0, 0), 1.5)
        return np.clip(128 + 40 * plain / plain.std(), 0, 255).astype(np.uint8)

    first, second = [noise() for _ in range(12)], [noise() for _ in range(12)]
    made = list(turned(first, second))
    fades = [(a.astype(float) + b) / 2 for a, b in zip(first, second, strict=True)]
    assert min(frame.std() for frame in made) > 0.75 * first[0].std()
    assert fades[5].std() < 0.72 * first[0].std()


def test_a_thing_that_went_on_goes_over_whole() -> None:
    """A disc that is elsewhere in the other run comes and goes; it is never seen through."""
    plain = cv2.GaussianBlur(GROUND, (0, 0), 6.0)

    def with_disc(x: float | None) -> np.ndarray:
        frame = plain.copy()
        if x is not None:
            cv2.circle(frame, (round(x), 32), 7, (250, 240, 60), -1)
        return frame

    first, second = [with_disc(20 + k) for k in range(12)], [with_disc(None)] * 12
    things = travelling(first, second)
    assert things[32, 20:30].min() > 0.9
    assert things[5, 70] == 0
    made = list(turned(first, second))
    there = [float((frame[..., 0] > 225).sum()) for frame in made]
    whole = float((first[0][..., 0] > 225).sum())
    assert sum(0.15 * whole < area < 0.8 * whole for area in there) <= 3
    assert there[-1] == 0


def test_a_loop_of_footage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = write_clip(tmp_path / "a.mp4", swinging(50, 20))
    out = tmp_path / "b.mkv"
    assert run(monkeypatch, "loop", clip, "-o", out, "--no-watermark", "--json") == 0
    said = report(capsys)
    assert any("closes in" in note for note in said["notes"])  # type: ignore[call-overload]
    frames = read_video(out).frames
    assert len(frames) in (20, 40)
    steps = [step(a, b) for a, b in itertools.pairwise(frames)]
    assert step(frames[-1], frames[0]) <= 1.2 * max(steps)
    assert run(monkeypatch, "verify", out) == 0
    assert "vivant loop a.mp4" in capsys.readouterr().err
    assert run(monkeypatch, "loop", clip, "-o", tmp_path / "c.mp4", "--seconds", 60) == 2
    assert not (tmp_path / "c.mp4").exists()
