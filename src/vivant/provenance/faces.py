"""Faces in a picture, by YuNet (Wu, Peng, Yu: "YuNet: A Tiny Millisecond-level Face Detector",
2023; MIT licence, see NOTICE), through OpenCV."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from vivant.clip import Frame

MODEL = Path(__file__).with_name("yunet.onnx")
SIDE = 640
"""The picture's long side while searching; a face of 10 pixels there is still found."""
THRESHOLD = 0.7


def find_faces(pixels: Frame) -> tuple[float, ...]:
    """Confidence (0..1, best first) of each face in ``pixels`` ``[H, W, 3]`` uint8 RGB."""
    height, width = pixels.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    size = (max(16, round(width * scale)), max(16, round(height * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(
        cv2.utils.logging.LOG_LEVEL_ERROR
    )  # the new graph engine warns about the default target
    try:
        detector = cv2.FaceDetectorYN.create(str(MODEL), "", size, THRESHOLD)
        _, found = detector.detect(np.ascontiguousarray(small[..., ::-1]))
    finally:
        cv2.utils.logging.setLogLevel(level)
    scores = () if found is None else tuple(float(row[14]) for row in found)
    return tuple(sorted(scores, reverse=True))
