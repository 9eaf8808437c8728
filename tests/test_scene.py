"""The scene: instances, water bodies, the record; soft labels to kinds; parallax; made-up worlds."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from conftest import photo_like
from vivant.data.parallax import parallax
from vivant.data.silhouettes import silhouette
from vivant.data.teachers import MOSAIC, VOC, SoftLabels
from vivant.data.worlds import make_world
from vivant.kinds import INDEX, KINDS, WATERS
from vivant.scene.instances import find_instances
from vivant.scene.network import assemble, relative, seen_size, softmax, surely_burning
from vivant.scene.waters import river_ends

H, W = 64, 96


def kinds_of(*parts: tuple[str, tuple[slice, slice]]) -> np.ndarray:
    """Sure kinds: ground, with parts of others laid over it."""
    label = np.full((H, W), INDEX["ground"])
    for kind, where in parts:
        label[where] = INDEX[kind]
    return np.stack([(label == k) for k in range(len(KINDS))]).astype(np.float32)


def ramp() -> np.ndarray:
    return np.repeat(np.linspace(0, 1, H, dtype=np.float32)[:, None], W, 1)


def test_things_are_connected_parts_largest_first() -> None:
    kinds = kinds_of(
        ("sky", np.s_[:20, :]), ("vehicle", np.s_[40:46, 10:20]), ("vehicle", np.s_[40:52, 60:80])
    )
    depth = np.full((H, W), 0.5, np.float32)
    parts, things = find_instances(kinds, depth)
    assert [t.kind for t in things] == ["ground", "sky", "vehicle", "vehicle"]
    large, small = things[2:]
    assert large.area > small.area
    assert large.box == pytest.approx((60 / W, 40 / H, 80 / W, 52 / H))
    assert parts[45, 70] == 2
    assert parts[43, 15] == 3


def test_two_boats_one_behind_the_other_are_two() -> None:
    kinds = kinds_of(("vehicle", np.s_[20:40, 20:60]))
    depth = np.full((H, W), 0.2, np.float32)
    depth[20:40, 40:60] = 0.8
    _, things = find_instances(kinds, depth)
    assert [t.kind for t in things].count("vehicle") == 2


def test_a_scene_knows_its_water() -> None:
    kinds = kinds_of(("water", np.s_[30:, 30:60]))
    waters = np.zeros((4, H, W), np.float32)
    waters[WATERS.index("river")] = 1
    flat = np.zeros((H, W), np.float32)
    scene = assemble(kinds, waters, ramp(), flat, flat, {"net": "0"})
    (body,) = scene.bodies
    assert body.name == "river"
    assert body.ends[0][1] < body.ends[1][1]  # downwards
    assert scene.at(45 / W, 50 / H) == body.instance
    assert scene.share("water") == pytest.approx(34 * 30 / (H * W))
    assert set(scene.describe()) == {"kinds", "instances", "waters", "seen_by"}
    with pytest.raises(ValueError, match="sum to 1"):
        assemble(kinds * 0.5, waters, ramp(), flat, flat, {})


def test_a_river_runs_between_its_farthest_openings() -> None:
    part = np.zeros((40, 60), bool)
    part[10:15, :] = True  # enters at the left, leaves at the right
    part[15:, 50:56] = True  # and an arm down
    source, sink = river_ends(part)
    assert np.hypot(source[0] - sink[0], source[1] - sink[1]) > 0.8


def test_small_helpers() -> None:
    logits = np.random.default_rng(0).normal(0, 3, (12, 4, 5)).astype(np.float32)
    np.testing.assert_allclose(softmax(logits).sum(0), 1, atol=1e-5)
    assert relative(np.linspace(0, 7, 100).astype(np.float32)).max() == 1
    assert seen_size(1920, 1080) == (448, 256)


def labels(**sure: tuple[slice, slice]) -> SoftLabels:
    """MOSAIC sure of some classes, every other teacher silent."""
    mosaic = np.zeros((len(MOSAIC), 32, 48), np.uint8)
    for name, where in sure.items():
        mosaic[MOSAIC.index(name)][where] = 255
    none = np.zeros((32, 48), np.uint8)
    return SoftLabels(
        mosaic, np.zeros((len(VOC), 32, 48), np.uint8), none, np.zeros((), np.uint8), none, none
    )


def test_a_fire_of_which_nobody_is_sure_is_none() -> None:
    kinds = np.zeros((len(KINDS), 8, 8), np.float32)
    kinds[INDEX["built"]] = 1
    for share, burns in ((0.9, True), (0.55, False)):
        kinds[INDEX["fire"], 2:4, 2:4], kinds[INDEX["built"], 2:4, 2:4] = share, 1 - share
        found = surely_burning(kinds)
        assert bool(found[INDEX["fire"]].any()) is burns
        np.testing.assert_allclose(found.sum(0), 1, atol=1e-6)
    assert found[INDEX["built"], 3, 3] == 1


def test_classes_of_teachers_become_kinds() -> None:
    pytest.importorskip("torch")  # lives beside the training
    from vivant.training.scene.labels import certain, kind_target

    soft = labels(sky=np.s_[:10, :], tree=np.s_[10:20, :], sea=np.s_[20:, :])
    target = kind_target(soft)
    assert target.kinds.argmax(0)[15, 5] == INDEX["plant"]
    assert target.kinds.argmax(0)[25, 5] == INDEX["water"]
    assert target.weight.min() > 0.9
    assert (certain(soft.mosaic)[:10] == INDEX["sky"]).all()
    assert kind_target(labels()).weight.max() == 0  # nobody knows


def test_parallax_of_a_camera_that_moves_aside() -> None:
    depth = cv2.GaussianBlur(np.random.default_rng(0).random((24, 32), np.float32), (0, 0), 3)
    depth = (depth - depth.min()) / (depth.max() - depth.min())
    velocity = np.stack([0.2 * depth, np.zeros_like(depth)])
    velocity[0] += 0.05  # and turns a little
    found = parallax(velocity, np.ones_like(depth))
    assert found.explained > 0.99
    assert abs(np.corrcoef(found.depth.ravel(), depth.ravel())[0, 1]) > 0.95


def test_made_up_worlds_have_exact_depth() -> None:
    world = make_world(np.random.default_rng(3), [photo_like(64, 48)])
    assert world.image.dtype == np.uint8
    assert world.depth.shape == world.image.shape[:2]
    assert world.depth.min() == 0  # the sky
    assert world.depth[-1].mean() > world.depth[world.depth.shape[0] // 2].mean()
    again = make_world(np.random.default_rng(3), [photo_like(64, 48)])
    np.testing.assert_array_equal(world.image, again.image)


def test_silhouettes_are_alpha() -> None:
    for seed in range(6):
        alpha = silhouette(np.random.default_rng(seed), 96)
        assert alpha.shape == (96, 96)
        assert alpha.min() >= 0
        assert alpha.max() <= 1 + 1e-6
        assert 0.01 < alpha.mean() < 0.99
