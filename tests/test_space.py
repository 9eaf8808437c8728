from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from conftest import photo_like
from test_layers import looked
from vivant.clip import VideoSpec
from vivant.controls.camera import Camera, combined, parse_camera, write_camera
from vivant.errors import UsageError
from vivant.field.file import write_field
from vivant.motion.relief import relief_of, steps
from vivant.rendering.camera import ease
from vivant.rendering.space.inpaint import inpainted
from vivant.rendering.space.path import path_of, pivot_of
from vivant.rendering.space.pose import Lens, Pose
from vivant.rendering.space.pose import Path as Way
from vivant.rendering.space.relief import Relief, Sheet
from vivant.rendering.space.slices import sliced
from vivant.rendering.space.truth import through
from vivant.rendering.space.view import View, viewed_along

W, H = 192, 128
LENS = Lens()
GRID = np.dstack(np.meshgrid(np.arange(W, dtype=np.float32), np.arange(H, dtype=np.float32)))
SPEC = VideoSpec(W, H, 12.0, 12)


def disc() -> np.ndarray:
    plane = np.zeros((H, W), np.uint8)
    cv2.circle(plane, (96, 64), 30, 255, -1, cv2.LINE_AA)
    return plane


def relief(near: float = 0.8, far: float = 0.2) -> Relief:
    """A disc before a wall."""
    matte = disc()
    return Relief(
        (
            Sheet(np.asarray(255 - matte, np.uint8), np.full((16, 24), far, np.float32)),
            Sheet(matte, np.full((16, 24), near, np.float32)),
        )
    )


def picture() -> np.ndarray:
    pixels = photo_like(W, H, seed=3)
    pixels[disc() > 127] = (250, 0, 250)
    return pixels


def test_a_pose_undone_leads_back() -> None:
    at = (np.dstack([GRID[..., 0] - W / 2, GRID[..., 1] - H / 2]) / H).astype(np.float32)
    depth = np.linspace(0, 0.9, H * W, dtype=np.float32).reshape(H, W)
    for pose in (
        Pose((0.1, -0.05, 0.2), (3, -2, 4), 1.1),
        Pose((0, 0, 0.3)),
        Pose(turn=(0, 0, 10)),
    ):
        seen = LENS.images(pose, at, depth)
        np.testing.assert_allclose(LENS.sources(pose, seen, depth), at, atol=2e-5)
    right = LENS.images(Pose((0.05 / LENS.focal, 0, 0)), at, np.ones_like(depth))
    np.testing.assert_allclose(right[..., 0] - at[..., 0], -0.05, atol=1e-5)
    panned = LENS.images(Pose(turn=(5, 0, 0)), at, 0 * depth)
    assert (panned[64, 96, 0] - at[64, 96, 0]) < -0.05
    tilted = LENS.images(Pose(turn=(0, 5, 0)), at, 0 * depth)
    assert (tilted[64, 96, 1] - at[64, 96, 1]) < -0.05


def test_a_relief_knows_what_hides_what() -> None:
    one = relief()
    levels = one.thresholds()
    assert len(levels) == 1
    assert 0.2 < levels[0] < 0.8
    near = one.nearer(levels[0], (H, W))
    assert near[64, 96] == pytest.approx(1, abs=0.01)
    assert near[5, 5] == 0
    assert one.edges((H, W), 2)[64, 66]
    assert not one.edges((H, W), 2)[64, 96]
    assert relief(0.5, 0.5).thresholds() == ()
    with pytest.raises(ValueError, match="sheets"):
        Relief(())


def test_slices_go_on_behind_what_hides_them() -> None:
    pixels = picture()
    back, front = sliced(pixels, relief(), 0.1)
    assert back.alpha.min() == 1  # nothing lies behind the farthest
    assert np.abs(back.disparity - 0.2).max() < 0.02
    assert np.abs(front.disparity - 0.8).max() < 0.02
    rows, columns = back.box
    behind = np.zeros((H, W, 3), np.uint8)
    behind[rows, columns] = back.colours
    rim = (cv2.erode(disc(), np.ones((9, 9))) < 127) & (disc() > 200)
    red = behind[rim].astype(int)
    assert (red[:, 0] - red[:, 1]).mean() < 60  # 250 of the disc


