"""Do loops of footage close without a seam?

    python benchmarks/footage_loop.py --clips CLIPS --out loop.json [--sheet SHEET.png]

20 clips of the splits (every fourth of val and test, --split). ``seam``: mean change from the last
frame to the first over the median step of the loop; ``closing``: the largest step while it closes
over the same; ``sharp``: the least gradient energy while it closes over the median elsewhere;
``dissolve``: the same of a cross-fade at the same place. A sheet shows, clip by clip, what goes
over into what (first and last column) and the closing.
"""

from __future__ import annotations

import itertools
import json
import os

import cv2
import numpy as np
from footage_clips import arguments, listed

from vivant.asset import Asset
from vivant.clip import Frame
from vivant.controls.edits import Looped
from vivant.footage.cut import best_cut
from vivant.footage.loop import looped
from vivant.footage.retime import faded
from vivant.footage.source import footage_of
from vivant.media.assets import FileAssets
from vivant.request import Keyframe, Request, Target

COLUMNS = (0.25, 0.5, 0.75)


def change(a: Frame, b: Frame) -> float:
    return float(cv2.absdiff(a, b).mean())


def energy(frame: Frame) -> float:
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    slopes = [cv2.Sobel(grey, cv2.CV_32F, *order, ksize=1) for order in ((1, 0), (0, 1))]
    return float((slopes[0] ** 2 + slopes[1] ** 2).mean())


def measured(asset: Asset, assets: FileAssets) -> tuple[dict[str, object], Frame]:
    request = Request((Keyframe(asset),), (Looped(),), model="footage")
    loop = list(looped(request, assets, Target()).frames())
    footage = footage_of(request, assets, Target())
    begin, stop = max(footage.shots, key=lambda shot: shot[1] - shot[0])
    cut = best_cut(footage.small[begin:stop], footage.info.fps)
    whole = list(footage.frames())[begin:stop]
    lead = whole[cut.start - cut.blend : cut.start]
    tail = whole[cut.stop - cut.blend : cut.stop]
    plain = [
        faded(a, b, (k + 1) / (cut.blend + 1))
        for k, (a, b) in enumerate(zip(tail, lead, strict=True))
    ]
    steps = [change(a, b) for a, b in itertools.pairwise(loop)]
    typical = float(np.median(steps[: -cut.blend] or steps))
    sharp = [energy(frame) for frame in loop]
    usual = float(np.median(sharp[: -cut.blend] or sharp))
    row = {
        "frames": len(loop),
        "blend": cut.blend,
        "apart": round(cut.apart, 1),
        "seam": round(change(loop[-1], loop[0]) / max(typical, 0.1), 3),
        "closing": round(
            max([*steps[-cut.blend :], change(loop[-1], loop[0])]) / max(typical, 0.1), 3
        ),
        "sharp": round(min(sharp[-cut.blend :]) / usual, 3),
        "dissolve": round(min(energy(frame) for frame in plain) / usual, 3),
    }
    chosen = [int(share * cut.blend) for share in COLUMNS]
    shown = [tail[cut.blend // 2], *(loop[-cut.blend + k] for k in chosen), lead[cut.blend // 2]]
    return row, np.hstack([cv2.resize(f, (400, 225), interpolation=cv2.INTER_AREA) for f in shown])


def main() -> None:
    args = arguments(__doc__.splitlines()[0], most=20, every=4)
    chosen = listed(args)[:: args.every]
    rows, sheets = [], []
    for row in chosen[: args.most]:
        with FileAssets() as assets:
            found, sheet = measured(assets.add(args.clips / row["path"], "clip"), assets)
        rows.append({"path": row["path"], "category": row["category"], **found})
        sheets.append(sheet)
        print(json.dumps(rows[-1]), flush=True)
        if args.sheet is not None:
            cv2.imwrite(os.fspath(args.sheet), np.vstack(sheets)[..., ::-1])
    names = ("seam", "closing", "sharp", "dissolve")
    summary = {
        name: [round(float(f([row[name] for row in rows])), 3) for f in (np.median, np.min, np.max)]
        for name in names
    }
    summary["seam within a median step"] = sum(row["seam"] <= 1 for row in rows)
    args.out.write_text(json.dumps({"summary": summary, "rows": rows}, indent=1))
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
