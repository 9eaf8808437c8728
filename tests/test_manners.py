from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from conftest import photo_like
from vivant.rendering.layers import Layer, Stage
from vivant.rendering.manners.aurora import Aurora, AuroraManner, glow_of
from vivant.rendering.manners.bob import Bob, BobManner, afloat_matte
from vivant.rendering.manners.clouds import base_of, clouded, endless, heightened, thin
from vivant.rendering.manners.current import Current
from vivant.rendering.manners.drift import Drift, DriftManner, middle_of
from vivant.rendering.manners.flame import Flame, FlameManner, flame_matte
from vivant.rendering.manners.lights import lights
from vivant.rendering.manners.manner import Ground, Manner
from vivant.rendering.manners.stream import SMOKE, Stream
from vivant.rendering.manners.surface import Surface
from vivant.rendering.manners.sway import Sway, SwayManner, freedom
from vivant.rendering.manners.table import MANNERS, manner_of
from vivant.rendering.manners.turns import Turns, lives_in
from vivant.rendering.manners.waves import SIDE, Waves, spectrum

W, H = 144, 96
MOTIONS: dict[str, Any] = {
    "drift": Drift(speed=0.05),
    "current": Surface(Current()),
    "waves": Surface(None, Waves()),
    "sea": Surface(Current(), Waves()),
    "fall": Stream(),
    "smoke": SMOKE,
    "flame": Flame(),
    "aurora": Aurora(),
    "bob": Bob(heave=0.02, roll=4.0),
    "sway": Sway(),
}
KEPT = {
    "drift": (0.8, 1.35),  # another part of the sky comes into sight
    "current": (0.75, 1.4),
    "waves": (0.8, 1.2),
    "sea": (0.8, 1.2),
    "fall": (0.45, 1.2),  # new detail is stretched along the fall, this texture is not
    "sway": (0.9, 1.1),
}
"""Least and greatest gradient energy, in units of frame 0."""


