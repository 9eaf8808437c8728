"""One process or many: what ``torchrun`` says, and how gradients are shared."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True)
class World:
    """This process's ``rank`` of ``size``, and the ``device`` it trains on."""

    rank: int = 0
    size: int = 1
    device: str = "cpu"

    @property
    def leads(self) -> bool:
        """Whether this process writes logs, states and results."""
        return self.rank == 0


def join_world() -> World:
    """The world that ``torchrun`` set up (NCCL on GPUs, gloo on CPUs), or this process alone."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    local = int(os.environ.get("LOCAL_RANK", "0"))
    device = f"cuda:{local}" if torch.cuda.is_available() else "cpu"
    if size == 1:
        return World(device=device)
    if not distributed.is_initialized():
        distributed.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    return World(distributed.get_rank(), size, device)


def parallel(network: nn.Module, world: World) -> nn.Module:
    """The network as it is trained: gradients are averaged over all processes."""
    if world.size == 1:
        return network
    return DistributedDataParallel(network, broadcast_buffers=False)


def meet(world: World) -> None:
    """Wait until every process has come this far."""
    if world.size > 1:
        distributed.barrier()


def leave(world: World) -> None:
    """Part once every process is done: one that just ends tears the others' connections down, and
    they abort."""
    if world.size > 1:
        distributed.barrier()
        distributed.destroy_process_group()


def mean_over(world: World, value: float) -> float:
    """The mean of a number over all processes, the same in each."""
    if world.size == 1:
        return value
    total = torch.tensor([value], dtype=torch.float64, device=world.device)
    distributed.all_reduce(total)
    return float(total) / world.size
