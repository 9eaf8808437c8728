"""A light that changes: nothing at first, on what it should fall on, back where the clip loops."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from conftest import photo_like, picture
from films import read_video
from test_cli import report, run
from vivant.asset import Asset
from vivant.controls.light import CHANGES, Light, parse_light
from vivant.controls.table import control_data, control_from, words_of
from vivant.errors import UsageError
from vivant.media.assets import MemoryAssets
from vivant.motion.filming import camera_of, filmed
from vivant.motion.layered import Motion
from vivant.motion.lighting import whole_sky
from vivant.rendering.illumination import Illumination, relit
from vivant.rendering.lamps import lamps
from vivant.rendering.space.pose import Lens
from vivant.rendering.space.relief import Relief, Sheet
from vivant.rendering.surfaces import Surfaces, bulging, ground_of, normals
from vivant.request import Keyframe, Request

FILES = MemoryAssets(picture(8, 8))
SHAPE = (96, 144)


def road() -> Relief:
    """Sky above, ground below that comes nearer."""
    sky = np.zeros(SHAPE, np.uint8)
    sky[:40] = 255
    near = np.repeat(np.linspace(-0.6, 1, 48, dtype=np.float32)[:, None], 72, axis=1)
    return Relief((Sheet(sky, np.zeros((48, 72), np.float32)), Sheet(255 - sky, near)))


def surfaces(**more: object) -> Surfaces:
    relief = road()
    across, up = normals(relief, Lens(), SHAPE)
    sky = relief.sheets[0].matte.astype(np.float32) / 255
    ones = np.ones(SHAPE, np.float32)
    plain = {"across": across, "up": up, "sky": sky, "free": ones, "lamps": ()}
    return Surfaces(**{**plain, "ground": ground_of(relief, Lens()), **more})  # type: ignore[arg-type]


def test_what_lies_within_the_sky_and_has_its_colour_is_sky() -> None:
    pixels = np.full((*SHAPE, 3), (120, 150, 200), np.uint8)
    pixels[60:] = 60
    seen = np.zeros(SHAPE, np.uint8)
    seen[:60] = 255
    haze, mast = np.s_[20:28, 30:38], np.s_[10:60, 90:92]
    seen[haze] = seen[mast] = 0
    pixels[mast] = 30
    sky = whole_sky(seen, pixels)
    assert sky[haze].min() > 240
    assert sky[mast].max() == 0
    assert sky[61:].max() == 0


@pytest.mark.parametrize(
    ("text", "lights"),
    [
        ("sun left, 0.3", (Light("sun", 0.3, "left"),)),
        ("sweep left to right", (Light("sweep", 0.5, "right"),)),
        ("flicker 20%; the light gets warmer", (Light("flicker", 0.2), Light("warmer", 0.4))),
        ("dusk and cloud shadows to the left", (Light("dusk", 0.5), Light("clouds", 0.5, "left"))),
    ],
)
def test_lights_are_read_and_written(text: str, lights: tuple[Light, ...]) -> None:
    assert parse_light(text, FILES) == lights
    for light in lights:
        flag, words = words_of(light)
        assert flag == "--light"
        assert parse_light(words, FILES) == (light,)
        assert control_from(control_data(light)) == light


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "nothing is named"), ("moonrise", "'moonrise'"), ("sun", "where to"), ("dusk up", "'up'"),
     ("warmer 2", "up to 1"), ("warmer nan", "up to 1"), ("flicker 0", "above 0"),
     ("sun left purple", "'purple'"), ("sweep down", "'down'")],
)  # fmt: skip
def test_what_is_not_understood_is_named(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_light(text, FILES)


def test_ground_faces_up_and_things_bulge() -> None:
    across, up = normals(road(), Lens(), SHAPE)
    assert up[60:90, 20:120].min() > 0.3
    assert np.abs(across[60:90, 50:90]).max() < 0.2
    matte = np.zeros(SHAPE, np.uint8)
    cv2.circle(matte, (72, 48), 24, 255, -1)
    right, above = bulging([matte], SHAPE)
    assert right[48, 52] < -0.1 < 0.1 < right[48, 92]
    assert above[28, 72] > 0.1 > -0.1 > above[68, 72]
    assert abs(right[48, 72]) < 0.05
    assert right[0, 0] == 0


@pytest.mark.parametrize("change", list(CHANGES))
@pytest.mark.parametrize("loop", [False, True])
def test_every_change_begins_at_nothing_and_holds_what_holds(change: str, loop: bool) -> None:
    free, lamp = np.ones(SHAPE, np.float32), np.zeros(SHAPE, np.float32)
    free[70:, :50], lamp[50:56, 70:80] = 0, 1
    frame, on = photo_like(144, 96), surfaces(free=free, lamps=(lamp,))
    light = Illumination((Light(change, 0.8, (*CHANGES[change].ways, "")[0]),), 4.0, loop)
    made = [light.lit(frame, on, at) for at in (0.0, 1 / 24, 1.9, 4.0)]
    assert np.array_equal(made[0], frame)
    assert all(np.array_equal(one[70:, :50], frame[70:, :50]) for one in made)
    assert float(np.abs(made[1].astype(int) - frame).mean()) < 2.5
    assert (made[2] != frame).any()
    if loop or change == "sweep":
        assert np.abs(made[3].astype(int) - frame).max() <= 1


def test_the_sun_lights_what_faces_it() -> None:
    side = np.zeros(SHAPE, np.float32)
    side[50:, :72], side[50:, 72:] = -0.6, 0.6
    grey = np.full((*SHAPE, 3), 110, np.uint8)
    made = Illumination((Light("sun", 0.6, "left"),), 4.0).lit(grey, surfaces(across=side), 4.0)
    assert made[60:90, 60:70].mean() > 118
    assert made[60:90, 74:84].mean() < 102
    lit, shaded = made[70, 62].astype(int), made[70, 80].astype(int)
    assert lit[0] > lit[2]  # warm
    assert shaded[2] > shaded[0]  # cool
    plain = Illumination((Light("sun", 0.6, "left"),), 4.0).lit(grey, surfaces(grey=True), 4.0)
    assert np.array_equal(plain[..., 0], plain[..., 2])


def test_dusk_leaves_lamps_and_clouds_leave_the_sky() -> None:
    grey, lamp = np.full((*SHAPE, 3), 120, np.uint8), np.zeros(SHAPE, np.float32)
    lamp[60:66, 70:80] = 1
    dusk = Illumination((Light("dusk", 0.8),), 4.0).lit(grey, surfaces(lamps=(lamp,)), 4.0)
    assert np.array_equal(dusk[62, 75], grey[62, 75])
    assert dusk[80].mean() < dusk[10].mean() < 110
    shade = Illumination((Light("clouds", 1.0, "right"),), 8.0)
    made = [shade.lit(grey, surfaces(), at) for at in (3.0, 4.0)]
    assert all(np.array_equal(one[:40], grey[:40]) for one in made)
    assert made[0][45:].std() > 2
    assert np.abs(made[0].astype(int) - made[1]).mean() > 0.3


def test_highlights_keep_their_shape() -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    up = relit(ramp, np.full((1, 256, 3), 1.5, np.float32))
    assert (np.diff(up[0, :, 0].astype(int)) >= 0).all()
    assert len(np.unique(up[0, 200:, 0])) > 25
    assert np.array_equal(relit(ramp, np.zeros((1, 256, 3), np.float32)), ramp)


def test_lamps_are_spots_in_the_dark() -> None:
    night = np.full((180, 240, 3), 25, np.uint8)
    for x in (40, 120, 200):
        cv2.circle(night, (x, 100), 4, (255, 230, 170), -1)
    none = np.zeros((180, 240), np.uint8)
    found = lamps(night, none, none)
    assert found
    total = np.maximum.reduce(found)
    assert total[100, [40, 120, 200]].min() > 0.8
    assert 0.02 < total[100, 52] < 0.7
    assert total[20, 20] < 0.02
    assert lamps(np.minimum(night, 200) + 120, none, none) == ()
    assert lamps(night, none, np.full((180, 240), 255, np.uint8)) == ()


def test_a_picture_in_another_light(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = tmp_path / "a.png"
    cv2.imwrite(str(photo), photo_like(144, 96)[..., ::-1])
    hold = np.zeros((96, 144), np.uint8)
    hold[:, :40] = 255
    cv2.imwrite(str(tmp_path / "hold.png"), hold)
    out = tmp_path / "b.mkv"
    words = ["animate", photo, "-o", out, "--light", "dusk", "--light", "sun left 0.4", "--seconds",
             "0.5", "--fps", "8", "--no-watermark", "--still", tmp_path / "hold.png", "--camera",
             "still", "--size", "source"]  # fmt: skip
    assert run(monkeypatch, *words) == 0
    frames = read_video(out).frames
    assert np.array_equal(frames[0], photo_like(144, 96))
    assert frames[-1][:, 60:].mean() < frames[0][:, 60:].mean() - 3
    assert np.array_equal(frames[-1][:, :40], frames[0][:, :40])
    capsys.readouterr()
    assert run(monkeypatch, "verify", out, "--json") == 0
    asked = report(capsys)[0]["record"]["request"]["controls"]  # type: ignore[index]
    assert [c["change"] for c in asked if c["control"] == "light"] == ["dusk", "sun"]


def test_a_motion_keeps_its_light() -> None:
    light = Light("sun", 0.3, "left")
    request = Request((Keyframe(Asset("0" * 64, "picture", "a.png")),), (light,))
    assert camera_of(request) == (light,)
    motion = Motion(camera=(light,))
    plain = replace(request, controls=())
    assert filmed(plain, motion).all(Light) == (light,)
    other = replace(request, controls=(Light("dusk", 0.2),))
    assert filmed(other, motion).all(Light) == (Light("dusk", 0.2),)