def test_holes_are_filled_with_texture() -> None:
    rng = np.random.default_rng(0)
    rough = cv2.resize(rng.integers(0, 255, (60, 90, 3), np.uint8), (180, 120))
    known = np.ones((120, 180), bool)
    known[40:80, 60:100] = False
    made = inpainted(rough, known, ~known)
    np.testing.assert_array_equal(made[known], rough[known])
    inside = made[48:72, 68:92].astype(float)
    assert inside.std() > 0.5 * rough.astype(float).std()
    assert abs(inside.mean() - rough.mean()) < 25
    smooth = inpainted(rough, known, np.zeros_like(known))
    assert smooth[48:72, 68:92].astype(float).std() < inside.std()


def test_near_things_move_more_and_nothing_tears() -> None:
    pixels = picture()
    pose = Pose((0.1 / LENS.focal, 0, 0))
    view = View(pixels, relief(), Way((Pose(), pose), LENS))
    np.testing.assert_array_equal(view.at(pixels, Pose()), pixels)
    barely = view.at(pixels, Pose((1e-7, 0, 0))).astype(int)
    assert np.abs(barely - pixels).mean() < 1.0
    seen = view.at(pixels, pose).astype(int)
    red = (np.abs(seen - (250, 0, 250)).max(axis=-1) < 40).astype(np.uint8)
    x = cv2.moments(red)["m10"] / cv2.moments(red)["m00"]
    assert x == pytest.approx(96 - 0.8 * 0.1 * H, abs=0.8)
    wall = seen[10:40, 20:170]
    shifted = np.roll(pixels.astype(int), -round(0.2 * 0.1 * H), axis=1)[10:40, 20:170]
    assert np.abs(wall - shifted).mean() < np.abs(wall - pixels[10:40, 20:170]).mean()


def test_what_moves_in_the_picture_moves_in_the_view() -> None:
    pixels = picture()
    pose = Pose((0, 0, 0.1))
    view = View(pixels, relief(), Way((Pose(), pose), LENS))
    brighter = np.asarray(np.minimum(pixels.astype(int) + 20, 255), np.uint8)
    change = view.at(brighter, pose).astype(int) - view.at(pixels, pose)
    assert 15 < change.mean() < 21


@pytest.mark.parametrize("text", ["truck-right 5%", "push-in 15%", "orbit 4deg", "circle", "swing", "hand-held", "dolly-zoom", "crane-up", "pedestal-down, roll-left 3"])  # fmt: skip
@pytest.mark.parametrize("loop", [False, True])
def test_paths_begin_at_the_picture_and_never_look_beyond_its_edge(text: str, loop: bool) -> None:
    one = relief()
    path = path_of(parse_camera(text), SPEC, loop, one)
    assert path.poses[0] == Pose()
    assert path.moves
    edge = np.array([[[-0.75, -0.5], [0.75, -0.5], [-0.75, 0.5], [0.75, 0.5]]], np.float32)
    for pose in path.poses[1:]:
        found = path.lens.sources(pose, edge, np.full((1, 4), 0.2, np.float32))
        assert (np.abs(found) <= np.array([0.75, 0.5]) + 1e-3).all()
    if loop:
        steps = [
            np.subtract(a.position, b.position)
            for a, b in zip(path.poses, path.poses[1:], strict=False)
        ]
        seam = np.subtract(path.poses[-1].position, path.poses[0].position)
        assert np.linalg.norm(seam) <= 2.5 * max(np.linalg.norm(s) for s in steps) + 1e-9


def test_a_dolly_zoom_keeps_the_main_thing_as_large() -> None:
    one = relief()
    pivot = pivot_of(one)
    pose = path_of(Camera(dolly_zoom=0.2), SPEC, False, one).poses[-1]
    at = np.array([[[0.1, 0.0]]], np.float32)
    closer = pose.zoom / (1 / (1 + 0.2 * 0.98))
    seen = LENS.images(pose, at, np.full((1, 1), pivot, np.float32))
    assert seen[0, 0, 0] == pytest.approx(0.1 * max(closer, 1), rel=0.03)
    far = LENS.images(pose, at, np.zeros((1, 1), np.float32))
    assert far[0, 0, 0] < seen[0, 0, 0]


