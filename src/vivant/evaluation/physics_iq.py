"""The Physics-IQ benchmark: where, when and how much moves, against two real takes.

Motamed et al., "Do generative video models understand physical principles?" (2025), protocol of
google-deepmind/physics-IQ-benchmark: the first 5 s of each clip against the 5 s test videos of
the same camera, at a quarter of their size, at the clips' own frame rate. Frames are ``[T, H, W,
3]`` uint8, masks ``[T, H, W]`` bool.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Frame
from vivant.evaluation.frames import Frames
from vivant.metrics import Bools

SECONDS = 5
SHRINK = 4
THRESHOLD = 10
MEMORY = 0.3
EPSILON = 1e-8


@dataclass(frozen=True)
class Agreement:
    """How one clip agrees with another: three overlaps of motion (0 to 1, higher is better) and
    the mean squared error of the pixels on a scale of 0 to 1 (lower is better)."""

    spatial: float
    weighted: float
    spatiotemporal: float
    mse: float


@dataclass(frozen=True)
class Footage:
    """Frames and their motion masks, of the same length and size."""

    frames: Frames
    masks: Bools


@dataclass(frozen=True)
class View:
    """One camera of one scenario: the clip against take 1, and take 2 against take 1, which is
    as well as the physics of the scene repeats itself."""

    clip: Agreement
    takes: Agreement


def motion_masks(frames: Iterable[Frame]) -> list[NDArray[np.uint8]]:
    """What differs from a running background, 0 or 255, a mask ``[H, W]`` for every BGR frame.

    The background follows at 0.3 a frame and takes each frame in before it is compared; more
    than 10 levels of difference is motion, cleaned by opening and closing with 5 x 5 pixels.
    Frame 0 has none.
    """
    masks: list[NDArray[np.uint8]] = []
    background: NDArray[np.float64] | None = None
    kernel = np.ones((5, 5), np.uint8)
    for frame in frames:
        grey = cv2.GaussianBlur(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), (5, 5), 0)
        if background is None:
            background = grey.astype(np.float64)
            masks.append(np.zeros_like(grey, np.uint8))
            continue
        cv2.accumulateWeighted(grey, background, MEMORY)
        apart = cv2.absdiff(grey, cv2.convertScaleAbs(background))
        _, mask = cv2.threshold(apart, THRESHOLD, 255, cv2.THRESH_BINARY)
        mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, kernel)
        masks.append(np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel), np.uint8))
    return masks


def footage(
    frames: Sequence[Frame], size: tuple[int, int], masks: Sequence[Frame] | None = None
) -> Footage:
    """Frames and masks at ``size`` (width, height); masks are found where none are given."""
    found: Sequence[NDArray[np.uint8]] = motion_masks(frames) if masks is None else masks
    small = np.stack([cv2.resize(f, size) for f in frames])
    flat = [m if m.ndim == 2 else m[..., 0] for m in found]
    return Footage(small, np.stack([cv2.resize(m, size) > 127 for m in flat]))


def frozen(frame: Frame, count: int) -> Footage:
    """A still: ``frame`` ``[H, W, 3]`` ``count`` times, and no motion."""
    frames = np.broadcast_to(frame, (count, *frame.shape))
    return Footage(frames, np.zeros((count, *frame.shape[:2]), np.bool_))


def iou(a: Bools, b: Bools) -> float:
    """Intersection over union of two masks; 1 where both are empty."""
    union = int((a | b).sum())
    return float((a & b).sum() / union) if union else 1.0


def spatial_iou(a: Bools, b: Bools) -> float:
    """IoU of where anything ever moved."""
    return iou(np.asarray(a.any(axis=0)), np.asarray(b.any(axis=0)))


def weighted_spatial_iou(a: Bools, b: Bools) -> float:
    """Sum of minima over sum of maxima of how often each place moved; 1 where nothing did."""
    x, y = a.mean(axis=0), b.mean(axis=0)
    union = float(np.maximum(x, y).sum())
    return float(np.minimum(x, y).sum()) / union if union else 1.0


def spatiotemporal_ious(a: Bools, b: Bools) -> list[float]:
    """IoU frame by frame."""
    return [iou(x, y) for x, y in zip(a, b, strict=True)]


def mses(a: Frames, b: Frames) -> list[float]:
    """Mean squared error frame by frame, of pixels on a scale of 0 to 1."""
    scale = np.float32(1 / 255)
    return [
        float((((x.astype(np.float32) - y.astype(np.float32)) * scale) ** 2).mean())
        for x, y in zip(a, b, strict=True)
    ]


def agreement(a: Footage, b: Footage) -> Agreement:
    """All four measures. Per-frame values are rounded to 4 places, as the benchmark's are.

    Raises ValueError where lengths differ.
    """
    return Agreement(
        spatial=spatial_iou(a.masks, b.masks),
        weighted=weighted_spatial_iou(a.masks, b.masks),
        spatiotemporal=float(np.mean(np.round(spatiotemporal_ious(a.masks, b.masks), 4))),
        mse=float(np.mean(np.round(mses(a.frames, b.frames), 4))),
    )


def _columns(rows: Sequence[Agreement]) -> NDArray[np.float64]:
    return np.array([[r.spatial, r.weighted, r.spatiotemporal, r.mse] for r in rows])


def score(views: Sequence[View]) -> float:
    """The Physics-IQ score, 0 to 100: each mean overlap over what two real takes reach, averaged,
    less the mean error beyond that between the takes. Nan where the takes never overlap."""
    mine = _columns([v.clip for v in views]).mean(axis=0)
    takes = _columns([v.takes for v in views]).mean(axis=0)
    takes = np.array([round(v, p) for v, p in zip(takes, (5, 4, 4, 4), strict=True)])
    if not takes[:3].all():
        return float("nan")
    value = 100 * ((mine[:3] / takes[:3]).mean() - (mine[3] - takes[3]))
    return round(float(np.clip(value, 0, 100)), 2)


def score_verified(views: Sequence[View]) -> float:
    """The score of "Physics-IQ Verified" (2026), 0 to 100: per view the mean of the three overlaps
    over the takes' and of the takes' error over the clip's, each cut to 0..1; then the mean."""
    mine, takes = _columns([v.clip for v in views]), _columns([v.takes for v in views])
    shares = mine[:, :3] / (takes[:, :3] + EPSILON)
    error = (takes[:, 3:] + EPSILON) / np.maximum(mine[:, 3:], 1e-300)
    return 100 * float(np.clip(np.hstack([shares, error]), 0, 1).mean())
