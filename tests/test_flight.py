from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.rendering.manners.flight import Flight, FlightManner
from vivant.rendering.manners.flyers import found_in
from vivant.rendering.manners.manner import Ground, Veil

H, W = 480, 600
BIRDS = ((90, 60), (250, 190), (460, 120))


def sky(birds: bool = True) -> NDArray[np.uint8]:
    """Soft clouds, and three dark birds of 9 pixels."""
    rng = np.random.default_rng(1)
    noise = cv2.GaussianBlur(rng.normal(0, 1, (H, W)).astype(np.float32), (0, 0), 14)
    grey = np.clip(165 + 20 * noise / noise.std(), 0, 255)
    picture = np.stack([grey - 15, grey, np.minimum(grey + 20, 255)], -1).astype(np.uint8)
    for x, y in BIRDS if birds else ():
        cv2.polylines(picture, [np.array([(x - 4, y - 2), (x, y), (x + 4, y - 2)])], False,
                      (40, 38, 36), 1, cv2.LINE_AA)  # fmt: skip
    return picture


def matte() -> NDArray[np.uint8]:
    plane = np.zeros((H, W), np.uint8)
    plane[:360] = 255
    return plane


def flying(loop: float | None = None) -> FlightManner:
    ground = Ground(sky(), matte(), picture=(W, H), loop=loop)
    return FlightManner(ground, Flight(speed=0.05, bob=0.002), np.random.default_rng(3))


def test_birds_are_found_and_clouds_are_not() -> None:
    there = found_in(sky(), matte())
    count, _, _, middles = cv2.connectedComponentsWithStats(there.astype(np.uint8))
    assert count == 4
    found = sorted((round(x), round(y)) for x, y in middles[1:])
    assert all(abs(a - b) < 3 for p, q in zip(found, sorted(BIRDS), strict=True)
               for a, b in zip(p, q, strict=True))  # fmt: skip
    assert not found_in(sky(birds=False), matte()).any()


def test_what_hangs_on_to_the_ground_does_not_fly() -> None:
    picture = sky(birds=False)
    picture[320:, 100:103] = 30  # a mast
    picture[357:400, 200:260] = 30
    hole = matte()
    hole[320:, 100:103] = 0
    assert not found_in(picture, hole).any()


def test_birds_go_whole_and_leave_nothing_behind() -> None:
    manner = flying()
    assert isinstance(manner, Veil)
    assert np.abs(manner.at(0.0).astype(int) - sky()).max() <= 1
    clear = sky(birds=False).astype(int)
    later = manner.at(2.0).astype(int)
    for x, y in BIRDS:
        assert np.abs(later[y - 4 : y + 3, x - 6 : x + 7] - clear[y - 4 : y + 3, x - 6 : x + 7]
                      ).max() < 12  # fmt: skip
        ahead = later[y - 7 : y + 6, x + 20 : x + 80] - clear[y - 7 : y + 6, x + 20 : x + 80]
        assert ahead.min() < -60
    moved = manner.flow(2.0)
    assert 0.03 < moved[..., 0].max() < 0.08


def test_a_flight_closes() -> None:
    manner = flying(loop=4.0)
    assert np.abs(manner.at(4.0).astype(int) - manner.at(0.0)).max() <= 1
    assert np.abs(manner.at(1.3).astype(int) - manner.at(0.0)).max() > 20
