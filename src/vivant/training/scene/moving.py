"""Where it moves and how fast: a small head on the frozen features of the seeing network.

Clips are few, so the head is small, sees the kinds beside the features, and learns from every
window whose camera stands or was taken out. Moving and still cells weigh the same in each window.
What is answered is how often the kinds of a cell move, a little corrected by the head, since
neither alone is as good.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vivant.clip import Floats
from vivant.data.shards import read_sample, shard_paths
from vivant.data.windows import Window, windows_of
from vivant.kinds import KINDS, WATERS
from vivant.metrics import Bools, moving_and_static
from vivant.training.scene.checks import tensor_of
from vivant.training.scene.network import WIDTH, SceneNetwork
from vivant.training.trainer import TrainOptions, train

PLACES = 3
INPUTS = WIDTH + len(KINDS) + len(WATERS) + 1 + PLACES
SHARES = slice(WIDTH, WIDTH + len(KINDS))
"""Place of the kinds among the inputs."""
LEAN = 0.2
"""Weight of the head's log-odds beside those of the kinds' rates; chosen on validation clips."""
UNSEEN = 0.5
"""Cells, moving and holding each, that a kind is thought to have had before any was seen."""
SIDE = 32
LEAST_SPEED = 0.01
LEAST_CONFIDENCE = 0.3
OPTIONS = TrainOptions(500, rate=2e-3, warmup=20, weight_decay=0.05, ema=0.99, save_every=500)


@dataclass(frozen=True, eq=False)
class Seen:
    """One window as the network sees it: ``inputs`` ``[INPUTS, h, w]`` float16 on cells of 8
    pixels, true ``speed`` ``[h, w]`` in short sides per second with its ``weight``; ``classes``
    the cells that truly move and truly hold, None where too few do; where it is from."""

    inputs: np.ndarray
    speed: Floats
    weight: Floats
    classes: tuple[Bools, Bools] | None
    clip: str
    category: str
    split: str


class MovingHead(nn.Module):
    """Inputs of cells -> log-odds of moving, log speed; ``rates`` ``[12]`` is how often each kind
    moves."""

    def __init__(self, inside: int = INPUTS, width: int = 48) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(inside))
        self.register_buffer("scale", torch.ones(inside))
        self.register_buffer("rates", torch.full((len(KINDS),), 0.5))
        self.cell, self.whole = nn.Conv2d(inside, width, 1), nn.Linear(inside, width)
        self.near, self.out = nn.Conv2d(width, width, 3, padding=1), nn.Conv2d(width, 2, 1)
        self.drop = nn.Dropout2d(0.3)

    def forward(self, inputs: Tensor, summary: Tensor) -> Tensor:
        """``inputs`` ``[B, INPUTS, h, w]``, their mean over the whole picture ``[B, INPUTS]`` ->
        ``[B, 2, h, w]``."""
        x = (inputs - self.mean[:, None, None]) * self.scale[:, None, None]
        whole = self.whole((summary - self.mean) * self.scale)
        x = functional.relu(self.cell(self.drop(x)) + whole[:, :, None, None])
        x = functional.relu(self.near(self.drop(x))) + x
        out: Tensor = self.out(x)
        return out

    def answer(self, inputs: Tensor) -> Tensor:
        """As `forward`, the rates of the kinds taken in: ``[B, 2, h, w]``."""
        out = self(inputs, inputs.mean((2, 3)))
        share = (inputs[:, SHARES] * self.rates[:, None, None]).sum(1, keepdim=True)
        share = share.clamp(0.02, 0.98)
        return torch.cat([LEAN * out[:, :1] + torch.log(share / (1 - share)), out[:, 1:]], 1)

    def standardise(self, seen: Sequence[Seen]) -> None:
        """Bring the inputs to mean 0 and size 1 over some windows, and count how often each kind
        moves in them."""
        means = np.stack([s.inputs.astype(np.float32).mean((1, 2)) for s in seen])
        spread = np.stack([s.inputs.astype(np.float32).var((1, 2)) for s in seen])
        self.mean.copy_(torch.from_numpy(means.mean(0)))
        self.scale.copy_(torch.from_numpy(1 / (np.sqrt(spread.mean(0)) + 1e-3)))
        self.rates.copy_(torch.from_numpy(rates_of(seen)))


def rates_of(seen: Iterable[Seen]) -> Floats:
    """How often each kind moves ``[12]``, 0..1, where moving and holding cells weigh the same in
    each window, and each clip as much as the others."""
    clips: dict[str, list[Floats]] = {}
    for one in seen:
        kinds, share = one.inputs[SHARES].astype(np.float32), share_moving(one.speed)
        moves, holds = one.weight * share, one.weight * (1 - share)
        both = (moves / (moves.sum() + 1), holds / (holds.sum() + 1))
        counted = np.stack([(kinds * mass).sum((1, 2)) for mass in both])
        clips.setdefault(one.clip, []).append(counted)
    total = np.sum([np.mean(counts, 0) for counts in clips.values()], 0) + UNSEEN
    return np.asarray(total[0] / total.sum(0), np.float32)


def share_moving(speed: Floats) -> Floats:
    """How surely cells ``[h, w]`` move, 0..1, relative to the fastest of the picture."""
    top = max(float(np.percentile(speed, 98)), LEAST_SPEED)
    return np.asarray(np.clip((speed / top - 0.1) / 0.3, 0, 1), np.float32)


def head_inputs(out: dict[str, Tensor]) -> Tensor:
    """The head's inputs ``[B, INPUTS, h / 2, w / 2]`` from the outputs of a `SceneNetwork`."""
    depth = out["depth"][:, None]
    depth = depth / (depth.amax((2, 3), keepdim=True) + 1e-6)
    parts = [out["features"], out["kinds"].softmax(1), out["waters"].softmax(1), depth]
    cells = functional.avg_pool2d(torch.cat(parts, 1), 2)
    ones = torch.ones_like(cells[:, :1])
    y = (ones.cumsum(2) - 0.5) / ones.sum(2, keepdim=True)
    x = (ones.cumsum(3) - 0.5) / ones.sum(3, keepdim=True)
    middle = torch.exp(-8 * ((x - 0.5) ** 2 + (y - 0.5) ** 2))
    return torch.cat([cells, y, (2 * x - 1).abs(), middle], 1)


