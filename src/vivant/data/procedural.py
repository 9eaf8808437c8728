"""Procedural scenes: what real clips teach badly, with exact truth and nobody's rights.

A scene is a still background with one moving region. Everything that moves is a texture looked
up through a known displacement, so that its velocity is known at every place and time. Textures
are crops of the photographs that are passed in, or noise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.child import Limits
from vivant.children import Job, each_in_child
from vivant.clip import Floats
from vivant.data.labels import CELL, SHORT, Labels, small_frames
from vivant.data.shards import KEY_EVERY, Sample, read_sample, shard_paths, write_sample
from vivant.errors import VivantError
from vivant.field.motion_field import RATE
from vivant.files import make_folder, sweep
from vivant.wire import Answer

FPS = 24.0
SECONDS = 2.5
WIDTH = 352
Frames = NDArray[np.uint8]


@dataclass(frozen=True)
class Scene:
    """``frames`` ``[T, 256, 352, 3]`` at 24 Hz and their labels; ``kind`` and ``category``."""

    kind: str
    category: str
    frames: Frames
    labels: Labels


@dataclass(frozen=True)
class Layer:
    """A moving region: ``texture`` looked up at ``grid - displacement(t)``, shown where
    ``matte(t)`` is 1. Displacements are ``[H, W, 2]`` pixels, mattes ``[H, W]`` 0..1."""

    texture: Floats
    displacement: Callable[[float], Floats]
    matte: Callable[[float], Floats]


def grid() -> Floats:
    """Pixel coordinates ``[256, 352, 2]``."""
    x, y = np.meshgrid(np.arange(WIDTH, dtype=np.float32), np.arange(SHORT, dtype=np.float32))
    return np.stack([x, y], axis=-1)


def noise(rng: np.random.Generator, cells: int = 3, octaves: int = 5) -> Floats:
    """Fractal noise ``[512, 512]`` 0..1 that tiles."""
    total = np.zeros((512, 512), np.float32)
    for octave in range(octaves):
        side = cells * 2**octave
        coarse = np.pad(rng.random((side, side), np.float32), 2, mode="wrap")
        scale = 512 / side
        wide = cv2.resize(coarse, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        edge = round(2 * scale)
        total += wide[edge : edge + 512, edge : edge + 512] * 0.5**octave
    low, high = float(total.min()), float(total.max())
    return np.asarray((total - low) / (high - low), np.float32)


def texture(rng: np.random.Generator, photos: list[Frames]) -> Floats:
    """A random crop of a photograph, mirrored into a tile, or coloured noise; ``[512, 512, 3]``
    0..255."""
    if photos and rng.random() < 0.85:
        photo = photos[int(rng.integers(len(photos)))]
        side = int(rng.integers(min(photo.shape[:2]) // 3, min(photo.shape[:2])))
        top, left = (int(rng.integers(0, s - side + 1)) for s in photo.shape[:2])
        crop = photo[top : top + side, left : left + side]
        quarter = cv2.resize(crop, (256, 256), interpolation=cv2.INTER_AREA).astype(np.float32)
        half = np.concatenate([quarter, quarter[:, ::-1]], axis=1)
        return np.concatenate([half, half[::-1]], axis=0)
    low, high = rng.uniform(20, 120, 3), rng.uniform(120, 240, 3)
    return np.asarray(low + (high - low) * noise(rng, 6)[..., None], np.float32)


def blob(rng: np.random.Generator, share: float) -> Floats:
    """A soft-edged irregular region that covers about ``share`` of the frame, ``[256, 352]``."""
    field = cv2.GaussianBlur(noise(rng, 2, 3)[:SHORT, :WIDTH], (0, 0), 4)
    edge = float(np.quantile(field, 1 - share))
    return np.asarray(np.clip((field - edge) / 0.02, 0, 1), np.float32)


def fetch(values: Floats, at: Floats) -> Floats:
    """Look a tile up at pixel positions ``[H, W, 2]``."""
    out = cv2.remap(values, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.asarray(out, np.float32)


def _steady(values: Floats) -> Callable[[float], Floats]:
    return lambda t: values


def _uniform(velocity: NDArray[np.floating]) -> Callable[[float], Floats]:
    whole = np.ones((SHORT, WIDTH, 1), np.float32) * velocity.astype(np.float32)
    return lambda t: whole * np.float32(t)


def _angle(rng: np.random.Generator, low: float = 0.0, high: float = 2 * np.pi) -> Floats:
    turn = rng.uniform(low, high)
    return np.array([np.cos(turn), np.sin(turn)], np.float32)


def clouds(rng: np.random.Generator, photos: list[Frames]) -> Layer:
    """Cloud cover that drifts as a whole above a horizon."""
    cover = noise(rng, 4, 7)[..., None]
    blue = np.array([rng.uniform(60, 130), rng.uniform(110, 170), rng.uniform(170, 235)])
    sky = (blue + (rng.uniform(200, 250) - blue) * np.clip(3 * cover - 1, 0, 1)).astype(np.float32)
    skyline = rng.uniform(0.4, 0.8) * SHORT + 30 * (noise(rng, 2, 4)[0, :WIDTH] - 0.5)
    matte = np.clip(skyline[None] - np.arange(SHORT)[:, None], 0, 1).astype(np.float32)
    speed = rng.uniform(0.02, 0.15) * SHORT
    return Layer(
        sky, _uniform(speed * _angle(rng, -0.4, 0.4) * rng.choice([-1, 1])), _steady(matte)
    )


def water(rng: np.random.Generator, photos: list[Frames]) -> Layer:
    """A surface of travelling waves, with or without a current."""
    amplitude, length = rng.uniform(0.8, 3.0), rng.uniform(10, 40)
    heading, pace = _angle(rng), rng.uniform(0.05, 0.25) * SHORT
    place = grid()
    current = rng.choice([0.0, 1.0]) * rng.uniform(0.03, 0.2) * SHORT * _angle(rng)
    waves = [(heading, length, amplitude), (_angle(rng), 0.6 * length, 0.6 * amplitude)]
    offsets = rng.uniform(0, 2 * np.pi, 2)

    def displacement(t: float) -> Floats:
        out = np.ones_like(place) * (current * t).astype(np.float32)
        for (way, wavelength, size), start in zip(waves, offsets, strict=True):
            phase = 2 * np.pi * (place @ way - pace * t) / wavelength + start
            out += (size * np.sin(phase))[..., None] * way
        return out.astype(np.float32)

    return Layer(texture(rng, photos), displacement, _steady(blob(rng, rng.uniform(0.25, 0.7))))


def sway(rng: np.random.Generator, photos: list[Frames]) -> Layer:
    """Branches or grass that swing about their place, tips more than roots."""
    reach = blob(rng, rng.uniform(0.3, 0.7))
    bend = cv2.GaussianBlur(reach, (0, 0), 12) * rng.uniform(2, 8)
    lag = 2 * np.pi * rng.uniform(0.3, 1.5) * noise(rng, 2, 2)[:SHORT, :WIDTH]
    rate, way = rng.uniform(0.3, 1.6), _angle(rng, -0.5, 0.5)
    gust = rng.uniform(0.2, 0.8)

    def displacement(t: float) -> Floats:
        swing = np.sin(2 * np.pi * rate * t + lag) + gust * np.sin(2 * np.pi * 0.31 * rate * t)
        return np.asarray((bend * swing)[..., None] * way, np.float32)

    return Layer(texture(rng, photos), displacement, _steady(reach))


def smoke(rng: np.random.Generator, photos: list[Frames]) -> Layer:
    """A plume that rises and widens from a point."""
    level = rng.uniform(90, 235)
    puffs = np.repeat((level + 40 * (noise(rng, 5) - 0.5))[..., None], 3, axis=2)
    place = grid()
    source, foot = rng.uniform(0.25, 0.75) * WIDTH, rng.uniform(0.75, 1.0) * SHORT
    height = np.clip(foot - place[..., 1], 0, None)
    width = 8 + rng.uniform(0.2, 0.5) * height
    cone = np.exp(-(((place[..., 0] - source) / width) ** 2)) * (height > 0)
    rise = np.array([rng.uniform(-0.3, 0.3), -1.0]) * rng.uniform(0.08, 0.3) * SHORT
    density = noise(rng, 6)

    def matte(t: float) -> Floats:
        moved = fetch(density, place - (rise * t).astype(np.float32))
        return np.asarray(np.clip(cone * (0.3 + moved), 0, 1), np.float32)

    return Layer(puffs.astype(np.float32), _uniform(rise), matte)


def thing(rng: np.random.Generator, photos: list[Frames]) -> Layer:
    """A rigid thing that slides, falls, or bounces in front of the background."""
    radius = rng.uniform(0.08, 0.2) * SHORT
    start = np.array([rng.uniform(0.3, 0.7) * WIDTH, rng.uniform(0.3, 0.7) * SHORT])
    velocity = rng.uniform(0.05, 0.35) * SHORT * _angle(rng)
    gravity = rng.choice([0.0, 1.0]) * rng.uniform(0.05, 0.3) * SHORT
    floor = start[1] + rng.uniform(0.1, 0.3) * SHORT
    place = grid()
    aspect = rng.uniform(0.6, 1.6)

    def where(t: float) -> NDArray[np.floating]:
        fallen = start[1] + velocity[1] * t + 0.5 * gravity * t * t
        bounced = floor - abs(fallen - floor) * (0.6 if fallen > floor else 1.0)
        height = bounced if gravity else fallen
        return np.array([start[0] + velocity[0] * t, height])

    def displacement(t: float) -> Floats:
        return np.ones_like(place) * (where(t) - start).astype(np.float32)

    def matte(t: float) -> Floats:
        x, y = np.moveaxis(place - where(t).astype(np.float32), -1, 0)
        return np.asarray(np.clip(radius - np.hypot(x / aspect, y * aspect), 0, 1), np.float32)

    return Layer(texture(rng, photos), displacement, matte)


KINDS: dict[str, tuple[str, Callable[[np.random.Generator, list[Frames]], Layer]]] = {
    "clouds": ("sky: procedural", clouds),
    "water": ("water: procedural", water),
    "sway": ("foliage: procedural", sway),
    "smoke": ("smoke: procedural", smoke),
    "thing": ("moving objects: procedural", thing),
}
STEP = 1 / 96
"""Seconds over which displacements are differenced into velocities."""


def make_scene(kind: str, seed: int, photos: list[Frames]) -> Scene:
    """One scene; the same kind, seed and photographs make the same frames.

    The light flickers in a third of the scenes, the camera is hand-held in a fifth.
    """
    rng = np.random.default_rng((seed, sorted(KINDS).index(kind)))
    category, build = KINDS[kind]
    background, layer = texture(rng, photos), build(rng, photos)
    place = grid()
    flicker = rng.uniform(0.05, 0.3) if rng.random() < 0.33 else 0.0
    shake = rng.uniform(1, 4) if rng.random() < 0.2 else 0.0
    rates = rng.uniform(0.3, 1.2, 4)
    behind = fetch(background, place)

    def camera(t: float) -> Floats:
        x, y = (shake * np.sin(2 * np.pi * rates[k] * t) for k in (0, 1))
        return np.array([x, y], np.float32)

    def frame(t: float) -> Frames:
        matte = layer.matte(t)[..., None]
        moving = fetch(layer.texture, place - layer.displacement(t))
        image = behind + matte * (moving - behind)
        image = fetch(image, place - camera(t)) if shake else image
        gain = 2 ** (flicker * np.sin(2 * np.pi * rates[2] * t) / 2.2)
        return np.clip(image * gain, 0, 255).astype(np.uint8)

    def velocity(t: float) -> Floats:
        step = (layer.displacement(t + STEP) - layer.displacement(t)) / np.float32(STEP)
        step = step * layer.matte(t)[..., None]
        return np.asarray(step + (camera(t + STEP) - camera(t)) / np.float32(STEP), np.float32)

    frames = np.stack([frame(k / FPS) for k in range(round(SECONDS * FPS) + 1)])
    return Scene(kind, category, frames, _labels(frames, velocity, camera))


def _labels(
    frames: Frames, velocity: Callable[[float], Floats], camera: Callable[[float], Floats]
) -> Labels:
    steps = int((len(frames) - 1) / FPS * RATE)
    size = (WIDTH // CELL, SHORT // CELL)

    def cells(values: Floats) -> Floats:
        return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)

    times = np.arange(steps) / RATE
    inside = (np.arange(3) + 0.5) / 3 / RATE
    flows = [np.mean([cells(velocity(t + d)) for d in inside], axis=0) for t in times]
    keys = [frames[round(t * FPS)] for t in times]
    grey = [cv2.cvtColor(k, cv2.COLOR_RGB2GRAY).astype(np.float32) for k in keys]
    linear = [
        (k.astype(np.float32) / 255) ** 2.2 @ np.array([0.2126, 0.7152, 0.0722], np.float32)
        for k in keys
    ]
    moved = [(camera(t + 1 / RATE) - camera(t)) * np.float32(RATE / SHORT) for t in times]
    h, w = size[::-1]
    return Labels(
        velocity=(np.stack(flows) / SHORT).transpose(0, 3, 1, 2).astype(np.float32),
        confidence=np.ones((steps, h, w), np.float32),
        gradient=np.stack([cells(np.hypot(*np.gradient(g))) for g in grey]),
        luminance=np.stack([np.log2(cells(v) + 0.003) for v in linear]).astype(np.float32),
        camera=np.array([[x, y, 0, 0] for x, y in moved], np.float32),
        camera_share=np.ones(steps, np.float32),
    )


def scene_sample(scene: Scene, name: str, every: int = KEY_EVERY, short: int = 0) -> Sample:
    """A scene as a training sample, like a labelled shot, with small frames of ``short`` pixels
    where that is not 0."""
    steps = scene.labels.steps
    keys = {k: scene.frames[round(k / RATE * FPS)] for k in range(0, steps, every)}
    facts = {
        "shot": name,
        "path": name,
        "category": scene.category,
        "licence": "CC0-1.0",
        "origin": "procedural",
        "split": "train",
        "aspect": WIDTH / SHORT,
        "source_fps": FPS,
    }
    at = [round(k / RATE * FPS) for k in range(steps)]
    small = small_frames(scene.frames[at], short, WIDTH / SHORT) if short else None
    return Sample(name, scene.labels, keys, facts, small)


BATCH = 10
MOST_PHOTOS = 40


def make_batch(start: int, stop: int, out: str, short: int = 0) -> Iterator[Answer]:
    """The child's side of `prepare_procedural`: make those of the scenes ``start`` to ``stop`` - 1
    that are not there yet, with textures from the shots in ``out``; answers how many."""
    cv2.setNumThreads(1)
    folder = Path(out)
    photos, made = photos_of(folder), 0
    for index in range(start, stop):
        kind = list(KINDS)[index % len(KINDS)]
        name = f"procedural-{kind}-{index:05d}"
        path = folder / f"{name}.tar"
        if not path.exists():
            scene = make_scene(kind, index, photos)
            write_sample(path, scene_sample(scene, name, short=short))
            made += 1
    yield Answer({"made": made})


def photos_of(folder: Path) -> list[Frames]:
    """First key frames of the real shots in a folder of shards, at most 40 of them."""
    real = [p for p in shard_paths(folder) if not p.name.startswith("procedural-")]
    chosen = real[:: max(1, -(-len(real) // MOST_PHOTOS))]
    return [read_sample(path).keys[0] for path in chosen]


def prepare_procedural(
    count: int,
    out: Path,
    processes: int = 2,
    progress: Callable[[float], None] = lambda share: None,
    short: int = 0,
) -> None:
    """Make ``count`` scenes as shards in ``out``, the kinds in turn; those that exist stay.

    Raises VivantError where scenes could not be made.
    """
    make_folder(out)
    sweep(out)
    batches: list[Job] = [
        {"start": k, "stop": min(k + BATCH, count), "out": str(out), "short": short}
        for k in range(0, count, BATCH)
    ]
    outcomes = each_in_child(f"{__name__}:make_batch", batches, processes, Limits())
    for done, outcome in enumerate(outcomes, start=1):
        if outcome.failure is not None:
            raise VivantError(f"Procedural scenes could not be made ({outcome.failure}).")
        progress(done / len(batches))
