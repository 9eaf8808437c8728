from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from test_firm import HORIZON, H, W, mattes, sea, share
from vivant.motion.firm import firm_in_water

OUTLINE = np.array([[170, 100], [190, 100], [260, H - 1], [100, H - 1]], np.int32)


def jetty(level: int = 150) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A sea with a jetty of planks that runs out from the viewer; and where it is."""
    picture, where = sea(), np.zeros((H, W), np.uint8)
    cv2.fillPoly(where, [OUTLINE], 255)
    planks = np.full((H, W, 3), level, np.uint8)
    planks[::6] = level - 40
    picture = np.where(where[..., None] > 0, planks, picture)
    cv2.polylines(picture, [OUTLINE], True, (60, 50, 45), 3)
    return picture, where


def test_a_jetty_that_was_taken_for_water_is_firm() -> None:
    picture, where = jetty(105)
    found = firm_in_water(mattes(), picture)
    assert share(found, where) > 0.95
    beside = 255 - cv2.dilate(where, np.ones((25, 25), np.uint8))
    beside[:HORIZON] = 0
    assert share(found, beside) < 0.02


def test_one_line_and_level_lines_are_no_jetty() -> None:
    picture = sea()
    cv2.line(picture, (100, H - 1), (170, 100), (200, 200, 200), 2)
    cv2.line(picture, (0, 150), (W, 150), (200, 200, 200), 2)
    wide = np.zeros((H, W), np.uint8)
    wide[160:, 180:] = 255
    assert share(firm_in_water(mattes(), picture), wide) < 0.02
