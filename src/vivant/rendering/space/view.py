"""What a camera sees that moves through a picture in relief.

Every slice is looked up where its own depth says, far ones first, near ones over them. The first
frame is the picture; what the slices together do not show of it exactly (soft edges) and what
moves in it are carried along as differences.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame
from vivant.rendering.abreast import abreast
from vivant.rendering.manners.manner import CRISP
from vivant.rendering.source import denser
from vivant.rendering.space.focus import defocused
from vivant.rendering.space.pose import Path, Pose
from vivant.rendering.space.relief import Relief
from vivant.rendering.space.slices import Box, Slice, sliced

ROUNDS = 4
"""Times that a place is looked up again at the depth found there."""
NODE = 8
"""Pixels between the nodes at which places are looked up."""
DENSE = 2
"""Pixels of a slice for one of the picture."""

SHARP = 0.3
"""Pixels of blur under which nothing is blurred."""

Change = NDArray[np.int16]


class View:
    """A picture ``[H, W, 3]`` with its relief, seen along a path. Where the path looks beyond its
    edge, the picture goes on mirrored, by ``margin`` pixels: what moves at the edge moves there,
    too. Slices are of the picture with that margin."""

    def __init__(self, pixels: Frame, relief: Relief, path: Path) -> None:
        self.pixels, self.lens = pixels, path.lens
        self.shape = (pixels.shape[0], pixels.shape[1])
        self.short = min(self.shape)
        self.margin = round(path.margin * self.short)
        self.middle = np.array(self.shape[::-1], np.float32) / np.float32(2)
        self.places = _places(self.shape)
        wide = mirrored(pixels, self.margin)
        reach = 1.2 * farthest(path) + 2 * blurriest(path) + 0.01
        slices = sliced(wide, relief.widened(self.margin), reach)
        plain = tuple(_Layer.of(one, denser(one.colours)) for one in slices)
        left = cv2.subtract(pixels, self._composed(plain, Pose(), None), dtype=cv2.CV_16S)
        left = mirrored(left, self.margin)
        self.layers = tuple(_Layer.of(one, _exact(one, left)) for one in slices)

    def at(self, frame: Frame, pose: Pose) -> Frame:
        """The view of ``frame``, the picture as it has moved in place, from a pose."""
        if pose == Pose():
            return frame.copy()
        changed = None
        if not np.array_equal(frame, self.pixels):
            changed = cv2.subtract(frame, self.pixels, dtype=cv2.CV_16S)
            changed = mirrored(changed, self.margin)
        return self._composed(self.layers, pose, changed)

    def _composed(self, layers: tuple[_Layer, ...], pose: Pose, changed: Change | None) -> Frame:
        out = np.zeros((*self.shape, 3), np.uint8)
        for layer in layers:
            layer.lay(out, self, pose, changed)
        return out

    def sources(self, one: Slice, pose: Pose) -> Floats:
        """Where each node sees a slice, pixels of the picture with its margin ``[rows, columns,
        2]``."""
        found = self.places
        for _ in range(ROUNDS):
            found = self.lens.sources(pose, self.places, self._disparity(one, found))
        return self._pixels(found) + np.float32(self.margin)

    def blur(self, one: Slice, pose: Pose, nodes: Floats) -> Floats | None:
        """Standard deviation in pixels of the blur at each node ``[rows, columns]``; None where all
        is sharp."""
        if not pose.blurs:
            return None
        found = pose.blur(self.disparity_at(one, nodes)) * np.float32(self.short)
        return found if found.max() > SHARP else None

    def images(self, one: Slice, pose: Pose, at: Floats) -> Floats:
        """Where a slice's places ``at`` ``[h, w, 2]``, pixels of the picture with its margin, are
        seen, in pixels of the frame."""
        places = self.places_of(at)
        return self._pixels(self.lens.images(pose, places, self._disparity(one, places)))

    def places_of(self, at: Floats) -> Floats:
        """Pixels ``[h, w, 2]`` of the picture with its margin as places in short sides from its
        middle."""
        middle = self.middle + np.float32(self.margin - 0.5)
        return np.asarray((at - middle) / np.float32(self.short), np.float32)

    def disparity_at(self, one: Slice, at: Floats) -> Floats:
        """Disparity of a slice at pixels ``at`` ``[h, w, 2]`` of the picture with its margin."""
        return self._disparity(one, self.places_of(at))

    def _disparity(self, one: Slice, places: Floats) -> Floats:
        h, w = one.disparity.shape
        height, width = (side + 2 * self.margin for side in self.shape)
        cells = np.array([w / width, h / height], np.float32)
        middle = self.middle + np.float32(self.margin)
        at = (places * np.float32(self.short) + middle) * cells - np.float32(0.5)
        return np.asarray(fetched(one.disparity, at), np.float32)

    def _pixels(self, places: Floats) -> Floats:
        return np.asarray(
            places * np.float32(self.short) + self.middle - np.float32(0.5), np.float32
        )


@dataclass(frozen=True, eq=False)
class _Layer:
    """A slice ready to be fetched, its ``texture`` ``[DENSE h, DENSE w, 3]``."""

    slice: Slice
    texture: Frame

    @staticmethod
    def of(one: Slice, texture: Frame) -> _Layer:
        soft = cv2.GaussianBlur(texture, (3, 3), 0.8)
        return _Layer(one, np.asarray(cv2.addWeighted(texture, 1 + CRISP, soft, -CRISP, 0)))

    def lay(self, out: Frame, view: View, pose: Pose, changed: Change | None) -> None:
        """Put the slice over what lies behind it, ``out`` ``[H, W, 3]``."""
        nodes = view.sources(self.slice, pose)
        blur = view.blur(self.slice, pose, nodes)
        box = self._covered(nodes, view.shape, 0.0 if blur is None else float(blur.max()))
        if box is None:
            return
        at = enlarged(nodes, box)
        corner = self.slice.box[1].start, self.slice.box[0].start
        own = cv2.subtract(at, (*corner, 0, 0))
        places = cv2.multiply(own, (float(DENSE), float(DENSE), 0, 0))
        colours = fetched(self.texture, places)
        if changed is not None and self._stirred(changed):
            moved = fetched(changed, at)
            mine = fetched(self.slice.own, own)
            cv2.multiply(moved, cv2.merge([mine] * 3), dst=moved, dtype=cv2.CV_16S)
            colours = cv2.add(colours, moved, dtype=cv2.CV_8U)
        share = fetched(self.slice.alpha, own)
        if blur is not None:
            colours, share = defocused(colours, share, enlarged(blur, box))
        out[box] = cv2.blendLinear(colours, np.ascontiguousarray(out[box]), share, 1 - share)

    def _stirred(self, changed: Change) -> bool:
        """Whether anything of the slice's own has changed, by every eighth pixel."""
        part = changed[self.slice.box][::8, ::8]
        return bool(part[self.slice.own[::8, ::8] > 0.02].any())

    def _covered(self, nodes: Floats, shape: tuple[int, int], blur: float) -> Box | None:
        """Rows and columns of the frame in which the slice may be seen, ``blur`` pixels wide."""
        rows, columns = self.slice.box
        x, y = nodes[..., 0], nodes[..., 1]
        inside = (x > columns.start - 2 * NODE) & (x < columns.stop + 2 * NODE)
        inside &= (y > rows.start - 2 * NODE) & (y < rows.stop + 2 * NODE)
        out = []
        for axis in (1, 0):
            hit = np.flatnonzero(inside.any(axis))
            if not len(hit):
                return None
            beside = round(3 * blur)
            low, high = (int(hit[0]) - 2) * NODE - beside, (int(hit[-1]) + 1) * NODE + beside
            out.append(slice(max(0, low), min(shape[1 - axis], high)))
        rows, columns = out
        return (rows, columns) if rows.stop > rows.start and columns.stop > columns.start else None


