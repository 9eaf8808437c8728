"""How motion is sampled: solver, steps, shift and guidance, quality against time.

    python benchmarks/sampling.py shards/val [--model builtin] [--out results.jsonl]

The first window of each validation clip that counts, eight seeds, one thread; one JSON line a
setting, the released setting first.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from experiments import cases_of, measure

from vivant.motion.model import MotionModel
from vivant.motion.sampler import open_networks, see
from vivant.registry import load

SETTINGS: tuple[dict[str, Any], ...] = (
    {},
    {"steps": 12},
    {"steps": 4},
    {"solver": "euler", "steps": 12},
    {"solver": "euler", "steps": 6},
    {"solver": "euler", "steps": 4},
    {"shift": 1.0},
    {"shift": 0.5},
    {"guidance": 1.0},
    {"guidance": 2.5},
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("val", type=Path)
    parser.add_argument("--model", default="builtin")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    model = load(args.model)
    if not isinstance(model, MotionModel):
        raise SystemExit(f"{args.model} samples no motion fields")
    networks = open_networks(model.bundle, 1)
    first = {case.clip: case for case in reversed(list(cases_of(args.val)))}
    cases = list(first.values())
    seen = [see(networks, case.window.image) for case in cases]
    for setting in SETTINGS:
        options = replace(networks.options, **setting)
        row = {"setting": setting} | measure(replace(networks, options=options), cases, seen)
        line = json.dumps(row)
        print(line, flush=True)
        if args.out:
            with args.out.open("a", encoding="utf-8") as file:
                file.write(line + "\n")


if __name__ == "__main__":
    main()
