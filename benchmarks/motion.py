"""Sampled motion against the true motion of held-out clips, beside null baselines, as JSON.

    vivant prepare CLIPS --split val --out shards/val
    python benchmarks/motion.py shards/val [--model builtin] [--samples 8] [--out motion.json]

From the picture alone, no hints. ``predicted`` is what the networks expect; ``rendered`` is
what the renderer is given, where solid things sway on the spot instead of driving off.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from vivant.clip import Floats, Picture
from vivant.controls.types import Controls
from vivant.data.shards import read_samples
from vivant.evaluation.baselines import BASELINES
from vivant.evaluation.hints import obedience
from vivant.evaluation.motion import Truth, evaluate, summary, truth_of
from vivant.motion.model import MotionModel
from vivant.registry import spec_of
from vivant.request import Request


def rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in values.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shards", type=Path)
    parser.add_argument("--model", default="builtin")
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    truths = [t for s in read_samples(args.shards) if (t := truth_of(s)) is not None]
    model = spec_of(args.model).load(0)
    if not isinstance(model, MotionModel):
        raise SystemExit(f"{args.model} samples no motion fields")

    def request(truth: Truth, seed: int) -> Request:
        return Request(Picture(truth.window.image), seconds=2.0, seed=seed)

    def predicted(truth: Truth, seed: int) -> Floats:
        return model.predict_field(request(truth, seed)).velocity

    def rendered(truth: Truth, seed: int) -> Floats:
        return model.sample_field(request(truth, seed)).velocity

    def stroked(truth: Truth) -> Callable[[Controls], Floats]:
        return lambda c: model.sample_field(replace(request(truth, 0), controls=c)).velocity

    rows = evaluate(truths, predicted, args.samples)
    obeyed = [obedience(t, stroked(t), 0) for t in truths]
    report = {
        "hints": {
            "near": round(float(np.mean([o.near for o in obeyed])), 3),
            "region": round(float(np.mean([o.region for o in obeyed])), 3),
        },
        "predicted": rounded(summary(rows)),
        "rendered": rounded(summary(evaluate(truths, rendered, args.samples))),
        "baselines": {
            name: rounded(summary(evaluate(truths, null, args.samples)))
            for name, null in BASELINES.items()
        },
        "clips": {
            f"{t.name} {t.category}": rounded(asdict(row))
            for t, row in zip(truths, rows, strict=True)
        },
    }
    text = json.dumps(report, indent=1)
    if args.out:
        args.out.write_text(text + "\n", "utf-8")
    print(text)


if __name__ == "__main__":
    main()
