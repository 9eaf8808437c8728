"""How well the renderer does when the motion is true: PSNR against the real future, as JSON.

    python benchmarks/renderer_oracle.py CLIPS [--split val] [--count 8] [--seconds 2]

The clip's own optical flow, averaged to steps of 1/8 s and cells of 8 pixels, is the field;
frame 0 is warped by it and compared with the real frames, beside frame 0 repeated. Clips whose
motion is under 0.01 short sides per second are passed over: there is nothing to beat.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from vivant.clip import Picture, VideoSpec
from vivant.data.labels import label
from vivant.data.prepare import decode, read_sources
from vivant.field.motion_field import MotionField
from vivant.field.operations import resample
from vivant.metrics import psnr
from vivant.render.renderer import render


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
    height, width = frames.shape[1:3]
    spec = VideoSpec(width, height, fps, count + 1)
    made = list(render(Picture(frames[0]), field, spec))
    late = range(count - round(0.25 * fps), count + 1)
    warped = float(np.mean([psnr(made[k], frames[k]) for k in late]))
    still = float(np.mean([psnr(frames[0], frames[k]) for k in late]))
    return {
        "warped_db": round(warped, 2),
        "still_db": round(still, 2),
        "gain_db": round(warped - still, 2),
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
    gains = [row["gain_db"] for row in rows.values()]
    print(
        json.dumps(
            {
                "clips": rows,
                "all_mean_gain_db": round(float(np.mean(gains)), 2),
                "first_mean_gain_db": round(float(np.mean(gains[: args.count])), 2),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
