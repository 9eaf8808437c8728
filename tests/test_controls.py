from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vivant.controls.camera import Camera, combined, parse_camera, write_camera
from vivant.controls.drawn import Drawn
from vivant.controls.flow import Flow
from vivant.controls.kinds import HoldKind, MoveKind
from vivant.controls.raster import rasterise
from vivant.controls.strength import Strength
from vivant.controls.stroke import Stroke, parse_stroke, read_strokes, write_stroke
from vivant.controls.table import check_together
from vivant.errors import UsageError


def test_strokes_are_read() -> None:
    assert parse_stroke("0.2,0.5>0.6,0.5") == Stroke(((0.2, 0.5), (0.6, 0.5)))
    assert parse_stroke("0,0>0.5,1>1,0@2").seconds == 2.0
    assert len(parse_stroke("0,0>0.5,1>1,0").points) == 3


@pytest.mark.parametrize(
    "text",
    ["", "0.2", "a,b>c,d", "0.1,0.2", "0.1,0.2>1.4,0.5", "-0.1,0>0,0", "nan,0>1,1", "inf,0>1,1",
     "0,0>1,1@0", "0,0>1,1@-2", "0,0>1,1@nan", "0,0>1,1@x", "0,0,0>1,1"],
)  # fmt: skip
def test_bad_strokes_are_one_sentence(text: str) -> None:
    with pytest.raises(UsageError) as info:
        parse_stroke(text)
    assert "\n" not in str(info.value)


def test_nothing_is_to_hold_and_to_move() -> None:
    check_together((HoldKind("sky"), MoveKind("water"), Flow("water", 0.0), Strength(0.5, "water")))
    check_together((HoldKind("sky"), Strength(0.5), Strength(0.0, "sky")))
    for moving in (MoveKind("sky"), Flow("sky", 0.0), Strength(2.0, "sky")):
        with pytest.raises(UsageError, match=r"sky is to hold \(--hold\) and to move"):
            check_together((HoldKind("sky"), moving))


def test_camera_moves_add_up() -> None:
    camera = combined([parse_camera("push-in 0.2, pan-left"), parse_camera("roll-right 3")])
    assert camera == Camera(pan_x=-0.1, zoom=0.2, roll=3.0)
    assert not parse_camera("still").moves
    assert not combined([]).moves


@pytest.mark.parametrize(
    ("move", "says"),
    [
        ("pull-out 0.2", "at most 10%"),
        ("dolly", "choose from"),
        ("push-in x", "write it like"),
        ("push-in nan", "must be above"),
        ("pan-left -1", "must be above"),
        ("pan-left 7", "must be above"),
    ],
)
def test_bad_camera_moves(move: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse_camera(move)


def test_stroke_files(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_text('[{"points": [[0.2, 0.5], [0.6, 0.5]], "seconds": 2}]')
    assert read_strokes(path) == (Stroke(((0.2, 0.5), (0.6, 0.5)), 2.0),)
    for bad in ("{", "3", '[{"x": 1}]', '[{"points": [[1]]}]', '[{"points": "ab"}]'):
        path.write_text(bad)
        with pytest.raises(UsageError):
            read_strokes(path)
    with pytest.raises(UsageError, match="no stroke file"):
        read_strokes(tmp_path / "none.json")


def test_a_stroke_gives_its_direction_and_speed() -> None:
    controls = Drawn(strokes=(Stroke(((0.25, 0.5), (0.75, 0.5))),))
    g = rasterise(controls, (32, 57), 57 / 32, 4.0)
    hit = g.hint_mask > 0
    assert 40 < hit.sum() < 110
    expected = 0.5 * 57 / 32 / 4.0  # short sides in the clip's seconds
    np.testing.assert_allclose(g.hint_velocity[0][hit], expected, rtol=1e-5)
    assert not g.hint_velocity[1].any()
    assert not g.hint_velocity[:, ~hit].any()
    fast = rasterise(
        Drawn(strokes=(Stroke(((0.25, 0.5), (0.75, 0.5)), 1.0),)), (32, 57), 57 / 32, 4.0
    )
    np.testing.assert_allclose(fast.hint_velocity[0][hit], 4 * expected, rtol=1e-5)


def test_a_bent_stroke_turns() -> None:
    controls = Drawn(strokes=(Stroke(((0.1, 0.1), (0.9, 0.1), (0.9, 0.9))),))
    g = rasterise(controls, (32, 32), 1.0, 2.0)
    assert g.hint_velocity[0, 3, 10] > 0
    assert g.hint_velocity[1, 20, 28] > 0
    assert abs(g.hint_velocity[0, 20, 28]) < 1e-6


def test_still_wins_where_it_touches_a_cell() -> None:
    still = np.zeros((320, 320), np.uint8)
    still[100:165, 100:165] = 255
    controls = Drawn(still=still, strokes=(Stroke(((0, 0.4), (1, 0.4))),))
    g = rasterise(controls, (32, 32), 1.0, 1.0)
    assert (g.still[10:17, 10:17] == 1).all()
    assert not g.hint_mask[g.still > 0].any()
    assert g.still.sum() == 49


def test_what_a_control_asks() -> None:
    assert Camera(zoom=0.1).asks
    assert not Camera().asks
    assert not Strength(1.0).asks
    assert Strength(0.0).asks
    assert Stroke(((0, 0), (1, 1))).asks


def test_controls_are_written_as_they_are_read() -> None:
    camera = Camera(pan_x=-0.15, zoom=0.2, roll=3.0)
    assert parse_camera(write_camera(camera)[1]) == camera
    stroke = Stroke(((0.1, 0.2), (0.5, 0.25), (0.9, 1.0)), 2.5)
    assert parse_stroke(write_stroke(stroke)[1]) == stroke


@pytest.mark.parametrize(
    ("move", "says"), [("push-in=", "not an amount"), ("push-in 0", "above 0")]
)
def test_an_amount_that_is_begun_must_be_one(move: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse_camera(move)


def test_a_stroke_needs_a_length() -> None:
    with pytest.raises(UsageError, match="no length"):
        parse_stroke("0.5,0.5>0.5,0.5")
