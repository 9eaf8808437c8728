"""The velocity network of the video model: a diffusion transformer over space and time.

Attention is factorised: over the places of one latent frame, then over the frames of one place
(Bertasius et al., TimeSformer, 2021; Ho et al., Video Diffusion Models, 2022), with rotary
positions in both (Su et al., RoFormer, 2021). What flows is not the latents but how they leave the
anchor: the latents of the last known picture, held still. Zero is a clip in which nothing moves.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from vivant.nn import Attention, time_features
from vivant.video.conditions import FEATURES, VOCABULARY

GATES = 2
"""How far inertia and the linear guess pass at each place: both are finer than a token's width."""
MODULATIONS = 9
"""Shift, scale and gate of attention over space, over time, and of the network between."""
LEAST_LEFT = 0.02
"""Of the flow's time: nearer to its end the velocity grows no further."""
BASE = 100.0
"""Longest wavelength of the positions, in tokens (over 2 pi)."""


@dataclass(frozen=True)
class TransformerParams:
    """``channels`` of a latent; ``dim``, ``depth``, ``heads`` of the blocks; ``patch`` sides of
    latents that become one token; ``horizon`` latents after the known ones for which the scale of
    what is sampled was measured."""

    channels: int = 16
    dim: int = 192
    depth: int = 6
    heads: int = 6
    patch: int = 2
    horizon: int = 4

    @property
    def inputs(self) -> int:
        """Channels that a token is made from: what flows, anchor, known, inertia, scene, motion."""
        return 3 * self.channels + 2 + FEATURES + 3


@dataclass(frozen=True)
class Conditions:
    """What a clip of N latents is sampled under; ``[B, C, N, h, w]`` ``anchor``; ``known``
    ``[B, N]`` 1 for latents that are given; ``inertia`` ``[B, C + 1, N, h, w]`` how the clip leaves
    the anchor if its motion just goes on, in units of the scales, and the trust in it (see
    `vivant.video.inertia`); ``features`` ``[B, 15, h, w]`` of the scene, zeros
    where it was not seen; ``motion`` ``[B, 3, N, h, w]`` (see `vivant.video.conditions`), zeros
    where none is given; ``words`` ``[B, 16]`` int64, 0 = no word."""

    anchor: Tensor
    known: Tensor
    inertia: Tensor
    features: Tensor
    motion: Tensor
    words: Tensor

    def maps(self) -> Tensor:
        """All that lies on the latents' grid, ``[B, 2 channels + 20, N, h, w]``."""
        b, _, n, h, w = self.anchor.shape
        known = self.known[:, None, :, None, None].to(self.anchor.dtype).expand(b, 1, n, h, w)
        seen = self.features[:, :, None].expand(-1, -1, n, -1, -1)
        return torch.cat([self.anchor, known, self.inertia, seen, self.motion], dim=1)


