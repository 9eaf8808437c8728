"""From labelled shots to training windows: what the networks see and must answer.

A window is the 2 s that follow a key frame, with the global camera motion taken out where
the fit is trustworthy. Several views (mirrored, cropped, recoloured) are made of each, since
the encoder costs more than a training step and is run once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats
from vivant.data.camera_fit import camera_velocity
from vivant.data.labels import CELL, Labels
from vivant.data.shards import KEY_EVERY, Sample

STEPS = 16
STILL_CAMERA = 0.01
RIGID_SHARE = 0.75


@dataclass(frozen=True)
class Window:
    """One key frame and what follows it.

    ``image`` ``[H, W, 3]`` uint8; ``velocity`` ``[T, 2, h, w]`` short sides per second, as if
    the camera stood still; ``light`` ``[T, h, w]`` stops relative to the key frame;
    ``weight`` ``[h, w]`` 0..1 trust; ``gradient`` ``[h, w]`` levels; ``confidence`` ``[h, w]``
    0..1 of the flow; ``camera_moves``, and ``camera_removed`` where its motion could be taken
    out.
    """

    image: NDArray[np.uint8]
    velocity: Floats
    light: Floats
    weight: Floats
    gradient: Floats
    confidence: Floats
    camera_moves: bool
    camera_removed: bool = False


def windows_of(sample: Sample) -> Iterator[Window]:
    """All windows of a shot, one per key frame that has enough steps after it."""
    last = max(0, sample.labels.steps - STEPS)
    for step in range(0, last + 1, KEY_EVERY):
        yield _window(sample.labels, step, sample.keys[step])


def _window(labels: Labels, step: int, image: NDArray[np.uint8]) -> Window:
    # a shot that ends within the window runs on mirrored, as a motion field does
    index = np.pad(np.arange(labels.steps), (0, STEPS), mode="symmetric")[step : step + STEPS]
    velocity, moves, removed = _without_camera(labels, index)
    confidence, gradient = labels.confidence[index].mean(0), labels.gradient[index].mean(0)
    texture = gradient / (gradient + 4.0)
    trust = 0.4 if moves else 1.0
    return Window(
        image=image,
        velocity=velocity,
        light=_light(labels.luminance[index], velocity),
        weight=(confidence * texture * trust).astype(np.float32),
        gradient=gradient.astype(np.float32),
        confidence=confidence.astype(np.float32),
        camera_moves=moves,
        camera_removed=removed,
    )


def _without_camera(labels: Labels, index: NDArray[np.int64]) -> tuple[Floats, bool, bool]:
    """Subtract the camera where most of a textured picture moves as one rigid whole: velocity,
    whether the camera moves, and whether it was taken out."""
    velocity = labels.velocity[index]
    h, w = velocity.shape[-2:]
    camera = np.stack([camera_velocity(m, h, w) for m in labels.camera[index]])
    size = float(np.linalg.norm(camera.mean(0), axis=0).mean())
    textured = float((labels.gradient[index].mean(0) > 3).mean())
    share = float(np.median(labels.camera_share[index]))
    if size < STILL_CAMERA:
        return velocity, False, False
    if share > RIGID_SHARE and textured > 0.3:
        return velocity - camera, True, True
    return velocity, True, False


def _light(luminance: Floats, velocity: Floats) -> Floats:
    """Low-pass change of log luminance that advection of the first step does not explain."""
    h, w = luminance.shape[-2:]
    short = min(h, w)
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    at_x, at_y = x.copy(), y.copy()
    light = np.zeros_like(luminance)
    for k in range(1, len(luminance)):
        flow = velocity[k - 1] * (short / 8.0)
        from_x, from_y = x - flow[0], y - flow[1]
        at_x, at_y = (
            cv2.remap(at, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            for at in (at_x, at_y)
        )
        moved = cv2.remap(
            luminance[0], at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        light[k] = cv2.GaussianBlur(luminance[k] - moved, (0, 0), 3.0)
    return np.clip(light, -3, 3).astype(np.float32)


def view(
    window: Window, rng: np.random.Generator, *, mirror: bool, square: bool, recolour: bool
) -> Window:
    """An augmented copy: mirrored, cut to a random square (70 to 100 % of the short side),
    recoloured. Lengths grow by the cut, since they are counted in short sides."""
    out = _mirror(window) if mirror else window
    if square:
        out = _crop(out, rng)
    return replace(out, image=_recolour(out.image, rng)) if recolour else out


def _mirror(window: Window) -> Window:
    def flip(values: Floats) -> Floats:
        return np.ascontiguousarray(values[..., ::-1])

    velocity = flip(window.velocity)
    velocity[:, 0] *= -1
    return replace(
        window,
        image=np.ascontiguousarray(window.image[:, ::-1]),
        velocity=velocity,
        light=flip(window.light),
        weight=flip(window.weight),
        gradient=flip(window.gradient),
        confidence=flip(window.confidence),
    )


def _crop(window: Window, rng: np.random.Generator) -> Window:
    h, w = window.weight.shape
    short = min(h, w)
    side = int(rng.integers(round(0.7 * short), short + 1))
    top, left = int(rng.integers(0, h - side + 1)), int(rng.integers(0, w - side + 1))

    def cells(values: Floats) -> Floats:
        part = values[..., top : top + side, left : left + side].reshape(-1, side, side)
        sized = [cv2.resize(p, (short, short), interpolation=cv2.INTER_LINEAR) for p in part]
        return np.stack(sized).reshape(*values.shape[:-2], short, short).astype(np.float32)

    box = np.s_[CELL * top : CELL * (top + side), CELL * left : CELL * (left + side)]
    image = cv2.resize(
        window.image[box], (CELL * short, CELL * short), interpolation=cv2.INTER_AREA
    )
    return replace(
        window,
        image=image.astype(np.uint8),
        velocity=cells(window.velocity) * np.float32(short / side),
        light=cells(window.light),
        weight=cells(window.weight),
        gradient=cells(window.gradient),
        confidence=cells(window.confidence),
    )


def _recolour(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    gain = rng.uniform(0.8, 1.2, 3) * rng.uniform(0.8, 1.2)
    gamma = rng.uniform(0.75, 1.3)
    levels = np.arange(256)[:, None] / 255.0
    table = np.clip(255 * (levels**gamma) * gain, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(image, table.reshape(256, 1, 3)), np.uint8)
