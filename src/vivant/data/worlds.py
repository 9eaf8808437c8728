"""Made-up worlds with exact depth: a ground, a sky, boxes, balls and boards, ray-cast.

What photographs without a depth camera cannot teach. Surfaces carry crops of the photographs
that are passed in, so that nothing can be learned from the textures themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame

FAR = 400.0
"""Metres beyond which everything is sky."""


@dataclass(frozen=True)
class World:
    """``image`` ``[h, w, 3]`` uint8 and inverse ``depth`` ``[h, w]`` in 1 / metre along the
    optical axis, 0 in the sky."""

    image: Frame
    depth: Floats


@dataclass(frozen=True)
class _Hit:
    """Distance along the ray ``[h, w]`` (infinite: missed), texture place ``[h, w, 2]`` in
    metres, shade ``[h, w]``."""

    distance: Floats
    place: Floats
    shade: Floats


def make_world(
    rng: np.random.Generator, photos: Sequence[Frame], h: int = 256, w: int = 256
) -> World:
    """One world of ``h x w`` pixels; the same generator state makes the same one."""
    rays, eye = _camera(rng, h, w)
    sun = _unit(np.array([rng.uniform(-1, 1), rng.uniform(0.4, 1), rng.uniform(-1, 1)]))
    hits = [_ground(rays, eye)]
    for _ in range(int(rng.integers(3, 10))):
        centre = _place(rng, eye)
        kind = rng.choice(["box", "box", "ball", "board"])
        hits.append(
            {"box": _box, "ball": _ball, "board": _board}[kind](rays, eye, centre, rng, sun)
        )
    stacked = np.stack([hit.distance for hit in hits])
    first, nearest = stacked.argmin(0), stacked.min(0)
    image = _sky(rng, photos, h, w)
    for k, hit in enumerate(hits):
        where = (first == k) & (nearest < FAR)
        if where.any():
            image[where] = _painted(rng, photos, hit)[where]
    seen = nearest < FAR
    haze = np.exp(-np.where(seen, nearest, FAR) / rng.uniform(60, 400))[..., None]
    air = image[~seen].mean(0) if (~seen).any() else np.full(3, 190.0)
    image = np.where(seen[..., None], image * haze + air * (1 - haze), image)
    forward = rays[..., 2] / np.linalg.norm(rays, axis=-1)
    depth = np.where(seen, 1 / np.maximum(nearest * forward, 0.05), 0).astype(np.float32)
    noisy = cv2.GaussianBlur(image, (0, 0), 0.5) + rng.normal(0, rng.uniform(0, 5), image.shape)
    return World(np.clip(noisy, 0, 255).astype(np.uint8), depth)


def _unit(v: NDArray[np.floating]) -> Floats:
    return np.asarray(v / np.linalg.norm(v), np.float32)


def _camera(rng: np.random.Generator, h: int, w: int) -> tuple[Floats, Floats]:
    """Directions of view ``[h, w, 3]`` (x right, y up, z ahead) and the eye's place."""
    focal = rng.uniform(0.7, 1.6) * min(h, w)
    x, y = np.meshgrid(np.arange(w) + 0.5 - w / 2, h / 2 - np.arange(h) - 0.5)
    rays = np.stack([x / focal, y / focal, np.ones_like(x)], -1)
    pitch, roll = rng.normal(-0.12, 0.15), rng.normal(0, 0.03)
    c, s, cr, sr = np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    tilt = np.array([[1, 0, 0], [0, c, s], [0, -s, c]]) @ np.array(
        [[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]]
    )
    eye = np.array([0, np.exp(rng.normal(0.5, 0.5)), 0])
    return (rays @ tilt.T).astype(np.float32), eye.astype(np.float32)


def _place(rng: np.random.Generator, eye: Floats) -> Floats:
    z = np.exp(rng.uniform(np.log(3.0), np.log(60.0)))
    return np.array([rng.uniform(-0.6, 0.6) * z, 0, z], np.float32) * np.float32(
        np.clip(eye[1] / 1.6, 0.6, 3)
    )


def _ground(rays: Floats, eye: Floats) -> _Hit:
    t = np.where(rays[..., 1] < -1e-4, -eye[1] / np.minimum(rays[..., 1], -1e-4), np.inf)
    place = np.where(np.isfinite(t)[..., None], eye + rays * _finite(t)[..., None], 0)
    length = np.linalg.norm(rays, axis=-1)
    return _Hit((t * length).astype(np.float32), place[..., [0, 2]], np.ones(t.shape, np.float32))


def _finite(t: NDArray[np.floating]) -> Floats:
    return np.where(np.isfinite(t), t, 0).astype(np.float32)


