"""Many jobs in disposable children, a few at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

from vivant.child import Broken, Child, Limits
from vivant.errors import VivantError

Job = dict[str, Any]
"""Arguments of a function, of things that JSON can say."""


@dataclass(frozen=True)
class Outcome:
    """What became of job number ``index``: the ``facts`` of its answers, or ``failure``, a
    reason in words."""

    index: int
    facts: tuple[dict[str, Any], ...] = ()
    failure: str | None = None


def each_in_child(
    function: str, jobs: Sequence[Job], processes: int, limits: Limits
) -> Iterator[Outcome]:
    """Ask ``function`` ("module:name") for every job, each in a fresh child, ``processes`` at a
    time; yields outcomes as they come.

    An exception, a crash, a limit overrun: each is one failed outcome. Left half-way, what still
    runs is ended.
    """
    running: set[Child] = set()
    left = threading.Event()

    def ask(index: int) -> Outcome:
        with Child(limits) as child:
            running.add(child)
            try:
                if left.is_set():
                    return Outcome(index, failure="it was not waited for")
                answers = child.ask(function, **jobs[index])
                return Outcome(index, tuple(answer.facts for answer in answers))
            except Broken as error:
                return Outcome(index, failure=f"it {error.why}")
            except VivantError as error:
                return Outcome(index, failure=str(error))
            finally:
                running.discard(child)

    pool = ThreadPoolExecutor(processes)
    waiting: list[Future[Outcome]] = [pool.submit(ask, index) for index in range(len(jobs))]
    try:
        for one in as_completed(waiting):
            yield one.result()
    finally:
        left.set()
        for one in waiting:
            one.cancel()
        for child in list(running):
            child.kill()
        pool.shutdown()
