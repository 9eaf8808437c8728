"""Ground truth of a camera that moves through a relief: where what is seen was a frame before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats
from vivant.rendering.space.pose import Pose
from vivant.rendering.space.view import View, enlarged, fetched

SOFT = 0.02
"""Shares under this, or over 1 less this, are not soft."""

Where = NDArray[np.bool_]


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
        sure &= (inside > -0.5).all(axis=-1) & (inside < (w - 0.5, h - 0.5)).all(axis=-1)
        own = fetched(one.own, at - corner) > 1 - SOFT
        out[here] = view.images(one, before, moved)[here]
        known = np.where(here, sure & own & (share > 1 - SOFT), known & (share < SOFT))
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    return out - np.dstack([x, y]), known
