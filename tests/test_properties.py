"""Properties that must hold for every input, not only for the examples of the other tests."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vivant.controls.drawn import Drawn
from vivant.controls.raster import Guidance, rasterise
from vivant.controls.stroke import Stroke, read_strokes
from vivant.errors import VivantError
from vivant.field.file import load_field, save_field
from vivant.field.motion_field import MotionField
from vivant.media.colour import from_yuv420, to_yuv420
from vivant.motion.codec import Codec, dct_basis
from vivant.motion.sampler import Seen
from vivant.motion.steer import calibrate, plain_map, steer_map, stiffen, stillness
from vivant.motion.steering import FIRST

few = settings(max_examples=30, deadline=None)
seeds = st.integers(0, 2**32 - 1)
sides = st.integers(2, 12).map(lambda n: 2 * n)
unit = st.floats(0, 1, allow_nan=False)


def noise(seed: int, *shape: int, low: float = -1, high: float = 1) -> NDArray[np.float32]:
    return np.random.default_rng(seed).uniform(low, high, shape).astype(np.float32)


@few
@given(
    seeds, st.integers(1, 20), sides, sides, st.floats(0.5, 120),
    st.none() | st.floats(0.1, 60), st.booleans(), st.dictionaries(st.text(), st.text(), max_size=3),
)  # fmt: skip
def test_every_field_survives_its_file(
    seed: int,
    steps: int,
    h: int,
    w: int,
    rate: float,
    loop: float | None,
    body: bool,
    about: dict[str, str],
) -> None:
    field = MotionField(
        noise(seed, steps, 2, h, w, low=-1e3, high=1e3),
        noise(seed + 1, steps, h, w),
        noise(seed + 2, h, w, low=0),
        noise(seed + 3, h, w, low=0),
        rate=rate,
        loop_seconds=loop,
        about=about,
        body=noise(seed + 4, h, w, low=0) if body else None,
    )
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.vivant"
        try:
            save_field(path, field)
        except VivantError:
            assert not list(Path(folder).iterdir())  # refused whole
            return
        again = load_field(path)
    for name in ("velocity", "light", "map", "still", "body"):
        np.testing.assert_array_equal(getattr(again, name), getattr(field, name))
    assert (again.rate, again.loop_seconds, again.about) == (rate, loop, about)


@few
@given(st.integers(1, 40))
def test_the_dct_is_orthonormal(steps: int) -> None:
    basis = dct_basis(steps)
    np.testing.assert_allclose(basis @ basis.T, np.eye(steps), atol=1e-5)


@few
@given(seeds, st.integers(1, 20), sides, sides)
def test_with_all_terms_the_codec_loses_nothing_in_time(
    seed: int, steps: int, h: int, w: int
) -> None:
    codec = Codec(steps, steps, steps)
    motion_map = np.full((h, w), 0.2, np.float32)
    velocity = np.repeat(noise(seed, steps, 2), h * w).reshape(steps, 2, h, w)
    light = np.repeat(noise(seed + 1, steps), h * w).reshape(steps, h, w)
    latents = codec.encode(velocity[..., ::2, ::2], light[..., ::2, ::2], motion_map[::2, ::2])
    assert latents.shape == (codec.channels, h // 2, w // 2)
    moved, lit = codec.decode(latents, motion_map)
    np.testing.assert_allclose(moved, velocity, atol=1e-4)
    np.testing.assert_allclose(lit, light - light[:1], atol=1e-4)


@few
@given(seeds, st.integers(1, 15), sides, sides, st.floats(0.01, 3))
def test_the_codec_follows_the_map(seed: int, terms: int, h: int, w: int, by: float) -> None:
    codec = Codec(16, terms, 4)
    latents = noise(seed, codec.channels, h // 2, w // 2)
    motion_map = noise(seed, h, w, low=0.1)
    slow, _ = codec.decode(latents, motion_map)
    floor = np.float32(0.004)
    fast, _ = codec.decode(latents, np.float32(by) * (motion_map + floor) - floor)
    np.testing.assert_allclose(fast, by * slow, rtol=1e-3, atol=1e-5)


def has_length(points: list[tuple[float, float]]) -> bool:
    return sum(math.dist(a, b) for a, b in pairwise(points)) > 0.01


@few
@given(
    st.lists(st.lists(st.tuples(unit, unit), min_size=2, max_size=6).filter(has_length), max_size=4),
    st.integers(8, 24), st.integers(8, 24), st.floats(0.1, 60),
)  # fmt: skip
def test_strokes_stay_where_they_are_drawn(
    drawn: list[list[tuple[float, float]]], h: int, w: int, seconds: float
) -> None:
    strokes = tuple(Stroke(tuple(points)) for points in drawn)
    guidance = rasterise(Drawn(strokes=strokes), (h, w), w / h, seconds)
    assert set(np.unique(guidance.hint_mask)) <= {0.0, 1.0}
    assert np.isfinite(guidance.hint_velocity).all()
    assert not guidance.hint_velocity[:, guidance.hint_mask == 0].any()
    if any(math.dist(*points[:2]) > 0.3 for points in drawn):
        assert guidance.hint_mask.any()


@few
@given(seeds, sides, sides)
def test_maps_obey_masks_whatever_is_seen(seed: int, h: int, w: int) -> None:
    planes = [noise(seed + k, h, w, low=0) for k in range(5)]
    seen = Seen(3 * planes[0], *planes[1:], features=np.zeros((h * w // 4, 1), np.float32))
    still = (noise(seed + 6, h, w) > 0.3).astype(np.float32)
    hint = (noise(seed + 7, h, w) > 0.8).astype(np.float32)
    velocity = noise(seed + 8, 2, h, w) * hint
    guidance = Guidance(velocity, hint, still, None)
    asked = steer_map(seen, guidance)
    drawn = np.linalg.norm(velocity, axis=0)
    assert np.isfinite(asked).all()
    assert asked.min() >= 0
    assert not asked[still > 0].any()
    assert (asked[(hint > 0) & (still == 0)] >= drawn[(hint > 0) & (still == 0)] - 1e-6).all()
    held = stillness(seen, guidance)
    assert (held[still > 0] == 1).all()
    assert 0 <= held.min() <= held.max() <= 1
    plain = plain_map(seen)
    assert 0 <= plain.min() <= plain.max() <= FIRST.top_speed


@few
@given(seeds, sides, sides)
def test_settled_motion_is_bounded_by_what_was_sampled(seed: int, h: int, w: int) -> None:
    velocity = noise(seed, 16, 2, h, w)
    motion_map, travels = noise(seed + 1, h, w, low=0), noise(seed + 2, h, w, low=0)
    settled = stiffen(velocity, travels, motion_map)
    assert np.abs(settled).max() <= np.abs(velocity).max() + 1e-5
    scaled = calibrate(settled, motion_map)
    assert np.isfinite(scaled).all()
    assert np.abs(scaled).max() <= 4 * np.abs(settled).max() + 1e-5


@few
@given(seeds, sides, sides)
def test_colours_survive_the_video_conversion_where_they_are_flat(
    seed: int, h: int, w: int
) -> None:
    rng = np.random.default_rng(seed)
    frame = np.broadcast_to(rng.integers(0, 256, 3, dtype=np.uint8), (h, w, 3)).copy()
    again = from_yuv420(to_yuv420(frame), w, h)
    assert np.abs(again.astype(int) - frame).max() <= 2


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@few
@given(json_values | st.just([{"points": [[10**400, 0], [0, 0]]}]))
def test_any_json_is_strokes_or_one_error(value: object) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "s.json"
        path.write_text(json.dumps(value))
        try:
            read_strokes(path)
        except VivantError as error:
            assert "\n" not in str(error)


@few
@given(st.binary(max_size=200))
def test_any_bytes_are_a_field_or_one_error(data: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.vivant"
        path.write_bytes(len(data).to_bytes(8, "little") + data)
        try:
            load_field(path)
        except VivantError as error:
            assert "\n" not in str(error)