def mirrored(values: Any, margin: int) -> Any:
    """Values ``[H, W, 3]`` going on mirrored beyond their edge."""
    if not margin:
        return values
    return cv2.copyMakeBorder(values, *(margin,) * 4, cv2.BORDER_REFLECT_101)


def fetched(values: Any, at: Floats) -> Any:
    """Values ``[H, W(, n)]`` at places ``at`` ``[h, w, 2]``, those of the edge beyond it."""
    return cv2.remap(values, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _exact(one: Slice, left: Change) -> Frame:
    """The dense texture of a slice with what the slices together do not show of the picture,
    ``left`` ``[H, W, 3]``."""
    texture = denser(one.colours)
    size = texture.shape[1::-1]
    share = cv2.merge([cv2.resize(one.own, size, interpolation=cv2.INTER_LINEAR)] * 3)
    more = cv2.resize(left[one.box].astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.add(texture, cv2.multiply(more, share), dtype=cv2.CV_8U), np.uint8)


def _places(shape: tuple[int, int]) -> Floats:
    """Nodes in short sides from the middle, ``[rows, columns, 2]``: the middles of squares of
    `NODE` pixels, one more on each side than there are in the frame."""
    (h, w), short = shape, min(shape)
    y, x = (
        ((np.arange(-(-side // NODE) + 2, dtype=np.float32) - 0.5) * NODE - side / 2) / short
        for side in (h, w)
    )
    return np.dstack(np.meshgrid(x, y)).astype(np.float32)


def enlarged(nodes: Floats, box: Box) -> Floats:
    """Places on nodes at every pixel of a box, ``[h, w, 2]``."""
    first = [s.start // NODE for s in box]
    last = [-(-s.stop // NODE) + 2 for s in box]
    part = np.ascontiguousarray(nodes[first[0] : last[0], first[1] : last[1]])
    wide = cv2.resize(
        part, (part.shape[1] * NODE, part.shape[0] * NODE), interpolation=cv2.INTER_LINEAR
    )
    rows, columns = (
        slice(s.start - f * NODE + NODE, s.stop - f * NODE + NODE)
        for s, f in zip(box, first, strict=True)
    )
    return np.ascontiguousarray(wide[rows, columns])


def blurriest(path: Path) -> float:
    """The greatest blur of a path, in short sides."""
    return max((most for pose in path.poses for _, most in pose.blurs), default=0.0)


def farthest(path: Path) -> float:
    """How far near and far move apart, at most, in short sides."""
    most = 0.0
    for pose in path.poses[:: max(1, len(path.poses) // 16)]:
        corners = np.array([[[-0.8, -0.5], [0.8, -0.5]], [[-0.8, 0.5], [0.8, 0.5]]], np.float32)
        near, far = (
            path.lens.images(pose, corners, np.full((2, 2), q, np.float32)) for q in (1.0, 0.0)
        )
        most = max(most, float(np.linalg.norm(near - far, axis=-1).max()))
    return min(most, 0.25)


def viewed_along(
    pixels: Frame, frames: Iterator[Frame], relief: Relief, path: Path
) -> Iterator[Frame]:
    """``frames`` of a picture ``[H, W, 3]`` that moves in place, seen along a path; the first is
    the picture."""
    yield from islice(frames, 1)
    if len(path.poses) == 1:
        return
    view = View(pixels, relief, path)

    def seen(one: tuple[Frame, Pose]) -> Frame:
        return view.at(*one)

    yield from abreast(seen, zip(frames, path.poses[1:], strict=True))
