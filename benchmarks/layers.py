"""Do layers hold what holds and move what moves, without fading, ghosts or a pulse?

    python benchmarks/layers.py --photos PHOTOS --out layers.json [--taught TAUGHT/photos] NAME ...

For every photograph (by the name of its file): the mean change, in levels, of the cells that the
teachers are certain hold (being, vehicle, built, ground), the largest over the frames; the change
of sky, water and plants after 2 s; the least and the greatest gradient energy of each moving kind
over 8 s, in units of frame 0 (``contrast``: that of frame 0, squared levels a pixel); the highest
line in the amplitude spectrum of PSNR to frame 0 over 12 s, over the median of its neighbourhood
(noise alone has about 2.3), and ``pulse``, the same over the higher of the medians on either side
of it: what wanders slowly has a spectrum that falls, which the former counts as a line, a beat
stands out to both sides; the likeliest second copy of what holds in plants, and of beings in all
that moves (`vivant.evaluation.copies`, at four times).
Without TAUGHT what is certain is so by vivant's own eyes. Frames are those without a watermark, 480
pixels on the short side.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import vivant
from vivant.clip import Floats, Frame, Plane
from vivant.data.teacher_files import read_taught
from vivant.evaluation.copies import Copy, copy_of
from vivant.kinds import HOLDING, INDEX
from vivant.metrics import psnr
from vivant.scene import eyes
from vivant.scene.mattes import Mattes
from vivant.training.scene.labels import kind_target

FPS = 6.0
SIZE = "480p"
CERTAIN, TRUSTED = 0.97, 0.9
MOVING = ("sky", "water", "plant")
COPIED = tuple(round(t * FPS) for t in (1.0, 2.5, 4.0, 6.0))
Where = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Certain:
    """Shares of kinds ``[12, h, w]``, and where ``[h, w]`` they are trusted."""

    kinds: Floats
    trusted: Where

    def of(self, kinds: tuple[str, ...], size: tuple[int, int]) -> Where:
        """Pixels ``[H, W]`` that are certain to be one of ``kinds``, away from every edge."""
        share = np.sum([self.kinds[INDEX[kind]] for kind in kinds], axis=0)
        sure = ((share > CERTAIN) & self.trusted).astype(np.uint8)
        sure = cv2.erode(sure, np.ones((5, 5), np.uint8))
        return np.asarray(cv2.resize(sure, size, interpolation=cv2.INTER_NEAREST) > 0)


def certain(first: Frame, taught: Path | None) -> Certain:
    """What the teachers are sure of, or where they were not asked vivant's own eyes."""
    if taught is None:
        kinds = eyes.see(first).kinds
        return Certain(kinds, np.ones(kinds.shape[1:], bool))
    target = kind_target(read_taught(taught).labels, "")
    return Certain(target.kinds, target.weight > TRUSTED)


class Copies:
    """The likeliest second copies seen so far, of what holds in plants, of beings elsewhere."""

    def __init__(self, first: Frame) -> None:
        mattes = eyes.mattes(eyes.see(first), first)
        still = _joined(mattes, HOLDING)
        moving = 255 - still
        self.first = first
        self.asked = {
            "plant": (still, mattes.of("plant")),
            "being": (mattes.of("being"), moving),
        }
        self.found: dict[str, Copy] = {}

    def look(self, frame: Frame) -> None:
        for name, (held, region) in self.asked.items():
            copy = copy_of(self.first, frame, held, region)
            known = self.found.get(name)
            if copy is not None and (known is None or copy.ratio > known.ratio):
                self.found[name] = copy

    def rows(self) -> dict[str, list[float]]:
        """Correlation and how many times chance, by layer."""
        return {n: [round(c.correlation, 3), round(c.ratio, 2)] for n, c in self.found.items()}


def _joined(mattes: Mattes, kinds: tuple[str, ...]) -> Plane:
    total = np.sum([mattes.of(kind).astype(np.uint16) for kind in kinds], axis=0)
    return np.asarray(np.minimum(total, 255), np.uint8)


def energy(frame: Frame, where: Where) -> float:
    """Mean squared gradient."""
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    slopes = [cv2.Sobel(grey, cv2.CV_32F, *order, ksize=1) for order in ((1, 0), (0, 1))]
    return float((slopes[0] ** 2 + slopes[1] ** 2)[where].mean())


def line(values: Floats) -> float:
    """The highest line in an amplitude spectrum over the median of its neighbourhood."""
    rest = values[len(values) // 6 :]
    height = np.abs(np.fft.rfft((rest - rest.mean()) * np.hanning(len(rest))))
    found = [
        height[k] / max(float(np.median(height[max(1, k - 6) : k + 7])), 1e-12)
        for k in range(3, len(height))
    ]
    return float(max(found))


def pulse(values: Floats) -> float:
    """The highest line in an amplitude spectrum over the higher median of its two sides."""
    rest = values[len(values) // 6 :]
    height = np.abs(np.fft.rfft((rest - rest.mean()) * np.hanning(len(rest))))
    found = [
        height[k]
        / max(float(np.median(height[max(1, k - 6) : k])), float(np.median(height[k + 1 : k + 7])))
        for k in range(3, len(height) - 3)
    ]
    return float(max(found))


def measured(photo: Path, taught: Path | None) -> dict[str, object]:
    """All figures of one photograph."""
    clip = vivant.animate(photo, seconds=12, fps=FPS, size=SIZE, consent=True, camera="still")
    first, held, moved, ratios, values = None, 0.0, {}, {}, []
    for index, frame in enumerate(clip.frames()):
        if first is None:
            first = frame
            size = (frame.shape[1], frame.shape[0])
            sure = certain(frame, taught)
            still = sure.of(HOLDING, size)
            moving = {kind: sure.of((kind,), size) for kind in MOVING}
            moving = {kind: where for kind, where in moving.items() if where.mean() > 0.02}
            base = {kind: energy(first, where) for kind, where in moving.items()}
            copies = Copies(first)
            continue
        change = np.abs(frame.astype(np.int16) - first).mean(2)
        if still.mean() > 0.02:
            held = max(held, float(change[still].mean()))
        if index == round(2 * FPS):
            moved = {kind: float(change[where].mean()) for kind, where in moving.items()}
        if index <= 8 * FPS:
            for kind, where in moving.items():
                ratios.setdefault(kind, []).append(energy(frame, where) / max(base[kind], 1e-6))
        values.append(psnr(frame, first))
        if index in COPIED:
            copies.look(frame)
    return {
        "photo": photo.stem,
        "held": round(held, 4) if still.mean() > 0.02 else None,
        "moved": {kind: round(value, 2) for kind, value in moved.items()},
        "energy": {k: [round(min(v), 3), round(max(v), 3)] for k, v in ratios.items()},
        "contrast": {kind: round(value, 1) for kind, value in base.items()},
        "copies": copies.rows(),
        "line": round(line(np.array(values, np.float32)), 2) if min(values) < 60 else None,
        "pulse": round(pulse(np.array(values, np.float32)), 2) if min(values) < 60 else None,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="+")
    for name in ("photos", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--taught", type=Path)
    args = parser.parse_args()
    rows = []
    for name in args.names:
        taught = None if args.taught is None else args.taught / f"photo-{name}.npz"
        rows.append(measured(args.photos / f"{name}.jpg", taught))
        print(json.dumps(rows[-1]), flush=True)
        args.out.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
