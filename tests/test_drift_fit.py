"""Speeds and directions fitted to what flow says of clips."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vivant.motion.priors import PRIORS, LogNormal
from vivant.training.drift_clips import certain, compared
from vivant.training.drift_fit import Drifted, applied, by_hand, fitted, learned, likelihood


def clips(count: int, faster: float, aside: float, kind: str = "sky") -> list[Drifted]:
    rng = np.random.default_rng(3)
    return [
        Drifted(f"{k}", f"source {k}", kind, faster * float(np.exp(0.4 * rng.standard_normal())),
                aside * float(rng.standard_normal()))
        for k in range(count)
    ]  # fmt: skip


def test_many_clips_are_believed_and_few_hardly() -> None:
    hand = by_hand("sky", PRIORS)
    many = learned(clips(200, 3.0, 30.0), hand)
    assert np.exp(many.shift) == pytest.approx(3.0, rel=0.1)
    assert many.spread == pytest.approx(0.4, rel=0.15)
    assert many.aside == pytest.approx(30.0, rel=0.15)
    assert learned(clips(1, 3.0, 30.0), hand).shift < many.shift / 2


def test_what_is_likelier_on_clips_not_fitted_to_is_kept() -> None:
    better = fitted("sky", clips(30, 3.0, 30.0), PRIORS)
    assert better.kept
    assert better.after > better.before
    assert better.interval[0] > 0
    priors = applied(PRIORS, [better], PRIORS)
    assert priors.sky_speed.median == pytest.approx(3 * PRIORS.sky_speed.median, rel=0.25)
    assert priors.sky_speed.high == pytest.approx(2 * priors.sky_speed.median, rel=0.01)
    assert priors.sky_climb.spread == pytest.approx(30, rel=0.25)
    few = fitted("sky", clips(5, 3.0, 30.0), PRIORS)
    assert not few.kept
    assert applied(PRIORS, [few], PRIORS) == PRIORS


def test_what_was_fitted_otherwise_stays_but_for_what_flow_teaches() -> None:
    other = replace(PRIORS, sway=LogNormal(0.01, 0.1), sky_speed=LogNormal(1.0, 0.1))
    priors = applied(other, [fitted("sky", clips(30, 3.0, 30.0), PRIORS)], PRIORS)
    assert priors.sway == other.sway
    assert priors.sky_speed.median < 0.2  # told from the hand-set one


def test_clips_as_by_hand_change_nothing() -> None:
    hand = by_hand("sea", PRIORS)
    rng = np.random.default_rng(0)
    seen = [
        Drifted(str(k), str(k), "sea", float(np.exp(hand.spread * rng.standard_normal())),
                hand.aside * float(rng.standard_normal()))
        for k in range(40)
    ]  # fmt: skip
    assert not fitted("sea", seen, PRIORS).kept


def test_falls_fall_whatever_clips_say() -> None:
    fit = fitted("fall", clips(30, 2.0, 90.0, "fall"), PRIORS)
    assert fit.way.aside == by_hand("fall", PRIORS).aside
    assert applied(PRIORS, [fit], PRIORS).fall_speed.median > PRIORS.fall_speed.median


def test_a_turn_by_a_whole_circle_is_none() -> None:
    hand = by_hand("sky", PRIORS)
    one, other = (Drifted("a", "a", "sky", 1.0, turn) for turn in (170.0, -190.0))
    np.testing.assert_allclose(likelihood(hand, [one]), likelihood(hand, [other]))


@pytest.mark.parametrize(
    ("true", "stated", "either", "faster", "turn"),
    [
        ((2.0, 0.0), (1.0, 0.0), False, 2.0, 0.0),
        ((0.0, -1.0), (1.0, 0.0), False, 1.0, 90.0),  # y points down: up is positive
        ((-1.0, 0.0), (1.0, 0.0), False, 1.0, 180.0),
        ((-1.0, 0.0), (1.0, 0.0), True, 1.0, 0.0),
        ((-1.0, -1.0), (1.0, 0.0), True, 2**0.5, 45.0),
        ((-1.0, -1.0), (-1.0, 0.0), True, 2**0.5, 45.0),
        ((1.0, -1.0), (-1.0, 0.0), True, 2**0.5, 45.0),
    ],
)
def test_how_far_a_motion_is_turned_from_another(
    true: tuple[float, float], stated: tuple[float, float], either: bool, faster: float, turn: float
) -> None:
    fields = (np.repeat(np.array(v, np.float32)[:, None], 5, 1) for v in (true, stated))
    found = compared(*fields, either)
    assert found[0] == pytest.approx(faster, rel=1e-5)
    assert abs(found[1]) == pytest.approx(turn, abs=1e-3)


def test_the_medians_alone() -> None:
    assert certain(PRIORS).sky_speed.spread == 0
    assert certain(PRIORS).sky_speed.median == PRIORS.sky_speed.median
    assert certain(PRIORS).lateral == PRIORS.lateral
