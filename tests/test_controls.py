from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vivant.controls.parse import parse_camera, parse_stroke, read_strokes
from vivant.controls.raster import rasterise
from vivant.controls.types import Camera, Controls, Stroke
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


def test_camera_moves_add_up() -> None:
    camera = parse_camera(["push-in 0.2, pan-left", "roll-right 3"])
    assert camera == Camera(pan_x=-0.1, zoom=0.2, roll=3.0)
    assert not parse_camera(["still"]).moves
    assert not parse_camera([]).moves


@pytest.mark.parametrize(
    ("move", "says"),
    [
        ("pull-out 0.1", "nothing beyond its edge"),
        ("dolly", "choose from"),
        ("push-in x", "write it like"),
        ("push-in nan", "must be from"),
        ("pan-left -1", "must be from"),
        ("pan-left 7", "must be from"),
    ],
)
def test_bad_camera_moves(move: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse_camera([move])


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
    controls = Controls(strokes=(Stroke(((0.25, 0.5), (0.75, 0.5))),))
    g = rasterise(controls, (32, 57), 57 / 32, 4.0)
    hit = g.hint_mask > 0
    assert 40 < hit.sum() < 110
    expected = 0.5 * 57 / 32 / 4.0  # short sides in the clip's seconds
    np.testing.assert_allclose(g.hint_velocity[0][hit], expected, rtol=1e-5)
    assert not g.hint_velocity[1].any()
    assert not g.hint_velocity[:, ~hit].any()
    fast = rasterise(
        Controls(strokes=(Stroke(((0.25, 0.5), (0.75, 0.5)), 1.0),)), (32, 57), 57 / 32, 4.0
    )
    np.testing.assert_allclose(fast.hint_velocity[0][hit], 4 * expected, rtol=1e-5)


def test_a_bent_stroke_turns() -> None:
    controls = Controls(strokes=(Stroke(((0.1, 0.1), (0.9, 0.1), (0.9, 0.9))),))
    g = rasterise(controls, (32, 32), 1.0, 2.0)
    assert g.hint_velocity[0, 3, 10] > 0
    assert g.hint_velocity[1, 20, 28] > 0
    assert abs(g.hint_velocity[0, 20, 28]) < 1e-6


def test_still_wins_where_it_touches_a_cell() -> None:
    still = np.zeros((320, 320), np.uint8)
    still[100:165, 100:165] = 255
    controls = Controls(still=still, strokes=(Stroke(((0, 0.4), (1, 0.4))),))
    g = rasterise(controls, (32, 32), 1.0, 1.0)
    assert (g.still[10:17, 10:17] == 1).all()
    assert not g.hint_mask[g.still > 0].any()
    assert g.still.sum() == 49


def test_used_names_what_is_asked() -> None:
    assert Controls().used() == ()
    assert Controls(camera=Camera(zoom=0.1), strokes=(Stroke(((0, 0), (1, 1))),)).used() == (
        "stroke",
        "camera",
    )
