"""Detail that is kept, and cycles that go on."""

from __future__ import annotations

import cv2
import numpy as np

from test_footage_loop import disc, step, swinging
from vivant.footage.cycle import cycle_of
from vivant.footage.detail import detail_of, kept

SOLID = np.ones((16, 24), np.float32)
RNG = np.random.default_rng(3)


def textured(seed: int) -> np.ndarray:
    """A textured half and a flat one with weak noise."""
    rng = np.random.default_rng(seed)
    frame = np.full((120, 160, 3), 128.0)
    frame[:, :80] += 45 * cv2.GaussianBlur(rng.normal(size=(120, 80, 3)), (0, 0), 0.9)
    frame[:, 80:] += rng.normal(size=(120, 80, 1)) * 1.2
    return np.clip(np.rint(frame), 0, 255).astype(np.uint8)


def test_what_swings_goes_on_swinging() -> None:
    frames = swinging(60, 20)
    cycle = cycle_of(frames, 20.0, SOLID)
    assert cycle is not None
    assert cycle.period == 20
    still = frames[-1]
    made = [cycle.upon(still, number) for number in range(1, 61)]
    later = [disc(48 + 20 * np.sin(2 * np.pi * (59 + number) / 20)) for number in range(1, 61)]
    usual = np.mean([step(still, frame) for frame in later])
    assert max(step(a, b) for a, b in zip(made[4:], later[4:], strict=True)) < 0.25 * usual
    assert np.array_equal(made[30][:6, :6], still[:6, :6])


def test_what_never_comes_back_is_no_cycle() -> None:
    assert cycle_of([disc(12 + k) for k in range(60)], 20.0, SOLID) is None
    assert cycle_of([disc(40)] * 60, 20.0, SOLID) is None
    assert cycle_of(swinging(60, 20), 20.0, 0 * SOLID) is None
    assert cycle_of(swinging(25, 20), 20.0, SOLID) is None
    boiling = [RNG.integers(0, 256, (64, 96, 3)).astype(np.uint8) for _ in range(40)]
    assert cycle_of(boiling, 20.0, SOLID) is None


def test_detail_that_was_lost_comes_back() -> None:
    last, other = textured(0), textured(1)
    wanted = detail_of(last)
    soft = cv2.GaussianBlur(other, (0, 0), 0.6)
    made = detail_of(kept(soft, last, wanted, RNG))
    assert detail_of(soft).sharp < 0.7 * wanted.sharp
    assert abs(made.sharp / wanted.sharp - 1) < 0.1
    assert abs(made.flat / wanted.flat - 1) < 0.35 < abs(detail_of(soft).flat / wanted.flat - 1)


def test_where_nothing_moves_not_a_bit_changes() -> None:
    last = textured(0)
    frame = last.copy()
    frame[40:80, 20:60] = cv2.GaussianBlur(textured(1), (0, 0), 0.8)[40:80, 20:60]
    made = kept(frame, last, detail_of(last), RNG)
    assert np.array_equal(made[:, 90:], last[:, 90:])
    assert not np.array_equal(made, frame)
    assert kept(last, last, detail_of(last), RNG) is last
