"""What labelled clips show of drifts: read once, told by what holds, and put in the recipe."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from test_drifts import CLOUDS, shares, shot
from vivant.data.shards import Sample
from vivant.motion import drifts
from vivant.motion.priors import PRIORS
from vivant.training import drift_clips, manners
from vivant.training.drift_clips import drifts_of, named, read_drifts
from vivant.training.drift_fit import Drifted
from vivant.training.manners import MannersRecipe, train_manners


def sample(category: str = "sky: clouds") -> Sample:
    labels, window = shot(np.array([0.0, 0.0]))
    return Sample("shot", labels, {0: window.image}, {"category": category, "origin": "here"})


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> None:
    from test_layers import looked

    monkeypatch.setattr(drifts, "kinds_on", lambda image, grid: shares())
    monkeypatch.setattr(drift_clips, "look", lambda picture, runtime: looked())


@pytest.mark.usefixtures("seen")
def test_clouds_beside_what_their_layer_would_do() -> None:
    (one,) = drifts_of(sample(), PRIORS)
    assert (one.clip, one.source, one.kind) == ("shot", "here", "sky")
    slow = replace(PRIORS, sky_speed=replace(PRIORS.sky_speed, median=PRIORS.sky_speed.median / 2))
    (twice,) = drifts_of(sample(), slow)
    assert twice.faster == pytest.approx(2 * one.faster, rel=0.1)
    seen_turn = np.degrees(np.arctan2(-CLOUDS[1], CLOUDS[0]))
    assert one.turn > seen_turn  # less of a climb is seen near the horizon


@pytest.mark.usefixtures("seen")
def test_what_falls_is_no_cloud() -> None:
    assert drifts_of(sample("snow"), PRIORS) == []
    assert drifts_of(sample("water: rain"), PRIORS) == []


def test_layers_by_what_flow_can_teach() -> None:
    from test_layers import looked

    assert [name for name, _ in named(looked(water=1), PRIORS)] == ["sky", "river", "fall"]
    assert [name for name, _ in named(looked(water=3), PRIORS)] == ["sky", "surf", "fall"]


def test_clips_are_read_once_and_reach_the_constants(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def drifts_in_turn(one: Sample, priors: object) -> list[Drifted]:
        asked.append(one.key)
        return [Drifted(one.key, one.key, "sky", 3.0 + len(asked) / 10, 10.0 * len(asked))]

    shots = [replace(sample(), key=f"shot {k}") for k in range(8)]
    monkeypatch.setattr(drift_clips, "prepare", lambda sources, out, thresholds: [])
    monkeypatch.setattr(drift_clips, "read_samples", lambda folder: iter(shots))
    monkeypatch.setattr(drift_clips, "drifts_of", drifts_in_turn)
    said: list[str] = []
    for _ in range(2):
        found = read_drifts([], PRIORS, tmp_path, said.append)
    assert len(found) == len(asked) == len(said) == 8

    monkeypatch.setattr(manners, "read_sources", lambda clips, splits: [])
    monkeypatch.setattr(manners, "clip_tables", lambda *given: iter(()))
    rows = train_manners(MannersRecipe((), by_flow=True), tmp_path, tmp_path, said.append)
    assert rows["manners"]["sky_speed"]["median"] > 1.5 * PRIORS.sky_speed.median
    assert rows["manners"]["sky_climb"]["spread"] > 10
    assert rows["report"][0]["kept"]