def test_a_slow_move_is_smooth_below_a_pixel() -> None:
    one = relief()
    spec = VideoSpec(W, H, 24.0, 192)
    path = path_of(Camera(zoom=0.02), spec, False, one)
    view = View(picture(), one, path)
    place = np.array([[[120.0, 40.0]]], np.float32)
    xs = np.array([view.images(view.layers[0].slice, p, place)[0, 0, 0] for p in path.poses])
    assert np.abs(np.diff(xs, 3)).max() < 0.01


def test_truth_leads_to_where_the_place_was() -> None:
    one = relief()
    poses = tuple(Pose((0.02 * k / LENS.focal, 0.01 * k, 0.01 * k)) for k in range(3))
    view = View(picture(), one, Way(poses, LENS))
    still, exact = np.zeros((H, W, 2), np.float32), np.ones((H, W), bool)
    flow, known = through(view, poses[1], poses[2], still, exact)
    assert known.mean() > 0.75
    assert (~known).mean() > 0.005  # soft edges, and what was hidden
    for layer, spot in ((view.layers[1], (64, 96)), (view.layers[0], (15, 30))):
        at = GRID[spot][None, None]
        depth = np.full((1, 1), float(layer.slice.disparity.mean()), np.float32)
        middle = np.array([W, H], np.float32) / 2
        source = LENS.sources(poses[2], (at + 0.5 - middle) / H, depth)
        before = LENS.images(poses[1], source, depth) * H + middle - 0.5
        np.testing.assert_allclose(flow[spot], (before - at)[0, 0], atol=0.1)


def test_frames_along_a_path() -> None:
    pixels = picture()
    path = path_of(Camera(truck=0.05), SPEC, False, relief())
    frames = list(viewed_along(pixels, (pixels.copy() for _ in range(12)), relief(), path))
    np.testing.assert_array_equal(frames[0], pixels)
    assert len(frames) == 12
    assert np.abs(frames[-1].astype(int) - pixels).mean() > 1