def _box(rays: Floats, eye: Floats, at: Floats, rng: np.random.Generator, sun: Floats) -> _Hit:
    size = at[2] * rng.uniform(0.05, 0.35, 3) * np.array([1, rng.uniform(0.5, 3), 1])
    turn = rng.uniform(0, np.pi)
    c, s = np.cos(turn), np.sin(turn)
    spin = np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]], np.float32)
    centre = at + np.array([0, size[1] / 2, 0], np.float32)
    local, start = rays @ spin.T, spin @ (eye - centre)
    safe = np.where(abs(local) < 1e-6, 1e-6, local)
    low, high = (-size / 2 - start) / safe, (size / 2 - start) / safe
    enter, leave = np.minimum(low, high), np.maximum(low, high)
    t, axis = enter.max(-1), enter.argmax(-1)
    hit = (t > 0.2) & (t < leave.min(-1))
    t = np.where(hit, t, np.inf)
    spot = start + local * _finite(t)[..., None]
    uv = np.where((axis == 0)[..., None], spot[..., [2, 1]], spot[..., [0, 1]])
    uv = np.where((axis == 1)[..., None], spot[..., [0, 2]], uv)
    normal = np.take_along_axis(-np.sign(local), axis[..., None], -1)[..., 0]
    facing = normal * (spin @ sun)[axis]
    return _Hit((t * np.linalg.norm(rays, axis=-1)).astype(np.float32), uv, _lit(facing))


def _ball(rays: Floats, eye: Floats, at: Floats, rng: np.random.Generator, sun: Floats) -> _Hit:
    radius = float(at[2] * rng.uniform(0.03, 0.15))
    centre = at + np.array([0, radius * rng.uniform(0.8, 2), 0], np.float32)
    length = np.linalg.norm(rays, axis=-1)
    way, offset = rays / length[..., None], eye - centre
    b = way @ offset
    disc = b * b - (offset @ offset - radius * radius)
    t = np.where(disc > 0, -b - np.sqrt(np.maximum(disc, 0)), np.inf)
    t = np.where(t > 0.2, t, np.inf)
    normal = (eye + way * _finite(t)[..., None] - centre) / radius
    return _Hit(t.astype(np.float32), radius * normal[..., :2], _lit(normal @ sun))


def _board(rays: Floats, eye: Floats, at: Floats, rng: np.random.Generator, sun: Floats) -> _Hit:
    """An upright elliptical board that faces the viewer: a bush, a crown, a figure."""
    wide, high = at[2] * rng.uniform(0.05, 0.3), at[2] * rng.uniform(0.08, 0.5)
    t = np.where(rays[..., 2] > 1e-3, (at[2] - eye[2]) / np.maximum(rays[..., 2], 1e-3), np.inf)
    spot = eye + rays * _finite(t)[..., None] - at
    ragged = 1 + 0.12 * np.sin(9 * np.arctan2(spot[..., 1] - high / 2, spot[..., 0]))
    inside = (spot[..., 0] / wide * 2) ** 2 + (spot[..., 1] / high * 2 - 1) ** 2 < ragged
    t = np.where(inside & (t > 0.2), t, np.inf)
    shade = np.full(t.shape, 0.6 + 0.4 * abs(float(sun[2])), np.float32)
    return _Hit((t * np.linalg.norm(rays, axis=-1)).astype(np.float32), spot[..., :2], shade)


def _lit(facing: NDArray[np.floating]) -> Floats:
    return np.asarray(0.45 + 0.55 * np.clip(facing, 0, 1), np.float32)


def _painted(rng: np.random.Generator, photos: Sequence[Frame], hit: _Hit) -> Floats:
    """The colours ``[h, w, 3]`` of a surface: a photograph's crop, repeated in a mirror."""
    metres = float(np.exp(rng.uniform(np.log(0.7), np.log(8))))
    tile = _tile(rng, photos)
    at = (hit.place / metres * 256).astype(np.float32) % 512
    colour = cv2.remap(tile, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(colour * hit.shade[..., None], np.float32)


def _tile(rng: np.random.Generator, photos: Sequence[Frame]) -> Floats:
    if not photos or rng.random() < 0.15:
        flat = np.ones((512, 512, 3)) * rng.uniform(40, 220, 3) + rng.normal(0, 12, (512, 512, 1))
        return cv2.GaussianBlur(flat.astype(np.float32), (0, 0), rng.uniform(0.5, 6))
    photo = photos[int(rng.integers(len(photos)))]
    side = int(rng.integers(min(photo.shape[:2]) // 4, min(photo.shape[:2])))
    top, left = (int(rng.integers(0, s - side + 1)) for s in photo.shape[:2])
    part = cv2.resize(photo[top : top + side, left : left + side], (256, 256))
    half = np.concatenate([part, part[:, ::-1]], axis=1)
    return np.concatenate([half, half[::-1]], axis=0).astype(np.float32)


def _sky(rng: np.random.Generator, photos: Sequence[Frame], h: int, w: int) -> Floats:
    top, low = rng.uniform(30, 200, 3), rng.uniform(120, 250, 3)
    mix = np.linspace(0, 1, h)[:, None, None]
    cloud = cv2.resize(rng.normal(0, 14, (5, 5)), (w, h), interpolation=cv2.INTER_CUBIC)
    sky = top * (1 - mix) + low * mix + cloud[..., None]
    if photos and rng.random() < 0.3:  # indoors, as it were: a wall without depth is no sky
        return sky.astype(np.float32)
    return np.asarray(sky * np.ones((h, w, 1)), np.float32)
