"""From kinds to things: connected parts of one kind."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats
from vivant.kinds import INDEX, KINDS
from vivant.scene.record import Instance

LEAST_AREA = 0.0015
"""Share of the picture under which a part is speckle, not a thing."""
THINGS = ("being", "vehicle", "object", "cloth", "fire")
"""Kinds whose parts are cut where depth jumps: two boats one behind the other are two."""
JUMP = 0.12


def find_instances(kinds: Floats, depth: Floats) -> tuple[NDArray[np.int32], tuple[Instance, ...]]:
    """Number of the thing of each cell ``[h, w]`` (-1: none), and the things, largest first.

    ``kinds`` ``[12, h, w]`` shares, ``depth`` ``[h, w]`` inverse depth 0..1.
    """
    label = kinds.argmax(0)
    found: list[tuple[str, NDArray[np.bool_]]] = []
    for kind in KINDS:
        where = label == INDEX[kind]
        if kind in THINGS:
            where = where & ~_torn(depth)
        found += [(kind, part) for part in _connected(where)]
    found.sort(key=lambda item: (-int(item[1].sum()), item[0]))
    parts = np.full(label.shape, -1, np.int32)
    instances: list[Instance] = []
    for kind, part in found:
        if part.mean() >= LEAST_AREA:
            parts[part] = len(instances)
            instances.append(_instance(kind, part, depth))
    return _grown(parts, label, instances), tuple(instances)


def _connected(where: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    count, numbers = cv2.connectedComponents(where.astype(np.uint8), connectivity=8)
    return [numbers == k for k in range(1, count)]


def _torn(depth: Floats) -> NDArray[np.bool_]:
    """Cells at which the depth jumps by more than things are deep."""
    kernel = np.ones((3, 3), np.uint8)
    return np.asarray(cv2.dilate(depth, kernel) - cv2.erode(depth, kernel) > JUMP)


def _instance(kind: str, part: NDArray[np.bool_], depth: Floats) -> Instance:
    h, w = part.shape
    rows, columns = np.flatnonzero(part.any(1)), np.flatnonzero(part.any(0))
    y, x = np.nonzero(part)
    return Instance(
        kind=kind,
        box=(
            float(columns[0] / w),
            float(rows[0] / h),
            float((columns[-1] + 1) / w),
            float((rows[-1] + 1) / h),
        ),
        centre=(float((x.mean() + 0.5) / w), float((y.mean() + 0.5) / h)),
        area=float(part.mean()),
        depth=float(depth[part].mean()),
    )


def _grown(
    parts: NDArray[np.int32], label: NDArray[np.int64], instances: list[Instance]
) -> NDArray[np.int32]:
    """Cells that the cut at depth jumps left out go to a neighbouring thing of their kind."""
    index = np.array([INDEX[one.kind] for one in instances], np.int64)
    for _ in range(3):
        free = parts < 0
        if not free.any() or not len(index):
            break
        wide = cv2.dilate(parts.astype(np.float32), np.ones((3, 3), np.uint8)).astype(np.int32)
        fits = free & (wide >= 0)
        fits[fits] = index[wide[fits]] == label[fits]
        parts = np.where(fits, wide, parts).astype(np.int32)
    return parts
