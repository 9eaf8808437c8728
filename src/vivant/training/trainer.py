"""The training loop over anything with a network, a ``batch`` and a ``loss``.

Batches are drawn from generators seeded by the step (and the process), so the reader's position
is the step itself and a resumed run sees exactly what an uninterrupted one would have seen.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from vivant.errors import UsageError
from vivant.files import make_folder, publish
from vivant.kept import fingerprint
from vivant.training.precision import MEASURE, autocast, check_precision, fastest
from vivant.training.state import Learner, MadeOf, Position, load_state, save_state
from vivant.training.tasks import Batch, Task
from vivant.training.world import World, meet, parallel


@dataclass(frozen=True)
class TrainOptions:
    """How long and how fast to learn; rates in the units of AdamW. ``slower`` names beginnings of
    parameters' names and the share of the rate at which those learn. ``accumulate`` batches are
    averaged in each step, in every process. ``compiled`` needs a C++ compiler and a minute for
    each shape of batch; steps are then about 1.7 times as fast on a CPU. ``precision`` is
    "float32", "bfloat16", or "measure": the one in which steps are faster here."""

    steps: int
    rate: float = 1e-3
    warmup: int = 200
    slower: tuple[tuple[str, float], ...] = ()
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.99)
    ema: float = 0.999
    clip_norm: float = 1.0
    accumulate: int = 1
    save_every: int = 200
    compiled: bool = False
    precision: str = MEASURE
    seed: int = 0

    def __post_init__(self) -> None:
        check_precision(self.precision)


def learning_rate(step: int, options: TrainOptions) -> float:
    """Linear warm-up, then a cosine down to a twentieth of the rate."""
    if step < options.warmup:
        return options.rate * (step + 1) / options.warmup
    share = (step - options.warmup) / max(1, options.steps - options.warmup)
    return options.rate * (0.05 + 0.95 * 0.5 * (1 + float(np.cos(np.pi * min(1.0, share)))))


def train(
    task: Task,
    options: TrainOptions,
    out: Path,
    *,
    made_of: MadeOf = MappingProxyType({}),
    progress: Callable[[int, float], None] = lambda step, loss: None,
    check: Callable[[nn.Module], dict[str, float]] | None = None,
    draw: Callable[[nn.Module], NDArray[np.uint8]] | None = None,
    stop_after: int | None = None,
    world: World = World(),  # noqa: B008 - frozen
    sharded: bool = False,
) -> nn.Module:
    """Train to ``options.steps``, resuming from ``out`` if it holds a state.

    ``stop_after`` leaves off early, at that step, without changing the schedule.

    Returns the averaged (EMA) network in evaluation mode. ``check`` measures it at every
    save; its figures go to ``out/log.jsonl`` with the loss, and to TensorBoard's event files
    where that is installed. ``draw`` makes a picture of it, kept in ``out/pictures``. Of
    several processes (``world``) each draws batches of its own; the first one writes.

    ``made_of`` says what the run is made of besides the options: its data, or the whole "recipe"
    and "seed" of which these options are a part. ``sharded`` shares weights and moments out among
    the processes (see `vivant.training.sharding`), which changes nothing but rounding. Raises
    UsageError where ``out`` holds a run that is made of something else, or where a sharded run
    leaves its precision to be measured.
    """
    make_folder(out)
    network = task.network.to(world.device)
    torch.manual_seed(options.seed)
    average = copy.deepcopy(network).requires_grad_(False)
    if sharded:
        _share_out((network, average), options, world)
    optimizer = torch.optim.AdamW(
        _groups(network, options), options.rate, options.betas, weight_decay=options.weight_decay
    )
    learner, identity = Learner(network, average, optimizer), _identity(options, made_of)
    begin = load_state(out / "state.safetensors", learner, identity)
    begin = begin or Position(0, _precision(task, network, options, world))
    task.network = network if sharded else parallel(network, world)
    if options.compiled:
        task.network = torch.compile(task.network, dynamic=False)
    losses: list[float] = []
    clock = time.monotonic()
    for step in range(begin.step, min(options.steps, stop_after or options.steps)):
        losses.append(_step(task, step, optimizer, options, begin.precision, world))
        _update_average(average, network, min(options.ema, (1 + step) / (10 + step)))
        progress(step + 1, losses[-1])
        if (step + 1) % options.save_every == 0 or step + 1 == options.steps:
            if world.leads or sharded:  # what is shared out all must gather
                position = replace(begin, step=step + 1)
                place = out / "state.safetensors"
                save_state(place, learner, position, identity, writes=world.leads)
                figures = check(average.eval()) if check else {}
                picture = draw(average) if draw else None
                row: dict[str, float | str] = {"step": step + 1, "loss": float(np.mean(losses))}
                row |= {**figures, "seconds": round(time.monotonic() - clock, 1)}
                if world.leads:
                    _keep_record(out, row | {"precision": begin.precision}, picture)
            meet(world)
            losses.clear()
    task.network = network
    return average.eval()


def _groups(network: nn.Module, options: TrainOptions) -> list[dict[str, Any]]:
    """Parameters by the share of the rate at which they learn."""
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        share = next((s for begin, s in options.slower if name.startswith(begin)), 1.0)
        groups.setdefault(share, []).append(parameter)
    return [{"params": found, "share": share} for share, found in groups.items()]


def _share_out(networks: tuple[nn.Module, ...], options: TrainOptions, world: World) -> None:
    if options.precision == MEASURE:
        raise UsageError("A run that is shared out must state its precision; it is not measured.")
    from vivant.training.sharding import shard

    for network in networks:
        shard(network, world, options.precision)


def _identity(options: TrainOptions, made_of: MadeOf) -> MadeOf:
    """What tells one run from another: options and seed, unless the caller's names cover them."""
    own = {"recipe": fingerprint(replace(options, seed=0)), "seed": fingerprint(options.seed)}
    return {**own, **made_of}


