from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from test_layers import H, W, looked
from vivant.asset import Asset
from vivant.clip import Picture
from vivant.controls.camera import Camera
from vivant.controls.entry import Control
from vivant.controls.flow import Flow
from vivant.controls.given import GivenField
from vivant.controls.kinds import HoldKind
from vivant.controls.strength import Strength
from vivant.controls.stroke import Stroke
from vivant.kinds import INDEX, KINDS
from vivant.media.assets import MemoryAssets
from vivant.motion import breath, held, reading
from vivant.motion.asked import Asked
from vivant.motion.breath import breathing, quiet_notes
from vivant.motion.choose import choose
from vivant.motion.held import Looked, poured, rest_of_water
from vivant.motion.motion_file import motion_bytes
from vivant.request import Keyframe, Request, Runtime
from vivant.scene.mattes import Mattes
from vivant.scene.record import Scene

TEXTURE = np.random.default_rng(5).integers(80, 200, (H, W, 1)).repeat(3, 2).astype(np.uint8)
PICTURE = Picture(TEXTURE, name="p.png", sha256="2" * 64)
PLAIN = Picture(np.full((H, W, 3), 160, np.uint8), name="plain.png", sha256="3" * 64)


def notes(monkeypatch: pytest.MonkeyPatch, scene: Scene, *controls: Control) -> list[str]:
    monkeypatch.setattr(breath, "scene_of", lambda picture, runtime: scene)
    assets = MemoryAssets(PICTURE)
    request = Request((Keyframe(assets.asset),), controls)
    return quiet_notes(request, assets, Runtime())


def test_a_picture_in_which_nothing_moves_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = looked().scene
    assert notes(monkeypatch, scene) == []
    moving = tuple(HoldKind(kind) for kind in held.MOVING)
    assert "nearly stands still" in notes(monkeypatch, scene, *moving)[0]
    assert notes(monkeypatch, scene, *moving, Camera(zoom=0.1)) == []
    assert notes(monkeypatch, scene, *moving, Camera()) == []
    assert notes(monkeypatch, scene, *moving, Strength(0.0)) == []


def test_where_nothing_moves_the_camera_breathes_unless_it_is_said_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = looked().scene
    built = np.zeros_like(seen.kinds)
    built[INDEX["built"]] = 1
    quiet = replace(seen, kinds=built)

    def asked(scene: Scene, *controls: Control, picture: Picture = PICTURE) -> Request:
        monkeypatch.setattr(breath, "scene_of", lambda picture, runtime: scene)
        assets = MemoryAssets(picture)
        return breathing(Request((Keyframe(assets.asset),), controls), assets, Runtime())

    breathes = asked(quiet).one(Camera)
    assert breathes is not None
    assert breathes.zoom > 0
    assert "breathes" in notes(monkeypatch, quiet)[0]
    still = Stroke(((0.1, 0.5), (0.3, 0.5)))
    for control in (Camera(), Camera(pan_x=0.1), HoldKind("sky"), Strength(0.0), still):
        assert asked(quiet, control).controls == (control,)
    assert asked(seen).controls == ()
    assert asked(seen, picture=PLAIN).one(Camera) is not None  # nothing would be seen to move


def test_unclaimed_pixels_of_a_stream_are_water() -> None:
    one = looked()
    alpha = dict(one.mattes.alpha)
    alpha["water"] = alpha["water"].copy()
    alpha["water"][80:100, 20:60] = 0
    alpha["sky"] = alpha["sky"].copy()
    alpha["sky"][5:15, 5:15] = 0
    grey = np.full((H, W, 3), 120, np.uint8)
    grey[84:96, 50:58] = 40  # a stone
    filled = poured(Looked(one.scene, Mattes(alpha, (W, H))), grey)
    assert filled.mattes.of("water")[90, 54] == 0
    assert filled.mattes.of("water")[90, 40] == 255
    assert filled.mattes.of("water")[10, 10] == 0
    total = np.sum([filled.mattes.of(kind).astype(int) for kind in KINDS], axis=0)
    assert total.max() <= 255


def test_water_of_no_body_is_the_rest() -> None:
    one = looked()
    assert (rest_of_water(one) > 127).mean() < 0.01
    alpha = dict(one.mattes.alpha)
    alpha["water"] = alpha["water"].copy()
    alpha["water"][20:40, 84:108] = 255
    rest = rest_of_water(Looked(one.scene, Mattes(alpha, (W, H))))
    assert rest[22:30, 88:100].min() > 200
    assert one.scene.kinds[INDEX["built"], 7, 23] > 0.9


def test_a_stroke_on_a_thing_drives_it_and_one_on_water_does_not() -> None:
    scene = looked().scene
    parts = scene.parts.copy()
    number = next(k for k, one in enumerate(scene.instances) if one.kind == "water")
    boat = replace(scene.instances[number], kind="vehicle", area=0.01)
    things = replace(scene, instances=(*scene.instances, boat), parts=parts.copy())
    mine = things.parts.copy()
    mine[24:27, 10:14] = len(scene.instances)
    one = Looked(replace(things, parts=mine), looked().mattes)
    on_boat, on_water = (Stroke(((x, 0.8), (x + 0.2, 0.8))) for x in (0.25, 0.6))
    assert one.drives(on_boat) == len(scene.instances)
    assert one.drives(on_water) is None
    wide = replace(boat, area=0.6)
    large = replace(things, instances=(*scene.instances, wide), parts=mine)
    assert Looked(large, looked().mattes).drives(on_boat) is None


def test_what_cannot_turn_a_given_motion_is_said() -> None:
    class Given(MemoryAssets):
        def content(self, asset: Asset) -> bytes:
            return motion_bytes(choose(looked(), Asked()))

    assets = Given(PICTURE)
    file = GivenField(Asset("3" * 64, "field", "a.motion"))
    controls = (file, Flow("sky", 0.0), Strength(2.0), Strength(1.0, "sky"))
    request = Request((Keyframe(assets.asset),), controls)
    assert reading._given_notes(request, assets) == [
        "The motion is given: flow, strength changes nothing of it."
    ]
    assert reading._given_notes(Request((Keyframe(assets.asset),), (file,)), assets) == []
    another = Request((Keyframe(assets.asset),), (file,), seed=3)
    assert "another seed" in reading._given_notes(another, assets)[0]
