"""The anchor: the latents of what is known, then of its last frame held still.

The autoencoder is causal, so the latents of the known frames are exact; those after them stand for
a clip in which nothing goes on. What is sampled is how the clip leaves them.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from vivant.video.autoencoder import AutoencoderParams


def held(clip: Tensor, frames: Tensor) -> Tensor:
    """``clip`` ``[B, 3, T, H, W]`` whose last known frame lasts: ``frames`` ``[B]`` are known."""
    times = torch.arange(clip.shape[2], device=clip.device)
    index = torch.minimum(times, frames[:, None] - 1)
    return clip.gather(2, index[:, None, :, None, None].expand_as(clip))


def known_latents(frames: Tensor, latents: int, params: AutoencoderParams) -> Tensor:
    """``[B, latents]`` 1 for latents that the first ``frames`` ``[B]`` decide, else 0."""
    count = 1 + (frames - 1) // params.time
    return (torch.arange(latents, device=frames.device) < count[:, None]).float()


def inertia_maps(leaving: Tensor, trust: Tensor, known: Tensor, space: int) -> Tensor:
    """``[B, C + 1, N, h, w]``: how inertia leaves the anchor (``leaving`` ``[B, C, N, h, w]``, in
    units of the scales) and the ``trust`` ``[B, H, W]`` in it, ``space`` pixels a latent; nothing
    at the ``known`` ``[B, N]`` latents."""
    free = (1 - known)[:, None, :, None, None]
    coarse = functional.avg_pool2d(trust[:, None], space)[:, :, None]
    trusted = coarse.expand(-1, -1, leaving.shape[2], -1, -1)
    return torch.cat([leaving, trusted], dim=1) * free
