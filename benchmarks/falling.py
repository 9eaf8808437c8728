"""Does it snow where vivant says so? Fit the probe on drawn snow, and ask it about real pictures.

    python benchmarks/falling.py --photos PHOTOS --clips CLIPS --out falling.json [--weights FILE]

Every third photograph of the training split teaches, as it is and with snow drawn over it; all
other photographs, and the first frame of every second clip without snow, teach that it does not
snow. Each is asked by weights that it had no part in (five folds); clips in which it snows never
teach, only drawn snow does. What has not specks enough is not described and does not snow.
Descriptions are kept in DESCRIBED between runs.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vivant.clip import Floats, Frame
from vivant.media.assets import FileAssets
from vivant.rendering.manners.flakes import flakes_of
from vivant.scene.encoder import chance as chance_of
from vivant.scene.falling import SEEN, SURE, _sized, described, enough, may_snow

SNOWY = ("0067", "0068", "0069", "0071", "0072", "0073", "0074")
"""Clips in which snow falls; the others of their category show snow that lies, or drops on
glass."""
RIDGE, ROUNDS, FOLDS, CONSTANT = 100.0, 15, 5, 10.0
DRAWN, EVERY, FEATURES = 480, 3, 944


@dataclass(frozen=True, eq=False)
class Asked:
    """A picture's ``name`` and ``group``, its description ``values`` ``[F]``, and whether it passes
    the other conditions (``may``)."""

    name: str
    group: str
    values: Floats
    may: bool


def drawn(pixels: Frame, rng: np.random.Generator) -> Frame:
    """The picture with snow: flakes of many sizes, round or drawn out in falling, white or lit by a
    lamp, some far and faint, at times with haze; compressed anew."""
    height, width = pixels.shape[:2]
    short = min(height, width)
    cover = np.zeros((height, width), np.float32)
    size = short * np.exp(rng.normal(np.log(1 / 190), 0.35))
    spread, top = rng.uniform(0.25, 0.6), rng.uniform(0.35, 1)
    streak = rng.choice([0.0, rng.uniform(0, 3)])
    turn = np.radians(rng.normal(90, 18))
    for _ in range(int(np.exp(rng.uniform(np.log(120), np.log(2500))))):
        wide = min(size * np.exp(rng.normal(0, spread)), short / 14)
        share = top * rng.uniform(0.3, 1) * min(1.0, (2 * size / wide) ** 0.7) * min(1, wide / 1.5)
        _draw(cover, rng.uniform((0, 0), (width, height)), wide, streak * wide, turn, share)
    colour = np.full(3, 255 * rng.uniform(0.75, 1)) * rng.choice([(1, 1, 1), (1, 0.85, 0.65)])
    cover *= _lamp(height, width, rng)
    haze = rng.choice([0.0, rng.uniform(0, 0.4)])
    out = pixels * (1 - haze) + haze * rng.uniform(120, 230)
    out = out * (1 - cover[..., None]) + colour * cover[..., None]
    return compressed(np.clip(out, 0, 255).astype(np.uint8), rng)


def _draw(cover: Floats, at: Floats, wide: float, long: float, turn: float, share: float) -> None:
    reach = int(long / 2 + wide + 4)
    x, y = int(at[0]), int(at[1])
    flake = np.zeros((2 * reach + 1,) * 2, np.float32)
    way = np.array([np.cos(turn), np.sin(turn)]) * long / 2
    ends = [tuple(int(16 * v) for v in at - (x, y) + reach + side * way) for side in (-1, 1)]
    cv2.line(flake, ends[0], ends[1], 1.0, max(1, round(wide)), cv2.LINE_AA, 4)
    flake = cv2.GaussianBlur(flake, (0, 0), max(0.5, 0.22 * wide)) * np.float32(share)
    left, top = max(0, reach - x), max(0, reach - y)
    part = cover[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
    np.maximum(part, flake[top : top + part.shape[0], left : left + part.shape[1]], out=part)


def _lamp(height: int, width: int, rng: np.random.Generator) -> Floats:
    if rng.random() > 0.4:
        return np.ones((height, width), np.float32)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    reach = min(height, width) * rng.uniform(0.2, 0.6)
    away = np.hypot(x - rng.uniform(0, width), y - rng.uniform(0, height)) / reach
    return np.asarray(0.85 * np.exp(-0.5 * away**2) + 0.15, np.float32)


def compressed(pixels: Frame, rng: np.random.Generator) -> Frame:
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.uniform(50, 95))]
    _, data = cv2.imencode(".jpg", pixels, quality)
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


Load = Callable[[], Frame]


def asked(photos: Path, clips: Path, assets: FileAssets) -> Iterator[tuple[str, str, Load]]:
    """Name, group and pixels of every picture, those of clips first."""
    for number, row in enumerate(rows_of(clips)):
        name, path = Path(row["path"]).stem, clips / row["path"]
        if name in SNOWY:
            for index in range(0, min(61, row["frames"] - 1), 30):
                yield f"c{name}_{index}", "snowing", partial(frame_of, assets, path, index)
        elif number % 2:
            yield f"c{name}_0", "clip", partial(frame_of, assets, path, 0)
    ordered = sorted(rows_of(photos), key=lambda one: one["split"] != "holdout")
    for number, row in enumerate(ordered):
        name, load = Path(row["path"]).stem, partial(pixels_of, assets, photos / row["path"])
        if row["split"] == "holdout" or number % EVERY:
            yield name, "photograph", load
        else:  # both alike but for the snow
            for group, make in (("train", compressed), ("drawn", drawn)):
                yield name, group, partial(made, load, make, number)


def rows_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


def frame_of(assets: FileAssets, path: Path, index: int) -> Frame:
    frames = assets.frames(assets.add(path, "clip"))
    return next(frame for number, frame in enumerate(frames) if number == index)


def pixels_of(assets: FileAssets, path: Path) -> Frame:
    return assets.picture(assets.add(path, "picture")).pixels


def made(load: Load, make: Callable[..., Frame], number: int) -> Frame:
    return make(_sized(load(), DRAWN), np.random.default_rng(number))


def answers(photos: Path, clips: Path, kept: Path) -> list[Asked]:
    """Descriptions of all pictures, from a file that grows as they are made."""
    found: list[Asked] = []
    if kept.is_file():
        with np.load(kept) as table:
            rows = zip(*(table[name] for name in ("name", "group", "values", "may")), strict=True)
            found = [Asked(str(n), str(g), v, bool(m)) for n, g, v, m in rows]
    done = {(one.name, one.group) for one in found}
    with FileAssets() as assets:
        for name, group, load in asked(photos, clips, assets):
            if (name, group) in done:
                continue
            pixels = load()
            may = may_snow(pixels) and enough(flakes_of(_sized(pixels, DRAWN)))
            teaches = group in ("train", "drawn")
            values = described(pixels) if may or teaches else np.zeros(FEATURES, np.float32)
            found.append(Asked(name, group, values, may))
            if len(found) % 25 == 0:
                _keep(found, kept)
    _keep(found, kept)
    return found


def _keep(found: list[Asked], path: Path) -> None:
    columns = {name: np.array([getattr(one, name) for one in found])
               for name in ("name", "group", "values", "may")}  # fmt: skip
    np.savez(path, **columns)


def fitted(known: list[Asked]) -> Floats:
    """Weights ``[F + 1]`` by ridge logistic regression (iteratively reweighted least squares), in
    the space of the pictures, which are fewer than features."""
    x = np.stack([one.values for one in known]).astype(np.float64)
    y = np.array([float(one.group == "drawn") for one in known])
    mean, spread = x.mean(0), x.std(0) + 1e-6
    table = np.c_[(x - mean) / spread, np.full(len(x), CONSTANT)]
    kernel, part = table @ table.T, np.zeros(len(y))
    for _ in range(ROUNDS):
        odds = kernel @ part
        chance = 1 / (1 + np.exp(-np.clip(odds, -30, 30)))
        curve = np.maximum(chance * (1 - chance), 1e-4)
        target = odds + (y - chance) / curve
        part = np.linalg.solve(kernel + RIDGE * np.diag(1 / curve), target)
    found = table.T @ part
    slopes = found[:-1] / spread
    return np.r_[slopes, CONSTANT * found[-1] - slopes @ mean].astype(np.float32)


def teaching(rows: list[Asked]) -> list[Asked]:
    """Pictures that teach: none that shows real snow, none without specks but the pairs."""
    own = [one for one in rows if one.group != "snowing"]
    return [one for one in own if one.may or one.group in ("train", "drawn")]


def chances(rows: list[Asked]) -> dict[tuple[str, str], float]:
    """Chance of snow in every picture, by weights that it had no part in."""
    known = teaching(rows)
    names = sorted({one.name for one in known})
    order = np.random.default_rng(0).permutation(len(names))
    fold = {name: int(place) % FOLDS for name, place in zip(names, order, strict=True)}
    each = [fitted([one for one in known if fold[one.name] != k]) for k in range(FOLDS)]
    whole = fitted(known)
    return {
        (one.name, one.group): chance_of(
            one.values, each[fold[one.name]] if one.name in fold else whole
        )
        for one in rows
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("photos", "clips", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--described", type=Path, default=Path("described.npz"))
    parser.add_argument("--weights", type=Path)
    args = parser.parse_args()
    rows = answers(args.photos, args.clips, args.described)
    found = chances(rows)
    report = {}
    for group in ("snowing", "clip", "photograph", "train", "drawn"):
        own = [(one, found[one.name, one.group]) for one in rows if one.group == group]
        yes = [(one.name, round(chance, 3)) for one, chance in own if one.may and chance >= SURE]
        report[group] = {
            "pictures": len(own),
            "many specks": sum(one.may for one, _ in own),
            "it snows": len(yes),
            "which": yes if group != "drawn" else [],
        }
    if args.weights is not None:
        weights = [float(f"{v:.6g}") for v in fitted(teaching(rows))]
        args.weights.write_text(json.dumps(weights))
    args.out.write_text(json.dumps({"seen": SEEN, **report}, indent=1) + "\n")
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
