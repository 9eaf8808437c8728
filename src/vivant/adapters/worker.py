"""The child's side: what `vivant.adapters.host` asks is answered here, with torch."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivant.adapters.calling import call
from vivant.adapters.families import family_named
from vivant.adapters.host import Job
from vivant.adapters.loading import held, is_memory, machine_here, named, opened
from vivant.adapters.memory import Placement
from vivant.errors import BundleError
from vivant.wire import Answer

PIECE = 1 << 28
"""Bytes of frames sent at a time."""
_LOADED: dict[tuple[str, str, Placement], Any] = {}
"""The one pipeline that this process holds."""


def machine() -> Iterator[Answer]:
    """One answer with the members of `vivant.adapters.memory.Machine`."""
    yield Answer(asdict(machine_here()))


def loads(folder: str, family: str, placement: dict[str, Any]) -> Iterator[Answer]:
    """Load a model: numbers and bytes of its parts, ``[parameters, bytes]``. Raises as `sample`."""
    with _room():
        pipe = _opened(folder, family, Placement(**placement))
    parts = {name: p for name, p in pipe.components.items() if hasattr(p, "num_parameters")}
    yield Answer({name: [int(p.num_parameters()), held(p)] for name, p in parts.items()})


def sample(
    job: dict[str, Any], placement: dict[str, Any], **arrays: NDArray[Any]
) -> Iterator[Answer]:
    """A clip: answers with ``stage`` and ``share`` after each step, then some with ``frames``
    ``[n, H, W, 3]`` uint8. Raises BundleError where the weights do not fit the model or give no
    numbers, MemoryError where they need too much."""
    asked = Job(**job, arrays=arrays)
    with _room():
        pipe = _opened(asked.folder, asked.family, Placement(**placement))
        with named(f"No clip could be sampled from {asked.folder}"):
            yield from _sampled(pipe, asked, Placement(**placement))


@contextmanager
def _room() -> Iterator[None]:
    """A lack of memory frees what is held: whatever is tried next needs the room."""
    try:
        yield
    except Exception as error:
        if not is_memory(error):
            raise
        _LOADED.clear()
        gc.collect()
        raise MemoryError(str(error)) from error


def _opened(folder: str, family: str, placement: Placement) -> Any:
    """The pipeline, kept for further clips; another one goes before it is loaded."""
    key = folder, family, placement
    if key not in _LOADED:
        _LOADED.clear()
        gc.collect()
        _LOADED[key] = opened(Path(folder), family_named(family), placement)
    return _LOADED[key]


def _sampled(pipe: Any, job: Job, placement: Placement) -> Iterator[Answer]:
    """The call runs in a thread; what it reports is answered as it comes."""
    told: Queue[Answer | BaseException | None] = Queue()

    def report(stage: str, share: float) -> None:
        told.put(Answer({"stage": stage, "share": share}))

    def say(note: str) -> None:
        told.put(Answer({"notes": [note]}))

    def run() -> None:
        try:
            for answer in _pieces(call(pipe, job, placement, report, say)):
                told.put(answer)
        except BaseException as error:  # raised by whoever waits
            told.put(error)
        told.put(None)

    Thread(target=run, daemon=True).start()
    while (found := told.get()) is not None:
        if isinstance(found, BaseException):
            raise found
        yield found


def _pieces(values: NDArray[np.float32]) -> Iterator[Answer]:
    """Frames ``[T, H, W, 3]`` of 0..1 as levels. Raises BundleError where they are no numbers."""
    if not np.isfinite(values).all():
        raise BundleError("The model's weights give no numbers (NaN); fetch them again.")
    count = max(1, PIECE // values[0].size)
    for start in range(0, len(values), count):
        piece = np.clip(values[start : start + count], 0, 1) * 255
        yield Answer(arrays={"frames": np.rint(piece).astype(np.uint8)})
