"""PyTorch networks to ONNX graphs that the base install runs.

Two graphs: ``encoder.onnx`` (picture -> motion map and token features) and ``velocity.onnx``
(the diffusion transformer). Weights are stored in half precision and cast up when the graph
is loaded, so that arithmetic is fp32 and the download is halved.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from safetensors.torch import save_file
from torch import Tensor, nn

from vivant.bundle import FORMAT
from vivant.motion.codec import Codec, rope_table
from vivant.motion.encoder import Encoder
from vivant.motion.map_head import DEEP, FEATURES, MapHead, cell_features, token_features
from vivant.motion.rigid import RigidPrior
from vivant.motion.transformer import MotionTransformer

WEIGHTS = "weights.safetensors"
HALF_ABOVE = 256
ENCODER_OUTPUTS = ("log_speed", "moving", "fluid", "rigid", "features")
VELOCITY_INPUTS = ("x", "t", "image", "use_image", "motion_map", "hints", "cos", "sin")


class EncoderGraph(nn.Module):
    """Everything that is computed once per picture."""

    def __init__(self, encoder: Encoder, head: MapHead, rigid: RigidPrior) -> None:
        super().__init__()
        self.encoder, self.head, self.rigid = encoder, head, rigid

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """``image`` ``[1, 3, H, W]`` 0..1 -> log speed, moving and fluid odds, rigid
        probability, each ``[1, h, w]``, and token features ``[1, N, F]``."""
        cells = cell_features(self.encoder(image))
        rigid = self.rigid(cells[:, -DEEP:])
        return *self.head(cells), rigid, token_features(cells).flatten(2).transpose(1, 2)


def export_encoder(graph: EncoderGraph, path: Path) -> None:
    """Write ``encoder.onnx``; height and width may be any multiples of 32."""
    graph = graph.eval()
    image = torch.rand(1, 3, 256, 448)
    free = {
        2: 32 * torch.export.Dim("rows", min=2, max=64),
        3: 32 * torch.export.Dim("columns", min=2, max=64),
    }
    export_graph(graph, (image,), path, ("image",), ENCODER_OUTPUTS, {"image": free})


def export_velocity(network: MotionTransformer, path: Path) -> None:
    """Write ``velocity.onnx``; batch size and number of tokens are free."""
    shapes: dict[str, dict[int, Any]] = {name: {} for name in VELOCITY_INPUTS}
    batch = torch.export.Dim("batch", min=1, max=64)
    count = torch.export.Dim("tokens", min=4, max=16384)
    for name in VELOCITY_INPUTS[:-2]:
        shapes[name][0] = batch
    for name in ("x", "image", "motion_map", "hints"):
        shapes[name][1] = count
    for name in ("cos", "sin"):
        shapes[name][0] = count
    export_graph(
        network.eval(), example_inputs(network), path, VELOCITY_INPUTS, ("velocity",), shapes
    )


def example_inputs(
    network: MotionTransformer, h: int = 6, w: int = 8, batch: int = 2
) -> tuple[Tensor, ...]:
    """Random inputs of the velocity network on ``h x w`` tokens."""
    params, n = network.params, h * w
    cos, sin = rope_table(h, w, params.dim // params.heads)
    return (
        torch.randn(batch, n, params.channels),
        torch.rand(batch),
        torch.randn(batch, n, params.features),
        torch.ones(batch),
        torch.randn(batch, n, 1),
        torch.zeros(batch, n, 3),
        torch.from_numpy(cos),
        torch.from_numpy(sin),
    )


def round_weights(network: nn.Module) -> None:
    """Round weights as the stored graphs do, so that parity can be tested exactly."""
    with torch.no_grad():
        for tensor in network.state_dict().values():
            if tensor.dtype == torch.float32 and tensor.numel() > HALF_ABOVE:
                tensor.copy_(tensor.half().float())


def export_graph(
    module: nn.Module,
    inputs: tuple[Tensor, ...],
    path: Path,
    names: Sequence[str],
    outputs: Sequence[str],
    shapes: dict[str, dict[int, Any]],
) -> None:
    """Write one network as an ONNX graph with half-precision weights and checked shapes; ``shapes``
    says of each input which axes are free."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module,
            inputs,
            input_names=list(names),
            output_names=list(outputs),
            dynamo=True,
            dynamic_shapes=tuple(shapes[n] for n in names),
            verbose=False,
            opset_version=18,
        )
    if program is None:
        raise RuntimeError("the exporter returned nothing")
    model = program.model_proto
    _forget_places(model)
    _store_half(model)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def _forget_places(model: Any) -> None:
    """Leave out the exporter's notes, which hold stack traces with names of folders."""
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    del model.graph.metadata_props[:]


def _store_half(model: Any) -> None:
    """Replace large fp32 initialisers by fp16 ones with a cast, which the runtime folds."""
    graph = model.graph
    casts = []
    for tensor in graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT or np.prod(tensor.dims) <= HALF_ABOVE:
            continue
        name = tensor.name
        half = numpy_helper.from_array(
            numpy_helper.to_array(tensor).astype(np.float16), f"{name}.half"
        )
        tensor.CopyFrom(half)
        casts.append(
            onnx.helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT)
        )
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend(casts + nodes)


def write_bundle(
    folder: Path,
    graph: EncoderGraph,
    network: MotionTransformer,
    codec: Codec,
    about: dict[str, Any],
) -> None:
    """Write a whole bundle folder; ``about`` holds name, version, licence and sampler. The
    weights that can be trained further lie beside the graphs, by their PyTorch names."""
    folder.mkdir(parents=True, exist_ok=True)
    export_encoder(graph, folder / "encoder.onnx")
    export_velocity(network, folder / "velocity.onnx")
    parts: dict[str, nn.Module] = {"head.": graph.head, "network.": network}
    weights = {
        prefix + name: tensor.detach().half().contiguous()
        for prefix, part in parts.items()
        for name, tensor in part.state_dict().items()
    }
    save_file(weights, folder / WEIGHTS)
    config = {
        "format": FORMAT,
        "members": ["encoder.onnx", "velocity.onnx", WEIGHTS],
        "codec": asdict(codec),
        "network": asdict(network.params),
        "features": FEATURES,
        **about,
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")
