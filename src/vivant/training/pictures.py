"""Pictures of what a network samples, made while it learns, to be looked at."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import nn

from vivant.clip import Floats, Frame
from vivant.field.wheel import colourise
from vivant.motion.export import VELOCITY_INPUTS
from vivant.motion.sampler import Conditions, Networks, SamplerOptions, Seen, sample
from vivant.motion.transformer import MotionTransformer
from vivant.training.corpus import mean_speed, smooth_map
from vivant.training.tasks import FieldTask

SAMPLES = 3
STEPS = 8
TILE = 6
"""Pixels a cell is drawn with."""


@dataclass(frozen=True)
class Session:
    """A network in training under the interface of the graph that is made of it."""

    network: MotionTransformer

    def run(self, names: None, inputs: dict[str, Floats]) -> list[Floats]:
        """The network's one output."""
        device = next(self.network.parameters()).device
        tensors = [torch.from_numpy(np.asarray(inputs[n])).to(device) for n in VELOCITY_INPUTS]
        with torch.no_grad():
            return [np.asarray(self.network(*tensors).float().cpu().numpy(), np.float32)]


def sampled_fields(task: FieldTask, average: nn.Module, views: int = 6) -> Frame:
    """A row for each of a few held-out views: the true mean motion, then samples under the true
    motion map, as colours. ``[H, W, 3]``."""
    if not isinstance(average, MotionTransformer):
        raise TypeError("pictures are drawn of motion transformers")
    params = average.params
    options = SamplerOptions("euler", STEPS, guidance=1.0)
    networks = Networks(None, Session(average), task.codec, params.dim // params.heads, options)
    which = int(np.argmax([len(part) for part in task.parts]))
    part, features = task.parts[which], task.data[which]["image"]
    tiles = []
    for row in np.linspace(0, len(part) - 1, views).astype(int):
        speed = smooth_map(mean_speed(part.velocity[row]), part.weight[row].astype(np.float32))
        none = np.zeros_like(speed)
        conditions = Conditions(speed, np.stack([none, none]), none)
        seen = Seen(speed, none, none, none, none, features[row].astype(np.float32))
        shown = [part.velocity[row].astype(np.float32).mean(axis=0)]
        top = float(np.percentile(np.linalg.norm(shown[0], axis=0), 98)) + 1e-6
        drawn = (sample(networks, seen, conditions, seed)[0] for seed in range(SAMPLES))
        shown += [velocity.mean(axis=0) for velocity in drawn]
        tiles.append(np.hstack([_tile(v, top) for v in shown]))
    return np.asarray(np.vstack(tiles), np.uint8)


def _tile(velocity: Floats, top: float) -> Frame:
    h, w = velocity.shape[1:]
    size = (w * TILE, h * TILE)
    picture = cv2.resize(colourise(velocity, top), size, interpolation=cv2.INTER_NEAREST)
    return np.pad(picture, ((1, 1), (1, 1), (0, 0)), constant_values=128)
