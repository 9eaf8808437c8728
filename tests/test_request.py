"""Requests as plain data: to JSON and back without loss, refused where they are not understood."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from conftest import photo_like, simple_field
from vivant.asset import Asset
from vivant.controls.aspect import Aspect
from vivant.controls.camera import Camera
from vivant.controls.depth import GivenDepth
from vivant.controls.edits import Between, Clean, Extend, Freeze, Looped, Retime, Stir
from vivant.controls.entry import Control
from vivant.controls.finish import Rendered, SteadyColour
from vivant.controls.flow import Flow
from vivant.controls.fov import FieldOfView
from vivant.controls.given import GivenField
from vivant.controls.kinds import HoldKind, MoveKind
from vivant.controls.layer import Layer
from vivant.controls.light import Light
from vivant.controls.like import Like
from vivant.controls.loop import Loop
from vivant.controls.mask import Move, Still
from vivant.controls.path import CameraPath, Key
from vivant.controls.sampling import Guidance, Steps
from vivant.controls.start import Draft, MovedNoise
from vivant.controls.strength import Strength
from vivant.controls.stroke import Stroke
from vivant.controls.table import TABLE, entry_of
from vivant.controls.transition import Transition
from vivant.controls.wind import Wind
from vivant.controls.words import Words
from vivant.errors import UsageError
from vivant.field.file import save_field
from vivant.media.assets import FileAssets
from vivant.registry import load
from vivant.request import Hooks, Keyframe, Request, Target

PICTURE = Asset("a" * 64, "picture", "p.png")
MASK = Asset("b" * 64, "mask", "m.png")


def every_control(mask: Asset, field: Asset) -> tuple[Control, ...]:
    return (
        Loop(),
        Strength(0.7),
        Strength(1.5, "water"),
        Flow("sky", 135.0),
        Wind(180.0, 6.0),
        Still(mask),
        Move(mask),
        HoldKind("being"),
        MoveKind("sky"),
        Stroke(((0.1, 0.2), (0.35, 0.3)), 2.0),
        Stroke(((0.9, 0.2), (0.4, 0.6))),
        Camera(zoom=0.1),
        Camera(roll=2.5),
        FieldOfView(35.0),
        GivenField(field),
    )


def test_a_request_with_every_control_comes_back_equal() -> None:
    own = every_control(MASK, Asset("c" * 64, "field", "f.vivant"))
    way = CameraPath((Key(0.0), Key(1.5, Camera(truck=0.02), (0.1, 0.0, 0.2), ease="linear")))
    sampled = (Words("the sea"), Steps(7), Guidance(2.5), Rendered("hybrid"), SteadyColour())
    depth = GivenDepth(Asset("d" * 64, "depth", "d.exr"))
    edits = (
        Between(True),
        Retime(0.25),
        Clean(),
        Looped(2.0),
        Freeze(),
        Extend(2.0, True),
        Stir(),
    )
    shape = (Layer(number=2), Aspect(4, 5))
    observed = (Transition(), Like(Asset("e" * 64, "clip")))
    controls = (
        *own,
        way,
        depth,
        *shape,
        *sampled,
        Draft(0.4),
        MovedNoise(),
        Light("dusk", 0.5),
        *observed,
        *edits,
    )
    assert {entry_of(c).name for c in controls} == set(TABLE)
    request = Request((Keyframe(PICTURE),), controls, 2.5, 29.97, "720p", 2**60, "other")
    again = Request.from_data(json.loads(json.dumps(request.to_data())))
    assert again == request


def test_it_makes_the_same_frames(tmp_path: Path) -> None:
    Image.fromarray(photo_like(96, 64)).save(tmp_path / "p.png")
    mask = np.zeros((64, 96), np.uint8)
    mask[:, 40:] = 255
    Image.fromarray(mask).save(tmp_path / "m.png")
    save_field(tmp_path / "f.vivant", simple_field(96, 64, drift=(0.1, 0.0), sway=0.05))
    generator = load("builtin")
    with FileAssets() as assets:
        image = assets.add(tmp_path / "p.png", "picture")
        white = assets.add(tmp_path / "m.png", "mask")
        field = assets.add(tmp_path / "f.vivant", "field")
        request = Request((Keyframe(image),), every_control(white, field), 0.5)
        clips = []
        for asked in (request, Request.from_data(json.loads(json.dumps(request.to_data())))):
            plan = generator.plan(asked, assets, Target())
            with generator.generate(asked, plan, assets, Hooks()).open() as frames:
                clips.append(np.stack(list(frames)))
    np.testing.assert_array_equal(clips[0], clips[1])
    assert (clips[0][-1] != clips[0][0]).any()


def data(**changes: Any) -> dict[str, Any]:
    whole = Request((Keyframe(PICTURE),)).to_data()
    return {**whole, **changes}


BAD: list[tuple[Any, str]] = [
    (3, "must be an object"),
    (data(colour="red"), "no member 'colour'"),
    (data(seconds="four"), "Expected `float`"),
    (data(seconds=0), "seconds must be"),
    (data(fps=1000), "fps must be"),
    (data(seed=-1), "seed must be"),
    (data(keyframes=[]), "at least one picture"),
    (data(keyframes=[3]), "must be an object"),
    (data(keyframes=[{"image": {"sha256": "xyz", "kind": "picture"}}]), "64 hexadecimal"),
    (data(keyframes=[{"image": {"sha256": "a" * 64, "kind": "mask"}}]), "is a picture"),
    (data(keyframes=[{"image": {"sha256": "a" * 64, "kind": "film"}}]), "not understood"),
    (data(controls="loop"), "must be lists"),
    (data(controls=[{"control": "fly"}]), "no control 'fly'"),
    (data(controls=[{"loop": True}]), "must be an object like"),
    (data(controls=[{"control": "loop", "times": 3}]), "no member 'times'"),
    (data(controls=[{"control": "strength", "factor": 99}]), "strength must be"),
    (data(controls=[{"control": "strength"}] * 2), "given twice"),
    (data(controls=[{"control": "stroke", "points": [[0, 0]]}]), "two points"),
]


@pytest.mark.parametrize(("what", "says"), BAD)
def test_what_is_not_understood_is_refused(what: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Request.from_data(what)


def test_what_is_left_out_has_its_default() -> None:
    least = {"keyframes": [{"image": {"sha256": "a" * 64, "kind": "picture"}}]}
    assert Request.from_data(least) == Request((Keyframe(Asset("a" * 64, "picture")),))
