"""How surely lettering or a mark is laid over each part of a picture, by a small network.

It was taught on photographs with lettering drawn over them (`vivant.training.scene.lettered`,
`recipes/lettering.py`) and looks at a picture at its own scale, and at half of that for what is
large.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vivant.clip import Floats, Frame
from vivant.scene.network import open_graph

MODEL = Path(__file__).with_name("lettering.onnx")
STRIDE = 4
"""Pixels to a cell of the answer."""
MULTIPLE = 16
"""Sides of what the network is shown are multiples of this many pixels."""
SCALES = (1.0, 0.5)
LEAST, MOST = 32, 2048
"""Sides of a picture that is shown, in pixels; the network takes no more, and sees nothing in
less."""


def lettering(pixels: Frame) -> Floats:
    """How surely 0..1 something is laid over each cell of a picture ``[H, W, 3]``,
    ``[ceil(H / 4), ceil(W / 4)]``; long side at most 2048. Raises BundleError where the network
    cannot be loaded."""
    height, width = pixels.shape[:2]
    shape = -(-height // STRIDE), -(-width // STRIDE)
    out = np.zeros(shape, np.float32)
    for scale in SCALES:
        size = round(width * scale), round(height * scale)
        if min(size) < LEAST or max(size) > MOST:
            continue
        shown = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA) if scale < 1 else pixels
        answer = _answer(shown)
        cells = -(-size[1] // STRIDE), -(-size[0] // STRIDE)
        fitted = cv2.resize(answer[: cells[0], : cells[1]], shape[::-1])
        np.maximum(out, fitted, out=out)
    return out


def _answer(shown: Frame) -> Floats:
    """The network's answer to a picture, whose last lines are repeated until it fits."""
    height, width = shown.shape[:2]
    more = (-height % MULTIPLE, -width % MULTIPLE)
    padded = np.pad(shown, ((0, more[0]), (0, more[1]), (0, 0)), mode="edge")
    image = padded.astype(np.float32).transpose(2, 0, 1)[None]
    image *= np.float32(1 / 255)
    answer: Floats = _network().run(None, {"image": np.ascontiguousarray(image)})[0][0]
    return answer


@cache
def _network() -> Any:
    return open_graph(str(MODEL))
