"""How well the renderer does when the motion is true: PSNR against the real future, as JSON.

    python benchmarks/renderer_oracle.py CLIPS [--split val] [--count 8] [--seconds 2]

The clip's own optical flow, averaged to steps of 1/8 s and cells of 8 pixels, is the field;
frame 0 is warped by it and compared with the real frames, beside frame 0 repeated. Clips whose
motion is under 0.01 short sides per second are passed over: there is nothing to beat. Optical
flow is not the truth everywhere: ``fine_gain_db`` is what the flow of every frame at full size
reaches, and ``true`` are the clips whose flow gains most there, whatever the renderer makes of
it.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.data.labels import label
from vivant.data.prepare_child import decode
from vivant.data.sources import read_sources
from vivant.evaluation.renderer import renderer_scores
from vivant.field.motion_field import MotionField
from vivant.field.operations import resample
from vivant.metrics import psnr
from vivant.rendering.advect import grid_of


def fine_warp(frames: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    """Frame 0 carried to frame ``count`` by the flow of every frame."""
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = [cv2.cvtColor(f, cv2.COLOR_RGB2GRAY) for f in frames[: count + 1]]
    grid = grid_of(frames.shape[2:0:-1])
    at = grid.copy()
    for before, after in itertools.pairwise(grey):
        back = dis.calc(after, before, None)
        at = cv2.remap(at, grid + back, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cv2.remap(frames[0], at, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)


def score(path: Path, seconds: float) -> dict[str, float] | None:
    frames, fps, aspect = decode(path)
    count = round(seconds * fps)
    if len(frames) <= count + 1:
        return None
    labels = label(frames[: count + 2], fps, aspect)
    speed = np.linalg.norm(labels.velocity, axis=1).mean(axis=0)
    if speed.mean() < 0.01:
        return None
    flat = np.zeros_like(speed)
    field = MotionField(labels.velocity, np.zeros_like(labels.velocity[:, 0]), speed, flat)
    field = resample(field, rate=8.0)
    scores = renderer_scores(frames[: count + 1], fps, field)
    fine = psnr(fine_warp(frames, count), frames[count]) - psnr(frames[0], frames[count])
    return {
        "fine_gain_db": round(fine, 2),
        "warped_db": round(scores.psnr, 2),
        "still_db": round(scores.still_psnr, 2),
        "gain_db": round(scores.gain, 2),
        "warped_ssim": round(scores.ssim, 3),
        "still_ssim": round(scores.still_ssim, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path)
    parser.add_argument("--split", default="val")
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=2.0)
    args = parser.parse_args()
    rows = {}
    for source in read_sources(args.clips, (args.split,)):
        row = score(source.path, args.seconds)
        if row is not None:
            rows[f"{source.path.stem} {source.facts.get('category', '')}"] = row
    true = sorted(rows, key=lambda name: -rows[name]["fine_gain_db"])[: args.count]

    def gain(names: Iterable[str], key: str = "gain_db") -> float:
        return round(float(np.mean([rows[name][key] for name in names])), 2)

    print(
        json.dumps(
            {
                "clips": rows,
                "all_mean_gain_db": gain(rows),
                "all_mean_fine_gain_db": gain(rows, "fine_gain_db"),
                "true": true,
                "true_mean_gain_db": gain(true),
                "true_mean_fine_gain_db": gain(true, "fine_gain_db"),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
