from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from conftest import EXAMPLES, picture, simple_field
from vivant.bundle import BUILTIN, open_bundle
from vivant.controls.camera import Camera
from vivant.controls.drawn import Drawn
from vivant.controls.entry import Control
from vivant.controls.loop import Loop
from vivant.controls.strength import Strength
from vivant.controls.stroke import Stroke
from vivant.errors import BundleError, UnsupportedControl, UsageError
from vivant.field.motion_field import grid_for, speed
from vivant.media.assets import MemoryAssets
from vivant.media.read import read_picture
from vivant.media.resize import fit
from vivant.motion import model as motion
from vivant.motion.apply import apply_controls, guidance_for
from vivant.motion.codec import Codec, dct_basis, rope_table
from vivant.motion.sampler import starting_noise, working_size
from vivant.registry import load
from vivant.rendering.shot import Shot
from vivant.request import (
    Capabilities,
    Hooks,
    Keyframe,
    Request,
    Runtime,
    Target,
    refuse_unknown,
)

PHOTO = fit(read_picture(EXAMPLES / "china.jpg"), (240, 160))
SHOT = Shot(PHOTO, seconds=2.0)


@pytest.fixture(scope="module")
def model() -> motion.MotionModel:
    return motion.load(open_bundle(BUILTIN), Runtime())


def test_the_codec_inverts_itself_on_smooth_fields() -> None:
    rng = np.random.default_rng(0)
    codec = Codec(16, 16, 16, tuple(rng.uniform(0.5, 2, 48)))
    flat = np.full((8, 12), 0.1, np.float32)
    latents = np.broadcast_to(rng.normal(0, 1, (48, 1, 1)), (48, 4, 6)).astype(np.float32)
    velocity, light = codec.decode(latents, flat)
    again = codec.encode(velocity[..., ::2, ::2], light[..., ::2, ::2], flat[::2, ::2])
    np.testing.assert_allclose(again[:32], latents[:32], atol=1e-3)
    np.testing.assert_allclose(light[0], 0, atol=1e-6)


def test_the_dct_is_orthonormal() -> None:
    basis = dct_basis(16)
    np.testing.assert_allclose(basis @ basis.T, np.eye(16), atol=1e-5)


def test_rotary_tables() -> None:
    cos, sin = rope_table(3, 5, 32)
    assert cos.shape == (15, 16)
    np.testing.assert_allclose(cos**2 + sin**2, 1, atol=1e-5)
    np.testing.assert_array_equal(cos[0], 1)


def test_pictures_are_seen_at_multiples_of_32() -> None:
    assert working_size(1920, 1080) == (448, 256)
    assert working_size(1080, 1920) == (256, 448)
    assert working_size(1024, 256) == (1024, 256)
    assert working_size(16, 512) == (64, 2048)


def test_a_sample_moves_and_repeats(model: motion.MotionModel) -> None:
    one = model.fields.sample(SHOT)
    assert one.grid == grid_for(240, 160)
    assert one.steps == 16
    assert speed(one).max() > 0.01
    again = model.fields.sample(SHOT)
    np.testing.assert_array_equal(one.velocity, again.velocity)
    other = model.fields.sample(replace(SHOT, seed=1))
    assert np.abs(other.velocity - one.velocity).mean() > 0.1 * np.abs(one.velocity).mean()


def frames_of(model: motion.MotionModel, seconds: float, *controls: Control) -> np.ndarray:
    assets = MemoryAssets(PHOTO)
    request = Request((Keyframe(assets.asset),), controls, seconds)
    plan = model.plan(request, assets, Target())
    with model.generate(request, plan, assets, Hooks()).open() as frames:
        return np.stack(list(frames))


def test_one_or_two_threads_sample_the_same_clip() -> None:
    frames = []
    for threads in (1, 2):
        model = motion.load(open_bundle(BUILTIN), Runtime(threads=threads))
        frames.append(frames_of(model, 1.0))
    np.testing.assert_array_equal(frames[0], frames[1])


def test_strength_scales_the_field(model: motion.MotionModel) -> None:
    one = speed(model.fields.sample(SHOT)).mean()
    for strength in (0.5, 2.0):
        scaled = speed(model.fields.sample(replace(SHOT, strength=strength))).mean()
        assert scaled == pytest.approx(strength * one, rel=1e-3)
    assert not model.fields.sample(replace(SHOT, strength=0)).velocity.any()


def test_move_and_still_masks(model: motion.MotionModel) -> None:
    left = np.zeros((160, 240), np.uint8)
    left[:, :120] = 255
    moved = speed(model.fields.sample(replace(SHOT, controls=Drawn(move=left))))
    assert not moved[:, 25:].any()
    assert moved[:, :24].mean() > 0.01
    held = speed(model.fields.sample(replace(SHOT, controls=Drawn(still=left))))
    assert not held[:, :24].any()


def test_strokes_turn_what_they_touch(model: motion.MotionModel) -> None:
    for points, axis, sign in (
        (((0.2, 0.3), (0.7, 0.3)), 0, 1),
        (((0.7, 0.3), (0.2, 0.3)), 0, -1),
        (((0.5, 0.2), (0.5, 0.8)), 1, 1),
    ):
        controls = Drawn(strokes=(Stroke(points),))
        field = model.fields.sample(replace(SHOT, controls=controls))
        guidance = guidance_for(replace(SHOT, controls=controls), field.grid)
        hit = guidance.hint_mask > 0
        v = field.velocity.mean(axis=0)[:, hit]
        cosine = sign * v[axis] / np.linalg.norm(v, axis=0)
        assert cosine.min() > 0.9


