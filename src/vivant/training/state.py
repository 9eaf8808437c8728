"""Training state on disk: weights, average, optimizer moments, the step, the number format, and
what the run is made of, in one safetensors file, published by rename."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from vivant.errors import UsageError
from vivant.files import publish
from vivant.training.sharding import as_in, whole

MadeOf = Mapping[str, str]
"""What a run is made of, by name for people ("recipe", "data", "seed"): fingerprints."""


@dataclass(frozen=True)
class Learner:
    """Everything that changes while a run goes on."""

    network: nn.Module
    average: nn.Module
    optimizer: torch.optim.Optimizer


@dataclass(frozen=True)
class Position:
    """How far a run has come, and the ``precision`` ("float32" or "bfloat16") of its steps."""

    step: int
    precision: str


def save_state(
    path: Path, learner: Learner, position: Position, made_of: MadeOf, *, writes: bool = True
) -> None:
    """Write everything that `load_state` needs to go on exactly. What is shared out among
    processes is gathered: each must call this, and one of them ``writes``."""
    tensors = {f"network.{k}": v for k, v in learner.network.state_dict().items()}
    tensors |= {f"average.{k}": v.clone() for k, v in learner.average.state_dict().items()}
    for index, moments in learner.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{k}": v for k, v in moments.items()}
    tensors = {k: whole(v.detach()).contiguous() for k, v in tensors.items()}
    if not writes:
        return
    facts = {"step": str(position.step), "precision": position.precision}
    with publish(path) as temporary:
        save_file(tensors, temporary, {**facts, "made_of": json.dumps(dict(made_of))})


def load_state(path: Path, learner: Learner, made_of: MadeOf) -> Position | None:
    """Restore in place; returns where to go on, None where there is no file.

    Raises UsageError where the run is made of something else, or the file is damaged.
    """
    if not path.exists():
        return None
    check_state(path, made_of)
    facts, tensors = _read(path)
    _fill(learner.network, _part(tensors, "network."))
    _fill(learner.average, _part(tensors, "average."))
    moments: dict[int, dict[str, Tensor]] = {}
    parameters = [p for group in learner.optimizer.param_groups for p in group["params"]]
    for key, value in _part(tensors, "optimizer.").items():
        index, name = key.split(".", 1)
        like = parameters[int(index)]
        moments.setdefault(int(index), {})[name] = as_in(like, value) if value.ndim else value
    groups = learner.optimizer.state_dict()["param_groups"]
    learner.optimizer.load_state_dict({"state": moments, "param_groups": groups})
    return Position(int(facts["step"]), str(facts["precision"]))


def _fill(network: nn.Module, tensors: dict[str, Tensor]) -> None:
    own = network.state_dict()
    placed = {k: as_in(own[k], v) if k in own else v for k, v in tensors.items()}
    network.load_state_dict(placed, strict=True)


def check_state(path: Path, made_of: MadeOf) -> None:
    """Raises UsageError where ``path`` is the state of a run that is made of something else in
    any of the names of ``made_of``; a file that is not there is fine."""
    if not path.exists():
        return
    facts, _ = _read(path, facts_only=True)
    stored = json.loads(facts.get("made_of", "{}"))
    others = [name for name, value in made_of.items() if stored.get(name) != value]
    if others:
        raise UsageError(
            f"{path.parent} holds a run with another {' and '.join(others)}: choose another"
            " folder, or remove this one to start anew."
        )


def _read(path: Path, *, facts_only: bool = False) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            names = [] if facts_only else list(file.keys())
            return dict(file.metadata() or {}), {name: file.get_tensor(name) for name in names}
    except (SafetensorError, OSError) as error:
        raise UsageError(f"{path} is damaged ({error}); remove it to start anew.") from error


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
