"""What the eyes see in photographs, side by side in one picture, to be looked at.

    python benchmarks/seen.py PHOTO... --out seen.jpg

Two columns of rows, down the left half first: the picture, its mattes in the colours of their
kinds, its things, the chance of moving, the depth.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vivant.scene import eyes
from vivant.scene.sheet import HEIGHT, sheet

WIDE, HIGH = 720, 96
QUALITY = 82


def row(path: Path) -> NDArray[np.uint8]:
    """One photograph's row, ``[HIGH, WIDE, 3]``."""
    photo = Image.open(path).convert("RGB")
    photo.thumbnail((1024, 1024))
    pixels = np.asarray(photo, np.uint8)
    scene = eyes.see(pixels)
    whole = sheet(scene, eyes.mattes(scene, pixels), pixels)[:HEIGHT]
    scale = min(WIDE / whole.shape[1], HIGH / HEIGHT)
    small = cv2.resize(whole, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    out = np.full((HIGH, WIDE, 3), 255, np.uint8)
    out[: small.shape[0], : small.shape[1]] = small
    print(path.stem, {k: round(v, 2) for k, v in scene.shares().items() if v > 0.03}, flush=True)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    rows = [row(path) for path in args.photos]
    rows += [np.full_like(rows[0], 255)] * (len(rows) % 2)
    half = len(rows) // 2
    columns = [np.vstack(part) for part in (rows[:half], rows[half:])]
    Image.fromarray(np.hstack(columns)).save(args.out, quality=QUALITY)


if __name__ == "__main__":
    main()
