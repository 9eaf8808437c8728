"""Where things move: what the map head sees and how it is trained, compared by cross-validation.

    vivant prepare CLIPS --split train --out shards/train
    vivant prepare CLIPS --split val --max-text 1 --out shards/val
    python benchmarks/map_head.py --out runs/map shards/train shards/val [NAME...]

Each variant is trained four times: leaving out one third of the training shots at a time, and on
all of them. The AUC of moving against static cells is measured on what was left out, and on the
validation clips. One JSON line each is appended to ``OUT/results.jsonl``; a variant that is there
already is passed over.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from experiments import COMMON, corpus
from numpy.typing import NDArray
from torch import Tensor, nn

from vivant.clip import Floats
from vivant.data.shards import Sample, read_samples
from vivant.data.windows import Window, view, windows_of
from vivant.metrics import Bools, moving_and_static, moving_area_auc
from vivant.motion.encoder import pretrained_encoder
from vivant.motion.map_head import MapHead, cell_features
from vivant.training.corpus import Part, mean_speed
from vivant.training.tasks import Batch, MapTask
from vivant.training.trainer import TrainOptions, train

LEVELS = {"8": slice(0, 40), "16": slice(40, 152), "32": slice(152, 472)}


@dataclass(frozen=True)
class Variant:
    """``levels`` of the encoder (strides) that are seen, ``share`` of the shots, steps of the
    head alone, and then ``tuned`` steps of head and encoder together."""

    steps: int = 300
    width: int = 96
    levels: tuple[str, ...] = ("8", "16", "32")
    share: float = 1.0
    tuned: int = 0
    seed: int = 0


VARIANTS = {
    "base": Variant(),
    "base, other seed": Variant(seed=1),
    "150 steps": Variant(steps=150),
    "600 steps": Variant(steps=600),
    "stride 16 alone": Variant(levels=("16",)),
    "stride 32 alone": Variant(levels=("32",)),
    "strides 8 and 16": Variant(levels=("8", "16")),
    "half of the shots": Variant(share=0.5),
    "quarter of the shots": Variant(share=0.25),
    "encoder fine-tuned": Variant(tuned=100),
}


class Seeing(nn.Module):
    """The head over some of the encoder's levels; given pictures, the encoder runs, too."""

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        self.encoder = pretrained_encoder()
        self.head = MapHead(variant.width, 0.4)
        seen = torch.zeros(1, 472, 1, 1)
        for level in variant.levels:
            seen[:, LEVELS[level]] = 1
        self.register_buffer("seen", seen)

    def train(self, mode: bool = True) -> Seeing:
        """The encoder keeps the statistics that it came with."""
        super().train(mode)
        self.encoder.eval()
        return self

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        cells = cell_features(self.encoder(x)) if x.shape[1] == 3 else x
        out: tuple[Tensor, Tensor, Tensor] = self.head(cells.float() * self.seen)
        return out


class Tuning(MapTask):
    """The same targets, pictures in place of cached features."""

    def __init__(self, parts: list[Part], windows: list[list[Window]], network: nn.Module) -> None:
        super().__init__([], 8, network)  # type: ignore[arg-type]
        self.kinds = {int(s): p.fluid[p.source == s][0] for p in parts for s in set(p.source)}
        self.windows = windows

    def batch(self, rng: np.random.Generator) -> Batch:
        chosen = rng.choice(sorted(self.kinds), self.batch_size)
        views = []
        for source in chosen:
            window = self.windows[source][int(rng.integers(len(self.windows[source])))]
            mirror = bool(rng.random() < 0.5)
            views.append(view(window, rng, mirror=mirror, square=True, recolour=True))
        part = Part(
            features=np.stack([v.image for v in views]).transpose(0, 3, 1, 2).astype(np.float16),
            **{n: np.stack([getattr(v, n) for v in views]) for n in
               ("velocity", "light", "weight", "gradient")},
            camera_moves=np.array([v.camera_moves for v in views]),
            fluid=np.array([self.kinds[int(s)] for s in chosen], np.int8),
            source=chosen,
        )  # fmt: skip
        batch = MapTask([part], 1, self.network).targets[0]  # type: ignore[arg-type]
        pictures = torch.from_numpy(part.features).float() / 255
        return {"features": pictures} | {k: torch.from_numpy(v) for k, v in batch.items()}


