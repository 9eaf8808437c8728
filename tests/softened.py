"""A panned world, and what a video model may make of it."""

import cv2
import numpy as np

COUNT = 9


def world(side: int = 160) -> np.ndarray:
    rng = np.random.default_rng(3)
    fine = rng.integers(0, 256, (side, side, 3)).astype(np.float32)
    broad = cv2.resize(rng.random((6, 6, 3)).astype(np.float32) * 150 + 50, (side, side))
    return np.clip(broad + 1.6 * (cv2.GaussianBlur(fine, (0, 0), 1.2) - 127), 8, 247).astype(
        np.uint8
    )


def true_clip() -> list[np.ndarray]:
    whole = world()
    return [whole[20:116, 20 + 2 * t : 116 + 2 * t].copy() for t in range(COUNT)]


def spoiled(frame: np.ndarray, t: float) -> np.ndarray:
    """Half the size, off-colour from the start, drifting."""
    small = cv2.resize(frame, (48, 48), interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.clip(small * 0.95 + 6 - np.array([14, 8, -10]) * t, 0, 255).astype(np.uint8)