def _precision(task: Task, network: nn.Module, options: TrainOptions, world: World) -> str:
    """The format that the options name, or the one in which a copy's steps are faster."""
    if options.precision != MEASURE:
        return options.precision
    task.network = copy.deepcopy(network).train()
    batch = _batch(task, options, 0, world)

    def run(name: str) -> None:
        with autocast(world.device, name):
            loss = task.loss(batch)
        loss.backward()
        next(p.grad for p in task.network.parameters() if p.grad is not None).sum().item()

    try:
        return fastest(run, world)
    finally:
        task.network = network


def _batch(task: Task, options: TrainOptions, index: int, world: World) -> Batch:
    torch.manual_seed((options.seed << 32) + index)
    batch = task.batch(np.random.default_rng((options.seed, index)))
    return {name: values.to(world.device) for name, values in batch.items()}


def _step(
    task: Task,
    step: int,
    optimizer: torch.optim.Optimizer,
    options: TrainOptions,
    precision: str,
    world: World,
) -> float:
    task.network.train()
    for group in optimizer.param_groups:
        group["lr"] = group["share"] * learning_rate(step, options)
    optimizer.zero_grad(set_to_none=True)
    total = 0.0
    for part in range(options.accumulate):
        index = (step * world.size + world.rank) * options.accumulate + part
        batch = _batch(task, options, index, world)
        with autocast(world.device, precision):
            loss: Tensor = task.loss(batch) / options.accumulate
        loss.backward()
        total += float(loss.detach())
    nn.utils.clip_grad_norm_(task.network.parameters(), options.clip_norm)
    optimizer.step()
    return total


def write_log(out: Path, row: Mapping[str, float | str]) -> None:
    """Append a row to ``out/log.jsonl``, and to TensorBoard's files where it is installed."""
    with (out / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps(row) + "\n")
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:  # it is optional
        return
    with SummaryWriter(str(out / "tensorboard")) as writer:
        for name, value in row.items():
            if name != "step" and not isinstance(value, str):
                writer.add_scalar(name, value, int(row["step"]))


def _keep_record(
    out: Path, row: Mapping[str, float | str], picture: NDArray[np.uint8] | None
) -> None:
    write_log(out, row)
    if picture is None:
        return
    path = out / "pictures" / f"{int(row['step']):06d}.png"
    path.parent.mkdir(exist_ok=True)
    with publish(path) as temporary:
        Image.fromarray(picture).save(temporary)


def _update_average(average: nn.Module, network: nn.Module, keep: float) -> None:
    with torch.no_grad():
        for slow, fast in zip(average.parameters(), network.parameters(), strict=True):
            slow.lerp_(fast, 1 - keep)
        for slow, fast in zip(average.buffers(), network.buffers(), strict=True):
            slow.copy_(fast)
