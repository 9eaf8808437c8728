"""Ground truth of a camera that moves through a relief: where what is seen was a frame before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats
from vivant.rendering.space.pose import Pose
from vivant.rendering.space.slices import Slice
from vivant.rendering.space.view import View, enlarged, fetched

FOLLOWED = 0.06
"""Pixels by which a place looked up on nodes may be off and count as exact."""
SOFT = 0.02
"""Shares under this, or over 1 less this, are not soft."""

Where = NDArray[np.bool_]


def within(view: View, places: Floats) -> Where:
    """Whether pixels ``[h, w, 2]`` lie in the picture, and not beyond its edge."""
    h, w = view.shape
    low, high = (places > -0.5).all(axis=-1), (places < (w - 0.5, h - 0.5)).all(axis=-1)
    return np.asarray(low & high)


def followed(view: View, one: Slice, pose: Pose, at: Floats) -> Where:
    """Where the places ``at`` ``[H, W, 2]`` that a frame shows of a slice, looked up on nodes, are
    those of the pinhole camera and the depth there."""
    h, w = view.shape
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    spot = np.asarray((np.dstack([x, y]) + 0.5 - view.middle) / view.short, np.float32)
    found = view.lens.sources(pose, spot, view.disparity_at(one, at))
    error = found * view.short + view.middle + view.margin - 0.5 - at
    return np.asarray(np.abs(error).max(axis=-1) < FOLLOWED)


def through(
    view: View, before: Pose, now: Pose, flow: Floats, exact: Where
) -> tuple[Floats, Where]:
    """A backward ``flow`` ``[H, W, 2]`` of the picture in place, and where it is exact, as seen
    from two poses: from each place of the later frame to the earlier one."""
    h, w = view.shape
    whole = slice(0, h), slice(0, w)
    out, known = np.zeros((h, w, 2), np.float32), np.zeros((h, w), bool)
    for layer in view.layers:
        one = layer.slice
        at = enlarged(view.sources(one, now), whole)
        corner = np.array([one.box[1].start, one.box[0].start], np.float32)
        share = fetched(one.alpha, at - corner)
        here = share > 0.5
        inside = at - np.float32(view.margin)
        moved = at + fetched(flow, inside)
        sure = fetched(exact.astype(np.float32), inside) > 1 - SOFT
        sure &= within(view, inside)
        own = fetched(one.own, at - corner) > 1 - SOFT
        seen = view.images(one, before, moved)
        out[here] = seen[here]
        sure &= followed(view, one, now, at)
        there = followed(view, one, before, enlarged(view.sources(one, before), whole))
        sure &= fetched(there.astype(np.float32), seen) > 1 - SOFT
        known = np.where(here, sure & own & (share > 1 - SOFT), known & (share < SOFT))
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    return out - np.dstack([x, y]), known
