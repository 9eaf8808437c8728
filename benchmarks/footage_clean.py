"""Is a model's clip clean after cleaning? Exactness, the jump after frame 0, and colour drift.

    python benchmarks/footage_clean.py --clips CLIPS --out clean.json [--sheet SHEET.png]

The first 2 s of every sixth clip of the splits (val and test, --split) are damaged as video models
damage them: reduced to 0.6 and back, softened, another gain and offset, a drift of colour that
grows (gain, cast, contrast), H.264 at CRF 26. Copies of the first frame that begin a clip are left
out. ``jump``: mean change from frame 0 to 1 over that of the true clip. ``psnr``: to the true clip,
early (frames 1 to 6) and late (the last 6), damaged without drift and cleaned. ``end``: the
low-frequency error in the last frame, levels (mean over a grid of 8 x 8), with the drift and after
it is taken out. ``harm``: the same error that steadying brings to the undamaged clip.
"""

from __future__ import annotations

import json
from pathlib import Path

import av
import cv2
import numpy as np
from footage_clips import arguments, listed
from numpy.typing import NDArray

from vivant.clip import Frame
from vivant.media.assets import FileAssets
from vivant.metrics import psnr
from vivant.rendering.carried import carry
from vivant.rendering.drift import drift_of, steadied

SECONDS, EVERY = 2.0, 6
EDGE = 6
REPEATED = 0.5
"""Levels of change under which a frame is a copy of the one before."""


def softened(frames: list[Frame]) -> list[Frame]:
    out = []
    for frame in frames:
        h, w = frame.shape[:2]
        small = cv2.resize(frame, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
        soft = cv2.GaussianBlur(
            cv2.resize(small, (w, h), interpolation=cv2.INTER_CUBIC), (0, 0), 0.7
        )
        off = soft.astype(np.float32) * 0.96 + np.array([6, 2, -3], np.float32)
        out.append(np.clip(np.rint(off), 0, 255).astype(np.uint8))
    return out


def drifted(frames: list[Frame], rng: np.random.Generator) -> list[Frame]:
    """Half a stop down or up, a cast, more contrast, growing with time and bent."""
    gain = 2 ** rng.choice([-0.5, 0.35])
    cast = rng.uniform(-8, 8, 3)
    bend, contrast = rng.uniform(-0.4, 0.4), rng.uniform(0.9, 1.15)
    out = []
    for index, frame in enumerate(frames):
        t = index / (len(frames) - 1)
        t = t + bend * t * (1 - t)
        linear = frame.astype(np.float32) * (1 + t * (gain - 1))
        bent = (linear - 110) * (1 + t * (contrast - 1)) + 110 + t * cast
        out.append(np.clip(np.rint(bent), 0, 255).astype(np.uint8))
    return out


def coded(frames: list[Frame], path: Path) -> list[Frame]:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"crf": "26", "preset": "fast"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    with av.open(str(path)) as container:
        return [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]


def broad(a: Frame, b: Frame) -> float:
    """Low-frequency difference, levels."""
    small = [cv2.resize(x.astype(np.float32), (8, 8), interpolation=cv2.INTER_AREA) for x in (a, b)]
    return float(np.abs(small[0] - small[1]).mean())


def change(a: Frame, b: Frame) -> float:
    return float(np.abs(a.astype(np.float32) - b).mean())


def near(made: list[Frame], true: list[Frame]) -> tuple[float, float]:
    values = [psnr(a, b) for a, b in zip(made, true, strict=True)]
    return float(np.mean(values[1 : EDGE + 1])), float(np.mean(values[-EDGE:]))


def measured(
    true: list[Frame], rng: np.random.Generator, scratch: Path
) -> tuple[dict[str, object], list[Frame]]:
    soft = coded(softened(true), scratch)
    drift = coded(drifted(softened(true), rng), scratch)
    made = list(carry(true[0], soft))
    found = drift_of(drift)
    steady = list(carry(true[0], steadied(drift, found)))
    loose = list(carry(true[0], drift))
    none = drift_of(true)
    kept = list(steadied(true, none))
    row = {
        "exact": bool(np.array_equal(made[0], true[0]) and np.array_equal(steady[0], true[0])),
        "jump": change(made[1], made[0]) / change(true[1], true[0]),
        "jump steadied": change(steady[1], steady[0]) / change(true[1], true[0]),
        "psnr damaged": near(soft, true),
        "psnr cleaned": near(made, true),
        "end drifted": broad(loose[-1], true[-1]),
        "end steadied": broad(steady[-1], true[-1]),
        "found": found.amount,
        "harm": broad(kept[-1], true[-1]),
    }
    sheet = [np.hstack([f[k] for k in (0, 1, len(true) // 2, -1)]) for f in (true, drift, steady)]
    return row, np.vstack(sheet)


def summary(rows: list[dict[str, object]]) -> dict[str, object]:
    def values(name: str) -> NDArray[np.float64]:
        return np.array([row[name] for row in rows], float)

    out: dict[str, object] = {"clips": len(rows), "exact": all(row["exact"] for row in rows)}
    for name in ("jump", "jump steadied", "end drifted", "end steadied", "harm"):
        found = values(name)
        out[name] = {
            "median": round(float(np.median(found)), 2),
            "worst": round(float(found.max()), 2),
        }
    for name in ("psnr damaged", "psnr cleaned"):
        out[name] = [round(float(x), 2) for x in values(name).mean(0)]
    return out


def main() -> None:
    args = arguments(__doc__.splitlines()[0], most=10, every=EVERY)
    chosen = listed(args)[:: args.every]
    rows, sheets = [], []
    for source in chosen[: args.most]:
        with FileAssets() as assets:
            frames = list(assets.frames(assets.add(source.path, "clip")))
        while change(frames[1], frames[0]) < REPEATED and len(frames) > 2:
            frames = frames[1:]
        scratch = args.out.with_suffix(".part.mp4")
        rng = np.random.default_rng(int(source.facts["sha256"][:8], 16))
        found, sheet = measured(frames[: round(SECONDS * source.facts["fps"])], rng, scratch)
        scratch.unlink()
        rows.append({"path": source.facts["path"], **found})
        sheets.append(cv2.resize(sheet, (1600, round(1600 * sheet.shape[0] / sheet.shape[1]))))
        print(json.dumps(rows[-1]), flush=True)
    report = {"summary": summary(rows), "rows": rows}
    args.out.write_text(json.dumps(report, indent=1))
    print(json.dumps(report["summary"]))
    if args.sheet is not None:
        cv2.imwrite(str(args.sheet), cv2.cvtColor(np.vstack(sheets), cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    main()
