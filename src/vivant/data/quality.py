"""Whether a shot teaches anything: measures of its quality, and thresholds on them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.data.labels import Labels

Frames = NDArray[np.uint8]


@dataclass(frozen=True)
class Quality:
    """Measures of one shot.

    ``seconds``; ``speed``: 95th percentile of the mean speed, short sides per second;
    ``confidence``: agreement of forward with backward flow on textured cells, 0..1;
    ``jump``: largest change between two frames over the typical one; ``text``: share of the
    picture covered by an overlay that looks like writing, 0..1.
    """

    seconds: float
    speed: float
    confidence: float
    jump: float
    text: float


@dataclass(frozen=True)
class Thresholds:
    """What a shot must reach to be kept; ``duplicate_bits`` of 64 in which two shots'
    perceptual hashes may differ and still count as the same."""

    min_seconds: float = 1.6
    min_speed: float = 0.004
    min_confidence: float = 0.2
    max_jump: float = 12.0
    max_text: float = 0.3
    duplicate_bits: int = 4


def measure(frames: Frames, fps: float, labels: Labels) -> Quality:
    """Measures of a shot's ``frames`` ``[T, H, W, 3]`` at the working size."""
    speed = np.linalg.norm(labels.velocity, axis=1).mean(axis=0)
    textured = labels.gradient.mean(axis=0) > 3
    agreement = labels.confidence.mean(axis=0)
    return Quality(
        seconds=(len(frames) - 1) / fps,
        speed=float(np.percentile(speed, 95)),
        confidence=float(agreement[textured].mean()) if textured.any() else 0.0,
        jump=largest_jump(frames),
        text=overlay_share(frames),
    )


def fault(quality: Quality, thresholds: Thresholds) -> str | None:
    """Why a shot is dropped, in words, or None."""
    t = thresholds
    if quality.speed < t.min_speed:
        return f"nothing moves (speed {quality.speed:.4f} < {t.min_speed:g})"
    if quality.confidence < t.min_confidence:
        return f"its flow is not consistent ({quality.confidence:.2f} < {t.min_confidence:g})"
    if quality.jump > t.max_jump:
        return f"a cut or flash is left inside ({quality.jump:.1f} > {t.max_jump:g})"
    if quality.text > t.max_text:
        return f"it carries writing ({quality.text:.2f} > {t.max_text:g})"
    return None


def largest_jump(frames: Frames) -> float:
    """Largest mean change between consecutive frames over the median one (plus a level)."""
    small = [cv2.resize(f, (64, 36), interpolation=cv2.INTER_AREA) for f in frames]
    change = [np.abs(a.astype(np.float32) - b).mean() for a, b in itertools.pairwise(small)]
    return float(max(change) / (np.median(change) + 1.0)) if change else 0.0


def overlay_share(frames: Frames) -> float:
    """Share of the picture under writing that stays while the picture changes.

    Writing is many strong strokes side by side: cells of 16 pixels in which the sharp edges
    that all frames share are dense, in rows of at least three.
    """
    steps = np.linspace(0, len(frames) - 1, min(8, len(frames))).astype(int)
    edges = np.stack(
        [cv2.Canny(cv2.cvtColor(frames[k], cv2.COLOR_RGB2GRAY), 120, 240) for k in steps]
    )
    lasting = (edges > 0).all(axis=0).astype(np.float32)
    h, w = lasting.shape
    dense = cv2.resize(lasting, (w // 16, h // 16), interpolation=cv2.INTER_AREA) > 0.12
    rows = cv2.morphologyEx(dense.astype(np.uint8), cv2.MORPH_OPEN, np.ones((1, 3), np.uint8))
    return float(rows.mean())


def perceptual_hash(frame: Frames) -> int:
    """64 bits: signs of the lowest 8 x 8 DCT terms about their median, of the grey picture at
    32 x 32 (the pHash of Zauner, 2010)."""
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(small)[:8, :8].ravel()
    bits = low > np.median(low[1:])
    return int("".join("1" if b else "0" for b in bits), 2)


def hamming(a: int, b: int) -> int:
    """Number of bits in which two hashes differ."""
    return (a ^ b).bit_count()