def test_a_strong_push_in_leaves_no_hole() -> None:
    bright = np.asarray(picture() // 2 + 100, np.uint8)
    path = path_of(Camera(zoom=2.0), SPEC, False, relief())
    still = (bright.copy() for _ in range(12))
    last = list(viewed_along(bright, still, relief(), path))[-1]
    assert last.max(axis=-1).min() > 60


def test_moves_have_names_amounts_and_limits() -> None:
    camera = parse_camera("truck-left 5%, orbit 4deg, hand-held, circle 0.02")
    assert camera == Camera(truck=-0.05, orbit=4.0, hand=1.0, circle=0.02)
    assert parse_camera(write_camera(camera)[1]) == camera
    assert set(camera.through) == {"truck", "orbit", "circle", "hand"}
    assert parse_camera("push-in 10%, pan-left").through == ()
    assert parse_camera("auto").moves
    assert combined([Camera(truck=0.02), Camera(truck=0.03)]).truck == pytest.approx(0.05)
    for text, said in (("truck-left 40%", "up to 0.15"), ("orbit 30deg", "up to 10"), ("orbit x%", "not an amount")):  # fmt: skip
        with pytest.raises(UsageError, match=said):
            parse_camera(text)


def test_the_camera_goes_through_a_photograph(tmp_path: Path) -> None:
    import vivant

    photo = Path(__file__).parents[1] / "examples" / "lake.jpg"
    made = vivant.animate(photo, seconds=0.5, fps=8, size="120p", camera="truck-right 5%")
    frames = list(made.frames())
    flat = list(vivant.animate(photo, seconds=0.5, fps=8, size="120p").frames())
    np.testing.assert_array_equal(frames[0], flat[0])
    assert np.abs(frames[-1].astype(int) - flat[-1]).mean() > 1
    still = list(
        vivant.animate(
            photo, seconds=0.5, fps=8, size="120p", camera="orbit 4deg", strength=0
        ).frames()
    )
    assert np.abs(still[-1].astype(int) - still[0]).mean() > 0.5
    field = tmp_path / "a.vivant"
    write_field(field, made.field)
    with pytest.raises(UsageError, match="needs depth"):
        list(vivant.render(photo, field, camera="orbit 4deg").frames())
    assert replace(Camera(), truck=0.1).asks


def test_a_scene_becomes_a_relief_whose_edges_are_those_of_the_mattes() -> None:
    slope = np.tile(np.linspace(0, 1, 64, dtype=np.float32)[:, None], (1, 96))
    jump = np.where(np.arange(96) < 48, np.float32(0.2), np.float32(0.8)) * np.ones((64, 1))
    assert steps(slope).max() == 0  # sloping ground is no step
    found = steps(jump.astype(np.float32))
    assert found[:, 47:49].min() == 1
    assert found[:, :40].max() == 0
    one = replace(looked(), scene=replace(looked().scene, depth=np.full_like(looked().scene.depth, 0.5)))  # fmt: skip
    flat = relief_of(one, (96, 64))
    assert flat.thresholds() == ()  # what lies at one depth is one slice
    assert np.ptp(flat.at((64, 96))) < 0.03


def test_pulling_out_goes_on_beyond_the_edge() -> None:
    flat = Relief((Sheet(np.full((H, W), 255, np.uint8), np.full((16, 24), 0.5, np.float32)),))
    pixels = cv2.GaussianBlur(photo_like(W, H, seed=5), (0, 0), 3)
    path = path_of(Camera(zoom=-0.1), SPEC, False, flat)
    assert path.margin > 0
    frames = list(viewed_along(pixels, iter([pixels] * SPEC.count), flat, path))
    np.testing.assert_array_equal(frames[0], pixels)
    smaller = 1 - 0.1 * ease(11 / 12, loop=False)
    shift = [(side - 1) / 2 * (1 - smaller) for side in (W, H)]
    way = np.array([[smaller, 0, shift[0]], [0, smaller, shift[1]]], np.float32)
    wanted = cv2.warpAffine(pixels, way, (W, H), borderMode=cv2.BORDER_REFLECT_101)
    assert shift[1] > 5
    apart = np.abs(frames[-1].astype(int) - wanted).mean()
    assert apart < 3 < np.abs(pixels.astype(int) - wanted).mean()


def test_what_moves_at_the_edge_moves_beyond_it() -> None:
    flat = Relief((Sheet(np.full((H, W), 255, np.uint8), np.full((16, 24), 0.5, np.float32)),))
    pixels = photo_like(W, H, seed=5) // 2
    path = path_of(Camera(zoom=-0.1), SPEC, False, flat)
    view = View(pixels, flat, path)
    moved = pixels.copy()
    moved[:, :12] += 60
    apart = view.at(moved, path.poses[-1]).astype(int) - view.at(pixels, path.poses[-1])
    assert apart[20:-20, 1].min() > 40
    assert not apart[:, W // 2 :].any()


def test_the_sky_is_behind_what_stands_before_it() -> None:
    one = looked()
    scene = one.scene
    rows = np.linspace(0.0, 0.8, scene.grid[0], dtype=np.float32)[:, None]
    depth = np.broadcast_to(rows**2, scene.grid).astype(np.float32)  # a tower's top is seen as far
    alpha = dict(one.mattes.alpha)
    alpha["sky"] = alpha["sky"].copy()
    alpha["sky"][4:40, 40:43] = 0  # a mast that no kind claims
    seen = replace(one, scene=replace(scene, depth=depth), mattes=replace(one.mattes, alpha=alpha))
    found = relief_of(seen, (W, H)).at((H, W))
    assert found[10, 60] < 0.02
    assert found[10, 41] > 0.06
    assert found[30, 41] > 0.06
    assert relief_of(seen, (W, H)).thresholds()[0] < 0.06


def test_a_relief_of_the_middle_fits_frames_that_are_cut() -> None:
    seen = looked()
    width, height = seen.mattes.size
    cut = height // 4 * 2
    whole, part = relief_of(seen, (width, height)), relief_of(seen, (width, cut))
    assert part.shape == (cut, width)
    top = (height - cut) // 2
    middle = whole.at((height, width))[top : top + cut]
    assert np.abs(part.at((cut, width)) - middle)[2:-2, 2:-2].max() < 0.03
    assert whole.middle((height, width)) is whole
