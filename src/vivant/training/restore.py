"""Networks back from a released bundle, to be trained further."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from safetensors import SafetensorError
from safetensors.numpy import load_file
from torch import nn

from vivant.bundle import Bundle
from vivant.errors import BundleError
from vivant.motion.codec import Codec
from vivant.motion.export import WEIGHTS
from vivant.motion.map_head import MapHead
from vivant.motion.transformer import MotionTransformer, TransformerParams

Weights = dict[str, NDArray[Any]]


def restore(bundle: Bundle) -> tuple[MapHead, MotionTransformer, Codec]:
    """Both networks and the codec of a bundle of the motion family.

    Raises BundleError where not every weight is there.
    """
    config = bundle.config
    codec = Codec(**{**config["codec"], "scales": tuple(config["codec"]["scales"])})
    head, network = MapHead(), MotionTransformer(TransformerParams(**config["network"]))
    if WEIGHTS in config["members"]:
        weights = stored_weights(bundle)
        _fill(head, weights, "head.")
        _fill(network, weights, "network.")
    else:  # a bundle of the first edition has them in its graphs only
        _fill(head, weights_of(bundle, "encoder.onnx"), "head.")
        _fill(network, weights_of(bundle, "velocity.onnx"), "")
    return head, network, codec


def stored_weights(bundle: Bundle) -> Weights:
    """The weights beside the graphs by their PyTorch names, float32. Raises BundleError."""
    try:
        stored = load_file(bundle.file(WEIGHTS))
    except (SafetensorError, OSError) as error:
        raise BundleError(f"{bundle.folder / WEIGHTS} is damaged ({error}).") from error
    return {name: values.astype(np.float32) for name, values in stored.items()}


def weights_of(bundle: Bundle, name: str) -> Weights:
    """Parameters in a graph by their PyTorch names, float32.

    The exporter keeps names but for two cases, which are found by what follows them: linear
    layers become a product with the transposed weight, then a sum with the named bias; the
    map head's group norm becomes a product and a sum with ``[C, 1, 1]``.
    """
    graph = onnx.load(str(bundle.file(name))).graph
    casts = {n.output[0]: n.input[0] for n in graph.node if n.op_type == "Cast"}
    stored = {i.name: numpy_helper.to_array(i).astype(np.float32) for i in graph.initializer}
    made = {node.output[0]: node for node in graph.node}
    weights = {key.removesuffix(".half"): value for key, value in stored.items()}

    def constant(node: Any) -> NDArray[Any] | None:
        found = (stored.get(casts.get(i, i)) for i in node.input)
        return next((value for value in found if value is not None), None)

    for node in graph.node:
        if node.op_type != "Add":
            continue
        before = next((made[i] for i in node.input if i in made and i not in casts), None)
        bias = next((i for i in node.input if i.endswith(".bias")), None)
        if before is None:
            continue
        value = constant(before)
        if bias is not None and before.op_type == "MatMul" and value is not None:
            weights[bias.removesuffix("bias") + "weight"] = value.T
        shift = constant(node)
        if node.output[0].startswith("group_norm") and value is not None and shift is not None:
            weights["head.norm.weight"] = value.reshape(-1)
            weights["head.norm.bias"] = shift.reshape(-1)
    return weights


def _fill(network: nn.Module, weights: Weights, prefix: str) -> None:
    state = network.state_dict()
    for key, tensor in state.items():
        value = weights.get(prefix + key)
        if value is None or value.shape != tuple(tensor.shape):
            raise BundleError(f"The bundle does not hold the weight {prefix}{key}.")
        state[key] = torch.from_numpy(np.ascontiguousarray(value))
    network.load_state_dict(state, strict=True)
