"""Photographs, animated, side by side in one picture, to be looked at.

    python benchmarks/contact_sheet.py PHOTO... --out sheet.jpg [--model builtin] [--seed 0]

A row a photograph: the picture, where it is asked to move (motion map), the mean flow as
colours, the frames at 1/4, 1/2 and the end, and what differs between the first and the last.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.facade import animate
from vivant.field.motion_field import speed
from vivant.field.wheel import colourise, heat

Image = NDArray[np.uint8]

CELL_HEIGHT = 240


def tile(image: Image, height: int) -> Image:
    width = round(image.shape[1] * height / image.shape[0])
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def row(photo: Path, options: argparse.Namespace) -> list[Image]:
    clip = animate(
        photo,
        seconds=options.seconds,
        size=options.size,
        seed=options.seed,
        model=options.model,
        consent=True,
    )
    count = clip.plan.video.count
    wanted = [0, count // 4, count // 2, count - 1]
    frames = [f for k, f in enumerate(clip.frames()) if k in wanted]
    field = clip.field
    size = frames[0].shape[1::-1]
    maps = [heat(speed(field)), colourise(field.velocity.mean(axis=0))]
    change = np.abs(frames[-1].astype(np.int16) - frames[0]).max(axis=-1)
    difference = cv2.cvtColor(np.clip(3 * change, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2RGB)
    sized = [cv2.resize(m, size, interpolation=cv2.INTER_LINEAR) for m in maps]
    return [frames[0], *sized, *frames[1:], difference]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", default="builtin")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--size", default="480p")
    parser.add_argument("--height", type=int, default=CELL_HEIGHT)
    args = parser.parse_args()
    rows = []
    for photo in args.photos:
        tiles = row(photo, args)
        rows.append(np.hstack([tile(t, args.height) for t in tiles]))
        print(photo.name, file=sys.stderr)
    width = max(r.shape[1] for r in rows)
    padded = [np.pad(r, ((2, 2), (0, width - r.shape[1]), (0, 0))) for r in rows]
    cv2.imwrite(str(args.out), cv2.cvtColor(np.vstack(padded), cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    main()