class SpaceTimeBlock(nn.Module):
    """Attention over space, then over time, then a network for each token; modulated by one shared
    table plus its own (adaLN-single: Chen et al., PixArt-alpha, 2024). Gates begin at zero."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(dim, elementwise_affine=False) for _ in range(3))
        self.space = Attention(dim, heads)
        self.time = Attention(dim, heads)
        self.mlp = nn.Sequential(
            nn.Linear(dim, 4 * dim), nn.GELU(approximate="tanh"), nn.Linear(4 * dim, dim)
        )
        self.table = nn.Parameter(torch.randn(MODULATIONS, dim) * 0.02)

    def forward(self, x: Tensor, shared: Tensor, places: Tensor, times: Tensor) -> Tensor:
        """``x`` ``[B, N, P, dim]`` (N frames, P places); ``shared`` ``[B, 9, dim]``; rotary tables
        ``places`` ``[2, P, d / 2]`` and ``times`` ``[2, N, d / 2]`` (cosines, sines)."""
        b, n, p, _ = x.shape
        parts = (shared + self.table)[:, :, None, None].unflatten(1, (3, 3)).unbind(1)
        (shift, scale, gate), later, last = (part.unbind(1) for part in parts)
        y = self.norms[0](x) * (1 + scale) + shift
        x = x + gate * self.space(y.flatten(0, 1), *places).unflatten(0, (b, n))
        shift, scale, gate = later
        y = (self.norms[1](x) * (1 + scale) + shift).transpose(1, 2).flatten(0, 1)
        x = x + gate * self.time(y, *times).unflatten(0, (b, p)).transpose(1, 2)
        shift, scale, gate = last
        return x + gate * self.mlp(self.norms[2](x) * (1 + scale) + shift)


class VideoTransformer(nn.Module):
    """``v(x, t | conditions)``: the velocity of the flow at ``x``, in units of ``scales``.

    The network itself says where the flow ends, and the velocity follows: where nothing moves that
    end is zero, which is learned at once, while a velocity would have to repeat the noise (Li and
    He, "Back to Basics", 2025).
    """

    scales: Tensor

    def __init__(self, params: TransformerParams) -> None:
        super().__init__()
        self.params = params
        dim = params.dim
        self.embed = nn.Linear(params.inputs * params.patch**2, dim)
        self.embed_words = nn.Embedding(VOCABULARY, dim, padding_idx=0)
        self.embed_time = nn.Sequential(nn.Linear(dim, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.modulate = nn.Sequential(nn.SiLU(), nn.Linear(dim, MODULATIONS * dim))
        self.blocks = nn.ModuleList(SpaceTimeBlock(dim, params.heads) for _ in range(params.depth))
        self.norm = nn.LayerNorm(dim, elementwise_affine=False)
        self.final = nn.Linear(dim, 2 * dim)
        self.out = nn.Linear(dim, (params.channels + GATES) * params.patch**2)
        self.register_buffer("scales", torch.ones(params.channels, params.horizon))
        nn.init.normal_(self.embed_words.weight, std=0.02)
        for layer in (self.modulate[-1], self.final, self.out):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor, t: Tensor, given: Conditions) -> Tensor:
        """``x`` ``[B, C, N, h, w]``, ``t`` ``[B]`` -> velocity of the shape of ``x``, zero at the
        known latents; h and w are multiples of the patch."""
        side, dim = self.params.patch, self.params.dim
        _, _, n, h, w = x.shape
        places, times = self.positions(n, h // side, w // side, x.device)
        linear = guess(x, t)
        tokens = self.embed(tokens_of(torch.cat([linear, given.maps()], dim=1), side))
        said = (given.words > 0).sum(1, keepdim=True).clamp(min=1)
        words = self.embed_words(given.words).sum(1) / said
        condition = self.embed_time(time_features(t, dim)) + words
        shared = self.modulate(condition).unflatten(-1, (MODULATIONS, -1))
        for block in self.blocks:
            tokens = block(tokens, shared, places, times)
        shift, scale = self.final(functional.silu(condition))[:, None, None].chunk(2, dim=-1)
        out = latents_of(self.out(self.norm(tokens) * (1 + scale) + shift), side, h // side).float()
        own, on, passed = out.split([self.params.channels, 1, 1], dim=1)
        end = own + on * given.inertia[:, :-1] + passed * linear
        left = (1 - t).clamp(min=LEAST_LEFT)[:, None, None, None, None]
        return (end - x) / left * (1 - given.known[:, None, :, None, None])

    def positions(
        self, n: int, rows: int, columns: int, device: torch.device
    ) -> tuple[Tensor, Tensor]:
        """Rotary tables of places ``[2, rows * columns, d / 2]`` and of times ``[2, n, d / 2]``."""
        half = self.params.dim // self.params.heads // 2
        y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        split = half // 2
        places = torch.cat([_angles(y.flatten(), split), _angles(x.flatten(), half - split)], 1)
        times = _angles(torch.arange(n), half)
        return _turned(places).to(device), _turned(times).to(device)

    def scale_for(self, known: Tensor) -> Tensor:
        """What 1 stands for, ``[B, C, N, 1, 1]``: measured for each channel and distance from the
        last known latent (``known`` ``[B, N]``); beyond the horizon as at its end."""
        distance = torch.cumsum(1 - known, dim=1).long().clamp(1, self.params.horizon) - 1
        return self.scales[:, distance].transpose(0, 1)[..., None, None]


def guess(x: Tensor, t: Tensor) -> Tensor:
    """The best linear guess of where the flow ends, of data of variance 1, from ``x`` at ``t``. It
    is what the network sees: nothing at t = 0, where ``x`` is noise alone and could only leak."""
    at = t[:, None, None, None, None]
    return x * at / ((1 - at) ** 2 + at**2)


def _turned(angles: Tensor) -> Tensor:
    return torch.stack([angles.cos(), angles.sin()])


def _angles(at: Tensor, count: int) -> Tensor:
    rates = BASE ** (-torch.arange(count) / count)
    return at[:, None] * rates


def tokens_of(maps: Tensor, side: int) -> Tensor:
    """``[B, C, N, h, w]`` -> ``[B, N, h w / side^2, C side^2]``."""
    parts = maps.unflatten(4, (-1, side)).unflatten(3, (-1, side))
    return parts.permute(0, 2, 3, 5, 1, 4, 6).flatten(4, 6).flatten(2, 3)


def latents_of(tokens: Tensor, side: int, rows: int) -> Tensor:
    """Undo `tokens_of` for a grid of ``rows`` rows of tokens."""
    parts = tokens.unflatten(3, (-1, side, side)).unflatten(2, (rows, -1))
    return parts.permute(0, 4, 1, 2, 5, 3, 6).flatten(5, 6).flatten(3, 4)
