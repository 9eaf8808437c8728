"""Inertia: known frames whose motion goes on, and how far that is believed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vivant.data.procedural import noise
from vivant.video.inertia import carried_on


def drifting(count: int, step: int = 1) -> NDArray[np.uint8]:
    """A texture that goes right by ``step`` pixels a frame, ``[count, 64, 64, 3]``."""
    texture = (255 * noise(np.random.default_rng(0), 12)[..., None]).repeat(3, axis=2)
    return np.stack([np.roll(texture, k * step, axis=1)[:64, 64:128] for k in range(count)]).astype(
        np.uint8
    )


def error(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    return float(np.abs(a.astype(float) - b)[:, 16:-16, 24:-16].mean())


def test_steady_motion_goes_on() -> None:
    clip = drifting(13)
    made, trust = carried_on(clip[:5], 13)
    np.testing.assert_array_equal(made[:5], clip[:5])
    assert error(made[5:], clip[5:]) < 0.25 * error(clip[4:5], clip[5:])
    assert trust[16:-16, 16:-16].mean() > 0.9


def test_one_frame_stands_still() -> None:
    clip = drifting(3)
    made, trust = carried_on(clip[:1], 9)
    assert (made == clip[0]).all()
    assert made.shape == (9, 64, 64, 3)
    assert not trust.any()


def test_what_flow_does_not_explain_is_not_trusted() -> None:
    other = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    clip = drifting(5)
    _, cut = carried_on(np.stack([other, *clip[1:]]), 9)
    _, whole = carried_on(clip, 9)
    assert cut.mean() < 0.3 * whole.mean()
