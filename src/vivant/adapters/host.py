"""The process in which a video model runs, seen from outside: torch is on its side only."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Protocol

from vivant.adapters.memory import Machine, Placement
from vivant.child import Broken, Child, Limits
from vivant.clip import Frame
from vivant.errors import BundleError
from vivant.request import Hooks
from vivant.wire import Answer, Arrays

STEP_SECONDS = 7200.0
"""A step, or decoding, of a large model on a slow machine may take so long."""
MEMORY = 1 << 22
"""MiB of address space: a GPU's driver maps far more than there is."""


@dataclass(frozen=True)
class Job:
    """One clip to be sampled: the ``family`` by name and its ``folder``; ``frames`` to ask for;
    in ``arrays`` the picture and the last one, ``[H, W, 3]`` uint8, and what `starts.started`
    gives."""

    folder: str
    family: str
    frames: int
    seed: int
    steps: int
    guidance: float
    prompt: str
    fps: int
    strength: float
    draft: float
    rounds: int = 1
    arrays: Arrays = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """What JSON can say of it."""
        return {k: v for k, v in vars(self).items() if k != "arrays"}


@dataclass(frozen=True)
class Sampled:
    """The model's ``frames`` at its own size; ``notes``, sentences on what was changed."""

    frames: list[Frame]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """Of a part that is loaded: its number of ``parameters``, and the bytes that it holds,
    ``size``."""

    parameters: int
    size: int


class Host(Protocol):
    """Whatever runs video models."""

    def machine(self) -> Machine:
        """What there is to run on. Raises BundleError where a library lacks."""
        ...

    def loads(self, folder: str, family: str, placement: Placement) -> Mapping[str, Part]:
        """Load a model once: what its parts hold. Raises BundleError where a tensor lacks,
        MemoryError where memory does not suffice."""
        ...

    def sampled(self, job: Job, placement: Placement, hooks: Hooks) -> Sampled:
        """Sample a clip. Raises MemoryError where memory does not suffice, BundleError where the
        weights are none, Cancelled within a second of the hooks saying so."""
        ...


class ChildHost:
    """Runs video models in one child process, which keeps the last of them loaded; it ends with
    this object."""

    def __init__(self, memory_mib: int = 0) -> None:
        self._memory = memory_mib or MEMORY

    @cached_property
    def _child(self) -> Child:
        child = Child(Limits(STEP_SECONDS, self._memory), called="the video model")
        weakref.finalize(self, child.close)
        return child

    def machine(self) -> Machine:
        """See `Host`."""
        return self._machine

    @cached_property
    def _machine(self) -> Machine:
        (answer,) = self._child.ask("vivant.adapters.worker:machine")
        return Machine(**answer.facts)

    def loads(self, folder: str, family: str, placement: Placement) -> Mapping[str, Part]:
        """See `Host`."""
        asked = "vivant.adapters.worker:loads"
        where = asdict(placement)
        with _memory():
            (answer,) = self._child.ask(asked, folder=folder, family=family, placement=where)
        return {name: Part(*found) for name, found in answer.facts.items()}

    def sampled(self, job: Job, placement: Placement, hooks: Hooks) -> Sampled:
        """See `Host`."""
        answers = self._child.ask(
            "vivant.adapters.worker:sample",
            job.arrays,
            job=job.facts(),
            placement=asdict(placement),
        )
        with _memory(), hooks.breaking_off(self._child.kill):
            return _gathered(answers, hooks)


@contextmanager
def _memory() -> Iterator[None]:
    try:
        yield
    except Broken as error:
        if "of memory" in error.why:
            raise MemoryError(error.why) from error
        raise


def _gathered(answers: Iterator[Answer], hooks: Hooks) -> Sampled:
    frames: list[Frame] = []
    notes: list[str] = []
    for answer in answers:
        frames += list(answer.arrays.get("frames", ()))
        facts = answer.facts
        if "stage" in facts:
            hooks.report(str(facts["stage"]), float(facts["share"]))
        notes += [str(note) for note in facts.get("notes", ())]
    if not frames:
        raise BundleError("The video model gave no frames.")
    return Sampled(frames, tuple(notes))
