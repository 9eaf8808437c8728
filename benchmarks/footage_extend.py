"""Does footage go on as it would have? The first half of clips, continued, against the second.

    python benchmarks/footage_extend.py --clips CLIPS --out extend.json [--sheet SHEET.png]

Every second clip of the splits (val and test, --split) of 2.1 s or more (38), cut in the middle.
``epe``: mean over the picture (short sides, at most 0.5 each) of the distance between where what
the last frame shows is after 1 s and where it truly is, both by chained dense flow over the
frames: ``extend`` this continuation, ``last`` the velocity between the last two frames repeated,
``picture`` the picture-only sampler on the last frame, ``still`` nothing moves. ``seam``: the step
at the cut over the median step of the second before it: position (mean change), colour (of the
mean), sharpness (of the log gradient energy), noise (of the deviation of fine detail in flat
places); ``next``: the same of the true next frame.
"""

from __future__ import annotations

import json
import os
from itertools import pairwise

import cv2
import numpy as np
from footage_clips import arguments, listed

import vivant
from vivant.clip import Floats, Frame
from vivant.footage.extend import continued, remembered
from vivant.footage.piece import Sampler
from vivant.media.assets import FileAssets
from vivant.registry import load

SHORT, CAP = 144, 0.5
LEAST_STEP = {"position": 0.1, "colour": 0.05, "sharpness": 0.005, "noise": 0.02}
"""What no eye sees: smaller steps count as so large."""


def grey(frame: Frame) -> Frame:
    scale = SHORT / min(frame.shape[:2])
    small = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)


def chained(frames: list[Frame]) -> Floats:
    """Where what the first frame shows has come by the last, short sides ``[h, w, 2]``."""
    small = [grey(frame) for frame in frames]
    h, w = small[0].shape
    y, x = np.mgrid[:h, :w].astype(np.float32)
    at = np.dstack([x, y])
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    for k in range(len(small) - 1):
        flow = search.calc(small[k], small[k + 1], None)
        at = at + cv2.remap(flow, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray((at - np.dstack([x, y])) / SHORT, np.float32)


def epe(a: Floats, b: Floats) -> float:
    return float(np.minimum(np.linalg.norm(a - b, axis=2), CAP).mean())


def states(frames: list[Frame]) -> dict[str, list[float]]:
    """What the measures of a seam look at, frame by frame."""
    found: dict[str, list[float]] = {"colour": [], "sharpness": [], "noise": []}
    for frame in frames:
        plane = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
        slopes = [cv2.Sobel(plane, cv2.CV_32F, *order, ksize=1) for order in ((1, 0), (0, 1))]
        found["colour"].append(float(plane.mean()))
        found["sharpness"].append(float(np.log((slopes[0] ** 2 + slopes[1] ** 2).mean() + 1)))
        fine = plane - cv2.GaussianBlur(plane, (0, 0), 1.0)
        found["noise"].append(float(np.sqrt(np.percentile(cv2.blur(fine**2, (9, 9)), 20))))
    return found


def seam(before: list[Frame], after: Frame) -> dict[str, float]:
    """Steps at the cut over the median step before it."""
    frames = [*before, after]
    steps = {name: np.abs(np.diff(values)) for name, values in states(frames).items()}
    steps["position"] = np.array([float(cv2.absdiff(a, b).mean()) for a, b in pairwise(frames)])
    return {
        name: round(
            float(max(s[-1], LEAST_STEP[name]) / max(np.median(s[:-1]), LEAST_STEP[name])), 3
        )
        for name, s in steps.items()
    }


def measured(frames: list[Frame], fps: float, model: Sampler) -> tuple[dict[str, object], Frame]:
    rate = round(fps)
    cut = len(frames) // 2
    span = remembered(fps, (frames[0].shape[1], frames[0].shape[0]))
    known, truth = frames[max(0, cut - span + 1) : cut + 1], frames[cut : cut + rate + 1]
    more = continued(known, fps, model)
    made = [known[-1], *(more.at(k / fps, k) for k in range(1, rate + 1))]
    clip = vivant.animate(known[-1], seconds=(rate + 1) / fps, fps=fps, size="source", consent=True)
    alone = list(clip.frames())
    true = chained(truth)
    last = chained(known[-2:]) * np.float32(fps)
    found = {
        "extend": epe(chained(made), true),
        "last": epe(last, true),
        "picture": epe(chained(alone), true),
        "still": epe(np.zeros_like(true), true),
    }
    late = known[-rate:]
    row = {"epe": {k: round(v, 4) for k, v in found.items()}, "seam": seam(late, made[1])}
    row["next"] = seam(late, truth[1])
    row["cycle"] = None if more.cycle is None else more.cycle.period
    shown = [known[-1], made[1], made[rate // 2], made[-1], truth[-1], alone[rate]]
    sheet = [cv2.resize(f, (320, 180), interpolation=cv2.INTER_AREA) for f in shown]
    return dict(row), np.asarray(np.hstack(sheet), np.uint8)


def seam_summary(rows: list[dict[str, dict[str, float]]]) -> dict[str, object]:
    return {
        which: {
            name: {
                "median": round(float(np.median([row[which][name] for row in rows])), 3),
                "within 1.1": round(float(np.mean([row[which][name] <= 1.1 for row in rows])), 3),
            }
            for name in LEAST_STEP
        }
        for which in ("seam", "next")
    }


def summary(rows: list[dict[str, dict[str, float]]]) -> dict[str, object]:
    out: dict[str, object] = {"clips": len(rows)}
    names = ("extend", "last", "picture", "still")
    table = {name: np.array([row["epe"][name] for row in rows]) for name in names}
    rng = np.random.default_rng(0)
    out["epe"] = {name: round(float(values.mean()), 4) for name, values in table.items()}
    for other in names[1:]:
        apart = table["extend"] - table[other]
        means = [rng.choice(apart, len(apart)).mean() for _ in range(2000)]
        interval = [round(float(x), 4) for x in np.percentile(means, (2.5, 97.5))]
        out[f"less {other}"] = {"interval": interval, "better": round(float((apart < 0).mean()), 3)}
    out |= seam_summary(rows)
    return out


def main() -> None:
    args = arguments(__doc__.splitlines()[0], most=40, every=2)
    long = [one for one in listed(args) if one.facts["frames"] >= 2.1 * one.facts["fps"]]
    chosen = long[:: args.every]
    model = load("builtin")
    assert isinstance(model, Sampler)
    done, sheets = [], []
    for source in chosen[: args.most]:
        with FileAssets() as assets:
            frames = list(assets.frames(assets.add(source.path, "clip")))
        found, sheet = measured(frames, source.facts["fps"], model)
        facts = {name: source.facts[name] for name in ("path", "category")}
        done.append({**facts, **found})
        sheets.append(sheet)
        print(json.dumps(done[-1]), flush=True)
        args.out.write_text(json.dumps({"summary": summary(done), "rows": done}, indent=1))
        if args.sheet is not None:
            cv2.imwrite(os.fspath(args.sheet), np.vstack(sheets)[..., ::-1])
    print(json.dumps(summary(done)))


if __name__ == "__main__":
    main()
