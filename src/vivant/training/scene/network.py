"""The network that sees, in PyTorch: encoder, feature pyramid, heads.

EfficientNet-Lite0 (`vivant.motion.encoder`), a feature pyramid (Lin et al., CVPR 2017) whose
levels are added up at a quarter of the picture (Kirillov et al., Panoptic FPN, CVPR 2019), and a
summary of the whole picture.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from vivant.kinds import KINDS, WATERS
from vivant.motion.encoder import Encoder

TAPS = (1, 2, 4, 6)
"""Encoder stages whose output is used (strides 4, 8, 16, 32)."""
WIDTH = 80


def _conv(inside: int, outside: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, padding=1, bias=False), nn.BatchNorm2d(outside), nn.ReLU()
    )


def _wide(values: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
    return functional.interpolate(values, size, mode="bilinear", align_corners=False)


class SceneNetwork(nn.Module):
    """Picture to features, kinds, characters of water and inverse depth."""

    def __init__(self, encoder: Encoder, width: int = WIDTH) -> None:
        super().__init__()
        self.encoder = encoder
        taken = [encoder.channels[k] for k in TAPS]
        self.lateral = nn.ModuleList(nn.Conv2d(c, width, 1) for c in taken)
        self.smooth = nn.ModuleList(_conv(width, width) for _ in TAPS)
        self.context = nn.Linear(taken[-1], width)
        self.mix = _conv(width, width)
        self.drop = nn.Dropout2d(0.1)
        self.kinds = nn.Conv2d(width, len(KINDS), 1)
        self.waters = nn.Conv2d(width, len(WATERS), 1)
        self.deep = _conv(width, width // 2)
        self.depth = nn.Conv2d(width // 2, 1, 1)

    def maps(self, image: Tensor) -> list[Tensor]:
        """Encoder maps at strides 4, 8, 16, 32 of ``image`` ``[B, 3, H, W]`` sRGB 0..1."""
        x = self.encoder.stem((image - 0.5) / 0.5)
        maps = []
        for index, stage in enumerate(self.encoder.stages):
            x = stage(x)
            if index in TAPS:
                maps.append(x)
        return maps

    def features(self, maps: list[Tensor]) -> Tensor:
        """Pyramid features ``[B, width, H / 4, W / 4]`` of encoder maps."""
        levels = [lateral(m) for lateral, m in zip(self.lateral, maps, strict=True)]
        levels[-1] = levels[-1] + self.context(maps[-1].mean((2, 3)))[:, :, None, None]
        for k in range(len(levels) - 2, -1, -1):
            levels[k] = levels[k] + _wide(levels[k + 1], levels[k].shape[-2:])
        size = levels[0].shape[-2:]
        summed = sum(_wide(s(m), size) for s, m in zip(self.smooth, levels, strict=True))
        mixed: Tensor = self.mix(summed)
        return mixed

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """``image`` ``[B, 3, H, W]`` sRGB 0..1, sides multiples of 32 -> logits of ``kinds``
        ``[B, 12, H / 4, W / 4]`` and ``waters`` ``[B, 4, ...]``, inverse ``depth`` ``[B, ...]``
        (softplus, 0 = infinitely far, scale free), and the ``features`` they were made from."""
        features = self.features(self.maps(image))
        dropped = self.drop(features)
        depth = functional.softplus(self.depth(self.deep(dropped))[:, 0])
        return {
            "kinds": self.kinds(dropped),
            "waters": self.waters(dropped),
            "depth": depth,
            "features": features,
        }
