"""The network that finds what is laid over a scene, in PyTorch: a small U-Net (Ronneberger et al.,
MICCAI 2015) that answers for every cell of four by four pixels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vivant.clip import Frame
from vivant.motion.export import export_graph
from vivant.training.scene.lettered import Typeface, lettered

WIDTHS = (12, 24, 40, 56)
MULTIPLE = 16
"""The sides of a picture are multiples of this many pixels."""


def _conv(inside: int, outside: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside), nn.ReLU()
    )


class LetteringNetwork(nn.Module):
    """Log-odds that something is laid over a cell."""

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d = WIDTHS
        self.near = nn.Sequential(_conv(3, a, 2), _conv(a, b, 2), _conv(b, b))
        self.middle = nn.Sequential(_conv(b, c, 2), _conv(c, c))
        self.far = nn.Sequential(_conv(c, d, 2), _conv(d, d), _conv(d, d))
        self.narrow_far, self.narrow_middle = nn.Conv2d(d, 32, 1), nn.Conv2d(c, 16, 1)
        self.back, self.front = _conv(32 + c, c), _conv(16 + b, b)
        self.out = nn.Conv2d(b, 1, 1)

    def forward(self, image: Tensor) -> Tensor:
        """``image`` ``[B, 3, H, W]`` 0..1 -> log-odds ``[B, H / 4, W / 4]``."""
        near = self.near(image - 0.5)
        middle = self.middle(near)
        far = _twice(self.narrow_far(self.far(middle)))
        middle = _twice(self.narrow_middle(self.back(torch.cat([far, middle], 1))))
        odds: Tensor = self.out(self.front(torch.cat([middle, near], 1)))
        return odds[:, 0]


def _twice(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")


class LetteringTask:
    """Cross-entropy over the cells of photographs with something drawn over them."""

    def __init__(
        self,
        network: LetteringNetwork,
        photographs: Sequence[Frame],
        faces: Sequence[Typeface],
        batch_size: int = 8,
        side: int = 192,
    ) -> None:
        self.network: nn.Module = network
        self.photographs, self.faces = photographs, faces
        self.batch_size, self.side = batch_size, side

    def batch(self, rng: np.random.Generator) -> dict[str, Tensor]:
        """Freshly drawn pictures; none is ever seen twice."""
        made = [
            lettered(rng, self.photographs, self.faces, self.side) for _ in range(self.batch_size)
        ]
        arrays = {
            "image": np.stack([one.image.transpose(2, 0, 1) for one in made]),
            "laid": np.stack([one.laid for one in made]),
            "trust": np.stack([one.trust for one in made]),
        }
        return {name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in arrays.items()}

    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        """Scalar loss of one batch."""
        image = batch["image"].contiguous(memory_format=torch.channels_last)
        odds = self.network(image).float()
        each = functional.binary_cross_entropy_with_logits(odds, batch["laid"], reduction="none")
        return (each * batch["trust"]).mean()


class LetteringGraph(nn.Module):
    """The network with shares, not odds, as its answer."""

    def __init__(self, network: LetteringNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        """``image`` ``[1, 3, H, W]`` 0..1 -> how surely 0..1 ``[1, H / 4, W / 4]``."""
        return torch.sigmoid(self.network(image))


def write_lettering(network: LetteringNetwork, path: Path) -> None:
    """Write the graph that the base install runs."""
    high, wide = (torch.export.Dim(name, min=2, max=128) for name in ("high", "wide"))
    export_graph(
        LetteringGraph(network).eval(),
        (torch.rand(1, 3, 8 * MULTIPLE, 10 * MULTIPLE),),
        path,
        ("image",),
        ("laid",),
        {"image": {2: MULTIPLE * high, 3: MULTIPLE * wide}},
    )
