"""Building blocks of the diffusion transformers: attention, modulation, embeddings (PyTorch)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary embedding of ``x`` ``[B, heads, N, D]`` by angles ``cos``/``sin`` ``[N, D / 2]``."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)


class Attention(nn.Module):
    """Self-attention with QK normalisation (Dehghani et al., 2023) and rotary positions."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)
        self.q_gain = nn.Parameter(torch.ones(dim // heads))
        self.k_gain = nn.Parameter(torch.ones(dim // heads))

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """``x`` ``[B, N, dim]`` -> the same shape."""
        batch, tokens, dim = x.shape
        qkv = self.qkv(x).reshape(batch, tokens, 3, self.heads, dim // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        q = rotate(_rms(q) * self.q_gain, cos, sin)
        k = rotate(_rms(k) * self.k_gain, cos, sin)
        mixed = functional.scaled_dot_product_attention(q, k.to(q.dtype), v.to(q.dtype))
        return self.out(mixed.transpose(1, 2).reshape(batch, tokens, dim))


def _rms(x: Tensor) -> Tensor:
    return x * torch.rsqrt(x.float().pow(2).mean(-1, keepdim=True) + 1e-6).to(x.dtype)


class Block(nn.Module):
    """Transformer block, modulated by one shared table plus its own (adaLN-single).

    Peebles and Xie, DiT (2023), in the parameter-saving form of PixArt-alpha (Chen et al.,
    2024). Gates begin at zero, so that the block begins as the identity.
    """

    def __init__(self, dim: int, heads: int, mlp: int = 4) -> None:
        super().__init__()
        self.norm_a = nn.LayerNorm(dim, elementwise_affine=False)
        self.norm_b = nn.LayerNorm(dim, elementwise_affine=False)
        self.attention = Attention(dim, heads)
        self.mlp = nn.Sequential(
            nn.Linear(dim, mlp * dim), nn.GELU(approximate="tanh"), nn.Linear(mlp * dim, dim)
        )
        self.table = nn.Parameter(torch.randn(6, dim) * 0.02)

    def forward(self, x: Tensor, shared: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """``x`` ``[B, N, dim]``; ``shared`` ``[B, 6, dim]`` from the conditions."""
        shift_a, scale_a, gate_a, shift_b, scale_b, gate_b = (
            (shared + self.table).unsqueeze(2).unbind(1)
        )
        x = x + gate_a * self.attention(self.norm_a(x) * (1 + scale_a) + shift_a, cos, sin)
        return x + gate_b * self.mlp(self.norm_b(x) * (1 + scale_b) + shift_b)


def time_features(t: Tensor, dim: int) -> Tensor:
    """Sinusoidal features ``[B, dim]`` of flow times ``t`` ``[B]`` in 0..1."""
    half = dim // 2
    rates = torch.exp(torch.arange(half, device=t.device) * (-math.log(1000.0) / half))
    angles = 1000.0 * t[:, None] * rates
    return torch.cat([angles.cos(), angles.sin()], dim=-1)
