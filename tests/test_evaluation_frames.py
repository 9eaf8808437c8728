"""Measures of frames on closed forms: a good clip scores well, planted defects are caught."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from conftest import photo_like
from vivant.evaluation.baselines import crossfade_frames, still_frames, zoom_frames
from vivant.evaluation.frames import Frames, frame_scores, ssim
from vivant.evaluation.statistics import bootstrap, frechet

W, H, T, FPS = 192, 128, 24, 24.0
PICTURE = photo_like(W, H)
STATIC = np.zeros((H // 8, W // 8), bool)
STATIC[:, W // 16 :] = True


def drifting(pixels_a_second: float = 24.0, share: float = 0.5) -> Frames:
    """The left part slides right under the rest, which holds; frame 0 is the picture."""
    edge = round(W * share)
    wide = cv2.copyMakeBorder(PICTURE, 0, 0, 64, 0, cv2.BORDER_REFLECT)
    frames = []
    for k in range(T):
        frame = PICTURE.copy()
        start = 64 - round(pixels_a_second * k / FPS)
        frame[:, :edge] = wide[:, start : start + edge]
        frames.append(frame)
    return np.stack(frames)


GOOD = drifting()
FINE = frame_scores(GOOD, PICTURE, FPS, STATIC)


def test_a_good_clip_scores_well() -> None:
    assert FINE.first_frame == 99.0
    assert FINE.flicker < 0.05
    assert FINE.held == 0.0
    assert FINE.sharpness == pytest.approx(1.0, abs=0.2)
    # 24 of 128 pixels a second
    assert FINE.dynamic == pytest.approx(24 / 128, rel=0.1)
    assert FINE.step < 1.5


def test_a_frozen_clip_has_no_motion() -> None:
    scores = frame_scores(still_frames(PICTURE, T), PICTURE, FPS, STATIC)
    assert scores.dynamic < 0.01
    assert (scores.flicker, scores.warp_error, scores.held) == (0.0, 0.0, 0.0)


def test_a_colour_shift_of_two_levels_is_seen() -> None:
    ramp = np.linspace(0, 2, T)[:, None, None, None]
    still = np.clip(np.clip(PICTURE, 5, 250)[None] + ramp + 0.5, 0, 255).astype(np.uint8)
    scores = frame_scores(still, still[0], FPS)
    assert scores.colour_drift == pytest.approx(2 * FPS / (T - 1), rel=0.1)
    shifted = np.clip(GOOD.astype(int) + 2, 0, 255).astype(np.uint8)
    assert 40 < frame_scores(shifted, PICTURE, FPS).first_frame < 45


def test_jelly_on_what_should_hold_is_seen() -> None:
    y, x = np.mgrid[0:H, 0:W].astype(np.float32)
    wobbling = []
    for k, frame in enumerate(GOOD):
        sway = 2.0 * np.sin(2 * np.pi * k / 12) * np.sin(y / 10)
        at = (x + sway).astype(np.float32)
        wobbling.append(cv2.remap(frame, at, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT))
    assert frame_scores(np.stack(wobbling), PICTURE, FPS, STATIC).held > FINE.held + 2


def test_a_seam_is_seen() -> None:
    swaying = np.concatenate([GOOD, GOOD[-2:0:-1]])
    assert frame_scores(swaying, PICTURE, FPS).seam == pytest.approx(1.0, abs=0.5)
    assert FINE.seam > 5


def test_a_dropped_frame_is_seen() -> None:
    dropped = np.delete(GOOD, [11, 12, 13], axis=0)
    assert frame_scores(dropped, PICTURE, FPS).step > 1.5 * FINE.step


def test_flicker_is_seen() -> None:
    blinking = GOOD.astype(int) + np.where(np.arange(T) % 2, 4, 0)[:, None, None, None]
    scores = frame_scores(np.clip(blinking, 0, 255).astype(np.uint8), PICTURE, FPS)
    assert scores.flicker > FINE.flicker + 2
    assert scores.flicker == pytest.approx(4.0, rel=0.2)


def test_melting_shows_in_sharpness_and_warp_error() -> None:
    melting = np.stack([cv2.GaussianBlur(f, (0, 0), 0.3 + k / 8) for k, f in enumerate(GOOD)])
    scores = frame_scores(melting, PICTURE, FPS, STATIC)
    assert scores.sharpness < 0.3
    assert scores.warp_error > FINE.warp_error


@pytest.mark.parametrize("make", [zoom_frames, crossfade_frames])
def test_moving_baselines_begin_with_the_picture_and_move(make) -> None:  # type: ignore[no-untyped-def]
    frames = make(PICTURE, T)
    np.testing.assert_array_equal(frames[0], PICTURE)
    scores = frame_scores(frames, PICTURE, FPS, STATIC)
    assert scores.dynamic > 0.01
    assert scores.held > 2


def test_cross_fade_has_no_seam_and_zoom_has_one() -> None:
    assert frame_scores(crossfade_frames(PICTURE, T), PICTURE, FPS).seam < 2
    assert frame_scores(zoom_frames(PICTURE, T), PICTURE, FPS).seam > 4


def test_ssim_closed_forms() -> None:
    assert ssim(PICTURE, PICTURE) == pytest.approx(1.0)
    flat = np.full((64, 64, 3), 100, np.uint8)
    brighter = np.full((64, 64, 3), 110, np.uint8)
    expected = (2 * 100 * 110 + 6.5025) / (100**2 + 110**2 + 6.5025)
    assert ssim(flat, brighter) == pytest.approx(expected, abs=1e-6)


def test_frechet_distance_of_gaussians() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(0, 1, (4000, 3)).astype(np.float32)
    assert frechet(a, a) == pytest.approx(0.0, abs=1e-3)
    moved = a + np.array([1, 2, 2], np.float32)
    assert frechet(a, moved) == pytest.approx(9.0, rel=1e-3)
    # the same samples, spread by 2: (1 - 2)^2 times the variance, in each of 3 directions
    variance = float(a.var(axis=0, ddof=1).sum())
    assert frechet(a - a.mean(0), 2 * (a - a.mean(0))) == pytest.approx(variance, rel=1e-3)
    with pytest.raises(ValueError, match="two rows"):
        frechet(a[:1], a)


def test_bootstrap_covers_the_mean() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(5, 2, 100)
    low, high = bootstrap(values)
    assert low < 5 < high
    assert high - low == pytest.approx(2 * 1.96 * 0.2, rel=0.3)
    assert bootstrap(values) == bootstrap(values)
