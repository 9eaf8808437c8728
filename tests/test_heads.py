from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.motion.petals import with_petals
from vivant.rendering.manners.heads import heads_of, swung
from vivant.scene.mattes import Mattes

H, W = 120, 160
HEADS = ((40, 50), (110, 40))


def meadow() -> NDArray[np.uint8]:
    """Leaves of many greens, and two red flowers."""
    rng = np.random.default_rng(0)
    picture = np.full((H, W, 3), (60, 110, 40), np.float32) + rng.normal(0, 12, (H, W, 1))
    for x, y in HEADS:
        cv2.ellipse(picture, (x, y), (8, 9), 0, 0, 360, (205, 30, 45), -1)
    return np.clip(picture, 0, 255).astype(np.uint8)


def test_flowers_are_found_and_leaves_are_not() -> None:
    known = np.ones((H, W), np.float32)
    heads = heads_of(meadow(), known, 100.0)
    assert sorted(tuple(round(v) for v in head.middle) for head in heads) == sorted(HEADS)
    for head in heads:
        assert head.pivot[1] > head.middle[1] + 15
    assert heads_of(meadow(), known * 0, 100.0) == []
    plain = np.full((H, W, 3), (60, 110, 40), np.uint8)
    assert heads_of(plain, known, 100.0) == []


def test_a_head_turns_whole_and_its_pivot_stays() -> None:
    heads = heads_of(meadow(), np.ones((H, W), np.float32), 100.0)
    rng = np.random.default_rng(1)
    noise = cv2.GaussianBlur(rng.normal(0, 1, (H, W)).astype(np.float32), (0, 0), 6)
    noise /= noise.std()
    along = np.array([1.0, 0.3], np.float32)
    ways = noise[..., None] * along
    out = swung(ways, noise, heads, along)
    for head in heads:
        inside = out[head.own]
        y, x = np.nonzero(head.own)
        # a turn: across goes with the height alone, and lengths within the head stay
        slope = np.polyfit(y, inside[:, 0], 1)
        assert np.abs(inside[:, 0] - np.polyval(slope, y)).max() < 1e-3
        assert abs(np.polyfit(x, inside[:, 1], 1)[0] + slope[0]) < 1e-3
        assert abs(inside[:, 0].mean() - noise[head.own].mean()) < 0.1
        px, py = round(head.pivot[0]), round(head.pivot[1])
        assert np.abs(out[py, px]).max() < 0.1
    far = np.ones((H, W), bool)
    for head in heads:
        far &= head.weight == 0
    assert np.array_equal(out[far], ways[far])


def test_vivid_parts_among_plants_are_petals() -> None:
    picture = meadow()
    plant = np.full((H, W), 255, np.uint8)
    being = np.zeros((H, W), np.uint8)
    cv2.ellipse(plant, HEADS[0], (8, 9), 0, 0, 360, 0, -1)  # claimed by no kind
    cv2.ellipse(plant, HEADS[1], (8, 9), 0, 0, 360, 0, -1)  # taken for an animal
    cv2.ellipse(being, HEADS[1], (8, 9), 0, 0, 360, 255, -1)
    plant[90:110, 20:40], being[90:110, 20:40] = 0, 255
    picture[90:110, 20:40] = (150, 110, 90)  # a deer
    found = with_petals(Mattes({"plant": plant, "being": being}, (W, H)), picture)
    for x, y in HEADS:
        assert found.of("plant")[y, x] == 255
        assert found.of("being")[y, x] == 0
    assert found.of("being")[100, 30] == 255
    total = found.of("plant").astype(int) + found.of("being")
    assert total.max() == 255
