"""Training state on disk: weights, average, optimizer moments and step, in one safetensors
file, published by rename."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from vivant.files import publish


def save_state(
    path: Path, network: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer, step: int
) -> None:
    """Write everything that `load_state` needs to go on exactly."""
    tensors = {f"network.{k}": v for k, v in network.state_dict().items()}
    tensors |= {f"average.{k}": v.clone() for k, v in average.state_dict().items()}
    for index, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{k}": v for k, v in moments.items()}
    tensors = {k: v.detach().contiguous() for k, v in tensors.items()}
    with publish(path) as temporary:
        save_file(tensors, temporary, {"step": str(step)})


def load_state(
    path: Path, network: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer
) -> int:
    """Restore in place; returns the step to go on with (0 where there is no file)."""
    if not path.exists():
        return 0
    with safe_open(path, framework="pt") as file:
        step = int(file.metadata()["step"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    network.load_state_dict(_part(tensors, "network."), strict=True)
    average.load_state_dict(_part(tensors, "average."), strict=True)
    moments: dict[int, dict[str, Tensor]] = {}
    for key, value in _part(tensors, "optimizer.").items():
        index, name = key.split(".", 1)
        moments.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict(
        {"state": moments, "param_groups": optimizer.state_dict()["param_groups"]}
    )
    return step


def load_average(path: Path, network: nn.Module) -> nn.Module:
    """The averaged weights of a saved state, in evaluation mode."""
    with safe_open(path, framework="pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    network.load_state_dict(_part(tensors, "average."), strict=True)
    return network.eval()


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
