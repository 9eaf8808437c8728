"""What the motion field's network is made of, compared on the same validation clips.

    vivant prepare CLIPS --split train --procedural 240 --out shards/train
    vivant prepare CLIPS --split val --max-text 1 --out shards/val
    python benchmarks/experiments.py --out runs/experiments shards/train shards/val [NAME...]

Every variant differs from ``base`` in one thing, is trained for the same number of batches with
the same seeds, and is sampled under the motion map of the shipped bundle. One JSON line each is
appended to ``OUT/results.jsonl``; a variant that is there already is passed over.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from vivant.clip import Floats
from vivant.data.shards import read_samples
from vivant.data.windows import Window, windows_of
from vivant.evaluation import motion_scores as scores
from vivant.metrics import Bools, mean_cosine, moving_and_static
from vivant.motion.codec import Codec
from vivant.motion.drifts import MIN_CONFIDENCE
from vivant.motion.encoder import pretrained_encoder
from vivant.motion.map_head import FEATURES
from vivant.motion.model import MotionModel
from vivant.motion.sampler import Conditions, Networks, SamplerOptions, Seen, sample, see
from vivant.motion.steer import calibrate, plain_map
from vivant.motion.transformer import MotionTransformer, TransformerParams
from vivant.registry import load
from vivant.training.corpus import Part, build
from vivant.training.tasks import FieldOptions, FieldTask, measure_scales
from vivant.training.trainer import TrainOptions, train

SEEDS = 8
WINDOWS = 3
COMMON = 100
"""Shapes of which there are fewer views are left out: each is compiled anew."""


@dataclass(frozen=True)
class Variant:
    """``terms`` K of ``steps`` T, sizes of the network, ``share`` of the shots; ``pretraining``
    batches of procedural scenes before ``training`` batches of real ones."""

    terms: int = 12
    steps: int = 16
    dim: int = 256
    depth: int = 6
    heads: int = 4
    dropout: float = 0.1
    share: float = 1.0
    pretraining: int = 0
    training: int = 800
    seed: int = 0


VARIANTS = {
    "base": Variant(),
    "base, other seed": Variant(seed=1),
    "procedural first": Variant(pretraining=400, training=400),
    "all 16 terms": Variant(terms=16),
    "6 terms": Variant(terms=6),
    "1 s windows": Variant(terms=8, steps=8),
    "small": Variant(dim=128, depth=4, heads=2),
    "large": Variant(dim=384, depth=6, heads=6),
    "half of the shots": Variant(share=0.5),
    "quarter of the shots": Variant(share=0.25),
}


def corpus(folder: Path, cache: Path, *, squares: int, procedural: bool = False) -> list[Part]:
    """The views of a folder, encoded once and then memory-mapped."""
    if not cache.is_dir():
        encoder = pretrained_encoder().to(memory_format=torch.channels_last)
        for k, part in enumerate(build(folder, encoder, squares=squares, procedural=procedural)):
            (cache / str(k)).mkdir(parents=True)
            for field in fields(Part):
                np.save(cache / str(k) / f"{field.name}.npy", getattr(part, field.name))
    return [
        Part(**{f.name: np.load(place / f"{f.name}.npy", mmap_mode="c") for f in fields(Part)})
        for place in sorted(cache.iterdir())
    ]


def cut(parts: list[Part], steps: int, share: float) -> list[Part]:
    """The common shapes, the first ``steps`` steps and a share of the shots of ``parts``."""
    shots = np.unique(np.concatenate([part.source for part in parts] or [[]]))
    chosen = np.random.default_rng(1).permutation(shots)[: round(len(shots) * share)]

    def rows(part: Part, name: str) -> NDArray[Any]:
        values: NDArray[Any] = getattr(part, name)
        values = values[:, :steps] if name in ("velocity", "light") else values
        return values if share == 1 else values[np.isin(part.source, chosen)]

    return [
        Part(**{f.name: rows(part, f.name) for f in fields(Part)})
        for part in parts
        if len(part) >= COMMON
    ]


@dataclass(frozen=True)
class Case:
    """A held-out window and its moving cells; ``strict`` if it has enough static ones too."""

    clip: str
    window: Window
    moving: Bools
    strict: bool


def cases_of(val: Path) -> Iterator[Case]:
    """Up to three windows of each clip whose camera stands and in which something moves."""
    for shot in read_samples(val):
        found = 0
        for window in windows_of(shot):
            if window.camera_moves or found == WINDOWS:
                continue
            speed = np.linalg.norm(window.velocity, axis=1).mean(axis=0)
            sound = (window.gradient > 6) & (window.confidence > MIN_CONFIDENCE)
            moving = sound & (speed > max(0.3 * float(np.percentile(speed, 98)), 0.01))
            classes = moving_and_static(speed, window.gradient, window.confidence, 0.3)
            if moving.sum() >= 20:
                found += 1
                yield Case(shot.key, window, moving, classes is not None)


class TorchSession:
    """A network in place of its exported graph."""

    def __init__(self, network: nn.Module) -> None:
        self.network = network

    def run(self, _: None, inputs: dict[str, Floats]) -> list[Floats]:
        """The velocity, like ONNX Runtime's ``run``."""
        names = ("x", "t", "image", "use_image", "motion_map", "hints", "cos", "sin")
        with torch.no_grad():
            out = self.network(*(torch.from_numpy(np.asarray(inputs[n])).float() for n in names))
        return [np.asarray(out.numpy())]


