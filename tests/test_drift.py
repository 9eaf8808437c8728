"""Colours that run away from the first frame's are held; what is no drift is left alone."""

import numpy as np
import pytest

from softened import COUNT, spoiled, true_clip, world
from vivant.rendering.drift import drift_of, steadied


def test_drift_is_undone():
    clip = true_clip()
    bad = [spoiled(frame, t / (COUNT - 1)) for t, frame in enumerate(clip)]
    drift = drift_of(bad)
    assert 8 < drift.amount < 20
    last = list(steadied(bad, drift))[-1].astype(float)
    meant = spoiled(clip[-1], 0)
    assert np.abs((last - meant).mean(axis=(0, 1))).max() < 3
    assert np.abs((bad[-1].astype(float) - meant).mean(axis=(0, 1))).max() > 9


def test_what_does_not_drift_and_lightning_are_left_alone():
    clip = true_clip()
    assert drift_of(clip).amount == 0
    flash = [
        np.clip(f.astype(float) + 50 * (t in (3, 6)), 0, 255).astype(np.uint8)
        for t, f in enumerate(clip)
    ]
    assert drift_of(flash).amount == 0
    assert all(
        np.array_equal(a, b) for a, b in zip(flash, steadied(flash, drift_of(flash)), strict=True)
    )


def test_a_large_drift_is_undone_where_the_light_flickers_a_little():
    clip = true_clip()
    bad = []
    for t, frame in enumerate(clip):
        drifted = spoiled(frame, 0).astype(float) + np.array([-40, -36, -30]) * t / (COUNT - 1)
        bad.append(np.clip(drifted + 6 * (t in (3, 6)), 0, 255).astype(np.uint8))
    drift = drift_of(bad)
    assert 34 < drift.amount < 46
    meant = spoiled(clip[-1], 0).astype(float)
    last = list(steadied(bad, drift))[-1]
    assert np.abs((last - meant).mean(axis=(0, 1))).max() < 6


def test_a_fit_that_nobody_guards_is_taken_as_it_is():
    clip = [
        np.clip(f + 40.0 * (t >= 4), 0, 255).astype(np.uint8) for t, f in enumerate(true_clip())
    ]
    assert drift_of(clip).amount == 0
    assert drift_of(clip, guarded=False).amount > 10


def covered(frames, until):
    """The same, but from ``until`` on something dark comes into view from the left."""
    hand = np.random.default_rng(4).integers(20, 60, (96, 96, 3)).astype(np.uint8)
    out = []
    for t, frame in enumerate(frames):
        width = int(96 * 0.75 * max(0, t - until) / (len(frames) - until))
        out.append(np.concatenate([hand[:, 96 - width :], frame[:, width:]], axis=1))
    return out


def test_drift_is_found_behind_what_comes_into_view():
    whole = world(200)
    clip = [whole[20:116, 20 + 2 * t : 116 + 2 * t].copy() for t in range(17)]
    bad = [spoiled(f, t / 16) for t, f in enumerate(covered(clip, 4))]
    drift = drift_of(bad)
    assert 8 < drift.amount < 20
    meant = spoiled(covered(clip, 4)[-1], 0)
    last = list(steadied(bad, drift))[-1].astype(float)
    assert np.abs((last - meant).mean(axis=(0, 1))).max() < 6


@pytest.mark.parametrize("step", [40.0, -40.0])
def test_light_that_is_switched_is_no_drift(step):
    clip = [
        np.clip(f + step * (t >= 4), 0, 255).astype(np.uint8) for t, f in enumerate(true_clip())
    ]
    assert drift_of(clip).amount == 0
    assert len(clip) == COUNT


@pytest.mark.parametrize("level", [0, 255])
def test_a_clip_without_colours_has_no_drift(level):
    assert drift_of([np.full((64, 96, 3), level, np.uint8)] * 6).amount == 0
