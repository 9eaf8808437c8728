"""The released encoder (EfficientNet-Lite0, trained on ImageNet) as eyes for small questions, which
linear probes on its features answer."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from vivant.bundle import BUILTIN, open_bundle
from vivant.clip import Floats, Frame
from vivant.scene.network import open_graph


def features(pixels: Frame) -> Floats:
    """Features ``[N, F]`` of the cells of a picture ``[H, W, 3]``, H and W multiples of 32.

    Raises BundleError where the network cannot be run.
    """
    image = np.ascontiguousarray(pixels.astype(np.float32).transpose(2, 0, 1)[None] / 255)
    return np.asarray(_encoder().run(["features"], {"image": image})[0][0], np.float32)


def chance(values: Floats, weights: Floats) -> float:
    """What weights ``[F + 1]`` (the last: the constant) make of values ``[F]``, 0..1."""
    odds = float(values @ weights[:-1] + weights[-1])
    return float(1 / (1 + np.exp(-np.clip(odds, -30, 30))))


@cache
def weights_of(question: str) -> Floats:
    """Weights of a probe: "persons" (`vivant.scene.persons`) or "falling"."""
    path = Path(__file__).with_name(f"{question}.json")
    return np.array(json.loads(path.read_text("utf-8")), np.float32)


@cache
def _encoder() -> Any:
    return open_graph(str(open_bundle(BUILTIN).file("encoder.onnx")))
