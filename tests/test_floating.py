from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vivant.clip import Plane
from vivant.controls.stroke import Stroke
from vivant.kinds import INDEX, KINDS
from vivant.motion.asked import Asked
from vivant.motion.choose import choose
from vivant.motion.floating import float_matte, floating
from vivant.motion.held import Looked
from vivant.motion.stage import staged
from vivant.scene.mattes import Mattes
from vivant.scene.network import assemble

W, H = 192, 128
BOAT = slice(70, 84), slice(60, 100)
SAILOR = slice(58, 72), slice(76, 82)
CAR = slice(40, 50), slice(130, 150)


def looked() -> Looked:
    """A boat with someone aboard on a lake, and a car on the bank behind it."""
    labels = np.full((H, W), INDEX["water"])
    labels[:52] = INDEX["ground"]
    labels[BOAT] = labels[CAR] = INDEX["vehicle"]
    labels[SAILOR] = INDEX["being"]
    share = np.stack([labels[2::4, 2::4] == k for k in range(len(KINDS))]).astype(np.float32)
    grid = share.shape[1:]
    scene = assemble(
        kinds=share,
        waters=np.full((4, *grid), 0.25, np.float32),
        depth=np.full(grid, 0.5, np.float32),
        moving=np.full(grid, 0.3, np.float32),
        log_speed=np.full(grid, -3.0, np.float32),
        seen_by={},
    )
    alpha: dict[str, Plane] = {
        kind: np.where(labels == INDEX[kind], 255, 0).astype(np.uint8)
        for kind in ("water", "ground", "vehicle", "being")
    }
    return Looked(scene, Mattes(alpha, (W, H)))


def test_a_boat_floats_with_whoever_is_aboard_and_a_car_does_not() -> None:
    found = floating(looked())
    assert len(found) == 1
    assert found[0].width == pytest.approx(40 / 128, abs=0.02)
    matte = float_matte(looked(), found[0].place)
    assert (matte[BOAT] == 255).all()
    assert (matte[SAILOR] == 255).all()
    assert not matte[CAR].any()


def test_what_floats_moves_and_the_rest_of_what_holds_does_not() -> None:
    pixels = np.random.default_rng(2).integers(0, 255, (H, W, 3)).astype(np.uint8)
    one = looked()
    stage = staged(pixels, choose(one, Asked()), one)
    later = stage.at(1.7)
    assert (later[BOAT] != pixels[BOAT]).any(axis=2).mean() > 0.5
    np.testing.assert_array_equal(later[:50, :], pixels[:50, :])
    np.testing.assert_array_equal(stage.at(0.0), pixels)
    held = np.zeros((H, W), np.uint8)
    held[BOAT] = 255
    kept = staged(pixels, choose(one, Asked()), one, held=held).at(1.7)
    np.testing.assert_array_equal(kept[BOAT], pixels[BOAT])


def test_still_water_and_strokes_leave_a_boat_alone() -> None:
    one = looked()
    calm = choose(one, Asked(strengths={"water": 0.0}))
    assert not [layer for layer in calm.layers if layer.name.startswith("boat")]
    driven = choose(one, Asked(strokes=(Stroke(((0.42, 0.6), (0.6, 0.6))),)))
    assert not [layer for layer in driven.layers if layer.name.startswith("boat")]
    rough = choose(one, Asked(strengths={"water": 2.0})).layers[-1].manner
    assert rough.roll > choose(one, Asked()).layers[-1].manner.roll


def test_a_thing_among_others_is_no_boat() -> None:
    one = looked()
    dry = replace(one, mattes=Mattes({"vehicle": one.mattes.of("vehicle")}, (W, H)))
    assert floating(dry) == []