@dataclass(frozen=True)
class Case:
    """A window that counts: its shot, picture and classes of cells."""

    source: int
    image: NDArray[np.uint8]
    moving: Bools
    static: Bools


def cases_of(shots: list[Sample]) -> list[Case]:
    cases = []
    for source, shot in enumerate(shots):
        for window in windows_of(shot):
            classes = moving_and_static(mean_speed(window.velocity), window.gradient)
            if classes is not None and not window.camera_moves:
                cases.append(Case(source, window.image, *classes))
    return cases


def kept(parts: list[Part], sources: Sequence[int]) -> list[Part]:
    """The views of some shots, in common shapes."""
    out = []
    for part in parts:
        rows = np.flatnonzero(np.isin(part.source, sources))
        if len(part) >= COMMON and len(rows):
            out.append(Part(**{f.name: getattr(part, f.name)[rows] for f in fields(Part)}))
    return out


def learn(
    variant: Variant, parts: list[Part], windows: list[list[Window]], sources: list[int], out: Path
) -> nn.Module:
    rng = np.random.default_rng(1)
    chosen = rng.permutation(sources)[: round(len(sources) * variant.share)].tolist()
    torch.manual_seed(variant.seed)
    network = Seeing(variant)
    network.encoder.requires_grad_(False)
    mine = kept(parts, chosen)
    options = TrainOptions(variant.steps, 7e-4, 30, weight_decay=0.1, ema=0.98, seed=variant.seed)
    trained = train(MapTask(mine, 16, network), options, out / "head")  # type: ignore[arg-type]
    if variant.tuned:
        trained.requires_grad_(True).train()
        options = TrainOptions(variant.tuned, 5e-5, 20, weight_decay=0.05, ema=0.98)
        trained = train(Tuning(mine, windows, trained), options, out / "tuned")
    return trained.eval()


def auc_of(network: nn.Module, cases: list[Case]) -> list[float]:
    """Mean AUC of each shot."""
    by_shot: dict[int, list[float]] = {}
    for case in cases:
        pixels = torch.from_numpy(case.image.copy()).permute(2, 0, 1)[None].float() / 255
        with torch.no_grad():
            log_speed, moving, _ = network(pixels)
        score: Floats = (log_speed + 0.5 * nn.functional.logsigmoid(moving))[0].numpy()
        by_shot.setdefault(case.source, []).append(moving_area_auc(score, case.moving, case.static))
    return [float(np.mean(values)) for values in by_shot.values()]


def run(name: str, args: argparse.Namespace) -> dict[str, Any]:
    """Train, leave out, and score one variant."""
    variant, clock = VARIANTS[name], time.monotonic()
    shots = [s for s in read_samples(args.data) if s.facts.get("origin") != "procedural"]
    parts = corpus(args.data, args.out / "corpus", squares=2)
    windows = [list(windows_of(shot)) for shot in shots]
    order = np.random.default_rng(3).permutation(len(shots)).tolist()
    mine, val = cases_of(shots), cases_of(list(read_samples(args.val)))
    folder = args.out / name.replace(" ", "-")
    found: list[float] = []
    for fold in range(0 if args.quick else 3):
        rest = [s for k, s in enumerate(order) if k % 3 != fold]
        network = learn(variant, parts, windows, rest, folder / str(fold))
        found += auc_of(network, [case for case in mine if case.source not in rest])
    after = auc_of(learn(variant, parts, windows, order, folder / "all"), val)
    table = {"left out": found, "validation": after}
    return {
        "name": name,
        "variant": asdict(variant),
        "seconds": round(time.monotonic() - clock),
        **{
            which: {
                "mean": round(float(np.mean(v)), 3),
                "median": round(float(np.median(v)), 3),
                "clips": len(v),
            }
            for which, v in table.items()
            if v
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("val", type=Path)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(VARIANTS))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--quick", action="store_true", help="validation clips only")
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