def ground(loop: float | None = None, velocity: tuple[float, float] = (0.02, 0.07)) -> Ground:
    pixels = photo_like(W, H, 3)
    noise = np.random.default_rng(5).normal(0, 30, (H // 4, W // 4, 1)).astype(np.float32)
    rough = cv2.resize(noise, (W, H), interpolation=cv2.INTER_CUBIC)[..., None]
    matte = np.zeros((H, W), np.uint8)
    matte[8:, 4:-4] = 255
    matte[30:60, 60:80] = 0  # something stands in front
    return Ground(
        pixels=np.clip(pixels + rough, 0, 255).astype(np.uint8),
        matte=matte,
        picture=(W, H),
        loop=loop,
        velocity=np.broadcast_to(np.array(velocity, np.float32), (8, 12, 2)),
    )


def fire() -> Ground:
    pixels = np.full((H, W, 3), 12, np.uint8)
    y, x = np.mgrid[0:H, 0:W]
    inside = ((x - 72) / 16.0) ** 2 + ((y - 60) / 30.0) ** 2 < 1
    pixels[inside] = (250, 160, 40)
    pixels[..., 1] += np.where(inside, (y - 30) // 2, 0).astype(np.uint8)
    matte = np.where(inside, 255, 0).astype(np.uint8)
    return Ground(pixels, flame_matte(matte), picture=(W, H))


def night() -> Ground:
    y, x = np.mgrid[0:H, 0:W].astype(np.float32)
    sky = np.full((H, W, 3), (14, 18, 40), np.float32)
    curtain = np.exp(-(((y - 35 - 10 * np.sin(x / 20)) / 14) ** 2))
    sky += curtain[..., None] * np.array([30, 150, 90], np.float32)
    sky[::16, ::16] = 230
    return Ground(sky.astype(np.uint8), np.full((H, W), 255, np.uint8), picture=(W, H))


def boat() -> Ground:
    pixels = ground().pixels.copy()
    own = np.zeros((H, W), np.uint8)
    own[40:64, 50:94] = 255
    pixels[40:64, 50:94] = 200
    pixels[46:50, 54:90] = 30
    return Ground(pixels, afloat_matte(own), picture=(W, H), own=own)


GROUNDS = {"flame": fire, "aurora": night, "bob": boat}


def manner(name: str, loop: float | None = None, seed: int = 0) -> Manner:
    own = replace(GROUNDS.get(name, ground)(), loop=loop)
    motion = MOTIONS[name]
    return manner_of(motion).make(own, motion, np.random.default_rng(seed))


def energy(look: np.ndarray, inside: np.ndarray) -> float:
    grey = cv2.cvtColor(look, cv2.COLOR_RGB2GRAY).astype(np.float32)
    across, down = np.gradient(grey)
    return float((across**2 + down**2)[inside].mean())


@pytest.mark.parametrize("name", MOTIONS)
def test_every_manner_begins_with_its_texture_and_moves(name: str) -> None:
    one = manner(name)
    assert np.abs(one.at(0.0).astype(int) - one.texture).max() <= 1
    change = np.abs(one.at(1.0).astype(int) - one.texture).mean()
    assert change > 0.3
    np.testing.assert_array_equal(one.at(0.7), manner(name).at(0.7))
    other = manner(name, seed=1).at(0.7).astype(int)
    assert np.abs(one.at(0.7) - other).mean() > 0.05


@pytest.mark.parametrize("name", MOTIONS)
def test_loops_close(name: str) -> None:
    loop = 3.0
    one = manner(name, loop)
    jump = np.abs(one.at(loop - 1e-6).astype(int) - one.texture).mean()
    step = np.abs(one.at(loop / 2 + 0.04).astype(int) - one.at(loop / 2)).mean()
    assert jump < 0.35 + 0.1 * step
    assert np.abs(one.at(loop / 2).astype(int) - one.texture).mean() > 0.3


SEAMS = {"drift": 1.1, "current": 1.1, "waves": 0.9, "sea": 1.05, "fall": 1.3, "smoke": 1.1,
         "sway": 1.1}  # fmt: skip
"""Greatest step into and out of frame 0 of a loop, in median steps."""


@pytest.mark.parametrize("name", SEAMS)
def test_nothing_pops_where_a_loop_closes(name: str) -> None:
    loop, fps = 4.0, 24
    one, inside = manner(name, loop), ground().matte > 127
    looks = [one.at(k / fps).astype(np.float32) for k in range(round(loop * fps))]
    steps = [
        np.abs(b - a)[inside].mean() for a, b in zip(looks, looks[1:] + looks[:1], strict=True)
    ]
    assert max(steps[0], steps[-1]) < SEAMS[name] * float(np.median(steps))


@pytest.mark.parametrize("name", KEPT)
def test_detail_neither_fades_nor_grows(name: str) -> None:
    one, inside = manner(name), np.zeros((H, W), bool)
    inside[16:-4, 10:54] = True
    first = energy(one.texture, inside)
    found = [energy(one.at(t), inside) / first for t in np.arange(0.25, 8, 0.45)]
    low, high = KEPT[name]
    assert low < min(found)
    assert max(found) < high


@pytest.mark.parametrize("name", ["drift", "current", "sea", "fall", "sway"])
def test_no_moment_returns(name: str) -> None:
    one = manner(name)
    looks = [one.at(t).astype(np.float32) for t in np.arange(1, 30, 2.0)]
    apart = [np.abs(a - b).mean() for i, a in enumerate(looks) for b in looks[:i]]
    assert min(apart) > 0.4 * float(np.median(apart))


@pytest.mark.parametrize("name", MOTIONS)
def test_truth_has_the_shape_of_the_box(name: str) -> None:
    one = manner(name)
    shown, flow = one.shown(0.5), one.flow(0.5)
    assert shown.even.shape == shown.odd.shape == (H, W, 2)
    assert shown.share.shape == (H, W)
    assert flow.ndim == 3
    assert np.isfinite(flow).all()
    assert np.abs(flow).max() < 3


def test_a_stage_holds_to_the_bit_what_is_of_no_layer() -> None:
    own = ground()
    held = np.zeros((H, W), np.uint8)
    held[70:, :40] = 255
    layer = Layer((slice(0, H), slice(0, W)), own.matte, manner("sea"))
    stage = Stage(own.pixels, (layer,), held)
    np.testing.assert_array_equal(stage.at(0.0), own.pixels)
    for look in stage.frames(12, 4.0):
        still = (own.matte == 0) | (held > 0)
        np.testing.assert_array_equal(look[still], own.pixels[still])
    assert np.abs(stage.at(2.0).astype(int) - own.pixels).mean() > 1
    even, _, share, exact = stage.shown(1.0)
    assert not even[own.matte == 0].any()
    assert exact[own.matte == 0].all()
    assert 0 <= share.min() <= share.max() <= 1


def test_clouds_go_the_way_of_their_speed() -> None:
    one = DriftManner(ground(), Drift(speed=0.08, rise=0, evolve=0), np.random.default_rng(0))
    first, later = (cv2.cvtColor(one.at(t), cv2.COLOR_RGB2GRAY)[12:28, 10:130] for t in (0, 1.0))
    shifts = range(-12, 13)
    apart = [np.abs(first[:, 20:90].astype(int) - later[:, 20 + s : 90 + s]).mean() for s in shifts]
    expected = 0.08 * H * (0.35 + 0.65 * (1 - 20 / H))
    assert shifts[int(np.argmin(apart))] == pytest.approx(expected, abs=1.5)
    assert one.flow(0.5)[0, 5, 0] == pytest.approx(0.08, rel=0.1)


def test_a_sky_goes_on_behind_and_beyond() -> None:
    own = ground()
    base = base_of(own.texture, own.short)
    detail = clouded(own.texture, base, own.sure, own.sure, own.short)
    behind = detail[38:52, 66:74].std()
    assert behind > 0.4 * detail[38:52, 10:50].std()
    band = endless(detail)
    assert band.shape[1] > 1.5 * W
    np.testing.assert_array_equal(band[:, :W], detail)
    seams = [np.abs(band[:, W] - band[:, W - 1]).mean(), np.abs(band[:, 0] - band[:, -1]).mean()]
    usual = np.abs(np.diff(detail, axis=1)).mean()
    assert max(seams) < 2.5 * usual


def test_a_cloud_that_leaves_leaves_nothing_behind() -> None:
    y, x = np.mgrid[0:H, 0:W].astype(np.float32)
    blue = np.stack([70 + 0.5 * y, 110 + 0.5 * y, 190 + 0 * y], -1)
    cloud = np.exp(-((((x - 100) / 12) ** 2 + ((y - 30) / 7) ** 2) ** 2))[..., None]
    picture = (blue + cloud * (245 - blue)).astype(np.uint8)
    base = base_of(picture, H)
    plain = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), H / 7)
    left, before = (np.abs(one - blue)[20:40, 80:120].max() for one in (base, plain))
    assert left < 14
    assert before > 1.7 * left


def test_white_clouds_before_a_deep_blue_stay_white() -> None:
    y, x = np.mgrid[0:H, 0:W].astype(np.float32)
    blue = np.ones((H, W, 1), np.float32) * np.float32((8, 45, 130))
    cloud = np.exp(-((((x - 70) / 16) ** 2 + ((y - 40) / 12) ** 2) ** 2))[..., None]
    picture = (blue + cloud * (250 - blue)).astype(np.uint8)
    own = Ground(picture, np.full((H, W), 255, np.uint8), picture=(W, H))
    one = DriftManner(own, Drift(speed=0.08, rise=0, evolve=0), np.random.default_rng(0))
    stage = Stage(picture, (Layer((slice(0, H), slice(0, W)), own.matte, one),), None)
    later = stage.at(1.5).astype(int)
    bright = later.min(axis=2) > 190
    assert bright.sum() > 0.6 * (picture.min(axis=2) > 190).sum()
    assert np.ptp(np.median(later[bright], axis=0)) < 12
    assert (middle_of(np.zeros((8, 8, 3), np.float32)) == 128).all()


def test_what_comes_in_from_above_is_no_mirror_image() -> None:
    rng = np.random.default_rng(1)
    band = cv2.GaussianBlur(rng.normal(0, 30, (60, 200, 3)).astype(np.float32), (0, 0), 4)
    tall = heightened(band, 20, seam=0.2)
    np.testing.assert_array_equal(tall[20:80], band)
    step = np.abs(tall[19] - tall[20]).mean()
    assert step < 2 * np.abs(np.diff(band, axis=0)).mean()
    far, mirror = tall[5], band[15]
    assert abs(np.corrcoef(far.ravel(), mirror.ravel())[0, 1]) < 0.5
    assert np.corrcoef(tall[18].ravel(), band[2].ravel())[0, 1] > 0.7


def test_the_sun_is_held_and_leaves_no_copy() -> None:
    y, x = np.mgrid[0:H, 0:W].astype(np.float32)
    sky = 120 + 40 * np.sin(x / 9)[..., None] * np.ones(3, np.float32)
    sun = (x - 70) ** 2 + (y - 40) ** 2 < 36
    sky[sun] = 255
    own = Ground(sky.astype(np.uint8), np.full((H, W), 255, np.uint8), picture=(W, H))
    keep = lights(own)
    assert keep is not None
    assert keep[40, 70] == 1
    assert keep[80, 10] < 0.05
    one = DriftManner(own, Drift(speed=0.1), np.random.default_rng(0))
    stage = Stage(own.pixels, (Layer((slice(0, H), slice(0, W)), own.matte, one),), None)
    later = stage.at(2.5)
    assert (later[sun] > 250).all()
    away = (x - 70) ** 2 + (y - 40) ** 2 > 20**2
    assert later[away].max() < 200


def test_mixed_colours_at_an_outline_make_no_specks() -> None:
    rng = np.random.default_rng(2)
    crown = cv2.GaussianBlur(rng.normal(0, 1, (H, W)).astype(np.float32), (0, 0), 2)
    y, x = np.mgrid[0:H, 0:W]
    own = ((np.hypot(x - 72, y - 60) < 34 + 40 * crown) & (y > 20)).astype(np.uint8) * 255
    leaves = 60 + rng.integers(0, 30, (H, W, 1))
    share = cv2.GaussianBlur(own, (0, 0), 1.5)[..., None] / 255  # the matte is sharper than this
    pixels = np.round(200 * (1 - share) + leaves * share).astype(np.uint8).repeat(3, 2)
    one = Ground(pixels, np.full((H, W), 255, np.uint8), picture=(W, H), own=own, open=255 - own)
    sway = Sway(lean=0.02, swing=0.02)
    made = SwayManner(one, sway, np.random.default_rng(0))
    stage = Stage(pixels, (Layer((slice(0, H), slice(0, W)), one.matte, made),), None)
    np.testing.assert_array_equal(stage.at(0.0), pixels)
    later = np.stack([stage.at(t) for t in (0.5, 1.1, 1.7, 2.9)])
    assert (later != pixels).mean() > 0.05
    assert later.max() <= 205
    assert later.min() >= 38


def test_the_current_carries_its_texture() -> None:
    own = ground(velocity=(0.1, 0.0))
    one = manner_of(MOTIONS["current"]).make(own, Surface(Current()), np.random.default_rng(0))
    first, later = (cv2.cvtColor(one.at(t), cv2.COLOR_RGB2GRAY) for t in (0.0, 0.2))
    part = (slice(64, 90), slice(20, 120))
    moved = np.roll(first, 2, 1)
    still = np.abs(later[part].astype(int) - first[part]).mean()
    assert np.abs(later[part].astype(int) - moved[part]).mean() < 0.5 * still


def test_turns_have_no_beat() -> None:
    lag = np.linspace(-0.2, 0.2, 50, dtype=np.float32)
    turns = Turns(2.0, 1.0, lag, 7)
    first, second = turns.at(0.0)
    assert (first.weight == 1).all()
    assert (first.age == 0).all()
    assert (second.weight == 0).all()
    for t in np.arange(0, 30, 0.37):
        one, two = turns.at(t)
        np.testing.assert_allclose(one.weight + two.weight, 1, atol=1e-6)
        assert np.abs([one.age, two.age]).max() <= 2.0 * 0.8 + 1e-6
    late = turns.at(21.0)[0].weight
    assert late.max() - late.min() > 0.3
    assert lives_in(4.0, 1.7) == (2.0, 2)
    assert lives_in(None, 1.7) == (1.7, None)


def test_waves_obey_the_deep_water_dispersion() -> None:
    waves = spectrum(Waves(), np.random.default_rng(0), None)
    number = np.hypot(waves.across, waves.along)
    np.testing.assert_allclose(waves.omega**2, 9.81 * number, rtol=1e-3, atol=1e-3)
    assert waves.slopes(0.0).shape == (SIDE, SIDE, 2)
    assert waves.slopes(0.0).std() == pytest.approx(1, rel=1e-3)
    assert waves.slopes(3.0).std() == pytest.approx(1, rel=0.25)
    looped = spectrum(Waves(), np.random.default_rng(0), 5.0)
    np.testing.assert_allclose(looped.slopes(5.0), looped.slopes(0.0), atol=2e-2)


def test_far_waves_are_smaller() -> None:
    one = manner("waves")
    shift = np.abs(one.shown(1.3).even[..., 1])
    assert shift[80:].mean() > 2 * shift[12:24].mean()


def test_flames_rise_from_their_foot_and_stay_flames() -> None:
    one = FlameManner(fire(), Flame(), np.random.default_rng(0))
    shift = np.abs(one.shown(0.4).even)
    assert shift[36:44, 66:78].mean() > 2 * shift[84:90, 66:78].mean()
    look = one.at(0.6).astype(int)
    assert np.abs(look - one.texture)[5:15, 5:15].max() <= 3
    burning = look[50:80, 66:78]
    assert (burning[..., 0] >= burning[..., 2]).mean() > 0.95


def test_a_trunk_before_a_fire_is_not_carried_up() -> None:
    own = fire()
    pixels = own.pixels.copy()
    pixels[:, 70:75] = 12
    matte = np.where(pixels[..., 0] > 100, np.uint8(255), np.uint8(0))
    trunk = Ground(pixels, flame_matte(matte), picture=(W, H))
    one = FlameManner(trunk, Flame(), np.random.default_rng(0))
    for t in (0.2, 0.5, 1.1):
        look = one.at(t)
        assert look[45:75, 72].max() < 60
        assert look[50:70, 64:68, 0].min() > 130


def test_an_aurora_waves_before_stars_that_hold() -> None:
    own = night()
    one = AuroraManner(own, Aurora(), np.random.default_rng(0))
    stage = Stage(own.pixels, (Layer((slice(0, H), slice(0, W)), own.matte, one),), None)
    later = stage.at(2.0).astype(int)
    dark = (slice(80, 96, 16), slice(0, W, 16))
    assert later[dark].min() > 215
    assert np.abs(later - own.pixels)[20:50].mean() > 3 * np.abs(later - own.pixels)[84:].mean()
    assert (later[30:40, :, 1] > later[30:40, :, 0]).mean() > 0.97  # never red
    glow = glow_of(own.pixels)
    assert glow[35].mean() > 0.5
    assert glow[90].mean() < 0.05


def test_what_floats_moves_whole_and_uncovers_what_is_behind() -> None:
    own = boat()
    one = BobManner(own, Bob(heave=0.03, surge=0.0, roll=0.0), np.random.default_rng(3))
    times = np.arange(0.2, 6, 0.2)
    turns = [float(one.shown(t).even[50, 70, 1]) for t in times]
    t = float(times[int(np.argmax(np.abs(turns)))])
    down = -round(one.shown(t).even[50, 70, 1])
    assert abs(down) >= 2
    shifted = np.roll(own.pixels, down, 0)[46:58, 56:88].astype(int)
    assert np.abs(one.at(t)[46:58, 56:88] - shifted).mean() < 12
    still = BobManner(own, Bob().scaled(99), np.random.default_rng(3)).at(t)
    beyond = own.matte == 0
    np.testing.assert_array_equal(still[beyond], own.pixels[beyond])


def test_what_is_thin_before_a_sky_is_no_cloud() -> None:
    sky = np.full((H, W, 3), 180, np.uint8)
    sky[20:40, 30:60] = 215
    sky[:, 100] = 90
    sky[50:60, 20] = 90  # hangs on nothing: a dark wisp
    sure = np.ones((H, W), np.float32)
    sure[90:] = 0
    found = thin(sky, sure, float(H))
    assert not found[50:60, 18:23].any()
    assert found[:85, 99:102].all()
    assert not found[15:45, 25:65].any()


def test_what_is_held_coarse_or_upright_does_not_sway() -> None:
    own = ground()
    free = freedom(own, (48, 72))
    assert free[:3].max() < 0.05
    assert free[17:28, 32:38].max() < 0.05
    pixels = own.pixels.copy()
    pixels[:, 100:112] = 60
    trunk = freedom(replace(own, pixels=pixels), (48, 72))
    assert trunk[25:45, 51:55].mean() < 0.35 * free[25:45, 51:55].mean()


def test_the_table_names_every_manner() -> None:
    own = {"particles", "flight"}  # which have files of tests of their own
    assert {manner_of(motion).name for motion in MOTIONS.values()} == set(MANNERS) - own
    with pytest.raises(ValueError, match="no manner"):
        manner_of(object())
    for motion in MOTIONS.values():
        assert type(motion.scaled(2.0)) is type(motion)
