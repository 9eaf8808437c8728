"""How a video model's clip is finished: on real clips, damaged as such models damage them.

    python benchmarks/adapters.py --clips CLIPS --out adapters.json [--sheet sheet.png] [--count 20]

A stub takes the place of the model: asked to animate the first frame of a real clip, it returns
that clip at half size, or that and softened, off-colour from the start, drifting by half a stop, a
cast and contrast. What `vivant.adapters` makes of it is compared with the real clip: PSNR over time
beside the returned clip enlarged (as it is, and with the same colours held); the jump from frame 0
to 1 beside the real one; the low-frequency error of colour at the end, against the real clip and,
where its light itself changes, against that clip with its own change undone, whichever is nearer:
what holds the colours of the first frame cannot know which of both was meant.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vivant.adapters.families import Family, family_named
from vivant.adapters.host import Job, Part, Sampled
from vivant.adapters.layout import Checkpoint
from vivant.adapters.memory import GIB, Machine, Placement
from vivant.adapters.model import VideoModel
from vivant.clip import Frame
from vivant.controls.entry import Control
from vivant.controls.finish import Rendered, SteadyColour
from vivant.media.assets import FileAssets
from vivant.rendering.drift import drift_of, steadied
from vivant.request import Hooks, Keyframe, ModelIdentity, Request, Runtime, Target

FPS, COUNT = 8, 21
TIMES = (0.25, 0.5, 1.0, 2.0)
MOST_JUMP, MOST_TONE = 1.2, 6.0
"""What is asked for: times the real change, and levels."""
WAYS: dict[str, tuple[Control, ...]] = {
    "hybrid": (Rendered("hybrid"),),
    "model, steady": (Rendered("model"), SteadyColour()),
    "hybrid, steady": (Rendered("hybrid"), SteadyColour()),
}


@dataclass(frozen=True)
class Stub:
    """A model that returns ``frames`` whatever it is asked."""

    frames: list[Frame]

    def machine(self) -> Machine:
        return Machine("cpu", "the CPU", 64 * GIB, 64 * GIB)

    def loads(self, folder: str, family: str, placement: Placement) -> Mapping[str, Part]:
        return {}

    def sampled(self, job: Job, placement: Placement, hooks: Hooks) -> Sampled:
        return Sampled(self.frames)


def family_for(size: tuple[int, int]) -> Family:
    """A family that works at half of ``size`` (width, height), whose sides are multiples of 4."""
    row = family_named("wan-2.1")
    return replace(row, fps=FPS, most=COUNT, multiple=2, area=size[0] * size[1] // 4)


def damaged(frame: Frame, t: float, all_of_it: bool) -> Frame:
    """Half the size; with ``all_of_it`` softer, off-colour, and drifting with ``t`` (0..1)."""
    size = frame.shape[1] // 2, frame.shape[0] // 2
    half = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    if not all_of_it:
        return np.asarray(half, np.uint8)
    soft = cv2.GaussianBlur(half, (0, 0), 0.8).astype(np.float32)
    soft = 0.97 * soft + np.array([5, -2, 3])
    light = 2 ** (-0.5 * t / 2.2)
    drifted = (soft - 128 * 0.06 * t) * (1 - 0.06 * t) * light + 128 * 0.06 * t
    return np.clip(drifted + np.array([7, 0, -7]) * t, 0, 255).astype(np.uint8)


def real_clip(path: Path, fps: float) -> list[Frame]:
    """21 frames at 8 a second, sides cut to multiples of 4."""
    wanted = [round(k * fps / FPS) for k in range(COUNT)]
    with FileAssets() as assets:
        frames = list(assets.frames(assets.add(path, "clip")))
    if len(frames) <= wanted[-1]:
        return []
    h, w = (side // 4 * 4 for side in frames[0].shape[:2])
    return [np.ascontiguousarray(frames[k][:h, :w]) for k in wanted]


def finished(
    real: list[Frame], returned: list[Frame], controls: tuple[Control, ...]
) -> list[Frame]:
    size = real[0].shape[1], real[0].shape[0]
    family = family_for(size)
    nothing = Checkpoint(Path(), family.pipeline, {}, {"none": {}}, "none", "")
    own = ModelIdentity("stub", "1", "0" * 64)
    video = VideoModel(own, nothing, family, Runtime(), Stub(returned), _none)
    with FileAssets() as assets:
        image = Keyframe(assets.add_pixels(real[0], "picture"))
        request = Request((image,), controls, COUNT / FPS, size="source")
        plan = video.plan(request, assets, Target())
        with video.generate(request, plan, assets, Hooks()).open() as stream:
            return list(stream)


def _none() -> Any:
    raise NotImplementedError("no draft is asked for")


def enlarged(frames: list[Frame], size: tuple[int, int]) -> list[Frame]:
    return [cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC) for frame in frames]


def psnr(a: Frame, b: Frame) -> float:
    return float(10 * np.log10(255**2 / max(1e-3, np.mean((a.astype(np.float32) - b) ** 2))))


def tone(a: Frame, b: Frame) -> float:
    """Low-frequency difference, levels."""
    size = (8, 8)
    low = [cv2.resize(one, size, interpolation=cv2.INTER_AREA).astype(float) for one in (a, b)]
    return float(np.abs(low[0] - low[1]).mean())


def change(a: Frame, b: Frame) -> float:
    return float(np.abs(a.astype(np.float32) - b).mean())


def measured(real: list[Frame], light: Frame, made: list[Frame]) -> dict[str, Any]:
    """``light``: the last real frame in the light of the first."""
    at = [round(t * FPS) for t in TIMES]
    return {
        "exact": bool(np.array_equal(real[0], made[0])),
        "jump": change(made[0], made[1]) / max(0.05, change(real[0], real[1])),
        "tone": tone(real[-1], made[-1]),
        "held": min(tone(one, made[-1]) for one in (real[-1], light)),
        "psnr": [psnr(real[k], made[k]) for k in at],
        "mean": float(np.mean([psnr(r, m) for r, m in zip(real[1:], made[1:], strict=True)])),
    }


def of_clip(real: list[Frame], all_of_it: bool) -> tuple[dict[str, Any], dict[str, list[Frame]]]:
    size = real[0].shape[1], real[0].shape[0]
    returned = [damaged(frame, k / (COUNT - 1), all_of_it) for k, frame in enumerate(real)]
    held = list(steadied(returned, drift_of(returned)))
    clips = {"returned": enlarged(returned, size), "returned, steady": enlarged(held, size)}
    clips |= {
        name: finished(real, returned, controls)
        for name, controls in WAYS.items()
        if all_of_it or name == "hybrid"
    }
    light = drift_of(real, guarded=False).undone(real[-1], 1.0)
    return {name: measured(real, light, made) for name, made in clips.items()}, clips


@dataclass(frozen=True)
class Found:
    """Of one clip: by how many levels its own light changes, what is measured of both stubs, and a
    row of pictures."""

    name: str
    light: float
    half: dict[str, Any]
    full: dict[str, Any]
    sheet: Frame

    def row(self) -> dict[str, Any]:
        """What tells which clips are behind the worst figures."""
        own = self.full["hybrid, steady"]
        return {"clip": self.name, "light": _two(self.light)} | {
            what: _two(own[what]) for what in ("jump", "tone", "held")
        }

    def said(self) -> str:
        what = ("mean", "jump", "tone", "held")
        ways = {k: [_two(v[w]) for w in what] for k, v in self.full.items()}
        return f"{self.name} {self.light:.1f} {ways}"


def both(path: Path, fps: float) -> Found | None:
    """None where a clip is too short."""
    cv2.setNumThreads(1)
    real = real_clip(path, fps)
    if not real:
        return None
    half, _ = of_clip(real, False)
    full, clips = of_clip(real, True)
    return Found(path.name, tone(real[0], real[-1]), half, full, sheet_row(real, clips, 16))


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    found = {}
    for name in rows[0]:
        own = [row[name] for row in rows]
        jumps, tones, held = ([one[what] for one in own] for what in ("jump", "tone", "held"))
        found[name] = {
            "exact": sum(one["exact"] for one in own),
            "jump": _spread(jumps, MOST_JUMP),
            "tone": _spread(tones, MOST_TONE),
            "tone besides the clip's own light": _spread(held, MOST_TONE),
            "psnr": {f"{t:g} s": _two(np.mean([one["psnr"][k] for one in own]))
                     for k, t in enumerate(TIMES)},
            "mean": _two(np.mean([one["mean"] for one in own])),
        }  # fmt: skip
    for ending in ("", ", steady"):
        if f"hybrid{ending}" in rows[0]:
            pairs = [
                (row[f"hybrid{ending}"]["mean"], row[f"returned{ending}"]["mean"]) for row in rows
            ]
            gains = [ours - theirs for ours, theirs in pairs]
            found[f"hybrid over returned{ending}, dB"] = {
                "mean": _two(np.mean(gains)), "median": _two(np.median(gains)),
                "least": _two(min(gains)),
            }  # fmt: skip
    return found


def _spread(values: list[float], most: float) -> dict[str, float]:
    within = sum(value <= most for value in values)
    return {"median": _two(np.median(values)), "worst": _two(max(values)), f"<= {most:g}": within}


def _two(value: float) -> float:
    return round(float(value), 2)


def sheet_row(real: list[Frame], clips: dict[str, list[Frame]], at: int) -> Frame:
    ways = ("returned", "returned, steady", "model, steady", "hybrid, steady")
    shown = [real[0], real[at], *(clips[way][at] for way in ways)]
    return np.concatenate([cv2.resize(one, (426, 240)) for one in shown], axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--split", default="val")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    rows = [json.loads(line) for line in (args.clips / "manifest.jsonl").read_text().splitlines()]
    rows = [row for row in rows if row["split"] == args.split]
    asked = [(args.clips / row["path"], float(row["fps"])) for row in rows]
    half, full, sheet, names, rest = [], [], [], [], []
    with ProcessPoolExecutor(args.jobs) as pool:
        for found in pool.map(both, *zip(*asked, strict=True)):
            if found is None:
                continue
            names.append(found.name)
            rest.append(found.row())
            half.append(found.half)
            full.append(found.full)
            sheet.append(found.sheet)
            print(found.said(), flush=True)
            if len(names) == args.count:
                pool.shutdown(cancel_futures=True)
                break
    worse = "half size, soft, off-colour, drifting"
    report = {"clips": names, "half size": summary(half), worse: summary(full), "each": rest}
    args.out.write_text(json.dumps(report, indent=1) + "\n")
    if args.sheet:
        cv2.imwrite(str(args.sheet), np.concatenate(sheet)[..., ::-1])
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
