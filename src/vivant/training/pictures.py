"""Pictures of what a network samples, made while it learns, to be looked at."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from vivant.clip import Floats, Frame
from vivant.field.wheel import colourise
from vivant.flow.solvers import SOLVERS, time_grid
from vivant.motion.codec import Codec, rope_table
from vivant.motion.transformer import MotionTransformer, TransformerParams
from vivant.training.corpus import mean_speed, smooth_map
from vivant.training.tasks import Batch, FieldTask

SAMPLES = 3
STEPS = 8
TILE = 6
"""Pixels a cell is drawn with."""


def sampled_fields(task: FieldTask, average: nn.Module, views: int = 6) -> Frame:
    """A row for each of a few held-out views: the true mean motion, then samples under the true
    motion map, as colours. ``[H, W, 3]``."""
    which = int(np.argmax([len(part) for part in task.parts]))
    part, data = task.parts[which], task.data[which]
    rows = np.linspace(0, len(part) - 1, views).astype(int)
    h, w = data["shape"]
    tiles = []
    for row in rows:
        speed = smooth_map(mean_speed(part.velocity[row]), part.weight[row].astype(np.float32))
        shown = [part.velocity[row].astype(np.float32).mean(axis=0)]
        top = float(np.percentile(np.linalg.norm(shown[0], axis=0), 98)) + 1e-6
        for seed in range(SAMPLES):
            latents = _sample(average, task.codec, data, row, (h, w), seed)
            shown.append(task.codec.decode(latents, speed)[0].mean(axis=0))
        tiles.append(np.hstack([_tile(v, top) for v in shown]))
    return np.asarray(np.vstack(tiles), np.uint8)


def _sample(
    network: nn.Module,
    codec: Codec,
    data: dict[str, NDArray[np.float32]],
    row: int,
    shape: tuple[int, int],
    seed: int,
) -> Floats:
    h, w = shape
    rng = np.random.default_rng(seed)
    params = _params(network)
    cos, sin = rope_table(h, w, params.dim // params.heads)
    fixed: Batch = {
        "image": torch.from_numpy(data["image"][row : row + 1]).float(),
        "use_image": torch.ones(1),
        "map": torch.from_numpy(data["map"][row : row + 1].astype(np.float32)),
        "hints": torch.zeros(1, h * w, 3),
    }
    device = next(network.parameters()).device

    def velocity(x: Floats, t: float) -> Floats:
        inputs = [torch.from_numpy(x), torch.full((1,), t), *fixed.values()]
        inputs += [torch.from_numpy(cos), torch.from_numpy(sin)]
        with torch.no_grad():
            out = network(*(i.to(device) for i in inputs))
        return np.asarray(out.float().cpu().numpy(), np.float32)

    noise = rng.standard_normal((1, h * w, codec.channels), dtype=np.float32)
    x = SOLVERS["euler"](velocity, noise, time_grid(STEPS, 1.0))
    return np.clip(x[0].T.reshape(codec.channels, h, w), -5, 5).astype(np.float32)


def _params(network: nn.Module) -> TransformerParams:
    if not isinstance(network, MotionTransformer):
        raise TypeError("pictures are drawn of motion transformers")
    return network.params


def _tile(velocity: Floats, top: float) -> Frame:
    h, w = velocity.shape[1:]
    size = (w * TILE, h * TILE)
    picture = cv2.resize(colourise(velocity, top), size, interpolation=cv2.INTER_NEAREST)
    return np.pad(picture, ((1, 1), (1, 1), (0, 0)), constant_values=128)
