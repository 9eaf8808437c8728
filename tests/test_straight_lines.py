"""Lines that are straight stay straight."""

from __future__ import annotations

import cv2
import numpy as np

from vivant.rendering.space.lines import lines_of, straightened
from vivant.rendering.space.relief import Relief, Sheet

H, W = 240, 360
ROWS, COLUMNS = 64, 96


def drawn(*lines: tuple[int, int, int, int]) -> np.ndarray:
    picture = np.full((H, W, 3), 200, np.uint8)
    for x0, y0, x1, y1 in lines:
        cv2.line(picture, (x0, y0), (x1, y1), (20, 20, 20), 5, cv2.LINE_AA)
    return picture


def relief(disparity: np.ndarray) -> Relief:
    return Relief((Sheet(np.full((H, W), 255, np.uint8), disparity.astype(np.float32)),))


def bumpy() -> np.ndarray:
    y, x = np.mgrid[0:ROWS, 0:COLUMNS]
    bump = 0.08 * np.exp(-(((x - 48) / 8) ** 2) - ((y - 32) / 8) ** 2)
    return 0.3 + 0.004 * y + bump


def bend(values: np.ndarray) -> float:
    return float(np.abs(np.diff(values, 2)).sum())


def test_parts_of_a_line_are_one_line() -> None:
    found = lines_of(drawn((30, 60, 150, 60), (180, 60, 330, 60), (60, 100, 60, 220)))
    across = found[np.abs(found[:, 1] - found[:, 3]) < 0.02]
    assert len(across)
    assert abs(across[0, 0] - across[0, 2]) * H > 280
    assert len(lines_of(np.full((H, W, 3), 90, np.uint8))) == 0


def test_a_bump_does_not_bend_a_line() -> None:
    before = bumpy()
    picture = drawn((20, 120, 340, 120))
    after = straightened(relief(before), picture).sheets[0].disparity
    row = 32
    assert bend(after[row, 10:86]) < 0.35 * bend(before[row, 10:86])
    assert np.abs(after[:16] - before[:16]).max() < 1e-6  # what lies away stays


def test_no_line_no_change() -> None:
    one = relief(bumpy())
    assert straightened(one, np.full((H, W, 3), 128, np.uint8)) is one


def test_a_line_over_a_step_is_none() -> None:
    step = np.where(np.arange(COLUMNS)[None] < 48, 0.2, 0.8) * np.ones((ROWS, 1))
    after = straightened(relief(step), drawn((20, 120, 340, 120))).sheets[0].disparity
    assert np.abs(after - step).max() < 1e-6
