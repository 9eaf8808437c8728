"""A causal video autoencoder: frames to latents and back, each latent blind to later frames.

Chunks of four frames and patches of 4 x 4 pixels become one latent; the first frame is a chunk of
its own, so that a still picture is a clip of one frame (Yu et al., MAGVIT-v2, 2024). Two paths add
up each way: a linear one, which begins as the principal components of patches and is a good coder
from the first step, and causal 3-D convolutions, which begin at nothing and learn what it misses
(the idea of residual autoencoding: Chen et al., DC-AE, 2025).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class AutoencoderParams:
    """``channels`` of a latent; ``width`` and ``depth`` (residual blocks each way) of the
    convolutions; ``space`` pixels and ``time`` frames that become one latent."""

    channels: int = 16
    width: int = 96
    depth: int = 2
    space: int = 4
    time: int = 4

    @property
    def patch(self) -> int:
        """Numbers of a patch of a chunk."""
        return 3 * self.time * self.space**2

    def latent_frames(self, frames: int) -> int:
        """Latents of ``frames`` = 1 + a multiple of ``time``. Raises ValueError for others."""
        if frames < 1 or (frames - 1) % self.time:
            raise ValueError(f"a clip has 1 + a multiple of {self.time} frames, not {frames}")
        return 1 + (frames - 1) // self.time

    def frames(self, latents: int) -> int:
        """Frames of so many ``latents``."""
        return 1 + (latents - 1) * self.time


class CausalConv3d(nn.Conv3d):
    """A 3 x 3 x 3 convolution that sees this and the two latents before; the first is repeated."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__(inside, outside, 3)

    def forward(self, x: Tensor) -> Tensor:
        """``[B, C, T, h, w]`` -> ``[B, C', T, h, w]``."""
        return super().forward(functional.pad(x, (1, 1, 1, 1, 2, 0), mode="replicate"))


class ResidualBlock(nn.Module):
    """Two convolutions around a shortcut. Normalised over channels at each place, since means
    over time would let the future in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gains = nn.Parameter(torch.ones(2, width, 1, 1, 1))
        self.first = CausalConv3d(width, width)
        self.second = CausalConv3d(width, width)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def forward(self, x: Tensor) -> Tensor:
        """``[B, C, T, h, w]`` -> the same shape."""
        y = self.first(functional.silu(channel_norm(x) * self.gains[0]))
        return x + self.second(functional.silu(channel_norm(y) * self.gains[1]))


def channel_norm(x: Tensor) -> Tensor:
    """``[B, C, ...]`` scaled to a root mean square of 1 over its channels."""
    return x * torch.rsqrt(x.float().pow(2).mean(1, keepdim=True) + 1e-6).to(x.dtype)


class Path(nn.Module):
    """From ``inside`` to ``outside`` channels: a linear map plus what convolutions add to it."""

    def __init__(self, inside: int, outside: int, width: int, depth: int) -> None:
        super().__init__()
        self.linear = nn.Conv3d(inside, outside, 1)
        self.enter = nn.Conv3d(inside, width, 1)
        self.blocks = nn.Sequential(*(ResidualBlock(width) for _ in range(depth)))
        self.leave = nn.Conv3d(width, outside, 1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, x: Tensor) -> Tensor:
        """``[B, inside, T, h, w]`` -> ``[B, outside, T, h, w]``."""
        return self.linear(x) + self.leave(self.blocks(self.enter(x)))


class VideoAutoencoder(nn.Module):
    """Clips ``[B, 3, T, H, W]`` from -1 to 1 (T = 1 + 4 k; H, W multiples of 4) and their latents
    ``[B, C, 1 + k, H / 4, W / 4]``, of mean square about 1."""

    def __init__(self, params: AutoencoderParams) -> None:
        super().__init__()
        self.params = params
        self.encoder = Path(params.patch, params.channels, params.width, params.depth)
        self.decoder = Path(params.channels, params.patch, params.width, params.depth)

    def encode(self, clip: Tensor) -> Tensor:
        """Latents of a clip. Raises ValueError for a number of frames that is not 1 + 4 k."""
        return self.encoder(patches_of(clip, self.params))

    def decode(self, latents: Tensor) -> Tensor:
        """The clip of latents; values may leave -1..1 a little."""
        return clip_of(self.decoder(latents), self.params)

    def forward(self, clip: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Latents and the clip decoded from them after ``noise``, of their shape, was added."""
        latents = self.encode(clip)
        return latents, self.decode(latents + noise)

    def begin_as(self, mean: Tensor, components: Tensor, scale: float) -> None:
        """Set the linear paths to principal components: ``mean`` ``[patch]``, orthonormal
        ``components`` ``[patch, channels]``; latents are divided by ``scale``."""
        down, up = components.T / scale, components * scale
        with torch.no_grad():
            self.encoder.linear.weight.copy_(down[:, :, None, None, None])
            self.encoder.linear.bias.copy_(-down @ mean)
            self.decoder.linear.weight.copy_(up[:, :, None, None, None])
            self.decoder.linear.bias.copy_(mean)


def patches_of(clip: Tensor, params: AutoencoderParams) -> Tensor:
    """``[B, 3, T, H, W]`` -> ``[B, patch, 1 + k, h, w]``; the first frame fills its whole chunk."""
    params.latent_frames(clip.shape[2])
    s, t = params.space, params.time
    whole = torch.cat([clip[:, :, :1].expand(-1, -1, t - 1, -1, -1), clip], dim=2)
    parts = whole.unflatten(4, (-1, s)).unflatten(3, (-1, s)).unflatten(2, (-1, t))
    # [B, 3, k, t, h, s, w, s] -> [B, 3, t, s, s, k, h, w]
    return parts.permute(0, 1, 3, 5, 7, 2, 4, 6).flatten(1, 4)


def clip_of(patches: Tensor, params: AutoencoderParams) -> Tensor:
    """Undo `patches_of`; of the first chunk its last frame is taken."""
    s, t = params.space, params.time
    parts = patches.unflatten(1, (3, t, s, s)).permute(0, 1, 5, 2, 6, 3, 7, 4)
    return parts.flatten(6, 7).flatten(4, 5).flatten(2, 3)[:, :, t - 1 :]
