"""From one picture to the next: what is seen to move is followed, what is not moves as its kind
does."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import cv2
import numpy as np

from vivant.clip import Floats, Frame
from vivant.field.operations import smoothstep
from vivant.footage.between import Between
from vivant.footage.flow import grey
from vivant.rendering.layers import Stage

UNSEEN, SEEN = 0.2, 0.7
"""Sureness of the motion found up to which a place moves by its kind, and from which as found."""
AROUND = 1 / 80
"""Short sides over which that is averaged."""
DETAIL, LOCAL, MOST = 1 / 60, 1 / 12, 1.8
"""Detail is finer than so many short sides, its contrast is taken over so many, and raised so many
times at most."""


class Passage(Protocol):
    """A way from one picture to another."""

    def at(self, share: float, since: float, until: float) -> Frame:
        """The frame ``share`` (0..1) of the way, ``since`` seconds after the first picture and
        ``until`` seconds before the second."""
        ...


@dataclass(frozen=True, eq=False)
class Followed:
    """Between pictures of one scene, each with its layers on a stage. Both are met exactly.

    Where dense flow explains both, what is between is read along it. Elsewhere in a layer (waves,
    leaves, flames: what never looks the same again) each picture is moved by the layer's manner,
    the first forwards and the second backwards in time, before it is read.
    """

    first: Stage
    second: Stage

    @cached_property
    def _between(self) -> Between:
        return Between(self.first.pixels, self.second.pixels)

    @cached_property
    def _unseen(self) -> tuple[Floats, Floats]:
        motion = self._between.motion
        return _unsure(motion.sure_a, self.first), _unsure(motion.sure_b, self.second)

    def at(self, share: float, since: float, until: float) -> Frame:
        """See `Passage`."""
        if share <= 0 or share >= 1:
            return self._between.at(share)
        early = _alive(self.first, since, self._unseen[0])
        late = _alive(self.second, -until, self._unseen[1])
        mixed = self._between.at(share, (early, late))
        return crisp(mixed, early, late, share, np.maximum(*self._unseen)[..., 0])


def _unsure(sure: Floats, stage: Stage) -> Floats:
    """Share 0..1 ``[H, W, 1]`` in which places of a stage move by their kind."""
    h, w = stage.pixels.shape[:2]
    around = cv2.GaussianBlur(sure, (0, 0), max(1.0, AROUND * min(sure.shape)))
    wide = cv2.resize(1 - smoothstep(UNSEEN, SEEN, around), (w, h), interpolation=cv2.INTER_LINEAR)
    return np.asarray(wide[..., None], np.float32)


def _alive(stage: Stage, seconds: float, where: Floats) -> Frame:
    if not stage.layers:
        return stage.pixels
    moved = stage.at(seconds).astype(np.float32)
    return np.asarray(np.rint(stage.pixels + where * (moved - stage.pixels)), np.uint8)


def crisp(mixed: Frame, early: Frame, late: Frame, share: float, where: Floats) -> Frame:
    """``mixed`` ``[H, W, 3]`` with the detail that both its parts have, ``where`` ``[H, W]`` 0..1:
    two textures that are not the same lose contrast where they are mixed."""
    short = min(mixed.shape[:2])
    fine, wide = (max(3, round(s * short)) | 1 for s in (DETAIL, LOCAL))
    level = cv2.blur(mixed, (fine, fine))
    wanted = (1 - share) * _energy(early, fine, wide) + share * _energy(late, fine, wide)
    gain = np.sqrt((wanted + 1) / (_energy(mixed, fine, wide) + 1))
    more = where * np.clip(gain - 1, 0, MOST - 1)
    detail = mixed.astype(np.float32) - level
    out = mixed + more[..., None] * detail
    return np.asarray(np.clip(np.rint(out), 0, 255), np.uint8)


def _energy(frame: Frame, fine: int, wide: int) -> Floats:
    """Local mean square of a frame's detail, ``[H, W]``."""
    light = grey(frame).astype(np.float32)
    return np.asarray(
        cv2.blur((light - cv2.blur(light, (fine, fine))) ** 2, (wide, wide)), np.float32
    )
