"""Held-out clips: what truly moved beside what the model makes of their first frame.

    vivant prepare CLIPS --split test --max-text 1 --out shards/test
    python benchmarks/held_out.py shards/test --out docs/images/held-out.jpg
    python benchmarks/held_out.py shards/test --out held-out.jpg --frames

A row a clip: [its first frame,] the true mean motion, the motion map, four samples of what the
networks expect as colours (hue is direction, saturation is speed; sampled fields share a scale of
their own, since they are slower than the truth) [and the rendered frames after 1 s and 2 s].
Without ``--frames`` nothing of the clips themselves is shown.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Picture
from vivant.data.shards import Sample, read_samples
from vivant.data.windows import Window, windows_of
from vivant.field.wheel import colourise, heat
from vivant.motion.model import MotionModel, frames_of
from vivant.registry import load
from vivant.rendering.shot import Shot

Image = NDArray[np.uint8]
SAMPLES = 4
WIDTH = 176
LABEL = 190


def first_window(sample: Sample) -> Window:
    """The first window whose camera stands, else one where it was taken out, else the first."""
    windows = list(windows_of(sample))
    removed = next((w for w in windows if w.camera_removed), windows[0])
    return next((w for w in windows if not w.camera_moves), removed)


def camera(window: Window) -> str:
    if not window.camera_moves:
        return "camera stands"
    return "camera taken out" if window.camera_removed else "camera moves"


def tile(image: Image, size: tuple[int, int]) -> Image:
    return np.pad(
        cv2.resize(image, size, interpolation=cv2.INTER_LINEAR),
        ((1, 1), (1, 1), (0, 0)),
        constant_values=200,
    )


def row(sample: Sample, window: Window, model: MotionModel, frames: bool) -> Image:
    shot = Shot(Picture(window.image), seconds=2.0)
    plain = model.fields.predict(shot)
    drawn = [model.fields.predict(replace(shot, seed=k)) for k in range(SAMPLES)]
    means = [field.velocity.mean(axis=0) for field in drawn]
    truth = window.velocity.mean(axis=0)
    top = max(float(np.percentile(np.linalg.norm(m, axis=0), 99)) for m in means)
    true_top = float(np.percentile(np.linalg.norm(truth, axis=0), 99))
    tiles = [colourise(truth, true_top), heat(plain.map), *(colourise(m, top) for m in means)]
    if frames:
        rate = shot.spec.fps
        clip = list(frames_of(shot, model.fields.sample(shot)))
        tiles = [window.image, *tiles, clip[round(rate)], clip[-1]]
    h, w = window.weight.shape
    size = (WIDTH, round(WIDTH * h / w))
    label = np.full((size[1] + 2, LABEL, 3), 255, np.uint8)
    words = [sample.key.split("-")[0], str(sample.facts.get("category", ""))[:24]]
    words += [f"top {true_top:.2f}, sampled {top:.2f}", camera(window)]
    for k, word in enumerate(words):
        cv2.putText(
            label, word, (4, 20 + 20 * k), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA
        )
    return np.hstack([label, *(tile(t, size) for t in tiles)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shards", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", default="builtin")
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--frames", action="store_true")
    args = parser.parse_args()
    model = load(args.model)
    if not isinstance(model, MotionModel):
        raise SystemExit(f"{args.model} samples no motion fields")
    usable = [(s, first_window(s)) for s in read_samples(args.shards)]
    chosen = usable[:: max(1, len(usable) // args.clips)][: args.clips]
    rows = [row(s, w, model, args.frames) for s, w in chosen]
    wide = max(r.shape[1] for r in rows)
    page = np.vstack(
        [np.pad(r, ((0, 0), (0, wide - r.shape[1]), (0, 0)), constant_values=255) for r in rows]
    )
    cv2.imwrite(str(args.out), page[..., ::-1])


if __name__ == "__main__":
    main()
