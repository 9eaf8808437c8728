"""The networks that see, as the bundle that the base install runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from vivant.bundle import FORMAT
from vivant.motion.export import export_graph
from vivant.training.scene.moving import MovingHead, head_inputs
from vivant.training.scene.network import SceneNetwork
from vivant.training.scene.refiner import MatteRefiner

OUTPUTS = ("kinds", "waters", "depth", "moving", "log_speed")


class SceneGraph(nn.Module):
    """Everything that one look at a picture tells."""

    def __init__(self, network: SceneNetwork, head: MovingHead) -> None:
        super().__init__()
        self.network, self.head = network, head

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """``image`` ``[1, 3, H, W]`` 0..1, sides multiples of 32 -> log-odds of kinds and waters
        ``[1, .., h, w]``, inverse depth, log-odds of moving and log speed ``[1, h, w]``, on a
        quarter of the sides."""
        out = self.network(image)
        moves = self.head.answer(head_inputs(out))
        moves = functional.interpolate(moves, scale_factor=2.0, mode="bilinear")
        return out["kinds"], out["waters"], out["depth"], moves[:, 0], moves[:, 1]


class MatteGraph(nn.Module):
    """The refiner with alpha, not odds, as its answer."""

    def __init__(self, refiner: MatteRefiner) -> None:
        super().__init__()
        self.refiner = refiner

    def forward(self, image: Tensor, coarse: Tensor) -> Tensor:
        """``image`` ``[B, 3, H, W]``, ``coarse`` ``[B, 1, H, W]`` -> alpha ``[B, 1, H, W]``."""
        alpha: Tensor = torch.sigmoid(self.refiner(image, coarse))
        return alpha


def write_scene_bundle(
    folder: Path, graph: SceneGraph, refiner: MatteRefiner, about: dict[str, Any]
) -> None:
    """Write ``scene.onnx``, ``matte.onnx`` and ``config.json``; ``about`` holds name, version
    and licence."""
    folder.mkdir(parents=True, exist_ok=True)
    rows, columns = (torch.export.Dim(n, min=2, max=64) for n in ("rows", "columns"))
    export_graph(
        graph.eval(),
        (torch.rand(1, 3, 256, 448),),
        folder / "scene.onnx",
        ("image",),
        OUTPUTS,
        {"image": {2: 32 * rows, 3: 32 * columns}},
    )
    write_mattes(folder, refiner)
    config = {"format": FORMAT, "family": "scene", "members": ["scene.onnx", "matte.onnx"], **about}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")


def write_mattes(folder: Path, refiner: MatteRefiner) -> None:
    """Write ``matte.onnx`` alone."""
    batch = torch.export.Dim("batch", min=1, max=16)
    high, wide = (torch.export.Dim(n, min=2, max=512) for n in ("high", "wide"))
    free = {0: batch, 2: 8 * high, 3: 8 * wide}
    export_graph(
        MatteGraph(refiner).eval(),
        (torch.rand(2, 3, 64, 96), torch.rand(2, 1, 64, 96)),
        folder / "matte.onnx",
        ("image", "coarse"),
        ("alpha",),
        {"image": free, "coarse": free},
    )
