"""A batch on this machine: children that are kept, so that models are loaded once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from vivant.batch.manifest import Task
from vivant.batch.run import Outcome
from vivant.child import Broken, Child, Limits
from vivant.errors import VivantError

MAKE = "vivant.batch.one:make"
LIMITS = Limits(seconds=3600)
"""For one clip."""


@dataclass(frozen=True)
class OnMachine:
    """Makes clips in ``processes`` children at a time; one that dies takes only its clip down."""

    processes: int = 1

    def __call__(self, tasks: Sequence[Task], out: Path) -> Iterator[Outcome]:
        """See `vivant.batch.run.Executor`."""
        if not tasks:
            return
        children = [
            Child(LIMITS, called="the process that made it")
            for _ in range(min(self.processes, len(tasks)))
        ]
        free: SimpleQueue[Child] = SimpleQueue()
        for child in children:
            free.put(child)

        def make(task: Task) -> Outcome:
            child = free.get()
            try:
                for _ in child.ask(MAKE, **words_of(task, out)):
                    pass
            except Broken as error:
                return Outcome(task, f"It {error.why}.")
            except VivantError as error:
                return Outcome(task, str(error))
            finally:
                free.put(child)
            return Outcome(task)

        pool = ThreadPoolExecutor(len(children))
        waiting = [pool.submit(make, task) for task in tasks]
        try:
            for one in as_completed(waiting):
                yield one.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in children:
                child.kill()
            pool.shutdown()
            for child in children:
                child.close()


def words_of(task: Task, out: Path) -> dict[str, Any]:
    """The arguments of `vivant.batch.one.make`."""
    said = asdict(task)
    chosen = {name: said[name] for name in ("request", "files", "format", "consent")}
    return {**chosen, "out": str((out / task.name).absolute())}
