"""How much of what is laid over photographs is found and held, and how much of plain ones is.

    python benchmarks/lettering.py --photos PHOTOS --fonts FONTS --split holdout --out FILE

Each of 40 photographs gets one piece of lettering of every sort, in turn in every font of FONTS.
What counts are its pixels that differ by 16 levels or more from the photograph. ``--split kept``
takes photographs of the training split that the network was not taught by, to choose constants on.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from vivant.clip import Frame
from vivant.media.decoder import Decoder
from vivant.scene.overlay import find_overlay

KEPT_BACK = 12
PICTURES = 40
SEEN = 16
SORTS = ("plain", "outlined", "shadowed", "boxed", "transparent", "mark", "interface")
LATIN = (
    "Where were you last night?", "I never said that.", "© Anna Berg 2024", "SUMMER IN THE ALPS",
    "www.example.org", "Preview only", "12:45  LIVE", "Episode 4: The long way home",
    "SAMPLE", "ANNA BERG\nphotography", "We have to leave now,\nbefore the tide comes in.",
)  # fmt: skip
ASIAN = (
    "昨日はどこにいたの？",
    "我們必須馬上離開",
    "어젯밤에 어디 있었어?",
    "見本",
    "夏のアルプス 2024",
)


@dataclass(frozen=True)
class Task:
    """A photograph, and its ``number`` among those that get lettering, -1 for the others."""

    name: str
    pixels: Frame
    fonts: tuple[Path, ...]
    number: int


@dataclass(frozen=True)
class Measured:
    """The share that is ``held`` of a plain photograph, CPU seconds for that, and a row for each
    piece of lettering."""

    held: float
    seconds: float
    rows: list[dict[str, Any]]


@dataclass(frozen=True)
class Laid:
    """A photograph with something over it, and where that is seen."""

    pixels: Frame
    where: NDArray[np.bool_]


def lay(photograph: Frame, sort: str, font_path: Path, seed: int) -> Laid:
    """One piece of lettering of a sort."""
    rng = np.random.default_rng(seed)
    height, width = photograph.shape[:2]
    asian = "CJK" in font_path.name
    texts = ASIAN if asian else LATIN
    text = texts[rng.integers(len(texts))]
    short = min(height, width)
    size = round(short * rng.uniform(0.028, 0.075) * (1.6 if sort == "mark" else 1))
    font = ImageFont.truetype(str(font_path), size)
    rim = max(1, round(size * rng.uniform(0.05, 0.1))) if sort == "outlined" else 0
    base = Image.fromarray(photograph)
    ink = Image.new("RGBA", base.size)
    draw = ImageDraw.Draw(ink)
    colour = ((255, 255, 255), (255, 255, 255), (0, 0, 0), (255, 230, 60), (220, 30, 40),
              (40, 90, 220))[rng.integers(6)]  # fmt: skip
    dark = (0, 0, 0) if sum(colour) > 300 else (255, 255, 255)
    left, top, right, low = draw.multiline_textbbox((0, 0), text, font, stroke_width=rim)
    wide, high = right - left, low - top
    x, y = _place(rng, (width, height), (wide, high), sort)
    if sort in ("boxed", "interface"):
        pad = round(0.4 * size)
        box = (x - pad, y - pad, x + wide + pad, y + high + pad)
        alpha = 255 if sort == "interface" else int(rng.integers(90, 200))
        draw.rounded_rectangle(box, pad if sort == "interface" else 0, (*dark, alpha))
    if sort == "shadowed":
        step = max(1, round(0.05 * size))
        draw.multiline_text((x - left + step, y - top + step), text, (*dark, 160), font)
    draw.multiline_text(
        (x - left, y - top), text, (*colour, 255), font, stroke_width=rim, stroke_fill=(*dark, 255),
        align="center",
    )  # fmt: skip
    if sort in ("transparent", "mark"):
        opacity = rng.uniform(0.3, 0.7)
        ink.putalpha(ink.getchannel("A").point([round(opacity * a) for a in range(256)]))
    out = np.asarray(Image.alpha_composite(base.convert("RGBA"), ink).convert("RGB"))
    change = np.abs(out.astype(np.int16) - photograph).max(axis=2)
    return Laid(np.ascontiguousarray(out), change >= SEEN)


def _place(
    rng: np.random.Generator, size: tuple[int, int], text: tuple[int, int], sort: str
) -> tuple[int, int]:
    """Subtitles stand low, marks in corners or in the middle, the rest anywhere."""
    room = [max(1, a - b) for a, b in zip(size, text, strict=True)]
    x, y = (float(v) for v in rng.random(2))
    if sort in ("outlined", "shadowed", "boxed"):
        x, y = 0.5, rng.uniform(0.85, 0.95)
    elif sort == "mark" and rng.random() < 0.6:
        x, y = float(rng.choice([0.03, 0.97])), float(rng.choice([0.03, 0.97]))
    return round(x * room[0]), round(y * room[1])


def photographs(folder: Path, split: str) -> Iterator[tuple[str, Frame]]:
    rows = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    if split == "kept":
        rows = [row for row in rows if row["split"] == "train"][::KEPT_BACK]
    else:
        rows = [row for row in rows if row["split"] == split]
    with Decoder() as decoder:
        for row in rows:
            yield row["path"], decoder.picture(folder / row["path"]).pixels


def found_of(laid: Laid) -> tuple[float, float]:
    """Share of what is seen of it that is found, and share of the picture that is found."""
    found = find_overlay(laid.pixels)
    if found is None:
        return 0.0, 0.0
    return float(found[laid.where].mean()), float(found.mean())


def measured(task: Task) -> Measured:
    """What of one photograph is held as it is, and with lettering of every sort over it."""
    cv2.setNumThreads(1)
    clock = time.process_time()
    found = find_overlay(task.pixels)
    seconds, rows = time.process_time() - clock, []
    for j, sort in enumerate(SORTS if task.number >= 0 else ()):
        font = task.fonts[(task.number + 3 * j) % len(task.fonts)]
        laid = lay(task.pixels, sort, font, 100 * task.number + j)
        if laid.where.sum() < 40:
            continue
        held, share = found_of(laid)
        rows.append({"picture": task.name, "sort": sort, "font": font.stem, "held": round(held, 4),
                     "of_picture": round(share, 4)})  # fmt: skip
    return Measured(0.0 if found is None else round(float(found.mean()), 4), seconds, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--fonts", type=Path, required=True)
    parser.add_argument("--split", default="kept")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    pictures = dict(photographs(args.photos, args.split))
    fonts = tuple(sorted(args.fonts.glob("*.[ot]tf")))
    step = max(1, len(pictures) // PICTURES)
    chosen = {name: k for k, name in enumerate(list(pictures)[::step][:PICTURES])}
    tasks = [Task(name, pixels, fonts, chosen.get(name, -1)) for name, pixels in pictures.items()]
    with ProcessPoolExecutor(args.processes) as pool:
        found = dict(zip(pictures, pool.map(measured, tasks), strict=True))
    alarms = {name: one.held for name, one in found.items() if one.held}
    rows = [row for one in found.values() for row in one.rows]
    seconds = [one.seconds for one in found.values()]
    result = {
        "split": args.split,
        "photographs": len(pictures),
        "held_of_plain_photographs": alarms,
        "over_a_hundredth": sum(share > 0.01 for share in alarms.values()),
        "cpu_seconds_a_picture": round(float(np.median(seconds)), 3),
        "sorts": {sort: summary([r for r in rows if r["sort"] == sort]) for sort in SORTS},
        "asian": summary([r for r in rows if "CJK" in r["font"]]),
        "rows": rows,
    }
    print(json.dumps({k: v for k, v in result.items() if k != "rows"}, indent=1))
    if args.out:
        args.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


def summary(rows: list[dict[str, Any]]) -> dict[str, float]:
    held = np.array([row["held"] for row in rows] or [np.nan])
    return {
        "count": len(rows),
        "mean": round(float(held.mean()), 4),
        "median": round(float(np.median(held)), 4),
        "below_0.97": int((held < 0.97).sum()),
        "below_half": int((held < 0.5).sum()),
        "beside": round(float(np.mean([row["of_picture"] for row in rows])), 4),
    }


if __name__ == "__main__":
    main()
