"""A recipe tried on the meta device: shapes, parameters and memory, without weights or data."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from vivant.training.video.corpus import Shape
from vivant.training.video.run import VideoRecipe
from vivant.video.autoencoder import VideoAutoencoder
from vivant.video.conditions import FEATURES, MOST_WORDS
from vivant.video.transformer import Conditions, VideoTransformer

STATE_BYTES = 20
"""For each parameter: weight, average, gradient and two moments, in float32."""
BLOCK_BYTES = 34
"""For each number of a token and block that is kept for the way back, in bfloat16 (Korthikanti et
al., "Reducing Activation Recomputation", 2022, without what attention in one kernel does not
keep)."""


@dataclass(frozen=True)
class Need:
    """``parameters`` of both networks; ``tokens`` of a clip; GiB of one process among ``processes``
    for ``state`` and, roughly, for the ``activations`` of its largest batch."""

    autoencoder: int
    transformer: int
    tokens: int
    processes: int
    state: float
    activations: float


def dry_run(recipe: VideoRecipe, processes: int = 1) -> Need:
    """Run the networks of ``recipe`` once on the meta device, for its largest shape. Raises
    ValueError or RuntimeError where shapes do not fit."""
    with torch.device("meta"), torch.no_grad():
        coder = VideoAutoencoder(recipe.autoencoder)
        network = VideoTransformer(recipe.transformer)
        tokens = 0
        for shape in recipe.video_options.shapes:
            tokens = max(tokens, _through(coder, network, shape))
    own, other = (sum(p.numel() for p in one.parameters()) for one in (coder, network))
    largest = max(s.count for s in recipe.video_options.shapes)
    kept = largest * tokens * network.params.dim * network.params.depth * BLOCK_BYTES
    shares = processes if recipe.sharded else 1
    state = other * STATE_BYTES / shares + own * 4
    return Need(own, other, tokens, processes, round(state / 2**30, 2), round(kept / 2**30, 2))


def _through(coder: VideoAutoencoder, network: VideoTransformer, shape: Shape) -> int:
    """A batch of ``shape`` through both networks and back; tokens of a clip."""
    clip = torch.zeros(1, 3, shape.frames, shape.height, shape.width)
    latents = coder.encode(clip)
    _, _, n, h, w = latents.shape
    given = Conditions(
        latents,
        torch.zeros(1, n),
        torch.zeros(1, coder.params.channels + 1, n, h, w),
        torch.zeros(1, FEATURES, h, w),
        torch.zeros(1, 3, n, h, w),
        torch.zeros(1, MOST_WORDS, dtype=torch.int64),
    )
    found = network(latents, torch.zeros(1), given)
    if coder.decode(found).shape != clip.shape:
        raise ValueError(f"a clip of {tuple(clip.shape)} does not come back")
    return n * (h // network.params.patch) * (w // network.params.patch)
