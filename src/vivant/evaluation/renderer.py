"""How well the renderer does where the motion is true: rendered frames against real ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vivant.clip import Picture, VideoSpec
from vivant.evaluation.frames import EXACT, Frames, ssim
from vivant.field.motion_field import MotionField
from vivant.metrics import psnr
from vivant.rendering.renderer import render


@dataclass(frozen=True)
class RendererScores:
    """Means over the frames compared: PSNR in dB (99 where equal) and SSIM (at most 1) of the
    rendered frames, and of the first frame repeated."""

    psnr: float
    ssim: float
    still_psnr: float
    still_ssim: float

    @property
    def gain(self) -> float:
        """What rendering brings over a still picture, dB."""
        return self.psnr - self.still_psnr


def compare(made: Frames, real: Frames, chosen: list[int]) -> RendererScores:
    """``made`` against ``real`` ``[T, H, W, 3]`` at the frames ``chosen``.

    Raises ValueError where none is chosen.
    """
    if not chosen:
        raise ValueError("no frame to compare")
    rows = [
        [
            min(psnr(made[k], real[k]), EXACT),
            ssim(made[k], real[k]),
            min(psnr(real[0], real[k]), EXACT),
            ssim(real[0], real[k]),
        ]
        for k in chosen
    ]
    return RendererScores(*(float(v) for v in np.mean(rows, axis=0)))


def renderer_scores(frames: Frames, fps: float, field: MotionField) -> RendererScores:
    """Frame 0 rendered by its true motion ``field``, compared over the last quarter of a second
    of ``frames`` ``[T, H, W, 3]``."""
    height, width = frames.shape[1:3]
    spec = VideoSpec(width, height, fps, len(frames))
    made = np.stack(list(render(Picture(frames[0]), field, spec)))
    first = max(1, len(frames) - 1 - round(0.25 * fps))
    return compare(made, frames, list(range(first, len(frames))))
