"""The child's side: loads a video bundle and samples a clip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivant.cores import cores
from vivant.errors import BundleError
from vivant.video.conditions import words_of
from vivant.wire import Answer


def sample(
    folder: str,
    known: NDArray[np.uint8],
    count: int,
    seed: int,
    strength: float,
    words: str,
    steps: int,
    guidance: float,
    features: NDArray[np.float32],
    velocity: NDArray[np.float32] | None = None,
) -> Iterator[Answer]:
    """A clip of the ``known`` frames ``[K, H, W, 3]``: answers of the ``share`` that is done, then
    one with ``frames`` ``[count, H, W, 3]`` uint8. For the conditions see `Asked`, for ``steps``
    and ``guidance`` `vivant.video.parameters`.

    Raises BundleError where PyTorch or a weight lacks, or the weights give no numbers.
    """
    sampling = _sampling()
    networks = sampling.open_networks(Path(folder))
    how = replace(networks.sampling, steps=steps, guidance=guidance)
    networks = replace(networks, sampling=how)
    said = words_of(words) if words else None
    asked = sampling.Asked(features, velocity, said, strength)
    told: Queue[Any] = Queue()

    def run() -> None:
        try:
            told.put(sampling.sample(networks, known, count, asked, seed, told.put))
        except BaseException as error:  # raised by whoever waits
            told.put(error)

    Thread(target=run, daemon=True).start()
    while isinstance(found := told.get(), float):
        yield Answer({"share": found})
    if isinstance(found, BaseException):
        raise found
    yield Answer(arrays={"frames": found})


def loads(folder: str) -> Iterator[Answer]:
    """Load a bundle once: how many ``parameters`` it has. Raises as `sample`."""
    networks = _sampling().open_networks(Path(folder))
    parts = (networks.autoencoder, networks.transformer)
    yield Answer({"parameters": sum(p.numel() for part in parts for p in part.parameters())})


def _sampling() -> Any:
    """The module that samples, with as many threads as there are cores."""
    try:
        import torch

        from vivant.video import sampling
    except ImportError as error:
        raise BundleError(
            f"This model needs {error.name}; install it: pip install 'vivant[video]'."
        ) from error
    torch.set_num_threads(cores())  # a child is started with one
    return sampling
