from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from conftest import photo_like
from vivant.clip import Floats, Plane
from vivant.controls.stroke import Stroke
from vivant.errors import BundleError, FieldFileError, UsageError
from vivant.kinds import INDEX, KINDS
from vivant.motion.asked import Asked
from vivant.motion.choose import choose
from vivant.motion.flowing import field_of
from vivant.motion.held import Looked
from vivant.motion.layered import LayerMotion, Motion, seed_of
from vivant.motion.likeness import likeness
from vivant.motion.motion_file import (
    check_picture,
    check_scene,
    is_motion,
    motion_bytes,
    motion_from,
)
from vivant.motion.priors import PRIORS, LogNormal, priors_of
from vivant.motion.stage import region, staged, without_islands, without_specks
from vivant.records import to_data
from vivant.rendering.layers import Stage
from vivant.rendering.manners.drift import Drift
from vivant.rendering.manners.flame import Flame
from vivant.rendering.manners.flight import Flight
from vivant.rendering.manners.stream import Stream
from vivant.rendering.manners.surface import Surface
from vivant.rendering.manners.sway import Sway
from vivant.scene.mattes import Mattes
from vivant.scene.network import assemble

W, H = 192, 128
BANDS: tuple[tuple[str, slice, slice], ...] = (
    ("sky", slice(0, 48), slice(0, 192)),
    ("built", slice(20, 64), slice(80, 112)),
    ("plant", slice(48, 64), slice(0, 80)),
    ("ground", slice(48, 64), slice(112, 192)),
    ("water", slice(64, 128), slice(0, 192)),
    ("fall", slice(72, 120), slice(150, 180)),
    ("fire", slice(44, 62), slice(130, 140)),
)


def looked(water: int = 1) -> Looked:
    """A made-up scene: sky over a house, a tree and a bank, a river (``water`` 1) and a fall."""
    labels = np.zeros((H, W), np.int64)
    for kind, rows, columns in BANDS:
        labels[rows, columns] = INDEX[kind]
    kinds = np.stack([cells((labels == k).astype(np.float32)) for k in range(len(KINDS))])
    waters = np.full((4, *kinds.shape[1:]), 0.1, np.float32)
    waters[water] = 0.7
    grid = kinds.shape[1:]
    scene = assemble(
        kinds=kinds / kinds.sum(0),
        waters=waters,
        depth=np.full(grid, 0.5, np.float32),
        moving=np.full(grid, 0.3, np.float32),
        log_speed=np.full(grid, -3.0, np.float32),
        seen_by={},
    )
    alpha: dict[str, Plane] = {
        kind: np.where(labels == INDEX[kind], 255, 0).astype(np.uint8) for kind, _, _ in BANDS
    }
    return Looked(scene, Mattes(alpha, (W, H)))


