from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.motion.firm import firm_in_water
from vivant.scene.mattes import Mattes

H, W = 240, 360
HORIZON = 90


def sea() -> NDArray[np.uint8]:
    """A blue sea with waves under a pale sky."""
    rng = np.random.default_rng(0)
    noise = cv2.GaussianBlur(rng.normal(0, 1, (H, W)).astype(np.float32), (0, 0), 3, sigmaY=1)
    waves = 9 * noise / noise.std()
    picture = np.full((H, W, 3), (170, 185, 200), np.float32)
    picture[HORIZON:] = np.float32((70, 100, 120)) + waves[HORIZON:, :, None]
    return np.clip(picture, 0, 255).astype(np.uint8)


def mattes(hole: NDArray[np.uint8] | None = None) -> Mattes:
    """Sky and sea; what lies in a hole belongs to no kind."""
    sky, water = np.zeros((H, W), np.uint8), np.zeros((H, W), np.uint8)
    sky[:HORIZON], water[HORIZON:] = 255, 255
    if hole is not None:
        water[hole > 0] = 0
    return Mattes({"sky": sky, "water": water}, (W, H))


def blob(x: int, y: int, across: int, down: int) -> NDArray[np.uint8]:
    plane = np.zeros((H, W), np.uint8)
    cv2.ellipse(plane, (x, y), (across, down), 0, 0, 360, 255, -1)
    return plane


def share(found: NDArray[np.uint8] | None, where: NDArray[np.uint8]) -> float:
    return 0.0 if found is None else float((found[where > 0] > 127).mean())


def test_the_rim_of_a_rock_is_firm() -> None:
    picture, rock, known = sea(), blob(120, 150, 34, 20), blob(120, 150, 27, 14)
    picture[rock > 0] = (45, 32, 28)
    found = firm_in_water(mattes(known), picture)
    assert share(found, rock) > 0.95
    assert share(found, 255 - cv2.dilate(rock, np.ones((9, 9), np.uint8))) < 0.01


def test_a_floe_is_firm_and_foam_is_not() -> None:
    picture, floe = sea(), blob(240, 170, 30, 12)
    picture[floe > 0] = (225, 232, 235)
    assert share(firm_in_water(mattes(), picture), floe) > 0.9
    assert share(firm_in_water(mattes(), picture, foaming=0.9), floe) == 0


def test_waves_deep_water_and_mirrored_lamps_are_water() -> None:
    picture = sea()
    assert firm_in_water(mattes(), picture) is None
    deep, lamp = blob(100, 180, 40, 20), np.zeros((H, W), np.uint8)
    picture[deep > 0] = (10, 40, 95)
    lamp[110:200, 250:262] = 255
    picture[lamp > 0] = (235, 190, 120)
    found = firm_in_water(mattes(), picture)
    assert share(found, deep) < 0.1
    assert share(found, lamp) < 0.1


def test_a_picture_without_water_has_nothing_firm_in_it() -> None:
    none = Mattes({"sky": np.full((H, W), 255, np.uint8)}, (W, H))
    assert firm_in_water(none, sea()) is None