def test_loops_are_periodic(model: motion.MotionModel) -> None:
    field = model.fields.sample(replace(SHOT, seconds=3.0, loop=True))
    assert field.loop_seconds == 3.0
    frames = frames_of(model, 3.0, Loop(), Strength(1.0, "sky")).astype(np.float32)
    jumps = np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3))
    assert np.abs(frames[0] - frames[-1]).mean() <= np.median(jumps)


def test_the_camera_is_not_part_of_the_field(model: motion.MotionModel) -> None:
    moving = replace(SHOT, controls=Drawn(camera=Camera(zoom=0.3)))
    np.testing.assert_array_equal(
        model.fields.sample(moving).velocity, model.fields.sample(SHOT).velocity
    )


def test_bundles_are_checked(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(BUILTIN, tmp_path / "b"))
    assert open_bundle(folder).identity.sha256 == open_bundle(BUILTIN).identity.sha256
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"format": 99}))
    with pytest.raises(BundleError, match="newer vivant"):
        open_bundle(folder)
    (folder / "config.json").write_text(json.dumps(config))
    shutil.copy(folder / "velocity.onnx", folder / "encoder.onnx")
    swapped = motion.load(open_bundle(folder), Runtime())
    with pytest.raises(BundleError, match="do not fit its configuration"):
        swapped.fields.sample(SHOT)
    (folder / "velocity.onnx").write_bytes(b"broken")
    with pytest.raises(BundleError, match="cannot be loaded"):
        _ = motion.load(open_bundle(folder), Runtime()).fields
    (folder / "velocity.onnx").unlink()
    with pytest.raises(BundleError, match="lacks velocity"):
        open_bundle(folder)
    (folder / "config.json").write_text("{")
    with pytest.raises(BundleError, match="damaged"):
        open_bundle(folder)


def test_what_a_model_cannot_do_is_refused_by_name() -> None:
    limited = Capabilities(controls=("strength",), artefacts={"field": ()})
    frame = Keyframe(MemoryAssets(PHOTO).asset)

    def ask(*controls: Control, frames: int = 1, **target: object) -> None:
        request = Request((frame,) * frames, controls)
        refuse_unknown(request, Target(**target), limited, "limited")  # type: ignore[arg-type]

    with pytest.raises(UnsupportedControl, match="limited cannot honour the control camera"):
        ask(Camera(zoom=0.1))
    with pytest.raises(UnsupportedControl, match="2 key frames"):
        ask(frames=2)
    with pytest.raises(UnsupportedControl, match="export of truth"):
        ask(artefacts=(("truth", ("flow",)),))
    with pytest.raises(UsageError, match="no export 'x' of field"):
        ask(artefacts=(("field", ("x",)),))
    ask(Strength(2.0), Camera(), artefacts=(("field", ()),))  # a camera that stands asks nothing
    with pytest.raises(UsageError, match="known models: builtin"):
        load("other")


def test_the_bundle_is_small_enough() -> None:
    assert sum(p.stat().st_size for p in BUILTIN.iterdir()) < 30e6


def test_four_seeds_look_four_ways() -> None:
    codec = Codec(16, 3, 2)
    turns = [starting_noise(codec, 8, 6, seed) for seed in range(8)]
    assert turns[0].shape == (8, 8, 6)
    np.testing.assert_array_equal(turns[2][:6], -turns[0][:6])
    np.testing.assert_array_equal(turns[1][3:6], turns[0][:3])
    np.testing.assert_array_equal(turns[1][6:], turns[0][6:])
    assert np.abs(turns[4] - turns[0]).max() > 0.5
    np.testing.assert_array_equal(turns[5], starting_noise(codec, 8, 6, 5))


def test_a_stroke_turns_what_hangs_together_with_it_and_nothing_else() -> None:
    field = simple_field(320, 192, drift=(0.1, 0.0), sway=0.03)
    velocity = field.velocity.copy()
    velocity[:, :, :, -4:] = velocity[:, :, :, :4]  # an island of its own at the right
    island = field.map.copy()
    island[:, -4:] = island[:, :4]
    field = replace(field, velocity=velocity, map=island)
    stroke = Stroke(((0.2, 0.3), (0.2, 0.6)), seconds=2.0)
    shot = Shot(picture(320, 192), controls=Drawn(strokes=(stroke,)))
    turned = apply_controls(field, guidance_for(shot, field.grid), shot)
    before, after = (f.velocity.mean(axis=0) for f in (field, turned))
    w = field.grid[1]
    region = np.s_[:, :, 2 : w // 2 - 4]
    cosine = after[region][1] / np.linalg.norm(after[region], axis=0)
    assert cosine.mean() > 0.9
    far = np.s_[:, -2:, 2:5]  # away from the stroke: its own speed, and its rhythm, stay
    np.testing.assert_allclose(np.linalg.norm(after[far], axis=0), 0.1, rtol=0.3)
    np.testing.assert_allclose(
        (turned.velocity - after)[:, 0][:, -2:, 2:5],
        (velocity - before)[:, 0][:, -2:, 2:5],
        atol=1e-5,
    )
    np.testing.assert_allclose(after[:, :, -3:], before[:, :, -3:], atol=1e-6)


def test_the_released_graphs_name_no_folders() -> None:
    for graph in sorted(BUILTIN.rglob("*.onnx")):
        assert b".py" not in graph.read_bytes(), graph.name
