"""The frames between two frames of one scene."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from vivant.clip import Floats, Frame
from vivant.footage.far import reaching
from vivant.footage.flow import BothWays, camera_motion, enlarged, fetched, flow, shrunk
from vivant.footage.splat import splat
from vivant.rendering.plates import filled

DOUBT, AROUND = 2.0, 6.0
"""Levels of difference between what the two frames say that are nothing; and pixels around (of a
picture 320 high) over which they are averaged: tried on training clips."""
ASTRAY, TRUST = 1.5, 0.02
"""Pixels (plus a tenth of the motion) that a place may go another way than a guess says until it is
trusted half, and the trust that is left at least."""
LEAST = 1e-3


@dataclass(frozen=True, eq=False)
class _Guess:
    """What both frames show ``[H, W, 3]`` once they are brought to a moment, and the share of the
    ``late`` one, a number or ``[H, W, 1]``."""

    early: Floats
    late: Floats
    share: Floats | float

    @property
    def mixed(self) -> Floats:
        """Both, in their shares."""
        return np.asarray(self.early + self.share * (self.late - self.early), np.float32)


@dataclass(frozen=True, eq=False)
class Between:
    """Two frames ``a`` and ``b`` ``[H, W, 3]`` of one size, and all that is between them."""

    a: Frame
    b: Frame

    @cached_property
    def motion(self) -> BothWays:
        """The motion from one to the other, on the grid of the frames shrunk."""
        return reaching(*self._small)

    @cached_property
    def _small(self) -> tuple[Frame, Frame]:
        return shrunk(self.a), shrunk(self.b)

    @cached_property
    def _camera(self) -> Floats:
        return camera_motion(*self._small)

    def at(self, share: float, looks: tuple[Frame, Frame] | None = None) -> Frame:
        """The frame ``share`` (0..1) of the way from a to b; at 0 and 1 these themselves. ``looks``
        is what both show by then, where that is more than what they show themselves.

        Several guesses are made of how both frames are brought to that moment; place by place, the
        one by which both then show the same counts most. Light changes evenly along the motion.
        """
        if share <= 0 or share >= 1:
            return (self.a if share <= 0 else self.b).copy()
        total, weights = np.zeros(self.a.shape, np.float32), np.zeros(self.a.shape[:2], np.float32)
        for guess in self._guesses(share, looks or (self.a, self.b)):
            weight = (self._doubt(guess) + DOUBT) ** -2
            total += guess.mixed * weight[..., None]
            weights += weight
        return np.asarray(np.clip(np.rint(total / weights[..., None]), 0, 255), np.uint8)

    def doubt(self, share: float) -> Floats:
        """How much the two frames differ around each place at that moment, levels ``[H, W]``, where
        they are brought there by the motion found between them."""
        return self._doubt(next(self._guesses(share, (self.a, self.b))))

    def _guesses(self, share: float, looks: tuple[Frame, Frame]) -> Iterator[_Guess]:
        """Both frames as they would be at that moment, if: things moved as seen from both sides;
        only the camera moved; each place moved as it does in the other frame; nothing moved."""
        for motion in (self._carried(share), self._camera):
            yield self._brought(looks, self._refined(motion, share), share)
        forward, backward = self._wide(self.motion.forward), self._wide(self.motion.backward)
        early, late = fetched(looks[0], backward, share), fetched(looks[1], forward, 1 - share)
        yield _Guess(early, late, share)
        yield self._brought(looks, np.zeros_like(self.motion.forward), share)

    def _wide(self, motion: Floats) -> Floats:
        """A motion in pixels of the frames."""
        return enlarged(motion, (self.a.shape[1], self.a.shape[0]))

    def _brought(self, looks: tuple[Frame, Frame], motion: Floats, share: float) -> _Guess:
        """Both frames under a ``motion`` that is stated at the moment's own places."""
        wide = self._wide(motion)
        part = cv2.resize(self._late(motion, share), (self.a.shape[1], self.a.shape[0]))
        early, late = fetched(looks[0], wide, -share), fetched(looks[1], wide, 1 - share)
        return _Guess(early, late, np.asarray(part[..., None], np.float32))

    def _late(self, motion: Floats, share: float) -> Floats:
        """Share ``[h, w]`` of the late frame. A side on which what is read is sure to move another
        way (it comes from before, or behind) counts little."""
        found, rest = self.motion, 1 - share
        early = _trust(motion, fetched(found.forward, motion, -share),
                       fetched(found.sure_a, motion, -share))  # fmt: skip
        late = _trust(motion, -fetched(found.backward, motion, rest),
                      fetched(found.sure_b, motion, rest))  # fmt: skip
        return np.asarray(share * late / (rest * early + share * late), np.float32)

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

    def _doubt(self, guess: _Guess) -> Floats:
        """How much both frames differ around each place, levels ``[H, W]``."""
        difference = cv2.absdiff(guess.early, guess.late).mean(axis=2)
        h, w = difference.shape
        few = cv2.resize(difference, (max(1, w // 2), max(1, h // 2)), interpolation=cv2.INTER_AREA)
        around = cv2.GaussianBlur(few, (0, 0), AROUND * min(h, w) / 640)
        return np.asarray(cv2.resize(around, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)


def _trust(motion: Floats, own: Floats, sure: Floats) -> Floats:
    """How far a place ``[h, w]`` is taken for what a guess's ``motion`` says, by its ``own``."""
    astray = np.linalg.norm(own - motion, axis=2) * sure
    allowed = ASTRAY + 0.1 * np.linalg.norm(motion, axis=2)
    return np.asarray(1 / (1 + (astray / allowed) ** 2) + TRUST, np.float32)
