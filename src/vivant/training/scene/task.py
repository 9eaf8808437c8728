"""What the seeing network is trained on: batches of crops and their losses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vivant.kinds import INDEX
from vivant.training.scene.corpus import Crop, Example, chances, cut
from vivant.training.scene.mixed import mix
from vivant.training.scene.network import SceneNetwork
from vivant.training.scene.pasted import paste

PASTED = 0.2
"""Share of crops that get a made-up fall, flame, smoke or flag."""
MIXED = 0.4
"""Share of crops that get a thing of another picture."""
FROZEN_STAGES = 3
"""Encoder stages (to stride 8) that keep their ImageNet weights: edges are edges."""


def freeze_early(network: SceneNetwork) -> SceneNetwork:
    """Freeze stem and first stages; batch normalisation of the encoder keeps its statistics."""
    network.encoder.requires_grad_(True)
    for module in (network.encoder.stem, *list(network.encoder.stages)[:FROZEN_STAGES]):
        module.requires_grad_(False)
    return network


class SeeTask:
    """Distillation of kinds, characters of water, and depth blind to scale and shift."""

    def __init__(
        self,
        network: SceneNetwork,
        photos: Sequence[Example],
        clips: Sequence[Example],
        worlds: Sequence[Example],
        per_batch: tuple[int, int, int] = (5, 2, 1),
    ) -> None:
        self.network: nn.Module = freeze_early(network)
        sources = zip((photos, clips, worlds), per_batch, strict=True)
        self.sources = [(e, chances(e), count) for e, count in sources if e and count]

    def batch(self, rng: np.random.Generator) -> dict[str, Tensor]:
        """Crops of photographs, of clips and of made-up worlds, each source drawn by how rare
        the kinds of its pictures are."""
        crops = [
            cut(examples[k], rng)
            for examples, chance, count in self.sources
            for k in rng.choice(len(examples), count, p=chance)
        ]
        others = crops[1:] + crops[:1]
        crops = [
            mix(crop, other) if rng.random() < MIXED else crop
            for crop, other in zip(crops, others, strict=True)
        ]
        return collate([paste(c, rng) if rng.random() < PASTED else c for c in crops])

    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        """Weighted cross-entropy of kinds and waters, plus the depth loss."""
        self.network.encoder.eval()  # statistics of 8 crops are noise
        image = batch["image"].contiguous(memory_format=torch.channels_last)
        out = {name: values.float() for name, values in self.network(image).items()}
        kinds = kinds_loss(out["kinds"], batch["kinds"], batch["trust"])
        waters = waters_loss(out["waters"], batch)
        depth = depth_loss(out["depth"], batch["depth"], batch["depth_trust"])
        return kinds + 0.2 * waters + 0.7 * depth


def collate(crops: Sequence[Crop]) -> dict[str, Tensor]:
    """Crops stacked into tensors."""
    names = ("image", "kinds", "trust", "depth", "depth_trust")
    batch = {name: torch.from_numpy(np.stack([getattr(c, name) for c in crops])) for name in names}
    return batch | {"water": torch.tensor([c.water for c in crops])}


def kinds_loss(logits: Tensor, shares: Tensor, trust: Tensor) -> Tensor:
    """Cross-entropy to soft shares ``[B, 12, h, w]``, weighted by ``trust`` ``[B, h, w]``."""
    entropy = -(shares * functional.log_softmax(logits, 1)).sum(1)
    return (entropy * trust).sum() / (trust.sum() + 1.0)


def waters_loss(logits: Tensor, batch: dict[str, Tensor]) -> Tensor:
    """Cross-entropy of a water body's character, averaged over its water for each picture."""
    where = batch["kinds"][:, INDEX["water"]] * batch["trust"]
    known = (batch["water"] >= 0) & (where.sum((1, 2)) > 20)
    if not bool(known.any()):
        return logits.sum() * 0
    mass = where[known]
    mean = (functional.log_softmax(logits[known], 1) * mass[:, None]).sum((2, 3))
    mean = mean / mass.sum((1, 2))[:, None]
    return -mean.gather(1, batch["water"][known][:, None]).mean()


def depth_loss(predicted: Tensor, target: Tensor, trust: Tensor) -> Tensor:
    """Scale- and shift-invariant, with gradients at four scales (Ranftl et al., MiDaS, 2020).

    The prediction ``[B, h, w]`` is fitted to the target by weighted least squares, then compared
    relative to the target's spread; pictures without a target do not count.
    """
    mass = trust.sum((1, 2))
    known = mass > 30
    if not bool(known.any()):
        return predicted.sum() * 0
    p, t, w = predicted[known], target[known], trust[known]
    total = w.sum((1, 2), keepdim=True)

    def mean(x: Tensor) -> Tensor:
        return (x * w).sum((1, 2), keepdim=True) / total

    pc, tc = p - mean(p), t - mean(t)
    spread = mean(tc.abs()) + 1e-4
    scale = (mean(pc * tc) / (mean(pc * pc) + 1e-6)).clamp(min=1e-3)
    error = (scale * pc - tc) / spread
    value = (functional.smooth_l1_loss(error, torch.zeros_like(error), reduction="none") * w).sum()
    loss = value / total.sum()
    correlation = mean(pc * tc) / (mean(pc * pc) * mean(tc * tc) + 1e-8).sqrt()
    loss = loss + 0.3 * (1 - correlation).mean()
    for step in (1, 2, 4, 8):
        loss = loss + 0.12 * _gradients(error[:, ::step, ::step], w[:, ::step, ::step])
    return loss


def _gradients(error: Tensor, w: Tensor) -> Tensor:
    across = (error[:, :, 1:] - error[:, :, :-1]).abs().clamp(max=4) * w[:, :, 1:] * w[:, :, :-1]
    down = (error[:, 1:] - error[:, :-1]).abs().clamp(max=4) * w[:, 1:] * w[:, :-1]
    return (across.sum() + down.sum()) / (w.sum() + 1.0)
