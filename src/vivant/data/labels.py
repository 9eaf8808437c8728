"""From the frames of one shot to training labels: velocity, confidence, luminance, camera.

Optical flow is dense inverse search (Kroeger et al., ECCV 2016, OpenCV's DIS at its medium
preset) between consecutive frames, forward and backward. Everything is then averaged onto
cells of 8 x 8 pixels and steps of 1/8 s, the resolution of a motion field.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats
from vivant.data.camera_fit import fit_camera
from vivant.field.motion_field import RATE

CELL = 8
SHORT = 256


@dataclass(frozen=True)
class Labels:
    """Labels of one shot of N steps on ``h x w`` cells.

    ``velocity`` ``[N, 2, h, w]`` short sides per second, camera included; ``confidence``
    ``[N, h, w]`` 0..1, agreement of forward with backward flow; ``gradient`` ``[N, h, w]``
    mean gradient in levels at 256 pixels; ``luminance`` ``[N, h, w]`` log2 of linear
    luminance; ``camera`` ``[N, 4]`` (tx, ty, zoom, roll) per second; ``camera_share``
    ``[N]`` share of trusted cells that the camera fit explains.
    """

    velocity: Floats
    confidence: Floats
    gradient: Floats
    luminance: Floats
    camera: Floats
    camera_share: Floats

    @property
    def steps(self) -> int:
        """Number of steps N."""
        return len(self.velocity)


def working_size(width: int, height: int) -> tuple[int, int]:
    """(width, height) at which a picture is analysed.

    Short side 256, long side the nearest multiple of 32, because the encoder halves five
    times; the slight change of aspect is undone where lengths are measured.
    """
    short = min(width, height)
    return tuple(SHORT * max(1, round(8 * side / short)) // 8 for side in (width, height))  # type: ignore[return-value]


def _gradient(grey: Floats) -> Floats:
    dy, dx = np.gradient(grey)
    return np.hypot(dx, dy).astype(np.float32)


def _cells(values: Floats) -> Floats:
    h, w = values.shape[0] // CELL, values.shape[1] // CELL
    return cv2.resize(values, (w, h), interpolation=cv2.INTER_AREA).astype(np.float32)


def _agreement(forward: Floats, backward: Floats) -> Floats:
    """How well the backward flow, fetched where forward flow leads, undoes it; [H, W] 0..1."""
    h, w = forward.shape[:2]
    ys, xs = np.mgrid[0:h, 0:w].astype(np.float32)
    back = cv2.remap(
        backward,
        xs + forward[..., 0],
        ys + forward[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(1e3, 1e3),
    )
    error = np.linalg.norm(forward + back, axis=-1)
    tolerance = 0.3 + 0.15 * np.linalg.norm(forward, axis=-1)
    return np.exp(-((error / tolerance) ** 2)).astype(np.float32)


def _pair_labels(
    dis: cv2.DISOpticalFlow, before: NDArray[np.uint8], after: NDArray[np.uint8]
) -> tuple[Floats, Floats, Floats]:
    """Flow [2, h, w] in pixels, confidence [h, w] and gradient [h, w] on cells."""
    forward = dis.calc(before, after, None)
    backward = dis.calc(after, before, None)
    agreement = _agreement(forward, backward)
    gradient = _gradient(before.astype(np.float32))
    weight = agreement * (gradient / (gradient + 4.0)) + 0.02
    total = _cells(weight)
    flow = np.stack([_cells(forward[..., i] * weight) / total for i in (0, 1)])
    return flow, _cells(agreement), _cells(gradient)


def _overlap(frames: int, fps: float) -> Floats:
    """Averaging matrix [steps, frames - 1]: which frame intervals make up which step."""
    steps = int((frames - 1) / fps * RATE)
    begin = np.arange(frames - 1) / fps * RATE
    end = (np.arange(frames - 1) + 1) / fps * RATE
    k = np.arange(steps)[:, None]
    shared = np.clip(np.minimum(end, k + 1) - np.maximum(begin, k), 0, None)
    return (shared / shared.sum(axis=1, keepdims=True)).astype(np.float32)


def step_frames(frames: int, fps: float) -> NDArray[np.int64]:
    """Index of the frame at which each step begins."""
    steps = int((frames - 1) / fps * RATE)
    return np.round(np.arange(steps) / RATE * fps).astype(np.int64)


def small_frames(frames: NDArray[np.uint8], short: int, aspect: float) -> NDArray[np.uint8]:
    """Frames ``[T, H, W, 3]`` with ``short`` pixels on the short side, both sides even, in the
    true ``aspect`` (width over height)."""
    scale = short / min(1.0, aspect)
    size = (2 * round(scale * aspect / 2), 2 * round(scale / 2))
    resized = [cv2.resize(f, size, interpolation=cv2.INTER_AREA) for f in frames]
    return np.asarray(np.stack(resized), np.uint8)


def _log_luminance(frame: NDArray[np.uint8]) -> Floats:
    linear = (frame.astype(np.float32) / 255.0) ** 2.2
    luma = linear @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    return np.log2(_cells(luma) + 0.003).astype(np.float32)


def label(frames: NDArray[np.uint8], fps: float, aspect: float) -> Labels:
    """Labels of one shot.

    ``frames`` ``[T, H, W, 3]`` at the working size, ``fps`` their rate, ``aspect`` the true
    width / height of the picture (the working size rounds it). Needs at least 1/8 s.
    """
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    pairs = [_pair_labels(dis, a, b) for a, b in itertools.pairwise(grey)]
    average = _overlap(len(frames), fps)
    flow, confidence, gradient = (
        np.tensordot(average, np.stack(part), axes=1).astype(np.float32)
        for part in zip(*pairs, strict=True)
    )
    height, width = grey[0].shape
    extent = np.array([max(aspect, 1.0), max(1 / aspect, 1.0)], np.float32)
    scale = fps * extent / np.array([width, height], np.float32)
    velocity = flow * scale[None, :, None, None]
    fits = [
        fit_camera(v, c * (g > 3)) for v, c, g in zip(velocity, confidence, gradient, strict=True)
    ]
    return Labels(
        velocity=velocity.astype(np.float32),
        confidence=confidence,
        gradient=gradient,
        luminance=np.stack([_log_luminance(frames[i]) for i in step_frames(len(frames), fps)]),
        camera=np.array([fit.motion for fit in fits], np.float32),
        camera_share=np.array([fit.share for fit in fits], np.float32),
    )
