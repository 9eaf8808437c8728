"""How does a hand hold a camera? Pan, tilt and roll of hand-held clips, octave by octave.

    python benchmarks/hand_held.py --clips CLIPS --out hand_held.json

Training and validation clips that their manifest calls hand-held, at 20 frames a second and more.
From frame to frame up to 300 corners are followed by Lucas and Kanade's method and a similarity is
fitted to them with RANSAC, which leaves out what moves by itself; frames in which fewer than half
of the corners agree are taken as still. The ways are added up, a straight line (the pan that was
meant) is taken off, and the rest is split into octaves by a Hann window and a Fourier transform.
Shifts are turned into degrees for a lens of 50 degrees across the short side. ``degrees``: the
median over clips of the r.m.s. in each octave.
"""

from __future__ import annotations

import argparse
import itertools
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Frame
from vivant.data.sources import read_sources
from vivant.media.assets import FileAssets
from vivant.rendering.space.pose import Lens

RATES = (0.35, 0.7, 1.4, 2.8, 5.6)
"""Middles of octaves, Hz."""
LEAST_FPS, LEAST_SECONDS, LEAST_SHARE = 20.0, 2.5, 0.5
AXES = ("pan", "tilt", "roll")

Doubles = NDArray[np.float64]


def step(before: Frame, after: Frame) -> tuple[Doubles, float]:
    """Shift in short sides and roll in degrees between two frames, and the share that agrees."""
    a, b = (cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (before, after))
    start = cv2.goodFeaturesToTrack(a, 300, 0.005, 8)
    if start is None or len(start) < 20:
        return np.zeros(3), 0.0
    end, found, _ = cv2.calcOpticalFlowPyrLK(a, b, start, None, winSize=(21, 21))
    kept = found[:, 0] > 0
    h, w = a.shape
    middle = np.array([w, h]) / 2
    one, other = (points[kept, 0] - middle for points in (start, end))
    fit, inside = cv2.estimateAffinePartial2D(one, other, ransacReprojThreshold=0.5)
    if fit is None:
        return np.zeros(3), 0.0
    roll = np.degrees(np.arctan2(fit[1, 0], fit[0, 0]))
    return np.array([*(fit[:, 2] / min(h, w)), roll]), float(inside.mean())


def bands(way: Doubles, fps: float) -> Doubles:
    """R.m.s. of a way ``[T, 3]`` in each octave, ``[octaves, 3]``."""
    count = len(way)
    time = np.arange(count)
    line = np.column_stack([np.ones(count), time])
    free = way - line @ np.linalg.lstsq(line, way, rcond=None)[0]
    window = np.hanning(count)[:, None]
    power = np.abs(np.fft.rfft(free * window, axis=0)) ** 2
    power *= 2 / (count * (window**2).sum())
    frequency = np.fft.rfftfreq(count, 1 / fps)
    out = []
    for rate in RATES:
        inside = (frequency >= rate / 2**0.5) & (frequency < rate * 2**0.5)
        out.append(np.sqrt(power[inside].sum(0)) if inside.any() else np.full(3, np.nan))
    return np.array(out)


def measured(path: Path, fps: float) -> dict[str, Any] | None:
    with FileAssets() as assets:
        frames = assets.frames(assets.add(path, "clip"))
        steps = [step(a, b) for a, b in itertools.pairwise(frames)]
    share = np.array([s for _, s in steps])
    if len(steps) < LEAST_SECONDS * fps or (share > LEAST_SHARE).mean() < 0.8:
        return None
    moved = np.array([way if s > LEAST_SHARE else np.zeros(3) for way, s in steps])
    way = np.cumsum(moved, axis=0)
    way[:, :2] = np.degrees(np.arctan(way[:, :2] / Lens().focal))
    found = bands(way, fps)
    return {"seconds": round(len(steps) / fps, 2), "bands": np.round(found, 5).tolist()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    rows = {}
    for source in read_sources(args.clips, ("train", "val")):
        fps = float(source.facts.get("fps", 0))
        if source.facts.get("camera") != "handheld" or fps < LEAST_FPS:
            continue
        found = measured(source.path, fps)
        print(source.path.stem, json.dumps(found), flush=True)
        if found is not None:
            rows[source.path.stem] = found
    table = np.array([row["bands"] for row in rows.values()])
    middle = {
        axis: np.round(np.nanmedian(table[..., k], axis=0), 4).tolist()
        for k, axis in enumerate(AXES)
    }
    spread = {
        axis: np.round(np.nanpercentile(table[..., k], [25, 75], axis=0), 4).tolist()
        for k, axis in enumerate(AXES)
    }
    out = {"clips": len(rows), "rates": RATES, "degrees": middle, "quartiles": spread}
    args.out.write_text(json.dumps({**out, "each": rows}, indent=1) + "\n", "utf-8")
    print(json.dumps(out))


if __name__ == "__main__":
    main()
