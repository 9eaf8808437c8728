"""Which number format a step is fastest in: measured, because processors differ by a factor of
a hundred (with AMX bfloat16 is three times as fast as float32, without it 28 times slower)."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from vivant.errors import UsageError
from vivant.training.world import World, mean_over

MEASURE = "measure"
FORMATS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
RUNS = 3
CLEARLY = 0.9
"""Of float32's time: bfloat16 is coarser, so it must be worth it."""
HOPELESS = 3.0
"""Times float32's time after which bfloat16 is not measured again."""


def check_precision(name: str) -> None:
    """Raises UsageError where ``name`` is no format, nor "measure"."""
    known = (MEASURE, *FORMATS)
    if name not in known:
        raise UsageError(f"The precision {name!r} is none of {', '.join(known)}.")


def autocast(device: str, precision: str) -> torch.autocast:
    """A context in which what may run in ``precision`` does."""
    kind = device.partition(":")[0]
    return torch.autocast(kind, dtype=torch.bfloat16, enabled=precision == "bfloat16")


def fastest(run: Callable[[str], object], world: World = World()) -> str:  # noqa: B008 - frozen
    """The format in which ``run(format)`` takes the least time, the same in every process;
    float32 unless bfloat16 is clearly faster. ``run`` must change nothing."""
    plain = mean_over(world, _seconds(run, "float32", RUNS))
    once = mean_over(world, _seconds(run, "bfloat16", 1))
    if once > HOPELESS * plain:
        return "float32"
    half = min(once, mean_over(world, _seconds(run, "bfloat16", RUNS)))
    return "bfloat16" if half < CLEARLY * plain else "float32"


def _seconds(run: Callable[[str], object], name: str, runs: int) -> float:
    """The least time of ``runs`` after one that warms up."""
    times = []
    for _ in range(runs + 1):
        clock = time.perf_counter()
        run(name)
        times.append(time.perf_counter() - clock)
    return min(times[1:])
