"""What of each kind moves in a clip: told apart from a camera that pans."""

from __future__ import annotations

import numpy as np
import pytest

from conftest import photo_like
from vivant.clip import Floats
from vivant.data.labels import Labels
from vivant.data.shards import Sample
from vivant.data.windows import Window, windows_of
from vivant.evaluation.by_kind import kind_truths
from vivant.kinds import INDEX, KINDS
from vivant.motion import drifts
from vivant.motion.drifts import moving_kinds, steadied

STEPS, H, W = 16, 32, 48
CLOUDS, PAN = np.array([0.08, -0.02]), np.array([0.05, 0.03])
SKY = np.s_[..., : H // 2, :]
GROUND = np.s_[..., H // 2 :, :]


def shot(camera: Floats, shake: float = 0.0) -> tuple[Labels, Window]:
    """Clouds drift over ground that holds, seen by a camera that pans (and one that shakes apart)."""
    velocity = np.zeros((STEPS, 2, H, W), np.float32)
    velocity[SKY] += CLOUDS[:, None, None]
    velocity += camera[:, None, None]
    rng = np.random.default_rng(0)
    velocity[GROUND] += shake * rng.standard_normal((STEPS, 2, H // 2, W))
    even = np.ones((STEPS, H, W), np.float32)
    labels = Labels(
        velocity.astype(np.float32),
        0.9 * even,
        12 * even,
        0 * even,
        np.tile([*camera, 0, 0], (STEPS, 1)).astype(np.float32),
        np.full(STEPS, 0.5, np.float32),
    )
    sample = Sample("shot", labels, {0: photo_like(8 * W, 8 * H, 1)}, {})
    return labels, next(windows_of(sample))


def shares(ground: str = "ground") -> Floats:
    out = np.zeros((len(KINDS), H, W), np.float32)
    out[INDEX["sky"], : H // 2] = 1
    out[INDEX[ground], H // 2 :] = 1
    return out


def test_the_camera_is_taken_out_by_what_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drifts, "kinds_on", lambda image, grid: shares())
    labels, window = shot(PAN)
    found = moving_kinds(window, labels, 0)
    assert found is not None
    steady, kinds = found
    assert list(kinds) == ["sky"]
    moving, static = kinds["sky"]
    assert moving[: H // 2].all()
    assert not moving[H // 2 :].any()
    assert static[H // 2 :].all()
    np.testing.assert_allclose(steady.velocity.mean(axis=0)[:, moving].mean(axis=1), CLOUDS, 1e-3)
    assert not steady.camera_moves


def test_a_sky_alone_drifts_and_water_alone_is_the_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    labels, window = shot(PAN)
    monkeypatch.setattr(drifts, "kinds_on", lambda image, grid: shares("water"))
    assert window.camera_moves
    found = moving_kinds(window, labels, 0)
    assert found is not None
    assert list(found[1]) == ["sky"]
    assert not found[1]["sky"][1].any()  # nothing is known to hold
    still, quiet = shot(np.array([0.0, 0.0]))
    assert not quiet.camera_moves
    found = moving_kinds(quiet, still, 0)
    assert found is not None
    assert list(found[1]) == ["sky"]  # the water does not move


def test_no_truth_where_what_holds_goes_all_ways() -> None:
    labels, window = shot(PAN, shake=0.3)
    holding = shares()[INDEX["ground"]]
    assert steadied(window, labels, 0, holding) is None


def test_truths_by_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drifts, "kinds_on", lambda image, grid: shares())
    labels, window = shot(PAN)
    facts = {"category": "sky: clouds"}
    truths = kind_truths(Sample("shot", labels, {0: window.image}, facts), window, 0)
    assert list(truths) == ["sky"]
    assert truths["sky"].category == "sky: clouds"
    assert truths["sky"].camera_removed
    monkeypatch.setattr(drifts, "steadied", lambda *given: None)
    assert kind_truths(Sample("shot", labels, {0: window.image}, facts), window, 0) == {}
