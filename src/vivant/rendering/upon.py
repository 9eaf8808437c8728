"""What comes upon moving ground: bodies that travel, what holds, and the camera that sees it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame, Plane
from vivant.rendering.bodies import Body, Rim, lay, plate, put_back, rims
from vivant.rendering.camera import zoom_of
from vivant.rendering.parameters import Rendering
from vivant.rendering.source import Source
from vivant.rendering.wake import Wakes, wakes_of


@dataclass(frozen=True)
class Travellers:
    """Bodies upon a picture ``pixels``: ``below`` is the picture without them; ``held``
    ``[H, W]`` True where nothing may change; ``wakes`` what they draw on water."""

    pixels: Frame
    below: Frame
    bodies: list[Body]
    rims: list[Rim]
    held: NDArray[np.bool_] | None
    rendering: Rendering
    wakes: Wakes | None = None

    @staticmethod
    def of(
        pixels: Frame,
        bodies: list[Body],
        held: NDArray[np.bool_] | None,
        rendering: Rendering,
        water: tuple[Plane, float] | None = None,
    ) -> Travellers:
        """Bodies cut out; ``water`` ``[H, W]`` that they may travel on, and frames a second."""
        below = plate(pixels, bodies, rendering)
        wakes = None if water is None else wakes_of(pixels, below, bodies, *water)
        around = rims(pixels, below, bodies)
        return Travellers(pixels, below, bodies, around, held, rendering, wakes)

    def upon(self, frame: Frame, index: int) -> Frame:
        """A frame of the ground with every body where it is in frame ``index``."""
        if not self.bodies:
            return frame
        if self.wakes is not None:
            frame = self.wakes.upon(frame, index)
        for body in self.bodies:
            frame = lay(frame, self.pixels, body, index)
        for body, rim in zip(self.bodies, self.rims, strict=True):
            frame = put_back(frame, rim, body, index, self.rendering)
        if self.held is not None:
            np.copyto(frame, self.pixels, where=self.held[..., None])
        return frame


def viewed(frame: Frame, source: Source, grid: Floats, affine: Floats) -> Frame:
    """The view of a frame that was made in place: the photograph in its detail, then what differs
    from it."""
    changed = cv2.subtract(frame, source.fitted, dtype=cv2.CV_16S)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(
        changed, affine, source.size, flags=flags, borderMode=cv2.BORDER_REFLECT_101
    )
    still = source.fetch(cv2.transform(grid, affine), zoom_of(affine))
    return np.asarray(cv2.add(still, moved, dtype=cv2.CV_8U), np.uint8)
