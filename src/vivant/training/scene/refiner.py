"""The matte refiner, in PyTorch: picture and coarse matte in, alpha out; a very small U-Net
(Ronneberger et al., MICCAI 2015) that knows edges, not kinds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vivant.training.scene.composites import Plate, composite

WIDTHS = (12, 24, 40, 56)


def _conv(inside: int, outside: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside), nn.ReLU()
    )


class MatteRefiner(nn.Module):
    """Alpha at the size of the input, whose sides are multiples of 8."""

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d = WIDTHS
        self.down1, self.down2, self.down3 = _conv(4, b, 2), _conv(b, c, 2), _conv(c, d, 2)
        self.deep = nn.Sequential(_conv(d, d), _conv(d, d))
        self.up2, self.up1 = _conv(d + c, c), _conv(c + b, b)
        self.squeeze = nn.Conv2d(b, a - 4, 1)
        self.fine = _conv(a, a)
        self.out = nn.Conv2d(a, 1, 3, padding=1)

    def forward(self, image: Tensor, coarse: Tensor) -> Tensor:
        """``image`` ``[B, 3, H, W]`` and ``coarse`` ``[B, 1, H, W]``, both 0..1 -> log-odds of
        alpha ``[B, 1, H, W]``."""
        x = torch.cat([image - 0.5, coarse - 0.5], 1)
        one = self.down1(x)
        two = self.down2(one)
        three = self.deep(self.down3(two))
        two = self.up2(torch.cat([_twice(three), two], 1))
        one = self.up1(torch.cat([_twice(two), one], 1))
        fine = self.fine(torch.cat([_twice(self.squeeze(one)), x], 1))
        odds: Tensor = self.out(fine)
        return odds + 6 * (coarse - 0.5)


def _twice(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


class RefineTask:
    """Alpha of composites: mean absolute error, doubled near the edge, and of its gradient."""

    def __init__(
        self, network: MatteRefiner, plates: Sequence[Plate], batch_size: int = 12, side: int = 128
    ) -> None:
        self.network: nn.Module = network
        self.plates, self.batch_size, self.side = plates, batch_size, side

    def batch(self, rng: np.random.Generator) -> dict[str, Tensor]:
        """Fresh composites; none is ever seen twice."""
        made = [composite(rng, self.plates, self.side) for _ in range(self.batch_size)]
        image = np.stack([m.image.transpose(2, 0, 1) for m in made])
        names = ("coarse", "alpha", "edge")
        arrays = {name: np.stack([getattr(m, name)[None] for m in made]) for name in names}
        arrays["image"] = image
        return {name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in arrays.items()}

    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        """Scalar loss of one batch."""
        image = batch["image"].contiguous(memory_format=torch.channels_last)
        odds = self.network(image, batch["coarse"]).float()
        alpha, true = torch.sigmoid(odds), batch["alpha"]
        error = (alpha - true).abs() + 0.3 * functional.binary_cross_entropy_with_logits(
            odds, true, reduction="none"
        )
        return (error * (0.25 + batch["edge"])).mean() + 0.5 * _slope(alpha, true)


def _slope(a: Tensor, b: Tensor) -> Tensor:
    difference = a - b
    across = (difference[..., 1:] - difference[..., :-1]).abs().mean()
    down = (difference[..., 1:, :] - difference[..., :-1, :]).abs().mean()
    return across + down