def measure(networks: Networks, cases: list[Case], seen: list[Seen]) -> dict[str, Any]:
    """Scores over all cases and over the strict ones, clips counting alike."""
    rows: dict[str, list[dict[str, float]]] = {}
    strict = {case.clip for case in cases if case.strict}
    clock = time.process_time()
    for case, one in zip(cases, seen, strict=True):
        rows.setdefault(case.clip, []).append(case_scores(networks, case, one))
    seconds = (time.process_time() - clock) / len(cases) / SEEDS
    means = {
        clip: {k: float(np.mean([r[k] for r in per])) for k in per[0]} for clip, per in rows.items()
    }
    return {
        "cpu_seconds_a_sample": round(seconds, 2),
        "moving": table(list(means.values())),
        "strict": table([row for clip, row in means.items() if clip in strict]),
    }


def table(rows: list[dict[str, float]]) -> dict[str, float]:
    """Means over clips, and correlations across them."""
    across = {k: np.array([row[k] for row in rows]) for k in rows[0]}
    out = {k: float(v.mean()) for k, v in across.items()}
    out["drift_correlation"] = float(np.corrcoef(across["true_drift"], across["drift"])[0, 1])
    light = [np.log(across[k] + 1e-3) for k in ("true_light", "light")]
    out["light_correlation"] = float(np.corrcoef(*light)[0, 1])
    return {k: round(v, 3) for k, v in out.items()} | {"clips": len(rows)}


def case_scores(networks: Networks, case: Case, seen: Seen) -> dict[str, float]:
    """``coherence`` is the length of the mean over the mean length of what moves: 1 where all
    goes one way; ``light`` the standard deviation of the change of light in stops."""
    motion_map = plain_map(seen)
    none = np.zeros((2, *motion_map.shape), np.float32)
    pairs = [
        sample(networks, seen, Conditions(motion_map, none, none[0]), seed) for seed in range(SEEDS)
    ]
    samples = np.stack([calibrate(velocity, motion_map) for velocity, _ in pairs])
    true, moving = case.window.velocity[: samples.shape[1]], case.moving
    energy = scores.temporal_energy(true, moving)
    cosines = [mean_cosine(s.mean(0), true.mean(0), moving) for s in samples]

    def coherence(velocity: Floats) -> float:
        mean = velocity.mean(axis=0)[:, moving]
        return float(np.linalg.norm(mean.mean(axis=1)) / np.linalg.norm(mean, axis=0).mean())

    return {
        "direction_best": max(cosines),
        "direction_mean": float(np.mean(cosines)),
        "rhythm": float(
            np.mean([scores.rhythm(scores.temporal_energy(s, moving), energy) for s in samples])
        ),
        "endpoint_best": min(scores.endpoint_ratio(s, true, moving) for s in samples),
        "diversity": scores.diversity(samples, moving),
        "true_drift": scores.drift_share(true, moving),
        "drift": float(np.mean([scores.drift_share(s, moving) for s in samples])),
        "true_coherence": coherence(true),
        "coherence": float(np.mean([coherence(s) for s in samples])),
        "true_light": float(case.window.light[: len(true)].std()),
        "light": float(np.mean([light.std() for _, light in pairs])),
    }


def learn(variant: Variant, real: list[Part], made: list[Part], out: Path) -> tuple[Any, Codec]:
    """Train a variant from nothing."""
    parts = cut(real, variant.steps, variant.share)
    plain = Codec(variant.steps, variant.terms, 4)
    codec = Codec(variant.steps, variant.terms, 4, measure_scales(parts, plain))
    torch.manual_seed(variant.seed)
    params = TransformerParams(
        codec.channels, FEATURES, variant.dim, variant.depth, variant.heads, variant.dropout
    )
    network: nn.Module = MotionTransformer(params)
    stages = [("pretraining", cut(made, variant.steps, 1.0), variant.pretraining, 1e-3)]
    stages += [("training", parts, variant.training, 5e-4 if variant.pretraining else 1e-3)]
    for name, views, count, rate in stages:
        if count:
            task = FieldTask(views, network, codec, FieldOptions(tokens_per_batch=3072))
            network.train().requires_grad_(True)
            options = TrainOptions(
                count, rate, 100, 0.05, ema=0.995, compiled=True, seed=variant.seed
            )
            network = train(task, options, out / name)
    return network, codec


def run(name: str, args: argparse.Namespace) -> dict[str, Any]:
    """Train, sample and score one variant."""
    variant, cache = VARIANTS[name], args.out / "corpus"
    real = corpus(args.data, cache / "real", squares=2)
    needed = variant.pretraining > 0
    made = corpus(args.data, cache / "made", squares=1, procedural=True) if needed else []
    clock = time.monotonic()
    network, codec = learn(variant, real, made, args.out / name.replace(" ", "-"))
    seconds = round(time.monotonic() - clock)
    cases = list(cases_of(args.val))
    shipped = load("builtin")
    if not isinstance(shipped, MotionModel):
        raise SystemExit("the built-in model samples no motion fields")
    seen = [see(shipped.networks, case.window.image) for case in cases]
    head_dim = variant.dim // variant.heads
    networks = Networks(None, TorchSession(network), codec, head_dim, SamplerOptions())
    row = {"name": name, "variant": asdict(variant), "seconds": seconds}
    return row | measure(networks, cases, seen)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("val", type=Path)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(VARIANTS))
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    results = args.out / "results.jsonl"
    for name in args.names or VARIANTS:
        done = results.read_text("utf-8").splitlines() if results.is_file() else []
        if name in {json.loads(line)["name"] for line in done}:
            continue
        line = json.dumps(run(name, args))
        with results.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        print(line, flush=True)


if __name__ == "__main__":
    main()
