"""Does the depth that is seen explain how a camera that moves changes the picture?

    python benchmarks/space.py --clips CLIPS --out space.json

For every validation and test clip whose camera moves, the frame half a second later is made from
the first one: by the relief and the pose that fits tracked points best, by the best homography of
the same points, and by repeating the first frame. PSNR in dB where all three show something.
"""

from __future__ import annotations

import argparse
import itertools
import json
from itertools import product
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame, Picture
from vivant.data.sources import read_sources
from vivant.media.assets import FileAssets
from vivant.motion.held import look
from vivant.motion.relief import relief_in
from vivant.rendering.space.pose import Lens, Pose
from vivant.rendering.space.pose import Path as Way
from vivant.rendering.space.relief import Relief
from vivant.rendering.space.seen import seen_through
from vivant.rendering.space.truth import within
from vivant.rendering.space.view import View
from vivant.request import Runtime

Doubles = NDArray[np.float64]
Bools = NDArray[np.bool_]
LATER = 0.5
LEAST_POINTS = 30
LEAST_MOVE = 0.006
"""Short sides that points move in the median where the camera moves."""
BORDER = 0.06
LEAST_SHOWN = 0.3
"""Share of the later frame that both show, at least."""
FINE, COARSE = 0.006, 0.1
"""Short sides by which a point may be off before it counts less."""
STRIDE = np.array([0.01, 0.01, 0.01, 0.3, 0.3, 0.3, 0.01, 0.05])
"""Steps of a camera's numbers: position, degrees, logarithms of zoom and of the lens's angle."""


def tracked(a: Frame, b: Frame, between: list[Frame]) -> tuple[Floats, Floats]:
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (a, *between, b)]
    start = cv2.goodFeaturesToTrack(grey[0], 400, 0.01, 7)
    if start is None:
        return np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32)
    at, kept = start, np.ones(len(start), bool)
    for one, other in itertools.pairwise(grey):
        at, status, _ = cv2.calcOpticalFlowPyrLK(one, other, at, None, winSize=(21, 21))
        kept &= status[:, 0] > 0
    return start[kept, 0], at[kept, 0]


def fitted(relief: Relief, start: Floats, end: Floats) -> tuple[Pose, Lens]:
    """Pose and lens by Levenberg and Marquardt on the points, unlikely ones weighed down: from
    several starts, some of which are fitted to what one homography explains."""
    h, w = relief.shape
    short, middle = min(h, w), np.array([w, h], np.float32) / 2
    near = relief.at((h, w))
    places = start.round().astype(int)
    q = near[places[:, 1].clip(0, h - 1), places[:, 0].clip(0, w - 1)][None]
    at, wanted = ((p + 0.5 - middle)[None] / short for p in (start, end))
    _, agree = cv2.findHomography(start, end, cv2.RANSAC, 2.0)
    agreeing = np.repeat(agree[:, 0] > 0, 2)

    def camera(x: Doubles) -> tuple[Pose, Lens]:
        pose = Pose(tuple(x[:3]), tuple(x[3:6]), float(np.exp(x[6])))
        return pose, Lens(float(np.clip(Lens().view * np.exp(x[7]), 5, 110)))

    def missing(x: Doubles) -> Doubles:
        pose, lens = camera(x)
        found = lens.images(pose, at.astype(np.float32), q.astype(np.float32))
        return np.asarray((found - wanted)[0].ravel(), np.float64)

    def cost(x: Doubles, scale: float, rows: Bools) -> float:
        return float(np.log1p((missing(x)[rows] / scale) ** 2).sum())

    def refined(x: Doubles, scale: float, rows: Bools) -> Doubles:
        damping = 1e-3
        for _ in range(40):
            left = missing(x)
            weight = (rows / (1 + (left / scale) ** 2))[:, None]
            slopes = np.stack([missing(x + step) - left for step in np.diag(STRIDE)], 1)
            normal = (slopes * weight).T @ slopes
            normal += damping * np.diag(np.diag(normal) + 1e-9)
            trial = x - STRIDE * np.linalg.solve(normal, (slopes * weight).T @ left)
            trial[2] = np.clip(trial[2], -0.7, 0.7)
            better = cost(trial, scale, rows) < cost(x, scale, rows)
            x, damping = (trial, damping / 4) if better else (x, damping * 6)
        return x

    everything = np.ones_like(agreeing)
    found = []
    for depth, view in product((-0.3, -0.1, 0.0, 0.1, 0.3), (-0.8, 0.0)):
        x = np.array([0, 0, depth, 0, 0, 0, 0, view], np.float64)
        rough = refined(refined(x, COARSE, agreeing), FINE, agreeing)
        found += [refined(begin, FINE, everything) for begin in (x, rough)]
    return camera(min(found, key=lambda x: cost(x, FINE, everything)))


