"""A thing cut out whole, with its mirror image and its shadow."""

from __future__ import annotations

import cv2
import numpy as np

from vivant.rendering.cutout import cut_out

W, H = 320, 240


def plane(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    out = np.zeros((H, W), np.uint8)
    for top, bottom, left, right in boxes:
        out[top:bottom, left:right] = 255
    return out


def ground(level: int = 150) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 6, (H, W, 1))
    return np.clip(np.full((H, W, 3), level) + noise, 0, 255).astype(np.uint8)


NOTHING = plane()


def test_colours_find_what_the_matte_missed() -> None:
    pixels = ground()
    body, tail = plane((80, 140, 100, 170)), plane((100, 112, 170, 188))
    pixels[(body > 0) | (tail > 0)] = (40, 20, 120)
    pixels[105:115, 120:130] = 150  # a hole in the matte is the thing's all the same
    matte = np.where(pixels[..., 0] < 100, body, 0).astype(np.uint8)
    cut = cut_out(pixels, matte, NOTHING, NOTHING)
    assert cut.matte[tail > 0].mean() > 0.9
    assert cut.matte[105:115, 120:130].min() > 0.9
    assert cut.matte[:60].max() == 0
    assert not cut.reflection
    assert not cut.shadow
    assert abs(cut.foot[1] - 140) < 4


def test_colours_that_run_away_leave_the_matte() -> None:
    pixels = ground()  # the thing has the colour of all around it
    matte = plane((80, 140, 100, 170))
    cut = cut_out(pixels, matte, NOTHING, NOTHING)
    assert (cut.matte > 0.5).sum() < 1.7 * (matte > 0).sum()
    assert cut.matte[85:135, 105:165].min() > 0.9


def test_a_mirror_image_goes_along_where_it_is_one() -> None:
    water = plane((120, H, 0, W))
    pixels = ground()
    boat = plane((60, 120, 120, 180))
    pixels[boat > 0] = (200, 40, 30)
    plain = cut_out(pixels, boat, water, NOTHING)
    assert not plain.reflection
    mirrored = pixels.copy()
    mirrored[120:180, 120:180] = (
        0.6 * pixels[60:120, 120:180][::-1] + 0.4 * pixels[120:180, 120:180]
    )
    cut = cut_out(mirrored, boat, water, NOTHING)
    assert cut.reflection
    assert cut.matte[125:170, 125:175].mean() > 0.9
    assert cut.matte[125:170, :100].max() < 0.1
    assert abs(cut.foot[1] - 119) < 3  # where it stands, not the lower end of its image


def test_a_shadow_at_the_foot_goes_along() -> None:
    floor = plane((100, H, 0, W))
    pixels = ground()
    thing = plane((60, 140, 140, 180))
    pixels[thing > 0] = (30, 60, 200)
    assert not cut_out(pixels, thing, NOTHING, floor).shadow
    shade = plane((130, 142, 180, 220))
    dark = np.where(shade[..., None] > 0, pixels * 0.5, pixels)
    pixels = cv2.GaussianBlur(dark.astype(np.uint8), (3, 3), 0)
    cut = cut_out(pixels, thing, NOTHING, floor)
    assert cut.shadow
    assert cut.matte[132:140, 184:214].mean() > 0.7


def test_nothing_is_cut_out_of_nothing() -> None:
    cut = cut_out(ground(), NOTHING, NOTHING, NOTHING)
    assert not cut.matte.any()
