"""Scores of motion on closed forms: the truth is perfect, planted defects are caught."""

from __future__ import annotations

import numpy as np
import pytest

from conftest import photo_like
from vivant.controls.stroke import Stroke
from vivant.data.windows import Window
from vivant.evaluation.baselines import BASELINES, mean_field
from vivant.evaluation.hints import largest_region, obedience
from vivant.evaluation.motion_scores import (
    Guess,
    Scores,
    Truth,
    diversity,
    drift_share,
    endpoint_ratio,
    rhythm,
    score,
    summary,
    temporal_energy,
)

H, W, T = 32, 48, 16


def evaluate(truths: list[Truth], guess: Guess, samples: int) -> list[Scores]:
    """Scores of every clip, ``samples`` seeds each, counted from 0."""
    return [score(t, np.stack([guess(t, seed) for seed in range(samples)])) for t in truths]


def truth(seed: int = 0, sway: float = 0.0) -> Truth:
    """The left third drifts right (and sways), the rest holds."""
    rng = np.random.default_rng(seed)
    moving = np.zeros((H, W), bool)
    moving[:, : W // 3] = True
    velocity = np.zeros((T, 2, H, W), np.float32)
    pulse = 0.1 + sway * np.cos(np.arange(T))
    velocity[:, 0] = pulse[:, None, None] * moving
    ones = np.ones((H, W), np.float32)
    window = Window(
        image=photo_like(8 * W, 8 * H, seed),
        velocity=velocity + rng.normal(0, 1e-5, velocity.shape).astype(np.float32),
        light=np.zeros((T, H, W), np.float32),
        weight=ones,
        gradient=20 * ones,
        confidence=ones,
        camera_moves=False,
    )
    return Truth(f"clip-{seed}", "test", window, moving, ~moving)


def test_the_truth_scores_perfectly() -> None:
    one = truth(sway=0.03)
    scores = score(one, one.window.velocity[None])
    assert scores.where == 1.0
    assert scores.direction_best == pytest.approx(1.0, abs=1e-3)
    assert scores.rhythm == pytest.approx(1.0)
    assert scores.endpoint_best < 1e-3
    assert scores.leakage < 1e-3
    assert scores.speed == pytest.approx(scores.true_speed)
    assert scores.drift == pytest.approx(scores.true_drift)


def test_planted_defects_are_caught() -> None:
    one = truth(sway=0.03)
    true = one.window.velocity
    frozen = score(one, np.zeros_like(true)[None])
    assert frozen.where == 0.5
    assert frozen.endpoint_best == pytest.approx(1.0)
    swapped = score(one, true[None, :, ::-1])
    assert swapped.direction_best == pytest.approx(0.0, abs=0.01)
    elsewhere = score(one, true[None, ..., ::-1])
    assert elsewhere.where < 0.5
    jelly = true + 0.05 * np.ones_like(true)
    assert score(one, jelly[None]).leakage > 0.3
    backwards = score(one, -true[None])
    assert backwards.direction_mean == pytest.approx(-1.0, abs=1e-3)
    assert backwards.endpoint_best == pytest.approx(2.0, rel=0.01)


def test_rhythm_tells_drift_from_sway() -> None:
    everywhere = np.ones((4, 4), bool)
    steady = np.full((T, 2, 4, 4), 0.1, np.float32)
    swinging = steady * np.cos(np.pi * 4 * (2 * np.arange(T) + 1) / (2 * T))[:, None, None, None]
    swinging = swinging.astype(np.float32)
    assert int(temporal_energy(steady, everywhere).argmax()) == 0
    assert int(temporal_energy(swinging, everywhere).argmax()) == 4
    assert drift_share(steady, everywhere) == pytest.approx(1.0)
    assert drift_share(swinging, everywhere) == pytest.approx(0.0, abs=1e-6)
    assert rhythm(temporal_energy(steady, everywhere), temporal_energy(swinging, everywhere)) < 0.3


def test_diversity_and_endpoint_error() -> None:
    everywhere = np.ones((4, 4), bool)
    a = np.full((T, 2, 4, 4), 0.1, np.float32)
    assert diversity(np.stack([a, a]), everywhere) == 0
    assert diversity(np.stack([a, -a]), everywhere) == pytest.approx(2.0)
    assert diversity(a[None], everywhere) == 0
    assert endpoint_ratio(0.5 * a, a, everywhere) == pytest.approx(0.5)


def test_the_summary_measures_calibration_across_clips() -> None:
    clips = [truth(k) for k in range(4)]
    for k, one in enumerate(clips):
        one.window.velocity[:] *= 1 + k

    def honest(one: Truth, seed: int) -> np.ndarray:  # type: ignore[type-arg]
        return one.window.velocity * np.float32(1 + 0.1 * seed)

    table = summary(evaluate(clips, honest, 2))
    assert table["clips"] == 4
    assert table["calibration"] > 0.99
    assert table["where_median"] == 1.0


@pytest.mark.parametrize("name", sorted(BASELINES))
def test_baselines_ignore_the_motion_and_repeat(name: str) -> None:
    one = truth()
    field = BASELINES[name](one, 3)
    assert field.shape == (T, 2, H, W)
    assert field.dtype == np.float32
    np.testing.assert_array_equal(field, BASELINES[name](one, 3))
    other = truth()
    other.window.velocity[:] = 0
    np.testing.assert_array_equal(field, BASELINES[name](other, 3))


@pytest.mark.parametrize("name", [*sorted(BASELINES), "class-free mean field"])
def test_baselines_have_the_chances_of_the_model(name: str) -> None:
    """Four consecutive seeds look all ways, so that the best of them is off by 45 degrees at most
    wherever everything moves the same way, and their mean is nothing."""
    guess = (BASELINES | {"class-free mean field": mean_field([truth(5)])})[name]
    one = truth()
    four = np.stack([guess(one, seed) for seed in range(4)])
    np.testing.assert_allclose(four.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(four[1, :, 0], -four[0, :, 1])
    speeds = np.linalg.norm(four, axis=2)
    np.testing.assert_allclose(speeds, np.broadcast_to(speeds[0], speeds.shape), atol=1e-6)
    if name in ("centre", "brightness"):
        for turn in range(8):
            other = truth(turn)
            found = score(other, np.stack([guess(other, seed) for seed in range(4)]))
            assert found.direction_best >= np.cos(np.pi / 4) - 1e-3
    if name != "slow zoom" and "mean" not in name:
        assert not np.allclose(np.abs(guess(one, 4)), np.abs(four[0]))


def test_obedience_tells_who_listens() -> None:
    one = truth()

    def listens(stroke: Stroke) -> np.ndarray:  # type: ignore[type-arg]
        (x0, y0), (x1, y1) = stroke.points
        way = np.array([(x1 - x0) * W, (y1 - y0) * H], np.float32)
        return np.broadcast_to(way[None, :, None, None], (T, 2, H, W))

    def deaf(stroke: Stroke) -> np.ndarray:  # type: ignore[type-arg]
        return one.window.velocity

    good = [obedience(one, listens, seed) for seed in range(4)]
    assert min(o.near for o in good) > 0.99
    assert min(o.region for o in good) > 0.99
    for seed in range(4):
        assert obedience(one, deaf, seed).near == pytest.approx(0, abs=1e-6)
        assert obedience(one, deaf, seed).region == pytest.approx(0, abs=1e-6)
    region, (row, column) = largest_region(one.moving)
    assert region.sum() == one.moving.sum()
    assert one.moving[row, column]
