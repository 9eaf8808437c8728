"""Weights, gradients and moments shared out among processes (FSDP2: Zhao et al., 2023).

Models know nothing of it: their blocks are wrapped one by one, so that each is gathered when it is
needed, and states are written and read as if they lay on one device.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from vivant.training.world import World


def mesh_of(world: World) -> DeviceMesh:
    """All processes in a row."""
    return init_device_mesh(world.device.partition(":")[0], (world.size,))


def shard(network: nn.Module, world: World, precision: str = "float32") -> nn.Module:
    """Share out ``network``, in place: each module of its ``blocks``, then the rest. ``precision``
    is that in which it computes; weights stay in float32 and gradients are added up in it."""
    kind = torch.bfloat16 if precision == "bfloat16" else torch.float32
    policy = MixedPrecisionPolicy(param_dtype=kind, reduce_dtype=torch.float32)
    mesh = mesh_of(world)
    for block in getattr(network, "blocks", ()):
        fully_shard(block, mesh=mesh, mp_policy=policy)
    return fully_shard(network, mesh=mesh, mp_policy=policy)


def whole(tensor: Tensor) -> Tensor:
    """A tensor gathered from all processes, each of which must ask; others as they are."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def as_in(example: Tensor, tensor: Tensor) -> Tensor:
    """A whole tensor shared out as ``example`` is; as it is where that is whole."""
    if not isinstance(example, DTensor):
        return tensor
    return distribute_tensor(tensor.to(example.device), example.device_mesh, example.placements)
