"""Footage that goes on: no jump, at the pace it had, to rest where it must, the same before."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

from films import read_video
from test_cli import report, run
from test_footage import write_clip
from test_footage_freeze import seen
from vivant.footage.extend import continued
from vivant.footage.grain import Grain, calmed, grain_of
from vivant.footage.momentum import eased, momentum_of
from vivant.footage.observed import Observed, observed
from vivant.footage.piece import Sampler
from vivant.registry import load

FPS = 10
SIZE = (240, 160)
CELLS = (32, 48)


def pan(count: int, speed: float = 1.5, light: float = 0.0) -> list[np.ndarray]:
    frames = [seen(-speed * k).astype(np.float32) * 0.7 + 30 + light * k for k in range(count)]
    return [np.clip(frame, 0, 255).astype(np.uint8) for frame in frames]


def test_what_is_steady_is_told_from_what_shakes() -> None:
    steady = observed(pan(10), FPS)
    wanted = 1.5 * FPS / SIZE[1]
    middle = np.s_[6:-6, 8:-8]
    assert np.abs(steady.going_on(steady.mean)[middle][..., 0] - wanted).max() < 0.15 * wanted
    assert np.abs(steady.last[middle][..., 0] - wanted).max() < 0.2 * wanted
    shaken = observed([seen(1.5 * (k % 2)) for k in range(10)], FPS)
    assert np.abs(shaken.going_on(shaken.mean)[middle]).max() < 0.3 * wanted
    assert shaken.shaken[middle].min() > 0.6 * wanted
    assert not np.abs(steady.light).max() > 1
    assert observed(pan(10, 0, 2), FPS).light.mean() == pytest.approx(20, rel=0.15)


def of(velocity: np.ndarray) -> Observed:
    none = np.zeros(CELLS, np.float32)
    return Observed(velocity, velocity, none, np.zeros((8, 8, 3), np.float32))


def test_a_camera_starts_at_its_speed_and_comes_to_rest() -> None:
    velocity = np.zeros((*CELLS, 2), np.float32)
    velocity[..., 0] = 0.1
    motion, _ = momentum_of(of(velocity), np.zeros(CELLS, np.float32))
    assert motion.camera[0] == pytest.approx(0.1, abs=0.005)
    assert motion.view(0.01)[0, 2] == pytest.approx(0.001, rel=0.05)
    assert motion.view(60)[0, 2] <= 0.21  # what it has not seen is not shown
    assert not motion.things.any()
    frame = seen(0)
    moved = motion.moved(frame, 1.0)
    there = round(160 * float(motion.view(1.0)[0, 2]))
    assert np.abs(moved[:, 40:200].astype(float) - frame[:, 40 - there : 200 - there]).mean() < 4


def test_things_are_not_bent_out_of_shape() -> None:
    velocity = np.zeros((*CELLS, 2), np.float32)
    velocity[10:20, 10:20] = (0.8, -0.3)
    motion, _ = momentum_of(of(velocity), np.zeros(CELLS, np.float32))
    far = motion.shift(60.0)
    slopes = [np.gradient(far[..., k]) for k in range(2)]
    assert max(np.abs(one).max() for pair in slopes for one in pair) * CELLS[0] < 0.7
    early = motion.shift(0.002)[15, 15] / 0.002
    assert early == pytest.approx(velocity[15, 15], rel=0.25)
    still, _ = momentum_of(of(np.zeros((*CELLS, 2), np.float32)), np.zeros(CELLS, np.float32))
    assert still.still
    assert still.moved(seen(0), 2.0) is not None


def test_rest_is_reached_smoothly() -> None:
    assert float(eased(0.001, 0.5)) == pytest.approx(0.001, rel=0.01)
    assert float(eased(50, 0.5)) == pytest.approx(0.5)


def test_grain_is_measured_averaged_away_and_made_again() -> None:
    rng = np.random.default_rng(0)
    clean = cv2.GaussianBlur(seen(0), (0, 0), 6).astype(np.float32) * 0.6 + 50
    frames = [
        np.clip(clean + rng.normal(0, 4, clean.shape), 0, 255).astype(np.uint8) for _ in range(6)
    ]
    grain = grain_of(frames)
    assert grain.sigma[1] == pytest.approx(4, rel=0.2)
    assert grain.soft == 0
    calm = calmed(frames, grain)
    assert np.abs(calm - clean).std() < 0.7 * np.abs(frames[-1] - clean).std()
    again = grain.added(calm, rng)
    assert (again - clean).std() == pytest.approx((frames[-1] - clean).std(), rel=0.25)
    assert not grain_of(pan(6, 3)).there
    assert not Grain((0.1, 0.1, 0.1)).there


def test_no_jump_at_the_seam() -> None:
    model = load("builtin")
    assert isinstance(model, Sampler)
    frames = pan(10)
    more = continued(frames, FPS, model)
    first = more.at(1 / FPS, 1)
    step = np.abs(first.astype(float) - frames[-1]).mean()
    usual = np.median([np.abs(b.astype(float) - a).mean() for a, b in itertools.pairwise(frames)])
    assert 0.5 * usual < step < 1.25 * usual
    assert np.abs(first.astype(float).mean() - frames[-1].mean()) < 1


def test_an_extension_keeps_the_footage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = pan(8)
    clip = write_clip(tmp_path / "a.mp4", frames, FPS)
    own = read_video(clip).frames
    after, before = tmp_path / "b.mkv", tmp_path / "c.mkv"
    words = ["--seconds", 0.5, "--no-watermark", "--json"]
    assert run(monkeypatch, "extend", clip, "-o", after, *words) == 0
    made = read_video(after).frames
    assert len(made) == 13
    assert np.array_equal(made[:8], own)
    assert not np.array_equal(made[8], own[-1])
    assert run(monkeypatch, "extend", clip, "-o", before, "--before", *words) == 0
    made = read_video(before).frames
    assert len(made) == 13
    assert np.array_equal(made[5:], own)
    back = np.abs(made[4].astype(float) - own[0]).mean()
    assert 0 < back < 2 * np.abs(own[1].astype(float) - own[0]).mean()
    capsys.readouterr()
    assert run(monkeypatch, "verify", before, "--json") == 0
    said = report(capsys)[0]  # type: ignore[index]
    assert said["record"]["request"]["controls"] == [
        {"control": "extend", "seconds": 0.5, "before": True}
    ]
    assert said["source_types"] == ["compositeWithTrainedAlgorithmicMedia"]
    assert run(monkeypatch, "extend", clip, "-o", tmp_path / "d.mp4", "--seconds", 99) == 2
    assert not (tmp_path / "d.mp4").exists()