def seen_windows(network: SceneNetwork, shards: Path, split: str) -> list[Seen]:
    """Every window of a folder of shards whose camera stands or was taken out."""
    found = []
    for path in shard_paths(shards):
        sample = read_sample(path)
        for window in windows_of(sample):
            if not window.camera_moves or window.camera_removed:
                category = str(sample.facts.get("category", ""))
                found.append(_seen(network, window, path.stem.split("-")[0], category, split))
    return found


def _seen(network: SceneNetwork, window: Window, clip: str, category: str, split: str) -> Seen:
    speed = np.linalg.norm(window.velocity, axis=1).mean(0).astype(np.float32)
    with torch.no_grad():
        out = network(tensor_of(window.image).contiguous(memory_format=torch.channels_last))
        inputs = functional.interpolate(head_inputs(out), speed.shape, mode="area")[0]
    texture = window.gradient / (window.gradient + 4)
    weight = window.confidence * texture * (0.6 if window.camera_removed else 1.0)
    return Seen(
        inputs.numpy().astype(np.float16),
        speed,
        weight.astype(np.float32),
        moving_and_static(speed, window.gradient, window.confidence, LEAST_CONFIDENCE),
        clip,
        category,
        split,
    )


class MovingTask:
    """Squares of windows, each clip as often as the others."""

    def __init__(self, head: MovingHead, seen: Iterable[Seen], batch_size: int = 8) -> None:
        self.network: nn.Module = head
        self.batch_size = batch_size
        self.clips: dict[str, list[Seen]] = {}
        for one in seen:
            self.clips.setdefault(one.clip, []).append(one)

    def batch(self, rng: np.random.Generator) -> dict[str, Tensor]:
        """Squares of random windows, mirrored at random."""
        clips = list(self.clips.values())
        chosen = [clips[k] for k in rng.choice(len(clips), self.batch_size)]
        rows = [_square(windows[int(rng.integers(len(windows)))], rng) for windows in chosen]
        names = ("inputs", "summary", "share", "log_speed", "weight")
        return {
            name: torch.from_numpy(np.stack([row[k] for row in rows]))
            for k, name in enumerate(names)
        }

    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        """Cross-entropy of moving, balanced in each square, and error of the log speed."""
        out = self.network(batch["inputs"], batch["summary"]).float()
        share, weight = batch["share"], batch["weight"]
        moves, holds = weight * share, weight * (1 - share)
        balanced = moves / (_sum(moves) + 1) + holds / (_sum(holds) + 1)
        odds = functional.binary_cross_entropy_with_logits(out[:, 0], share, reduction="none")
        speed = (out[:, 1] - batch["log_speed"]).abs() * moves / (_sum(moves) + 1)
        return (0.5 * odds * balanced + 0.1 * speed).sum((1, 2)).mean()


def _sum(values: Tensor) -> Tensor:
    return values.sum((1, 2), keepdim=True)


def _square(one: Seen, rng: np.random.Generator) -> tuple[Floats, ...]:
    inputs = one.inputs.astype(np.float32)
    summary = inputs.mean((1, 2)) + 0
    noise = rng.normal(0, 0.1, len(inputs)).astype(np.float32) * inputs.std((1, 2))
    share = share_moving(one.speed)
    log_speed = np.log(one.speed + 1e-3)
    arrays = [inputs + noise[:, None, None], share, log_speed, one.weight]
    h, w = one.speed.shape
    arrays = [np.pad(a, _missing(a.ndim, h, w)) for a in arrays]
    h, w = arrays[1].shape
    top_row, left = int(rng.integers(h - SIDE + 1)), int(rng.integers(w - SIDE + 1))
    step = -1 if rng.random() < 0.5 else 1
    cut = [a[..., top_row : top_row + SIDE, left : left + SIDE][..., ::step] for a in arrays]
    first, *rest = (np.ascontiguousarray(a, np.float32) for a in cut)
    return (first, summary, *rest)


def _missing(dimensions: int, h: int, w: int) -> list[tuple[int, int]]:
    short = [(0, max(0, SIDE - h)), (0, max(0, SIDE - w))]
    return [(0, 0)] * (dimensions - 2) + short


def learn_moving(seen: Sequence[Seen], out: Path, options: TrainOptions = OPTIONS) -> MovingHead:
    """A head trained on some windows; resumes from ``out``."""
    head = MovingHead()
    head.standardise(seen)
    trained = train(MovingTask(head, seen), options, out, made_of={"windows": str(len(seen))})
    assert isinstance(trained, MovingHead)
    return trained


def chances_of(head: MovingHead, one: Seen) -> Floats:
    """Chance 0..1 that each cell of a window moves, ``[h, w]``."""
    inputs = torch.from_numpy(one.inputs.astype(np.float32))[None]
    with torch.no_grad():
        odds = head.answer(inputs)[0, 0]
    return np.asarray(torch.sigmoid(odds).numpy(), np.float32)
