"""The child's side of `vivant.scene.guests`: a user's own network is run here, and only here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vivant.clip import Frame
from vivant.errors import BundleError
from vivant.scene.network import open_graph
from vivant.wire import Answer


def answer(
    path: str,
    pixels: Frame,
    mean: list[float],
    std: list[float],
    size: list[int] | None,
    side: int,
) -> Iterator[Answer]:
    """The network's first output for a picture ``[H, W, 3]`` uint8, brought to the ``size``
    that is asked for, that the graph has, or ``side`` x ``side``."""
    if not Path(path).is_file():
        raise BundleError(f"There is no network {path}.")
    graph = open_graph(path, 0)
    wanted = graph.get_inputs()
    shape = wanted[0].shape
    if len(wanted) != 1 or len(shape) != 4 or shape[1] != 3:
        raise BundleError(f"{path} takes {shape}, not one picture [1, 3, H, W].")
    height, width = size or _own(shape[2:], side)
    small = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA) / np.float32(255)
    ready = (small - np.array(mean, np.float32)) / np.array(std, np.float32)
    image = np.ascontiguousarray(ready.transpose(2, 0, 1)[None], np.float32)
    try:
        found = graph.run(None, {wanted[0].name: image})[0]
    except Exception as error:  # the runtime raises its own family of errors
        raise BundleError(f"{path} cannot be run ({str(error).splitlines()[0][:160]}).") from error
    yield Answer({}, {"answer": np.asarray(found, np.float32)})


def _own(sides: list[Any], side: int) -> tuple[int, int]:
    height, width = (s if isinstance(s, int) and s > 0 else side for s in sides)
    return height, width
