"""Do clips move as real ones of their kind do? Distances of temporal statistics, by kind.

    python benchmarks/temporal.py --clips CLIPS --out temporal.json [--other NAME=FOLDER ...]

For every clip of the manifest that shows sky, water, plants, fire or smoke, a clip is made of its
first frame (3 s, 240 pixels on the short side, no watermark) and its statistics are compared with
those of the real clips of its kind (`vivant.data.temporal`); 1 is as different as real clips
are from one another. FOLDERs hold clips of other programs, named like the real ones.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

import vivant
from vivant.data.temporal import Vector, distance, statistics
from vivant.media.assets import FileAssets

KINDS = {
    "sky": ("sky: clouds", "sky: sunset"),
    "water": ("water: ocean", "water: river", "water: lake", "water: waterfall"),
    "plant": ("foliage",),
    "fire": ("fire",),
    "smoke": ("fog", "smoke"),
}
LEAST = 4


def real_and_made(row: dict[str, Any], folder: Path) -> tuple[Vector | None, Vector | None]:
    with FileAssets() as assets:
        frames = list(assets.frames(assets.add(folder / row["path"], "clip")))
    fps = float(row["fps"])
    clip = vivant.animate(frames[0], seconds=3, fps=24, size="240p", consent=True, camera="still")
    return statistics(frames, fps), statistics(clip.frames(), 24.0)


def other(folder: Path, row: dict[str, Any]) -> Vector | None:
    found = sorted(folder.glob(f"{Path(row['path']).stem}.*"))
    if not found:
        return None
    with FileAssets() as assets:
        return statistics(assets.frames(assets.add(found[0], "clip")), 12.0)


def summary(made: list[Vector | None], real: list[Vector]) -> dict[str, Any]:
    moving = [one for one in made if one is not None]
    found = distance(moving, real) if moving else np.zeros(0)
    rng = np.random.default_rng(0)
    means = [np.median(rng.choice(found, len(found))) for _ in range(1000)] if moving else [0.0]
    low, high = np.percentile(means, (2.5, 97.5))
    return {
        "clips": len(made),
        "still": len(made) - len(moving),
        "distance": round(float(np.median(found)), 2) if moving else None,
        "interval": [round(float(low), 2), round(float(high), 2)],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--other", action="append", default=[], metavar="NAME=FOLDER")
    args = parser.parse_args()
    others = dict(text.split("=", 1) for text in args.other)
    rows = [json.loads(line) for line in (args.clips / "manifest.jsonl").read_text().splitlines()]
    report = {}
    for kind, words in KINDS.items():
        own = [row for row in rows if row["category"].startswith(words)]
        pairs = [real_and_made(row, args.clips) for row in own]
        real = [one for one, _ in pairs if one is not None]
        if len(real) < LEAST:
            continue
        report[kind] = {"real": len(real), "vivant": summary([made for _, made in pairs], real)}
        for name, folder in others.items():
            report[kind][name] = summary([other(Path(folder), row) for row in own], real)
        print(kind, json.dumps(report[kind]), flush=True)
    args.out.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
