from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from test_layers import looked
from vivant.motion.asked import Asked
from vivant.motion.choose import choose
from vivant.scene.mirrors import mirroring

H, W = 240, 360


def water(across: float, down: float) -> NDArray[np.uint8]:
    """Something drawn out over so many pixels."""
    noise = np.random.default_rng(0).normal(0, 1, (H, W)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), across, sigmaY=down)
    return np.clip(90 + 30 * soft / soft.std(), 0, 255).astype(np.uint8)[..., None].repeat(3, 2)


def test_lights_drawn_out_upright_are_mirrored_and_waves_are_not() -> None:
    whole = np.full((H, W), 255, np.uint8)
    assert mirroring(water(4, 30), whole)
    assert not mirroring(water(12, 3), whole)
    assert not mirroring(water(4, 30), np.zeros((H, W), np.uint8))


def test_a_river_that_mirrors_goes_nowhere_unless_it_is_told_to() -> None:
    river = looked(1)

    def runs(mirrors: bool, asked: Asked) -> bool:
        one = replace(river, mirrors=mirrors)
        layers = [la for la in choose(one, asked).layers if la.name == "water 0"]
        layers = layers or [la for la in choose(one, asked).layers if la.kind == "water"]
        return layers[0].velocity is not None

    assert runs(False, Asked())
    assert not runs(True, Asked())
    assert runs(True, Asked(flows={"water": 0.0}))
