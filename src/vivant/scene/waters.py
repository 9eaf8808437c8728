"""Bodies of water: what they are like and where they come from.

The network says of every cell how still, river, sea or surf it looks; here a body's cells are
averaged, and its probable ends are read off its shape: a river runs between the two runs along
the picture's frame (or its far edge) that lie farthest apart, downwards as seen; a lake or a sea
comes from its far edge to its near shore.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats
from vivant.kinds import INDEX, WATERS
from vivant.scene.record import Instance, Place, WaterBody

Cells = NDArray[np.bool_]


def find_bodies(
    parts: NDArray[np.int32], instances: tuple[Instance, ...], waters: Floats, kinds: Floats
) -> tuple[WaterBody, ...]:
    """The water bodies among the instances; ``waters`` ``[4, h, w]`` chances by cell."""
    bodies = []
    for number, one in enumerate(instances):
        if one.kind != "water":
            continue
        part = parts == number
        weight = part * kinds[INDEX["water"]]
        chances = (waters * weight).sum((1, 2)) / max(float(weight.sum()), 1e-6)
        chances = chances / max(float(chances.sum()), 1e-6)
        name = WATERS[int(chances.argmax())]
        ends = river_ends(part) if name == "river" else shore_ends(part)
        bodies.append(WaterBody(number, tuple(float(c) for c in chances), ends))
    return tuple(bodies)


def shore_ends(part: Cells) -> tuple[Place, Place]:
    """Middle of the far edge and of the near edge of a body ``[h, w]``."""
    rows = np.flatnonzero(part.any(1))
    depth = max(1, len(rows) // 12)
    return _middle(part, rows[:depth]), _middle(part, rows[-depth:])


def _middle(part: Cells, rows: NDArray[np.int64]) -> Place:
    kept = np.zeros_like(part)
    kept[rows] = part[rows]
    return _centre(kept)


def _centre(part: Cells) -> Place:
    y, x = np.nonzero(part)
    h, w = part.shape
    return float((x.mean() + 0.5) / w), float((y.mean() + 0.5) / h)


def river_ends(part: Cells) -> tuple[Place, Place]:
    """Source and sink of a river: its two openings that lie farthest apart, the lower one last.

    Openings are runs of at least three cells along the frame, and the far (upper) edge.
    """
    places = [_centre(run) for run in _openings(part)]
    far, near = shore_ends(part)
    places = [far, *places] if places else [far, near]
    pairs = [(a, b) for i, a in enumerate(places) for b in places[i + 1 :]]
    if not pairs:
        return far, near
    a, b = max(pairs, key=lambda p: np.hypot(p[0][0] - p[1][0], p[0][1] - p[1][1]))
    return (a, b) if a[1] <= b[1] else (b, a)


def _openings(part: Cells) -> list[Cells]:
    runs = []
    for edge in (np.s_[-1, :], np.s_[:, 0], np.s_[:, -1]):
        line = np.zeros(part[edge].size + 2, np.int8)
        line[1:-1] = part[edge]
        change = np.flatnonzero(np.diff(line))
        for begin, end in zip(change[::2], change[1::2], strict=True):
            if end - begin >= 3:
                run = np.zeros_like(part)
                run[edge][begin:end] = True
                runs.append(run)
    return runs
