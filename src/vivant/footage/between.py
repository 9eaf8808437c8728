"""The frames between two frames of one scene."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from vivant.clip import Floats, Frame
from vivant.footage.flow import BothWays, both_ways, camera_motion, enlarged, fetched, flow, shrunk
from vivant.footage.splat import filled, splat

DOUBT, AROUND = 6.0, 6.0
"""Levels of difference between what the two frames say by which a guess loses 1/e of its say, and
pixels around (of a picture 320 high) over which they are averaged: tried on 39 training clips."""
LEAST = 1e-3

Pair = tuple[Floats, Floats]


@dataclass(frozen=True, eq=False)
class Between:
    """Two frames ``a`` and ``b`` ``[H, W, 3]`` of one size, and all that is between them."""

    a: Frame
    b: Frame

    @cached_property
    def motion(self) -> BothWays:
        """The motion from one to the other."""
        return both_ways(self.a, self.b)

    @cached_property
    def _small(self) -> tuple[Frame, Frame]:
        return shrunk(self.a), shrunk(self.b)

    @cached_property
    def _camera(self) -> Floats:
        return camera_motion(*self._small)

    def at(self, share: float) -> Frame:
        """The frame ``share`` (0..1) of the way from a to b; at 0 and 1 these themselves.

        Several guesses are made of how both frames are brought to that moment; place by place, the
        one by which both then show the same counts most. Light changes evenly along the motion.
        """
        if share <= 0 or share >= 1:
            return (self.a if share <= 0 else self.b).copy()
        total, weights = np.zeros(self.a.shape, np.float32), np.zeros(self.a.shape[:2], np.float32)
        for early, late in self._guesses(share):
            doubt = self._doubt(early, late)
            weight = np.exp(-doubt / DOUBT) + np.float32(1e-6)
            total += cv2.addWeighted(early, 1 - share, late, share, 0) * weight[..., None]
            weights += weight
        return np.asarray(np.clip(np.rint(total / weights[..., None]), 0, 255), np.uint8)

    def doubt(self, share: float) -> Floats:
        """How much the two frames differ around each place at that moment, levels ``[H, W]``, where
        they are brought there by the motion found between them."""
        return self._doubt(*next(self._guesses(share)))

    def _guesses(self, share: float) -> Iterator[Pair]:
        """Both frames as they would be at that moment, if: things moved as seen from both sides;
        only the camera moved; each place moved as it does in the other frame; nothing moved."""
        size = (self.a.shape[1], self.a.shape[0])
        for motion in (self._carried(share), self._camera):
            yield self._brought(enlarged(self._refined(motion, share), size), share)
        forward, backward = (enlarged(m, size) for m in (self.motion.forward, self.motion.backward))
        yield fetched(self.a, backward, share), fetched(self.b, forward, 1 - share)
        yield self.a.astype(np.float32), self.b.astype(np.float32)

    def _brought(self, motion: Floats, share: float) -> Pair:
        return fetched(self.a, motion, -share), fetched(self.b, motion, 1 - share)

    def _carried(self, share: float) -> Floats:
        """The motion from a to b, at the places where things are at that moment."""
        motion = self.motion
        ahead = splat(motion.forward, share * motion.forward, motion.sure_a + LEAST)
        back = splat(-motion.backward, (1 - share) * motion.backward, motion.sure_b + LEAST)
        return np.asarray((filled(*ahead) + filled(*back)) / 2, np.float32)

    def _refined(self, motion: Floats, share: float) -> Floats:
        """The same motion, corrected by what is left between both frames once they are brought to
        that moment by it."""
        a, b = self._small
        pair = fetched(a, motion, -share), fetched(b, motion, 1 - share)
        early, late = (np.clip(np.rint(x), 0, 255).astype(np.uint8) for x in pair)
        there, back = flow(early, late), flow(late, early)
        left = fetched(there, there, -share) - fetched(back, back, share - 1)
        return np.asarray(motion + left / 2, np.float32)

    def _doubt(self, early: Floats, late: Floats) -> Floats:
        """How much both frames differ around each place, levels ``[H, W]``."""
        difference = cv2.absdiff(early, late).mean(axis=2)
        h, w = difference.shape
        few = cv2.resize(difference, (max(1, w // 2), max(1, h // 2)), interpolation=cv2.INTER_AREA)
        around = cv2.GaussianBlur(few, (0, 0), AROUND * min(h, w) / 640)
        return np.asarray(cv2.resize(around, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)
