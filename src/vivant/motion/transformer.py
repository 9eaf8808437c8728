"""The velocity network of the motion model: a diffusion transformer over motion tokens."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vivant.nn import Block, time_features


@dataclass(frozen=True)
class TransformerParams:
    """``channels`` of the latents, ``features`` of the image; two hint velocities, one mask."""

    channels: int
    features: int
    dim: int = 256
    depth: int = 6
    heads: int = 4
    dropout: float = 0.1


class MotionTransformer(nn.Module):
    """``v(x, t | image, motion map, hints)`` on tokens of 2 x 2 cells."""

    def __init__(self, params: TransformerParams) -> None:
        super().__init__()
        self.params = params
        dim = params.dim
        self.embed_latents = nn.Linear(params.channels, dim)
        self.embed_image = nn.Sequential(
            nn.LayerNorm(params.features),
            nn.Dropout(params.dropout),
            nn.Linear(params.features, dim),
        )
        self.embed_map = nn.Linear(1, dim)
        self.embed_hints = nn.Linear(3, dim)
        self.no_image = nn.Parameter(torch.zeros(dim))
        self.embed_time = nn.Sequential(nn.Linear(dim, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.modulate = nn.Sequential(nn.SiLU(), nn.Linear(dim, 6 * dim))
        self.blocks = nn.ModuleList(Block(dim, params.heads) for _ in range(params.depth))
        self.norm = nn.LayerNorm(dim, elementwise_affine=False)
        self.final = nn.Linear(dim, 2 * dim)
        self.out = nn.Linear(dim, params.channels)
        for layer in (self.modulate[-1], self.final, self.out):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(
        self,
        x: Tensor,
        t: Tensor,
        image: Tensor,
        use_image: Tensor,
        motion_map: Tensor,
        hints: Tensor,
        cos: Tensor,
        sin: Tensor,
    ) -> Tensor:
        """Velocity of the flow.

        ``x`` ``[B, N, C]`` latents by token; ``t`` ``[B]``; ``image`` ``[B, N, F]``;
        ``use_image`` ``[B]`` 1 or 0 (0 = unconditional); ``motion_map`` ``[B, N, 1]``
        normalised log speed; ``hints`` ``[B, N, 3]`` (unit vx, vy, mask); rotary tables
        ``[N, D / 2]``. Returns ``[B, N, C]``.
        """
        use = use_image[:, None, None]
        picture = self.embed_image(image) * use + self.no_image * (1 - use)
        tokens = self.embed_latents(x) + picture + self.embed_map(motion_map)
        tokens = tokens + self.embed_hints(hints)
        condition = self.embed_time(time_features(t, self.params.dim)) + picture.mean(dim=1)
        shared = self.modulate(condition).unflatten(-1, (6, -1))
        for block in self.blocks:
            tokens = block(tokens, shared, cos, sin)
        shift, scale = self.final(nn.functional.silu(condition)).unsqueeze(1).chunk(2, dim=-1)
        return self.out(self.norm(tokens) * (1 + scale) + shift)
