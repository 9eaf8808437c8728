"""Trained networks back from the folders in which they were trained."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from vivant.errors import UsageError
from vivant.motion.encoder import Encoder
from vivant.training.scene.lettering import LetteringNetwork
from vivant.training.scene.network import SceneNetwork
from vivant.training.scene.refiner import MatteRefiner

PREFIX = "average."


def network_of(run: Path) -> SceneNetwork:
    """The averaged seeing network of a training run. Raises UsageError where there is none."""
    network = SceneNetwork(Encoder())
    _fill(network, run)
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


def _fill(network: nn.Module, run: Path) -> None:
    path = run / "state.safetensors"
    if not path.is_file():
        raise UsageError(f"There is no training state {path}.")
    kept = {k: v for k, v in load_file(path).items() if k.startswith(PREFIX)}
    network.load_state_dict({k.removeprefix(PREFIX): v for k, v in kept.items()})
