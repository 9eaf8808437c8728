"""The released encoder (EfficientNet-Lite0, trained on ImageNet) as eyes for small questions."""

from __future__ import annotations

from functools import cache
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


@cache
def _encoder() -> Any:
    return open_graph(str(open_bundle(BUILTIN).file("encoder.onnx")))
