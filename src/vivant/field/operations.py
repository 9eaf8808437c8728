"""Pure operations on motion fields: the input is never changed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from vivant.clip import Floats
from vivant.field.beyond import values_at
from vivant.field.motion_field import MotionField


@dataclass(frozen=True)
class Looping:
    """How a field is made to loop.

    Motion whose net travel is under ``sway_share`` of its path (a smooth step) or under
    ``sway_distance`` short sides sways and comes back; ``seam_share`` of the loop is blended into
    its beginning; loops of twice ``window_seconds`` or more are made of as many windows, each at
    least as long, as `vivant.field.beyond` says.
    """

    sway_share: tuple[float, float] = (0.3, 0.6)
    sway_distance: float = 0.015
    seam_share: float = 0.2
    window_seconds: float = 4.0


LOOPING = Looping()


def scale(field: MotionField, factor: float) -> MotionField:
    """Motion and light times ``factor``."""
    by = np.float32(factor)
    return replace(
        field, velocity=field.velocity * by, light=field.light * by, map=field.map * abs(by)
    )


def mask(field: MotionField, keep: Floats) -> MotionField:
    """Motion and light times ``keep`` ``[h, w]`` in 0..1; where it is 0 the cell is still."""
    keep = keep.astype(np.float32)
    return replace(
        field,
        velocity=field.velocity * keep,
        light=field.light * keep,
        map=field.map * keep,
        still=np.maximum(field.still, 1 - keep),
        body=None if field.body is None else field.body * keep,
    )


def freeze(field: MotionField, where: Floats) -> MotionField:
    """No motion and no light change where ``where`` ``[h, w]`` is 1."""
    return mask(field, 1 - where)


def add(a: MotionField, b: MotionField) -> MotionField:
    """Both motions at once; a cell is still only where both are.

    Raises ValueError where grids, steps or rates differ (resample first).
    """
    if a.velocity.shape != b.velocity.shape or a.rate != b.rate:
        raise ValueError(f"{a!r} and {b!r} differ in shape or rate; resample one first")
    return replace(
        a,
        velocity=a.velocity + b.velocity,
        light=a.light + b.light,
        map=a.map + b.map,
        still=np.minimum(a.still, b.still),
        body=_either(a.body, b.body),
        loop_seconds=a.loop_seconds if a.loop_seconds == b.loop_seconds else None,
    )


def _either(a: Floats | None, b: Floats | None) -> Floats | None:
    if a is None or b is None:
        return b if a is None else a
    return np.maximum(a, b)


def _at(field: MotionField, values: Floats, seconds: float) -> Floats:
    """``values`` ``[T, ...]`` of the field at a time."""
    return values_at(values, seconds, field.rate, field.loop_seconds)


def velocity_at(field: MotionField, seconds: float) -> Floats:
    """Velocity ``[2, h, w]`` at a time, also beyond the end (see `vivant.field.beyond`)."""
    return _at(field, field.velocity, seconds)


def light_at(field: MotionField, seconds: float) -> Floats:
    """Light ``[h, w]`` in stops at a time, relative to time 0 where it is exactly 0."""
    return _at(field, field.light, seconds) - _at(field, field.light, 0.0)


def displacement(field: MotionField, seconds: float) -> Floats:
    """Integral of the velocity from 0 to ``seconds`` at fixed places, ``[2, h, w]`` short sides."""
    steps = max(1, round(seconds * field.rate * 4))
    dt = seconds / steps
    total = sum(velocity_at(field, (k + 0.5) * dt) for k in range(steps))
    return np.asarray(total * np.float32(dt), np.float32)


def resample(
    field: MotionField,
    *,
    grid: tuple[int, int] | None = None,
    rate: float | None = None,
    seconds: float | None = None,
) -> MotionField:
    """The same motion on another ``(h, w)`` grid, at another rate, or over another duration."""
    out = field if grid is None or grid == field.grid else _regrid(field, grid)
    new_rate = rate or out.rate
    duration = seconds or out.seconds
    steps = max(1, round(duration * new_rate))
    if new_rate == out.rate and steps == out.steps:
        return out
    times = [(k + 0.5) / new_rate for k in range(steps)]
    whole = (out.seconds, out.loop_seconds)
    looped = any(w is not None and abs(duration - w) < 1e-6 for w in whole)
    return replace(
        out,
        velocity=np.stack([velocity_at(out, t) for t in times]),
        light=np.stack([_at(out, out.light, t) for t in times]),
        rate=steps / duration,
        loop_seconds=out.loop_seconds if looped else None,
    )


def _regrid(field: MotionField, grid: tuple[int, int]) -> MotionField:
    size = (grid[1], grid[0])

    def sized(values: Floats) -> Floats:
        planes = values.reshape(-1, *field.grid)
        out = [cv2.resize(p, size, interpolation=cv2.INTER_LINEAR) for p in planes]
        return np.stack(out).reshape(*values.shape[:-2], *grid).astype(np.float32)

    return replace(
        field,
        velocity=sized(field.velocity),
        light=sized(field.light),
        map=sized(field.map),
        still=sized(field.still),
        body=None if field.body is None else sized(field.body),
    )


def periodic(field: MotionField, seconds: float, looping: Looping = LOOPING) -> MotionField:
    """A field that wraps without a seam after ``seconds``.

    The field's own continuation is taken over one window and its end is blended into its
    beginning. Where motion sways (its net travel is small against its path, or under 1.5 % of
    the short side) the mean is removed, so that it is back where it began; where it drifts the
    drift stays and the renderer renews the texture. The loop begins at its slowest moment, where
    the exact first frame shows least between its neighbours. Light comes back to its first value.
    """
    windows = max(1, int(seconds / looping.window_seconds))
    window = seconds / windows
    steps = max(2, round(window * field.rate))
    rate = steps / window
    long = resample(replace(field, loop_seconds=None), rate=rate, seconds=2 * window)
    velocity, light = (_wrapped(v, steps, looping) for v in (long.velocity, long.light))
    mean = velocity.mean(axis=0)
    net = np.linalg.norm(mean, axis=0)
    path = np.linalg.norm(velocity, axis=1).mean(axis=0) + 1e-9
    far = looping.sway_distance
    keep = smoothstep(*looping.sway_share, net / path) * smoothstep(far / 2, far, net * seconds)
    velocity = velocity - mean * (1 - keep)
    start = _slowest(velocity)
    return replace(
        field,
        velocity=np.roll(velocity, -start, axis=0).astype(np.float32),
        light=np.roll(light, -start, axis=0),
        rate=rate,
        loop_seconds=seconds,
    )


def _slowest(velocity: Floats) -> int:
    """The step before which motion is slowest."""
    pace = np.linalg.norm(velocity, axis=1).mean(axis=(1, 2))
    return int(np.argmin(pace + np.roll(pace, 1)))


def _wrapped(values: Floats, steps: int, looping: Looping) -> Floats:
    """The first ``steps`` of a longer sequence, its last ones blended into what preceded the
    first: the sequence is lifted off its own continuation."""
    window = max(1, round(looping.seam_share * steps))
    out = values[:steps].copy()
    for k in range(window):
        share = np.float32((k + 1) / (window + 1))
        # before time 0 motion is taken to mirror what follows, v(-t) = v(t)
        out[steps - window + k] = (1 - share) * out[steps - window + k] + share * values[
            window - 1 - k
        ]
    return out


def smoothstep(low: float, high: float, x: Floats) -> Floats:
    """0 below ``low``, 1 above ``high``, a cubic with flat ends between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
