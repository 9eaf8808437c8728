"""Do loops of footage close without a seam?

    python benchmarks/footage_loop.py --clips CLIPS --out loop.json [--sheet SHEET.png]

20 clips of the splits (every fourth of val and test, --split). ``seam``: mean change from the last
frame to the first over the median step of the loop. Of those that close: ``closing``, the largest
step while it closes over the same; ``sharp``, the least gradient energy while it closes over the
median elsewhere; ``dissolve``, the same of a cross-fade at the same place. ``back``: what goes
forth and back, since it never looks the same again. A sheet shows, clip by clip, what goes over
into what (first and last column) and the closing; or a way forth and back. With ``--seams`` nothing
is made: the last frame of a loop that closes is a filmed one, and so are the steps.
"""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

import cv2
import numpy as np
from footage_clips import listed, parser_of

from vivant.asset import Asset
from vivant.clip import Frame
from vivant.controls.edits import Looped
from vivant.footage.cut import best_cut
from vivant.footage.forth import forth_and_back
from vivant.footage.loop import looped, never_again
from vivant.footage.retime import faded, shown
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


def seam_of(asset: Asset, assets: FileAssets) -> dict[str, object]:
    """The seam of a loop, by filmed frames alone."""
    request = Request((Keyframe(asset),), (Looped(),), model="footage")
    footage = footage_of(request, assets, Target())
    begin, stop = max(footage.shots, key=lambda shot: shot[1] - shot[0])
    seen = footage.small[begin:stop]
    cut = best_cut(seen, footage.info.fps)
    whole = list(footage.frames(begin, stop))
    row: dict[str, object] = {"apart": round(cut.apart, 1), "back": never_again(seen, cut)}
    if row["back"]:
        forth = forth_and_back(0, len(whole), footage.info.fps)
        row["frames"], filmed = forth.count, whole
        first, last = shown(iter(whole[:2]), map(float, forth.places[:2]))
    else:
        row["frames"], filmed = cut.count, whole[cut.start : cut.stop - cut.blend]
        first, last = whole[cut.start], whole[cut.start - 1]
    typical = float(np.median([change(a, b) for a, b in itertools.pairwise(filmed)]))
    row["seam"] = round(change(last, first) / max(typical, 0.1), 3)
    return row


def measured(asset: Asset, assets: FileAssets) -> tuple[dict[str, object], Frame]:
    request = Request((Keyframe(asset),), (Looped(),), model="footage")
    loop = list(looped(request, assets, Target()).frames())
    footage = footage_of(request, assets, Target())
    begin, stop = max(footage.shots, key=lambda shot: shot[1] - shot[0])
    seen = footage.small[begin:stop]
    cut = best_cut(seen, footage.info.fps)
    row: dict[str, object] = {"frames": len(loop), "apart": round(cut.apart, 1)}
    row["back"] = never_again(seen, cut)
    if row["back"]:
        steps = [change(a, b) for a, b in itertools.pairwise(loop)]
        row["seam"] = round(change(loop[-1], loop[0]) / max(float(np.median(steps)), 0.1), 3)
        return row, sheet_of([loop[k * (len(loop) - 1) // 8] for k in range(5)])
    whole = list(footage.frames())[begin:stop]
    lead = whole[cut.start - cut.blend : cut.start]
    tail = whole[cut.stop - cut.blend : cut.stop]
    chosen = [int(share * cut.blend) for share in COLUMNS]
    columns = [tail[cut.blend // 2], *(loop[-cut.blend + k] for k in chosen), lead[cut.blend // 2]]
    return row | closing(loop, tail, lead), sheet_of(columns)


def closing(loop: list[Frame], tail: list[Frame], lead: list[Frame]) -> dict[str, object]:
    """How a loop closes, in which ``tail`` turns into ``lead``."""
    blend = len(tail)
    plain = [
        faded(a, b, (k + 1) / (blend + 1)) for k, (a, b) in enumerate(zip(tail, lead, strict=True))
    ]
    steps = [change(a, b) for a, b in itertools.pairwise(loop)]
    typical = max(float(np.median(steps[:-blend] or steps)), 0.1)
    sharp = [energy(frame) for frame in loop]
    usual = float(np.median(sharp[:-blend] or sharp))
    seam = change(loop[-1], loop[0])
    return {
        "blend": blend,
        "seam": round(seam / typical, 3),
        "closing": round(max([*steps[-blend:], seam]) / typical, 3),
        "sharp": round(min(sharp[-blend:]) / usual, 3),
        "dissolve": round(min(energy(frame) for frame in plain) / usual, 3),
    }


def sheet_of(shown: list[Frame]) -> Frame:
    return np.hstack([cv2.resize(f, (400, 225), interpolation=cv2.INTER_AREA) for f in shown])


def main() -> None:
    parser = parser_of(__doc__.splitlines()[0], most=20)
    parser.add_argument("--every", type=int, default=4)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--seams", action="store_true")
    args = parser.parse_args()
    chosen = listed(args)[:: args.every]
    rows, sheets = [], []
    for source in chosen[: args.most]:
        with FileAssets() as assets:
            clip = assets.add(source.path, "clip")
            found, sheet = (seam_of(clip, assets), None) if args.seams else measured(clip, assets)
        facts = {name: source.facts[name] for name in ("path", "category")}
        rows.append({**facts, **found})
        print(json.dumps(rows[-1]), flush=True)
        if args.sheet is not None and sheet is not None:
            sheets.append(sheet)
            cv2.imwrite(os.fspath(args.sheet), np.vstack(sheets)[..., ::-1])
    summary: dict[str, object] = {
        "clips": len(rows),
        "forth and back": sum(row["back"] for row in rows),
        "seam within a median step": sum(row["seam"] <= 1 for row in rows),
    }
    for name in ("seam", "closing", "sharp", "dissolve"):
        values = [row[name] for row in rows if name in row]
        if values:
            summary[name] = [round(float(f(values)), 3) for f in (np.median, np.min, np.max)]
    args.out.write_text(json.dumps({"summary": summary, "rows": rows}, indent=1))
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
