"""Faces in a picture, by YuNet (Wu, Peng, Yu: "YuNet: A Tiny Millisecond-level Face Detector",
2023; MIT licence, see NOTICE), run by ONNX Runtime.

OpenCV has a wrapper for this network, but it warns on the console, and can be quietened for the
whole process only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vivant.clip import Floats, Frame
from vivant.inference import onnxruntime

MODEL = Path(__file__).with_name("yunet.onnx")
SIDE = 640
"""The network's square; the picture's long side there: a face of 10 pixels is still found."""
STRIDES = (8, 16, 32)
THRESHOLD = 0.75
"""Of 51 photographs of people 44 show a face at 0.7 and at 0.75 (38 at 0.8); of 85 of animals 15
and 14 (9 at 0.8), some with a rider. Scores of dogs reach 0.9, so no threshold tells them apart."""
OVERLAP = 0.3
"""Intersection over union from which two boxes are one face."""


@dataclass(frozen=True)
class Face:
    """A face: its ``score`` 0..1, and its ``box`` left, top, right, lower edge as shares of the
    picture."""

    score: float
    box: tuple[float, float, float, float]


def find_faces(pixels: Frame) -> tuple[Face, ...]:
    """The faces in ``pixels`` ``[H, W, 3]`` uint8 RGB, the surest first."""
    height, width = pixels.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    size = (max(16, round(width * scale)), max(16, round(height * scale)))
    square = np.zeros((SIDE, SIDE, 3), np.float32)
    square[: size[1], : size[0]] = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    image = np.ascontiguousarray(square[..., ::-1].transpose(2, 0, 1)[None])  # BGR, 0..255
    levels = [_level(image, stride) for stride in STRIDES]
    best = np.concatenate([scores for scores, _ in levels])
    boxes = np.concatenate([boxes for _, boxes in levels])
    kept = cv2.dnn.NMSBoxes(boxes.tolist(), best.tolist(), THRESHOLD, OVERLAP)
    found = [Face(float(best[k]), _shares(boxes[k], size)) for k in kept]
    return tuple(sorted(found, key=lambda face: -face.score))


def _shares(box: Floats, size: tuple[int, int]) -> tuple[float, float, float, float]:
    left, top, wide, high = (float(v) for v in box)
    edges = left / size[0], top / size[1], (left + wide) / size[0], (top + high) / size[1]
    a, b, c, d = (min(max(edge, 0.0), 1.0) for edge in edges)
    return a, b, c, d


def _level(image: Floats, stride: int) -> tuple[Floats, Floats]:
    """Scores ``[N]`` and boxes ``[N, 4]`` (left, top, width, height in pixels) of one scale."""
    names = [f"{what}_{stride}" for what in ("cls", "obj", "bbox")]
    classes, objects, boxes = (out[0] for out in _network().run(names, {"input": image}))
    score = np.sqrt(np.clip(classes[:, 0], 0, 1) * np.clip(objects[:, 0], 0, 1))
    y, x = (axis.ravel() for axis in np.mgrid[: SIDE // stride, : SIDE // stride])
    dx, dy, w, h = boxes.T
    wide, high = np.exp(w) * stride, np.exp(h) * stride
    left, top = (x + dx) * stride - wide / 2, (y + dy) * stride - high / 2
    return score, np.stack([left, top, wide, high], axis=1)


@cache
def _network() -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(MODEL), options, providers=["CPUExecutionProvider"])
