"""Work in disposable child processes: what crashes, hangs or eats memory takes only itself down."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

Job = TypeVar("Job")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@dataclass(frozen=True)
class Limits:
    """What one child may use: wall ``seconds`` and ``memory_mib`` of address space (POSIX)."""

    seconds: float = 600.0
    memory_mib: int = 12_288


@dataclass(frozen=True)
class Outcome(Generic[Job]):
    """What became of a job: its ``value``, or ``failure``, a reason in words."""

    job: Job
    value: Any = None
    failure: str | None = None


@dataclass
class _Running(Generic[Job]):
    job: Job
    process: BaseProcess
    results: Connection
    deadline: float


def each_in_child(
    function: Callable[[Job], Any], jobs: Sequence[Job], processes: int, limits: Limits
) -> Iterator[Outcome[Job]]:
    """Call ``function`` on every job, each in a fresh process, ``processes`` at a time.

    Yields outcomes as they come. An exception, a crash, a limit overrun: each is one failed
    outcome. ``function`` and jobs must be importable and picklable by the standard library.
    """
    waiting = list(reversed(jobs))
    running: list[_Running[Job]] = []
    try:
        while waiting or running:
            while waiting and len(running) < processes:
                running.append(_start(function, waiting.pop(), limits))
            wait([r.results for r in running], timeout=0.5)
            for one in list(running):
                outcome = _outcome(one, limits)
                if outcome is not None:
                    running.remove(one)
                    yield outcome
    finally:
        for one in running:
            one.process.kill()


def _start(function: Callable[[Job], Any], job: Job, limits: Limits) -> _Running[Job]:
    context = get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=_call, args=(send, function, job, limits), daemon=True)
    with one_thread_each():
        process.start()
    send.close()
    return _Running(job, process, receive, time.monotonic() + limits.seconds)


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Children inherit an environment in which linear algebra does not start threads: there is
    a process for each core already, and OpenBLAS's threads were seen to spin for ever."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _outcome(one: _Running[Job], limits: Limits) -> Outcome[Job] | None:
    if one.results.poll():
        try:
            value, failure = one.results.recv()
        except EOFError:
            value, failure = None, None
        one.process.join()
        if value is None and failure is None and one.process.exitcode:
            failure = f"the decoder crashed (exit code {one.process.exitcode})"
        return Outcome(one.job, value, failure)
    if time.monotonic() > one.deadline:
        one.process.kill()
        one.process.join()
        return Outcome(one.job, failure=f"it took longer than {limits.seconds:g} s")
    return None


def _call(results: Connection, function: Callable[[Any], Any], job: Any, limits: Limits) -> None:
    limit_memory(limits.memory_mib)
    try:
        results.send((function(job), None))
    except MemoryError:
        results.send((None, f"it needs more than {limits.memory_mib} MiB of memory"))
    except Exception as error:  # a decoder may raise anything
        results.send((None, f"{type(error).__name__}: {error}"))


def limit_memory(mib: int) -> None:
    """Cap this process's address space, and leave no core dumps (POSIX; nothing on Windows)."""
    if sys.platform == "win32":  # no such limit there
        return
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (mib << 20, mib << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
