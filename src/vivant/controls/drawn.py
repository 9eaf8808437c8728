"""Controls with their files read, at the size of the frames: what a renderer works with."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from vivant.clip import Plane
from vivant.controls.camera import Camera
from vivant.controls.light import Light
from vivant.controls.path import VIEW, CameraPath
from vivant.controls.stroke import Stroke


@dataclass(frozen=True)
class Drawn:
    """What was drawn on one picture.

    ``still`` and ``move`` are masks ``[H, W]`` of the picture's size, 255 = applies: ``still``
    pixels never change, ``move`` keeps motion to the masked region and asks for motion
    throughout it; ``things`` are those that strokes drive, which leave their place whole;
    ``held`` is what a scene says holds, which is not asked of the field. ``camera`` and ``paths``
    are added; ``view``: degrees across the short side; ``lights``: how the light changes.
    """

    still: Plane | None = None
    move: Plane | None = None
    things: Plane | None = None
    held: Plane | None = None
    strokes: tuple[Stroke, ...] = ()
    camera: Camera = field(default_factory=Camera)
    paths: tuple[CameraPath, ...] = ()
    view: float = VIEW
    lights: tuple[Light, ...] = ()

    @property
    def front(self) -> Plane | None:
        """All that holds, for whatever reason; None where nothing is known to."""
        planes = [plane for plane in (self.still, self.held) if plane is not None]
        return np.maximum.reduce(planes) if planes else None
