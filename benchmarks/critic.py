"""Can a critic tell which way it went? Real motion of a picture against its mirror image.

    python benchmarks/critic.py --clips CLIPS --out critic.json

Samples of one picture move the same layers and differ in direction and speed, so that a critic that
is to choose among them must know a picture's true direction from its mirror image (a foreign motion
is told by where it moves, which all samples share). Asked is the main direction across, and down,
of the motion in the first 2 s of a clip, camera removed, where it is clear; known are differences
of the encoder's features between the left and the right half of the first frame (the upper and the
lower one). The model is odd: a mirrored picture gets the opposite answer, so that real and mirrored
motion are alike but for the direction. Ten folds by source; the interval is a bootstrap over clips.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vivant.clip import Floats, Frame
from vivant.media.assets import FileAssets
from vivant.scene.encoder import features

SIZE = 384, 256
STRIDE = 16
SECONDS, STEPS = 2.0, 4
CLEAR = 0.35
"""Mean velocity over mean speed from which a direction is clear."""
MOVES = 0.004
"""Short sides a second from which a clip moves."""
RIDGES = (30.0, 300.0, 3000.0)
FOLDS, ROUNDS = 10, 12
QUIET = ("camera move",)
"""Categories in which what moves is the camera."""


@dataclass(frozen=True, eq=False)
class Case:
    """A clip's ``source``, its ``category``, its mean velocity in its clear direction as a share of
    its speed, across and down, and the odd features of its first frame, likewise."""

    name: str
    source: str
    category: str
    way: tuple[float, float]
    odd: tuple[Floats, Floats]


def cases(folder: Path) -> Iterator[Case]:
    with FileAssets() as assets:
        for row in map(json.loads, (folder / "manifest.jsonl").read_text().splitlines()):
            if row["category"].startswith(QUIET):
                continue
            asset = assets.add(folder / row["path"], "clip")
            frames, step = [], max(1, round(SECONDS / STEPS * row["fps"]))
            for index, frame in enumerate(assets.frames(asset)):
                if index % step == 0:
                    frames.append(cv2.resize(frame, SIZE, interpolation=cv2.INTER_AREA))
                if len(frames) > STEPS:
                    break
            way = direction(frames)
            if way is not None:
                odd = odd_features(frames[0])
                yield Case(row["path"], str(row["origin"]), row["category"], way, odd)


def direction(frames: list[Frame]) -> tuple[float, float] | None:
    """Mean velocity over mean speed, across and down, the camera's pan removed; None where hardly
    anything moves."""
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    found = [flow.calc(a, b, None) for a, b in pairwise(grey)]
    if not found:
        return None
    mean = np.mean([one - np.median(one, axis=(0, 1)) for one in found], axis=0)
    speed = np.linalg.norm(mean, axis=2)
    if float(speed.mean()) / min(SIZE) / (SECONDS / STEPS) < MOVES:
        return None
    return (float(mean[..., 0].mean() / speed.mean()), float(mean[..., 1].mean() / speed.mean()))


def odd_features(frame: Frame) -> tuple[Floats, Floats]:
    """Features less those of the mirrored place, in four parts, across and down."""
    grid = features(frame).reshape(SIZE[1] // STRIDE, SIZE[0] // STRIDE, -1)
    across, down = (
        np.concatenate([part.mean(axis=(0, 1)) for part in _quarters(grid, axis)])
        for axis in (1, 0)
    )
    return across, down


def _quarters(grid: Floats, axis: int) -> Iterator[Floats]:
    difference = grid - np.flip(grid, axis)
    half = difference.shape[axis] // 2
    first = np.take(difference, range(half), axis)
    middle = first.shape[1 - axis] // 2
    yield np.take(first, range(middle), 1 - axis)
    yield np.take(first, range(middle, first.shape[1 - axis]), 1 - axis)


def answers(x: Floats, y: Floats, sources: list[str], ridge: float) -> Floats:
    """Odds that it goes the positive way, for each clip by weights that its source had no part
    in."""
    names = sorted(set(sources))
    order = np.random.default_rng(0).permutation(len(names))
    fold = {names[k]: int(place) % FOLDS for place, k in enumerate(order)}
    own = np.array([fold[name] for name in sources])
    out = np.zeros(len(y))
    for number in range(FOLDS):
        rest = own != number
        out[~rest] = x[~rest] @ odd_weights(x[rest], y[rest], ridge)
    return out


def odd_weights(x: Floats, y: Floats, ridge: float) -> Floats:
    """Ridge logistic regression without a constant, in the space of the clips (fewer than
    features)."""
    scale = np.sqrt((x**2).mean(0)) + 1e-6
    table = x / scale
    kernel = table @ table.T
    part = np.zeros(len(y))
    sign = np.where(y > 0, 1.0, 0.0)
    for _ in range(ROUNDS):
        odds = kernel @ part
        chance = 1 / (1 + np.exp(-np.clip(odds, -30, 30)))
        curve = np.maximum(chance * (1 - chance), 1e-3)
        target = odds + (sign - chance) / curve
        part = np.linalg.solve(kernel + ridge * np.diag(1 / curve), target)
    return np.asarray(table.T @ part / scale, np.float64)


def judged(known: list[Case], axis: int) -> dict[str, Any]:
    """Area under the curve of real against mirrored motion (their odds are opposite, so that it is
    the chance that a clip's own direction has the higher odds)."""
    own = [one for one in known if abs(one.way[axis]) > CLEAR]
    x = np.stack([one.odd[axis] for one in own]).astype(np.float64)
    y = np.array([np.sign(one.way[axis]) for one in own])
    rows = {}
    for ridge in RIDGES:
        odds = answers(x, y, [one.source for one in own], ridge)
        right = ((odds * y > 0) + 0.5 * (odds == 0)).astype(np.float64)
        picks = np.random.default_rng(1).integers(0, len(right), (2000, len(right)))
        low, high = np.percentile(right[picks].mean(1), (2.5, 97.5))
        area = [round(float(v), 3) for v in (right.mean(), low, high)]
        rows[str(ridge)] = {"area": area[0], "interval": area[1:]}
    return {"clips": len(own), "positive": int((y > 0).sum()), "by ridge": rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("clips", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    args = parser.parse_args()
    known = list(cases(args.clips))
    report = {"moving clips": len(known), "across": judged(known, 0), "down": judged(known, 1)}
    args.out.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