def psnr(a: Frame, b: Frame) -> float:
    error = ((a.astype(np.float64) - b) ** 2).mean()
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def score(frames: list[Frame]) -> dict[str, Any] | None:
    first, last = frames[0], frames[-1]
    start, end = tracked(first, last, frames[1:-1])
    short = min(first.shape[:2])
    if len(start) < LEAST_POINTS:
        return None
    if np.median(np.linalg.norm(end - start, axis=1)) < LEAST_MOVE * short:
        return None
    plane, _ = cv2.findHomography(start, end, cv2.RANSAC, 2.0)
    if plane is None:
        return None
    relief = relief_in(look(Picture(first), Runtime()), first)
    pose, lens = fitted(relief, start, end)
    view = View(first, relief, Way((Pose(), pose), lens))
    flat = cv2.warpPerspective(
        first, plane, first.shape[1::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    shown = within(view, seen_through(view, pose).places) & _inside(plane, first.shape)
    shown[: round(BORDER * short)] = shown[-round(BORDER * short) :] = False
    shown[:, : round(BORDER * short)] = shown[:, -round(BORDER * short) :] = False
    if shown.mean() < LEAST_SHOWN:
        return None
    made = {"space": view.at(first, pose), "homography": flat, "repeat": first}
    return {name: round(psnr(frame[shown], last[shown]), 2) for name, frame in made.items()}


def _inside(plane: Doubles, shape: tuple[int, ...]) -> Bools:
    """Pixels ``[H, W]`` of the later frame that a homography ``[3, 3]`` takes from the first."""
    ones = np.ones(shape[:2], np.uint8)
    return np.asarray(cv2.warpPerspective(ones, plane, shape[1::-1], flags=cv2.INTER_LINEAR) > 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    rows = {}
    for source in read_sources(args.clips, ("val", "test")):
        if source.facts.get("camera") not in ("moves", "handheld"):
            continue
        with FileAssets() as assets:
            count = round(LATER * float(source.facts["fps"])) + 1
            clip = assets.frames(assets.add(source.path, "clip"))
            frames = list(itertools.islice(clip, count))
        found = score(frames) if len(frames) == count else None
        if found is not None:
            rows[source.path.stem] = {"category": source.facts.get("category"), **found}
            print(source.path.stem, json.dumps(rows[source.path.stem]), flush=True)
    table = {
        k: np.array([row[k] for row in rows.values()]) for k in ("space", "homography", "repeat")
    }
    gains = {k: table["space"] - table[k] for k in ("homography", "repeat")}
    summary = {
        "clips": len(rows),
        **{k: round(float(v.mean()), 2) for k, v in table.items()},
        **{f"gain over {k}": round(float(v.mean()), 2) for k, v in gains.items()},
        **{f"better than {k}": round(float((v > 0).mean()), 2) for k, v in gains.items()},
    }
    args.out.write_text(json.dumps({"summary": summary, "clips": rows}, indent=1))
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
