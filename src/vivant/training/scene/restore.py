"""Trained networks back, from the folders in which they were trained or from a released bundle."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from vivant.bundle import Bundle
from vivant.errors import BundleError, UsageError
from vivant.motion.encoder import SIZES, Encoder
from vivant.training.restore import weights_of
from vivant.training.scene.lettering import LetteringNetwork
from vivant.training.scene.moving import MovingHead
from vivant.training.scene.network import SceneNetwork
from vivant.training.scene.refiner import MatteRefiner

PREFIX = "average."


def network_of(run: Path) -> SceneNetwork:
    """The averaged seeing network of a training run, whichever encoder it has. Raises UsageError
    where there is none."""
    kept = _kept(run)
    shapes = {name: tensor.shape for name, tensor in kept.items()}
    for sizes in SIZES.values():
        network = SceneNetwork(Encoder(sizes))
        if {name: tensor.shape for name, tensor in network.state_dict().items()} == shapes:
            break
    network.load_state_dict(kept)
    return network.eval().to(memory_format=torch.channels_last)


def refiner_of(run: Path) -> MatteRefiner:
    """The averaged refiner of a training run. Raises UsageError where there is none."""
    refiner = MatteRefiner()
    _fill(refiner, run)
    return refiner.eval()


def lettering_of(run: Path) -> LetteringNetwork:
    """The averaged network for lettering of a run. Raises UsageError where there is none."""
    network = LetteringNetwork()
    _fill(network, run)
    return network.eval()


def released_network(bundle: Bundle) -> SceneNetwork:
    """The seeing network of a released bundle. Raises BundleError where a weight is missing."""
    network = SceneNetwork(Encoder())
    _refill(network, bundle, "scene.onnx", "network.")
    return network.eval().to(memory_format=torch.channels_last)


def released_head(bundle: Bundle) -> MovingHead:
    """The moving head of a released bundle. Raises BundleError where a weight is missing."""
    head = MovingHead()
    _refill(head, bundle, "scene.onnx", "head.")
    return head.eval()


def released_refiner(bundle: Bundle) -> MatteRefiner:
    """The refiner of a released bundle. Raises BundleError where a weight is missing."""
    refiner = MatteRefiner()
    _refill(refiner, bundle, "matte.onnx", "refiner.")
    return refiner.eval()


def _fill(network: nn.Module, run: Path) -> None:
    network.load_state_dict(_kept(run))


def _kept(run: Path) -> dict[str, Tensor]:
    path = run / "state.safetensors"
    if not path.is_file():
        raise UsageError(f"There is no training state {path}.")
    found = load_file(path).items()
    return {k.removeprefix(PREFIX): v for k, v in found if k.startswith(PREFIX)}


def _refill(network: nn.Module, bundle: Bundle, graph: str, prefix: str) -> None:
    """Fill a network from a graph, whose convolutions have taken in the normalisation that
    followed: what is left of that only adds."""
    found = {k: torch.from_numpy(v.copy()) for k, v in weights_of(bundle, graph).items()}
    modules = dict(network.named_modules())
    for name, tensor in network.state_dict().items():
        owner, _, leaf = name.rpartition(".")
        norm = modules[owner]
        if isinstance(norm, nn.BatchNorm2d):
            value = _adding(norm, leaf, found.get(f"{prefix}{_before(owner)}.weight_bias"))
        else:
            value = found.get(prefix + name)
        if value is None or value.shape != tensor.shape:
            raise BundleError(f"The bundle does not hold the weight {prefix}{name}.")
        tensor.copy_(value)


def _adding(norm: nn.BatchNorm2d, leaf: str, bias: Tensor | None) -> Tensor | None:
    ones = torch.ones(norm.num_features)
    values = {"weight": ones, "bias": bias, "running_mean": 0 * ones}
    values["running_var"] = ones - norm.eps
    return values.get(leaf, torch.tensor(0))


def _before(name: str) -> str:
    """The layer before the last one of a sequence: "smooth.0.1" -> "smooth.0.0"."""
    owner, _, number = name.rpartition(".")
    return f"{owner}.{int(number) - 1}"
