"""What a seed chooses: of all ways that things may go, a few seeds in a row show many."""

from __future__ import annotations

from dataclasses import replace
from math import atan2, degrees

import numpy as np
import pytest

from test_layers import PIXELS, by_kind, looked
from vivant.motion.asked import Asked
from vivant.motion.choose import MOST_ASIDE, choose, is_fog
from vivant.motion.flowing import field_of
from vivant.motion.priors import PRIORS, Normal
from vivant.motion.stage import staged
from vivant.rendering.manners.drift import Drift

SEEDS = range(8)


def sky(seed: int, spread: float = 30.0) -> Drift:
    priors = replace(PRIORS, sky_climb=Normal(0.0, spread), sky_rise=Normal(0.0, 0.0))
    found = by_kind(choose(looked(), Asked(seed=seed), priors))["sky"].manner
    assert isinstance(found, Drift)
    return found


def test_eight_skies_go_left_and_right_and_up_and_down() -> None:
    drifts = [sky(seed) for seed in SEEDS]
    assert sum(one.speed > 0 for one in drifts) == 4
    assert sum(one.rise > 0 for one in drifts) == 4
    climbs = [abs(degrees(atan2(one.rise, abs(one.speed)))) for one in drifts]
    assert max(climbs) > 15
    assert max(climbs) <= 60


def test_a_climb_changes_the_way_and_not_the_pace() -> None:
    for seed in SEEDS:
        level, steep = sky(seed, 0.0), sky(seed)
        assert np.hypot(steep.speed, steep.rise) == pytest.approx(abs(level.speed))


def test_a_river_may_run_either_way_and_mostly_runs_down() -> None:
    downs = []
    for seed in SEEDS:
        velocity = by_kind(choose(looked(water=1), Asked(seed=seed)))["water"].velocity
        assert velocity is not None
        downs.append(float(velocity[..., 1].sum()) > 0)
    certain = replace(PRIORS, river_back=0.0)
    field = by_kind(choose(looked(water=1), Asked(seed=0), certain))["water"].velocity
    assert field is not None
    usual = float(field[..., 1].sum()) > 0
    assert sum(down == usual for down in downs) == 6


@pytest.mark.parametrize(("water", "name"), [(2, "sea"), (3, "surf")])
def test_waves_come_from_the_half_plane_before_the_viewer(water: int, name: str) -> None:
    asides = []
    for seed in range(16):
        velocity = by_kind(choose(looked(water=water), Asked(seed=seed)))["water"].velocity
        assert velocity is not None
        across, down = velocity.reshape(-1, 2).sum(axis=0)
        asides.append(abs(degrees(atan2(across, down))))
    assert max(asides) <= MOST_ASIDE[name] + 0.5
    assert max(asides) > 0.7 * MOST_ASIDE[name]


def test_strength_scales_what_is_stated() -> None:
    one = looked()
    speeds = []
    for factor in (0.5, 1.0, 2.0):
        motion = choose(one, Asked(overall=factor))
        layers = tuple(layer for layer in motion.layers if layer.kind != "fire")
        field = field_of(staged(PIXELS, replace(motion, layers=layers), one), 1.0, False, {})
        speeds.append(float(np.linalg.norm(field.velocity, axis=1).mean()))
    assert speeds[0] / speeds[1] == pytest.approx(0.5, rel=0.06)
    assert speeds[2] / speeds[1] == pytest.approx(2.0, rel=0.06)


def test_what_is_wide_is_fog() -> None:
    plane = np.zeros((60, 90), np.uint8)
    plane[20:50, 30:50] = 255
    assert not is_fog(plane)
    plane[20:30, 5:85] = 255
    assert is_fog(plane)
