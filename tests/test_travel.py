"""Things that go along their strokes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from test_layers import H, W, looked
from vivant.clip import Picture
from vivant.controls.drawn import Drawn
from vivant.controls.stroke import Stroke
from vivant.kinds import INDEX
from vivant.motion import travel
from vivant.motion.held import Looked
from vivant.motion.travel import Floor, floor_of, travellers
from vivant.rendering.bodies import Body, plate
from vivant.rendering.exports import body_flow
from vivant.rendering.shot import Shot
from vivant.scene.mattes import Mattes


def with_boats() -> tuple[Looked, np.ndarray]:
    """Two boats on the water, and the picture."""
    one = looked()
    scene = one.scene
    number = len(scene.instances)
    boat = replace(scene.instances[0], kind="vehicle", area=0.01)
    parts, kinds = scene.parts.copy(), scene.kinds.copy()
    matte = np.zeros((H, W), np.uint8)
    pixels = np.full((H, W, 3), 90, np.uint8)
    cell = H // scene.grid[0]
    for index, (row, column) in enumerate(((20, 8), (26, 20))):
        parts[row : row + 3, column : column + 4] = number + index
        kinds[:, row : row + 3, column : column + 4] = 0
        kinds[INDEX["vehicle"], row : row + 3, column : column + 4] = 1
        there = np.s_[row * cell : (row + 3) * cell, column * cell : (column + 4) * cell]
        matte[there] = 255
        pixels[there] = (220, 60, 20 + 100 * index)
    alpha = {kind: np.minimum(plane, 255 - matte) for kind, plane in one.mattes.alpha.items()}
    rows = np.linspace(0, 1, scene.grid[0], dtype=np.float32)[:, None]
    depth = np.broadcast_to(rows, scene.grid).astype(np.float32)
    scene = replace(
        scene, parts=parts, kinds=kinds, depth=depth, instances=(*scene.instances, boat, boat)
    )
    return Looked(scene, Mattes({**alpha, "vehicle": matte}, (W, H))), pixels


def shot(pixels: np.ndarray, *strokes: Stroke, loop: bool = False) -> Shot:
    picture = Picture(pixels, name="p.png", sha256="4" * 64)
    return Shot(picture, seconds=1.0, fps=10.0, loop=loop, controls=Drawn(strokes=strokes))


def at(row: float, column: float) -> tuple[float, float]:
    """A point in a cell of the grid."""
    grid = looked().scene.grid
    return (column + 0.5) / grid[1], (row + 0.5) / grid[0]


def test_a_thing_follows_a_bent_stroke_and_shrinks_as_it_goes_away() -> None:
    one, pixels = with_boats()
    x, y = at(21, 9)
    bent = Stroke(((x, y), (x + 0.2, y), (x + 0.2, y - 0.1)))
    (body,) = travellers(shot(pixels, bent), one, pixels)
    assert body.size is not None
    half = body.path[5]
    assert half[0] > 0
    assert half[1] == pytest.approx(0, abs=0.5)
    assert body.path[9, 1] < -1
    assert body.size[0] == 1
    assert body.size[9] < 0.95


def test_far_things_come_before_near_ones_and_a_thing_obeys_its_first_stroke() -> None:
    one, pixels = with_boats()
    near, far = at(27, 21), at(21, 9)
    strokes = [Stroke((p, (p[0] + 0.1, p[1]))) for p in (near, far)]
    again = Stroke((far, (far[0], far[1] + 0.1)))
    found = travellers(shot(pixels, *strokes, again), one, pixels)
    assert [body.foot[1] for body in found] == sorted(body.foot[1] for body in found)
    assert len(found) == 2
    assert abs(found[0].path[-1, 1]) < 0.5


def test_in_a_loop_a_thing_comes_back() -> None:
    one, pixels = with_boats()
    x, y = at(21, 9)
    (body,) = travellers(shot(pixels, Stroke(((x, y), (x + 0.2, y))), loop=True), one, pixels)
    assert body.path[5, 0] > 0.15 * W
    assert body.path[9, 0] < body.path[8, 0] < body.path[6, 0]


def test_the_floor_says_how_large_things_are() -> None:
    floor = Floor(-0.2, 1.0)
    assert floor.size(0.5, 0.5) == 1
    assert floor.size(0.5, 0.8) > 1 > floor.size(0.5, 0.4)
    assert floor.size(0.5, 0.0) == travel.SIZES[0]
    one, _ = with_boats()
    assert floor_of(one) is not None
    level = replace(one.scene, depth=np.full(one.scene.grid, 0.5, np.float32))
    found = floor_of(Looked(level, one.mattes))
    assert found is None or found.size(0.4, 0.9) == pytest.approx(1, abs=1e-3)


def test_the_flow_of_a_body_that_grows() -> None:
    matte = np.zeros((40, 60), np.float32)
    path = np.array([[0, 0], [4, 2]], np.float32)
    body = Body(matte, path, np.array([1.0, 1.25], np.float32), foot=(20.0, 30.0))
    grid = np.dstack(np.meshgrid(np.arange(60), np.arange(40))).astype(np.float32)
    flow = body_flow(grid, body, 1)
    # the foot, now at (24, 32), was at (20, 30); a place 10 right of it was 8 right of it
    assert flow[32, 24] == pytest.approx((-4, -2), abs=1e-4)
    assert flow[32, 34] == pytest.approx((-6, -2), abs=1e-4)


def test_a_plate_has_the_texture_of_what_is_beside() -> None:
    rng = np.random.default_rng(1)
    pixels = np.clip(rng.normal(120, 25, (160, 200, 3)), 0, 255).astype(np.uint8)
    matte = np.zeros((160, 200), np.float32)
    matte[60:100, 80:120] = 1
    pixels[matte > 0] = (255, 0, 0)
    body = Body(matte, np.ones((2, 2), np.float32))
    filled = plate(pixels, [body])
    inside = filled[66:94, 86:114].astype(float)
    assert abs(inside[..., 0].mean() - 120) < 15
    assert inside.std() > 10  # no smooth smear
    np.testing.assert_array_equal(filled[:40], pixels[:40])
