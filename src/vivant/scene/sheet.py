"""A scene as a picture for people: kinds, things, what may move, depth."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame
from vivant.kinds import KINDS
from vivant.scene.mattes import Mattes
from vivant.scene.record import Scene

COLOURS = {
    "sky": (120, 190, 255),
    "water": (20, 80, 200),
    "fall": (200, 240, 255),
    "fire": (255, 120, 0),
    "smoke": (190, 190, 190),
    "plant": (30, 150, 40),
    "cloth": (230, 60, 160),
    "being": (255, 220, 60),
    "vehicle": (200, 30, 30),
    "built": (150, 110, 80),
    "ground": (90, 80, 60),
    "object": (130, 60, 200),
}
HEIGHT = 320
GAP = 6


def sheet(scene: Scene, mattes: Mattes, pixels: Frame) -> Frame:
    """The picture ``[H, W, 3]``, its mattes in the colours of their kinds, its things, the chance
    of moving and the depth, side by side."""
    width = round(pixels.shape[1] * HEIGHT / pixels.shape[0])
    size = (width, HEIGHT)
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    parts = [
        small,
        _coloured(mattes, size),
        _things(scene, small),
        _mapped(scene.moving, size, cv2.COLORMAP_VIRIDIS),
        _mapped(scene.depth, size, cv2.COLORMAP_INFERNO),
    ]
    gap = np.full((HEIGHT, GAP, 3), 255, np.uint8)
    row = [piece for part in parts for piece in (np.asarray(part, np.uint8), gap)]
    return np.vstack([np.hstack(row[:-1]), _legend(scene, sum(p.shape[1] for p in row[:-1]))])


def _coloured(mattes: Mattes, size: tuple[int, int]) -> Frame:
    total = np.zeros((size[1], size[0], 3), np.float32)
    for kind, alpha in mattes.alpha.items():
        share = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA) / np.float32(255)
        total += share[..., None] * np.array(COLOURS[kind], np.float32)
    return np.asarray(np.clip(total, 0, 255), np.uint8)


def _things(scene: Scene, small: Frame) -> Frame:
    out = np.ascontiguousarray(small // 2)
    parts = cv2.resize(
        scene.parts.astype(np.int16), small.shape[1::-1], interpolation=cv2.INTER_NEAREST
    )
    for number, one in enumerate(scene.instances):
        outline, _ = cv2.findContours(
            (parts == number).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
        )
        cv2.drawContours(out, outline, -1, COLOURS[one.kind], 1, cv2.LINE_AA)
        x, y = (round(c * s) for c, s in zip(one.centre, small.shape[1::-1], strict=True))
        cv2.putText(out, str(number), (x - 5, y + 5), cv2.FONT_HERSHEY_SIMPLEX, 0.45,
                    (255, 255, 255), 1, cv2.LINE_AA)  # fmt: skip
    return out


def _mapped(values: Floats, size: tuple[int, int], colours: int) -> Frame:
    wide = cv2.resize(values, size, interpolation=cv2.INTER_LINEAR)
    grey: NDArray[np.uint8] = np.asarray(np.clip(255 * wide, 0, 255), np.uint8)
    return np.asarray(cv2.applyColorMap(grey, colours)[..., ::-1], np.uint8)


def _legend(scene: Scene, width: int) -> Frame:
    out = np.full((26, width, 3), 255, np.uint8)
    x = 6
    for kind in KINDS:
        share = scene.share(kind)
        if share > 0.005 and x < width - 120:
            cv2.rectangle(out, (x, 6), (x + 14, 20), COLOURS[kind], -1)
            cv2.putText(out, f"{kind} {share:.0%}", (x + 20, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.45,
                        (0, 0, 0), 1, cv2.LINE_AA)  # fmt: skip
            x += 130
    return out
