"""Measures of a clip's frames, as pure functions.

``frames`` are ``[T, H, W, 3]`` uint8, sRGB. Flow is dense inverse search (Kroeger et al., ECCV
2016), as everywhere in vivant.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame
from vivant.metrics import Bools, psnr

Frames = NDArray[np.uint8]
EXACT = 99.0
"""PSNR reported for equal pictures, dB."""


@dataclass(frozen=True)
class FrameScores:
    """One clip's frames.

    ``first_frame``: PSNR of frame 0 against the picture, dB (99 where equal); ``colour_drift``:
    change of the mean colour, levels a second; ``flicker``: mean change of a pixel's level that
    motion does not explain, levels a frame; ``warp_error``: mean absolute error of each frame
    fetched from the one before along the flow, levels; ``sharpness``: energy of the finest
    detail in the last frame over that of the picture; ``dynamic``: 95th percentile of speed,
    short sides a second; ``held``: mean change of the pixels of ``static`` cells, levels;
    ``seam``: last to first frame over the median step; ``step``: largest change between frames
    over the median one.
    """

    first_frame: float
    colour_drift: float
    flicker: float
    warp_error: float
    sharpness: float
    dynamic: float
    held: float
    seam: float
    step: float


def frame_scores(
    frames: Frames, picture: Frame, fps: float, static: Bools | None = None
) -> FrameScores:
    """All measures of one clip; ``static`` ``[h, w]`` are cells that truly hold, if known."""
    small = shrink(frames)
    flows = flows_of(small, round(fps / 8) or 1)
    return FrameScores(
        first_frame=min(psnr(frames[0], picture), EXACT),
        colour_drift=colour_drift(frames, fps),
        flicker=flicker(small),
        warp_error=warp_error(small),
        sharpness=sharpness(frames[-1]) / max(sharpness(picture), 1e-6),
        dynamic=dynamic_degree(flows),
        held=held_change(small, static) if static is not None else float("nan"),
        seam=seam(small),
        step=largest_step(small),
    )


def resampled(
    frames: Frames, fps: float, size: tuple[int, int], new_fps: float, count: int
) -> Frames:
    """``count`` frames of ``size`` (width, height) at ``new_fps``, the nearest of a clip of another
    rate; its last frame stays where it is shorter."""
    at = np.minimum(np.round(np.arange(count) * fps / new_fps), len(frames) - 1).astype(int)
    if (frames.shape[2], frames.shape[1]) == size:
        return frames[at]
    return np.stack([cv2.resize(frames[k], size, interpolation=cv2.INTER_AREA) for k in at])


def shrink(frames: Frames, short: int = 256) -> Frames:
    """Frames with a short side of at most ``short`` pixels."""
    h, w = frames.shape[1:3]
    scale = min(1.0, short / min(h, w))
    size = (round(w * scale), round(h * scale))
    return np.stack([cv2.resize(f, size, interpolation=cv2.INTER_AREA) for f in frames])


def _grey(frame: Frame) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)


def flow(before: Frame, after: Frame) -> Floats:
    """Pixels ``[H, W, 2]`` from ``before`` to ``after``."""
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    return np.asarray(dis.calc(_grey(before), _grey(after), None), np.float32)


def flows_of(frames: Frames, every: int) -> list[Floats]:
    """Flow between frames ``every`` apart, short sides a step."""
    short = min(frames.shape[1:3])
    chosen = frames[::every]
    return [flow(a, b) / np.float32(short) for a, b in itertools.pairwise(chosen)]


def dynamic_degree(flows: list[Floats], rate: float = 8.0) -> float:
    """95th percentile over pixels of the mean speed, short sides a second; 0 for a still."""
    if not flows:
        return 0.0
    speed = np.mean([np.linalg.norm(f, axis=-1) for f in flows], axis=0)
    return float(np.percentile(speed, 95)) * rate


def colour_drift(frames: Frames, fps: float) -> float:
    """Size of the change of the mean colour between first and last frame, levels a second."""
    first, last = (frames[k].reshape(-1, 3).mean(axis=0) for k in (0, -1))
    seconds = max((len(frames) - 1) / fps, 1e-6)
    return float(np.linalg.norm(last - first) / np.sqrt(3) / seconds)


def _fetched(before: Frame, after: Frame) -> Floats:
    """``after`` fetched back to the places of ``before``, ``[H, W, 3]``."""
    moved = flow(before, after)
    h, w = moved.shape[:2]
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    out = cv2.remap(
        after, x + moved[..., 0], y + moved[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    return np.asarray(out, np.float32)


def warp_error(frames: Frames, every: int = 3) -> float:
    """Mean absolute error between a frame and a later one fetched along the flow, levels (Lai
    et al., "Learning blind video temporal consistency", ECCV 2018, without occlusion masks)."""
    pairs = list(itertools.pairwise(frames[::every]))
    if not pairs:
        return 0.0
    return float(np.mean([np.abs(_fetched(a, b) - a).mean() for a, b in pairs]))


def flicker(frames: Frames) -> float:
    """Mean size of the second difference of the frames' mean level after motion is taken out:
    what goes up and comes back from frame to frame, levels."""
    if len(frames) < 3:
        return 0.0
    steps = [float((_fetched(a, b) - a).mean()) for a, b in itertools.pairwise(frames)]
    return float(np.mean(np.abs(np.diff(steps))) / 2)


def sharpness(frame: Frame) -> float:
    """Mean square of what a Gaussian of one pixel removes: energy of the finest detail."""
    grey = _grey(frame).astype(np.float32)
    return float(((grey - cv2.GaussianBlur(grey, (0, 0), 1.0)) ** 2).mean())


def held_change(frames: Frames, static: Bools) -> float:
    """Mean absolute change against frame 0 over what truly holds, levels: jelly and melting."""
    h, w = frames.shape[1:3]
    where = cv2.resize(static.astype(np.uint8), (w, h), interpolation=cv2.INTER_NEAREST) > 0
    later = frames[:: max(1, len(frames) // 8)].astype(np.float32)
    return float(np.abs(later - frames[0].astype(np.float32))[:, where].mean())


def _steps(frames: Frames) -> Floats:
    return np.array(
        [np.abs(a.astype(np.float32) - b).mean() for a, b in itertools.pairwise(frames)],
        np.float32,
    )


def usual_step(frames: Frames) -> float:
    """Median over steps of the mean change of a pixel from frame to frame, levels."""
    return float(np.median(_steps(frames))) if len(frames) > 1 else 0.0


def seam(frames: Frames) -> float:
    """Change from the last frame to the first over the median step: 1 for a seamless loop."""
    back = float(np.abs(frames[-1].astype(np.float32) - frames[0]).mean())
    return back / max(usual_step(frames), 0.05)


def largest_step(frames: Frames) -> float:
    """Largest change between frames over the median one: a dropped or doubled frame shows."""
    steps = _steps(frames)
    return float(steps.max()) / max(float(np.median(steps)), 0.05)


def ssim(a: Frame, b: Frame) -> float:
    """Mean structural similarity of two pictures' grey levels (Wang et al., 2004: Gaussian
    window of 1.5 pixels, K = 0.01 and 0.03)."""
    x, y = (_grey(f).astype(np.float64) for f in (a, b))

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(cv2.GaussianBlur(values, (11, 11), 1.5))

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mx, my = mean(x), mean(y)
    vx, vy, cov = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    top = (2 * mx * my + c1) * (2 * cov + c2)
    return float((top / ((mx * mx + my * my + c1) * (vx + vy + c2))).mean())