def cells(values: Floats) -> Floats:
    return np.asarray(cv2.resize(values, (W // 4, H // 4), interpolation=cv2.INTER_AREA))


PIXELS = photo_like(W, H, 1)
PIXELS[44:62, 130:140] = (250, 170, 40)  # it burns
PIXELS[50:56:2, 133:137] = (255, 240, 150)


def stage(asked: Asked = Asked(), **options: object) -> Stage:  # noqa: B008
    one = looked()
    return staged(PIXELS, choose(one, asked), one, **options)  # type: ignore[arg-type]


def by_kind(motion: Motion) -> dict[str, LayerMotion]:
    return {layer.kind: layer for layer in motion.layers}


def test_every_kind_has_its_manner() -> None:
    found = by_kind(choose(looked(), Asked()))
    expected = {"sky": Drift, "water": Surface, "fall": Stream, "plant": Sway, "fire": Flame}
    assert {kind: type(layer.manner) for kind, layer in found.items()} == expected
    assert found["water"].manner.current is not None
    still = by_kind(choose(looked(water=0), Asked()))["water"]
    assert still.manner.current is None
    assert still.velocity is None


def test_a_seed_repeats_and_another_differs() -> None:
    one, again, other = (choose(looked(), Asked(seed=seed)) for seed in (3, 3, 4))
    assert motion_bytes(one) == motion_bytes(again)
    assert motion_bytes(one) != motion_bytes(other)
    assert seed_of(3, "sky") != seed_of(3, "water 0")


def test_what_holds_holds_to_the_bit_and_the_rest_moves() -> None:
    one = stage()
    look = one.at(1.5)
    holds = np.zeros((H, W), bool)
    for kind, rows, columns in BANDS:
        holds[rows, columns] = kind in ("built", "ground")
    near_fire = np.zeros((H, W), bool)
    near_fire[30:70, 115:155] = True  # its light falls there
    still = holds & ~near_fire
    np.testing.assert_array_equal(look[still], PIXELS[still])
    for kind, rows, columns in BANDS:
        if kind not in ("built", "ground"):
            change = np.abs(look[rows, columns].astype(int) - PIXELS[rows, columns])
            assert change.mean() > 0.4, kind


def test_held_pixels_win_over_any_layer() -> None:
    held = np.zeros((H, W), np.uint8)
    held[:, :70] = 255
    look = stage(held=held).at(2.0)
    np.testing.assert_array_equal(look[:, :70], PIXELS[:, :70])
    assert (look[:, 70:] != PIXELS[:, 70:]).any()


def test_strengths_flows_and_wind_are_obeyed() -> None:
    calm = by_kind(choose(looked(), Asked(strengths={"water": 0.5, "sky": 0.0})))
    usual = by_kind(choose(looked(), Asked()))
    assert "sky" not in calm
    np.testing.assert_allclose(calm["water"].velocity, 0.5 * usual["water"].velocity, atol=1e-4)
    assert calm["water"].manner.waves.shift < usual["water"].manner.waves.shift
    sent = by_kind(choose(looked(), Asked(flows={"sky": 180.0, "water": 0.0})))
    assert sent["sky"].manner.speed < 0
    assert sent["water"].velocity[..., 0].mean() > 0.005
    blown = [by_kind(choose(looked(), Asked(wind=d, wind_speed=12.0))) for d in (0.0, 180.0)]
    assert blown[0]["sky"].manner.speed > 0 > blown[1]["sky"].manner.speed
    assert blown[0]["plant"].manner.heading != blown[1]["plant"].manner.heading
    assert blown[0]["plant"].manner.swing > usual["plant"].manner.swing


def test_a_stroke_turns_its_water_and_no_other_layer() -> None:
    stroke = Stroke(((0.7, 0.8), (0.2, 0.8)), 2.0)
    usual, turned = (by_kind(choose(looked(), a)) for a in (Asked(), Asked(strokes=(stroke,))))
    field = turned["water"].velocity
    h, w = field.shape[:2]
    expected = -0.5 * W / H / 2
    assert field[round(0.8 * h), round(0.45 * w), 0] == pytest.approx(expected, rel=0.15)
    assert turned["sky"].manner == usual["sky"].manner
    assert turned["plant"].manner == usual["plant"].manner


def test_a_stroke_where_nothing_moves_makes_it_flow() -> None:
    stroke = Stroke(((0.77, 0.45), (0.95, 0.45)), 1.0)
    one = looked().stroked((stroke,))
    motion = choose(one, Asked(strokes=(stroke,)))
    look = staged(PIXELS, motion, one).at(0.5)
    part = (slice(54, 61), slice(155, 175))
    assert np.abs(look[part].astype(int) - PIXELS[part]).mean() > 2
    np.testing.assert_array_equal(look[22:60, 84:108], PIXELS[22:60, 84:108])


def test_a_move_mask_is_taken_at_its_word() -> None:
    mask = np.zeros((H, W), np.uint8)
    mask[24:60, 84:108] = 255  # the house
    one = looked().moved(mask)
    moving = [kind for kind in KINDS if one.mattes.of(kind)[40, 95] > 250]
    assert len(moving) == 1
    assert moving[0] not in ("built", "ground")
    look = staged(PIXELS, choose(one, Asked()), one).at(1.5)
    assert (look[30:56, 88:104] != PIXELS[30:56, 88:104]).any()


def test_loops_close_and_long_clips_take_no_more_memory() -> None:
    one = stage(loop=3.0)
    jump = np.abs(one.at(3.0 - 1e-6).astype(int) - PIXELS).mean()
    assert jump < 0.25 * np.abs(one.at(1.5).astype(int) - PIXELS).mean() + 0.2
    late = stage().at(200.0)
    assert np.abs(late.astype(int) - PIXELS).mean() < 40


def test_holes_that_are_none_are_filled_and_specks_are_left_out() -> None:
    matte = np.full((H, W), 255, np.uint8)
    matte[30:40, 30:40] = 0
    matte[60:70, 60:70] = 0
    matte[12:22, :8] = 0  # cut off by the picture's side
    share = np.ones((H // 4, W // 4), np.float32)
    share[14:18, 14:18] = 0
    soft = np.full((H, W, 3), 90, np.uint8)
    filled = without_islands(matte, share, 0.6, soft)
    assert (filled[30:40, 30:40] == 255).all()
    assert (filled[12:22, :8] == 255).all()
    soft[30:40, 30:40] = 250  # lettering
    written = without_islands(matte, share, 0.6, soft)
    assert (written[30:40, 30:40] == 0).all()
    assert (filled[60:70, 60:70] == 0).all()
    small = np.zeros((H, W), np.uint8)
    small[5:7, 5:7] = 255
    small[50:90, 50:90] = 255
    assert without_specks(small)[5, 5] == 0
    assert without_specks(small)[60, 60] == 255


def test_what_is_firm_in_the_water_is_in_no_layer() -> None:
    one = looked()
    firm = np.zeros((H, W), np.uint8)
    firm[84:92, 40:56] = 255
    motion = choose(replace(one, firm=firm), Asked())
    waters = [layer for layer in motion.layers if layer.kind == "water"]
    assert waters
    for layer in waters:
        assert region(one, layer, PIXELS)[88, 48] > 200
        assert not region(replace(one, firm=firm), layer, PIXELS)[firm > 0].any()


def test_water_full_of_floes_flows_nowhere() -> None:
    one = looked()
    plain, full = (
        next(layer for layer in choose(replace(one, floes=share), Asked()).layers
             if layer.kind == "water")
        for share in (0.0, 0.5)
    )  # fmt: skip
    assert full.velocity is None
    assert full.manner.current is None
    assert full.manner.waves.shift < 0.5 * plain.manner.waves.shift


def test_a_bird_is_lifted_off_the_sky() -> None:
    picture = np.full((4 * H, 4 * W, 3), 170, np.uint8)
    picture[78:81, 155:166] = 35
    layers = (LayerMotion("sky", "sky", Drift(speed=0.05), 1),
              LayerMotion("birds", "sky", Flight(speed=0.05, bob=0.001), 2))  # fmt: skip
    later = staged(picture, Motion(layers), looked()).at(2.0)
    assert np.abs(later[70:90, 145:176].astype(int) - 170).max() < 12
    assert later[70:90, 190:240].min() < 60
    assert np.array_equal(later[80:256, 320:448], picture[80:256, 320:448])


def test_the_field_states_what_moves() -> None:
    field = field_of(stage(Asked(flows={"sky": 0.0, "water": 0.0})), 2.0, False, {"model": "m"})
    assert field.grid == (32, 48)
    assert field.steps == 16
    mean = field.velocity.mean(0)
    assert mean[0, 1, 5] > 0.005
    assert mean[0, 24, 5] > 0.005
    assert field.still[14, 24] > 0.9
    assert np.abs(mean[:, 8:15, 22:26]).max() < 0.002
    looped = field_of(stage(loop=2.0), 2.0, True, {})
    assert looped.loop_seconds == 2.0


def test_a_motion_is_a_small_file_that_gives_the_same_frames(tmp_path: Path) -> None:
    one = looked()
    motion = choose(one, Asked(seed=5))
    content = motion_bytes(motion)
    assert len(content) < 200_000
    assert is_motion(content)
    again = motion_from(content, "a.motion")
    assert motion_bytes(again) == content
    for t in (0.5, 2.0):
        np.testing.assert_array_equal(
            staged(PIXELS, motion, one).at(t), staged(PIXELS, again, one).at(t)
        )


def test_a_motion_carries_its_scene_and_remembers_its_picture() -> None:
    one = looked()
    motion = replace(choose(one, Asked()), scene=one.scene, likeness=likeness(PIXELS))
    again = motion_from(motion_bytes(motion), "a.motion")
    assert again.scene is not None
    for name in ("kinds", "moving", "log_speed", "depth", "parts"):
        np.testing.assert_array_equal(getattr(again.scene, name), getattr(one.scene, name))
    assert (again.scene.instances, again.scene.bodies) == (one.scene.instances, one.scene.bodies)
    check_picture(again, PIXELS)
    check_picture(again, cv2.resize(PIXELS, (40, 28), interpolation=cv2.INTER_AREA))
    check_picture(again, np.asarray(PIXELS * 0.6 + 20, np.uint8))
    with pytest.raises(UsageError, match="another picture"):
        check_picture(again, np.ascontiguousarray(PIXELS[::-1]))
    with pytest.raises(FieldFileError, match="remembers"):
        check_picture(replace(again, likeness="12"), PIXELS)
    check_picture(replace(again, likeness=""), PIXELS[::-1])


@pytest.mark.parametrize("content", [b"", b"{}", b'\x08\0\0\0\0\0\0\0{"a":1}', b"x" * 300])
def test_what_is_no_motion_is_refused(content: bytes) -> None:
    assert not is_motion(content)
    with pytest.raises(FieldFileError, match=r"a\.motion"):
        motion_from(content, "a.motion")


def test_a_motion_of_another_picture_is_refused() -> None:
    scene = looked().scene
    motion = choose(looked(), Asked())
    check_scene(motion, scene)
    for part in (99, next(k for k, one in enumerate(scene.instances) if one.kind == "sky")):
        layer = replace(motion.layers[0], name="fire 1", kind="fire", part=part)
        with pytest.raises(UsageError, match="another picture"):
            check_scene(Motion((layer,)), scene)


def test_damaged_motions_are_refused() -> None:
    content = motion_bytes(choose(looked(), Asked()))
    for old, new in ((b'"kind\\": \\"sky', b'"kind\\": \\"sly'), (b"speed", b"spoed")):
        assert old in content
        with pytest.raises(FieldFileError, match="damaged"):
            motion_from(content.replace(old, new, 1), "a.motion")
    with pytest.raises(ValueError, match="finite"):
        LayerMotion("a", "water", Drift(), 0, None, np.full((4, 4, 2), np.nan, np.float32))
    with pytest.raises(ValueError, match="must be"):
        LayerMotion("a", "water", Drift(), 0, None, np.zeros((4, 4), np.float32))


def test_priors_are_drawn_and_read_from_a_bundle() -> None:
    rng = np.random.default_rng(0)
    drawn = [LogNormal(0.1, 0.3, 0.05, 0.2).draw(rng) for _ in range(400)]
    assert 0.05 <= min(drawn) <= max(drawn) <= 0.2
    assert float(np.median(drawn)) == pytest.approx(0.1, rel=0.1)
    assert priors_of(None, "b") is PRIORS
    changed = {"sky_speed": {"median": 0.5, "spread": 0.0, "low": 0.0, "high": 1.0}}
    assert priors_of(changed, "b").sky_speed.median == 0.5
    assert priors_of(to_data(PRIORS), "b") == PRIORS
    for bad in ({"sky_sped": 1}, {"sky_speed": 3}, [1]):
        with pytest.raises(BundleError, match="config"):
            priors_of(bad, "b")
    fast = replace(PRIORS, sky_speed=LogNormal(0.2, 0.0))
    one = choose(looked(), Asked(), fast)
    assert abs(by_kind(one)["sky"].manner.speed) == pytest.approx(0.2)


def test_trees_move_their_outline_before_the_sky_and_nothing_else() -> None:
    one = looked()
    alpha = {k: one.mattes.of(k).copy() for k in ("sky", "plant", "built", "ground", "water")}
    tree = np.s_[30:64, 20:60]
    alpha["plant"][tree] = 255
    alpha["sky"][tree] = 0
    pixels = PIXELS.copy()
    pixels[:48] = 200
    pixels[tree] = 40 + (np.indices((34, 40)).sum(0) % 5 * 30)[..., None]
    seen = replace(one, mattes=Mattes(alpha, (W, H)))
    motion = choose(seen, Asked(strengths={"sky": 0.0, "plant": 3.0, "water": 0.0}))
    found = staged(pixels, motion, seen)
    moved = np.max([np.abs(found.at(t).astype(int) - pixels).max(2) for t in (0.6, 1.3, 2.4)], 0)
    assert (moved[34:44, 17:20] > 40).any()  # beyond its outline
    assert not moved[:20].any()
    assert not moved[20:48, 80:112].any()
    assert not moved[20:40, 70:80].any()
