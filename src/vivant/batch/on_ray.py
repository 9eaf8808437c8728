"""A batch on a Ray cluster, whose machines must see the pictures and the folder of the clips."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vivant.batch.machine import words_of
from vivant.batch.manifest import Task
from vivant.batch.run import Outcome
from vivant.errors import UsageError, VivantError

AT_ONCE = 256
"""Tasks that Ray knows of at a time."""
RETRIES = 3
"""Of a task whose machine or process is lost."""


@dataclass(frozen=True)
class OnRay:
    """Makes each clip as a task of one CPU. ``address``: of a running cluster, "" starts one on
    this machine."""

    address: str = ""

    def __call__(self, tasks: Sequence[Task], out: Path) -> Iterator[Outcome]:
        """See `vivant.batch.run.Executor`. Raises UsageError where the extra is missing."""
        ray = _ray()
        if self.address:
            ray.init(address=self.address, log_to_driver=False)
        else:
            ray.init(log_to_driver=False, include_dashboard=False)
        try:
            yield from _each(ray, tasks, out)
        finally:
            ray.shutdown()


def _each(ray: Any, tasks: Sequence[Task], out: Path) -> Iterator[Outcome]:
    far = ray.remote(num_cpus=1, max_retries=RETRIES)(_make)
    waiting, running = list(reversed(tasks)), dict[Any, Task]()
    while waiting or running:
        while waiting and len(running) < AT_ONCE:
            task = waiting.pop()
            running[far.remote(words_of(task, out))] = task
        (done,), _ = ray.wait(list(running), num_returns=1)
        task = running.pop(done)
        try:
            yield Outcome(task, ray.get(done))
        except ray.exceptions.RayError as error:
            yield Outcome(task, f"It was lost on the cluster ({type(error).__name__}).")


def _make(words: dict[str, Any]) -> str:
    """Runs on a machine of the cluster: the error in a sentence, "" where the clip is there."""
    from vivant.batch.one import make

    try:
        for _ in make(**words):
            pass
    except VivantError as error:
        return str(error)
    return ""


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise UsageError("This needs the extra: pip install 'vivant[ray]'.") from error
    return ray
