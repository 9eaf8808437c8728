"""The motion map: where things move and how fast, from frozen image features (PyTorch)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

DEEP = 320
FEATURES = 40 + 112 + DEEP


def cell_features(maps: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """Encoder maps (strides 8, 16, 32) on the cell grid: ``[B, 472, H / 8, W / 8]``."""
    size = maps[0].shape[-2:]
    wide = [functional.interpolate(m, size, mode="bilinear", align_corners=False) for m in maps[1:]]
    return torch.cat([maps[0], *wide], dim=1)


def token_features(cells: Tensor) -> Tensor:
    """Features on tokens of 2 x 2 cells: ``[B, 472, h / 2, w / 2]``."""
    return functional.avg_pool2d(cells, 2)


class MapHead(nn.Module):
    """Log mean speed, log-odds of moving at all, and log-odds of being fluid, per cell."""

    def __init__(self, width: int = 96, dropout: float = 0.3) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(1, FEATURES)
        self.squeeze = nn.Conv2d(FEATURES, width, 1)
        self.context = nn.Linear(FEATURES, width)
        self.drop = nn.Dropout2d(dropout)
        self.mix = nn.Sequential(
            nn.GELU(),
            nn.Conv2d(width, width, 3, padding=1, padding_mode="replicate"),
            nn.GELU(),
            nn.Conv2d(width, width, 3, padding=2, dilation=2, padding_mode="replicate"),
            nn.GELU(),
        )
        self.out = nn.Conv2d(width, 3, 1)

    def forward(self, cells: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``cells`` ``[B, 472, h, w]`` -> log speed (natural, of short sides per second) and
        moving and fluid log-odds, each ``[B, h, w]``."""
        x = self.drop(self.norm(cells))
        context = self.context(x.mean(dim=(2, 3)))
        x = self.mix(self.squeeze(x) + context[:, :, None, None])
        speed, moving, fluid = self.out(x).unbind(1)
        return speed - 3.5, moving, fluid
