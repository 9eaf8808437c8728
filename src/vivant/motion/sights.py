"""What the frames of a performance show: depth, things, mattes, as the camera sees them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Plane
from vivant.controls.layer import Layer
from vivant.errors import UsageError
from vivant.media.resize import fit_plane
from vivant.motion.held import Looked
from vivant.motion.performance import Performance
from vivant.records import to_data
from vivant.rendering.bodies import Body, find_bodies, shifted_matte
from vivant.rendering.renderer import views_of
from vivant.rendering.space.pose import Lens
from vivant.rendering.space.pose import Path as Way
from vivant.rendering.space.seen import (
    Seen,
    kept_own,
    mattes_flat,
    mattes_through,
    seen_flat,
    seen_through,
)
from vivant.rendering.space.view import View
from vivant.scene.cutout import cut_out
from vivant.scene.mattes import thing_matte

LEAST_KIND = 0.001
"""Share of the picture from which a kind has an alpha of its own."""
CHECKED = 16
"""Frames looked at for the nearest there is."""


@dataclass(frozen=True)
class Sights:
    """A performance, and what is ``looked`` at in it."""

    looked: Looked
    shown: Performance

    @cached_property
    def space(self) -> tuple[View, Way] | None:
        """The relief as it is rendered, and the path; None where the view is flat."""
        space = self.shown.space()
        if space is None:
            return None
        return View(self.shown.shot.picture.pixels, *space), space[1]

    @cached_property
    def near(self) -> Floats:
        """Disparity ``[H, W]`` of the picture."""
        width, height = self.shown.shot.picture.size
        relief = self.shown.relief
        if relief is None:
            raise ValueError("a performance in which nothing is looked at has no depth")
        return relief.at((height, width))

    @cached_property
    def views(self) -> list[Floats]:
        """Flat views, none where the camera stands still."""
        shot = self.shown.shot
        return views_of(shot.controls.camera, shot.spec, shot.loop)

    @cached_property
    def bodies(self) -> list[Body]:
        """Things that travel."""
        shown = self.shown
        if shown.things is None:
            return []
        shot = shown.shot
        return find_bodies(shown.things, shot.picture.pixels, shot.spec, shot.loop, shown.rendering)

    @cached_property
    def mattes(self) -> dict[str, Plane]:
        """Kinds that are there, ``[H, W]``, at the size of the frames."""
        size = self.shown.shot.picture.size
        planes = {kind: fit_plane(alpha, size) for kind, alpha in self.looked.mattes.alpha.items()}
        return {k: plane for k, plane in planes.items() if (plane > 127).mean() > LEAST_KIND}

    @cached_property
    def things(self) -> NDArray[np.uint16]:
        """1 + the number of the thing at each pixel of the picture, 0 for none, ``[H, W]``."""
        size, scene = self.shown.shot.picture.size, self.looked.scene
        out = np.zeros(size[::-1], np.uint16)
        for number, one in enumerate(scene.instances):
            own = thing_matte(scene, number, self.looked.mattes.of(one.kind))
            out[fit_plane(own, size) > 127] = number + 1
        return out

    def seen(self, index: int) -> Seen:
        """One frame."""
        if self.space is not None:
            view, path = self.space
            return seen_through(view, path.poses[index])
        affine = self.views[index] if self.views and index else None
        return seen_flat(self.near, affine, Lens(self.shown.shot.controls.view))

    def white(self) -> float:
        """Inverse depth of the nearest that is ever seen."""
        step = max(1, self.shown.shot.spec.count // CHECKED)
        frames = range(0, self.shown.shot.spec.count, step)
        return max(1.0, *(float(self.seen(index).disparity.max()) for index in frames))

    @cached_property
    def driven(self) -> list[int]:
        """The number of the thing that each body is, -1 where it is none."""
        found = []
        for body in self.bodies:
            own = self.things[shifted_matte(body, 0) > 0.5]
            found.append(int(np.bincount(own).argmax()) - 1 if own.size else -1)
        return found

    def numbers(self, seen: Seen, index: int) -> NDArray[np.uint16]:
        """The things of one frame, those that travel where they are."""
        things = self.things
        for body, number in zip(self.bodies, self.driven, strict=True):
            before, now = shifted_matte(body, 0) > 0.5, shifted_matte(body, index) > 0.5
            left = np.where(before, np.uint16(0), things)
            things = np.where(now, np.uint16(number + 1), left)
        return np.asarray(kept_own(seen, things), np.uint16)

    def alphas(self, seen: Seen, index: int) -> dict[str, Plane]:
        """Mattes of the kinds in one frame."""
        return dict(
            zip(self.mattes, self._viewed(list(self.mattes.values()), index, seen), strict=True)
        )

    def _viewed(self, planes: list[Plane], index: int, seen: Seen | None = None) -> list[Plane]:
        """Planes ``[H, W]`` of the picture as a frame sees them."""
        if self.space is not None:
            view, path = self.space
            return mattes_through(view, path.poses[index], planes)
        return mattes_flat(seen or self.seen(index), planes)

    def alpha(self, layer: Layer, index: int) -> Plane:
        """The matte ``[H, W]`` of one layer in one frame; what travels is where it is."""
        scene, mattes = self.looked.scene, self.looked.mattes
        if layer.number is None:
            whole = mattes.of(layer.kind)
        else:
            kind = scene.instances[layer.number].kind
            whole = thing_matte(scene, layer.number, mattes.of(kind))
        plane = fit_plane(whole, self.shown.shot.picture.size).astype(np.float32)
        for body, number in zip(self.bodies, self.driven, strict=True):
            before, now = shifted_matte(body, 0), shifted_matte(body, index)
            kind = scene.instances[number].kind if number >= 0 else ""
            own = number == layer.number if layer.number is not None else kind == layer.kind
            plane = np.maximum(plane * (1 - before), 255 * now) if own else plane * (1 - now)
        return self._viewed([np.asarray(np.round(plane), np.uint8)], index)[0]

    def about(self) -> dict[str, Any]:
        """What files say in numbers."""
        rows = [to_data(one) for one in self.looked.scene.instances]
        return {"instances": rows, "kinds": list(self.mattes)}


def sights_of(shown: Performance) -> Sights:
    """What the frames of a performance show. Raises UsageError where nothing is looked at."""
    if shown.looked is None:
        raise UsageError("With strength 0 nothing is seen, so there is no such truth to export.")
    return Sights(shown.looked, shown)


def layer_frames(shown: Performance, layer: Layer) -> Iterator[NDArray[np.uint8]]:
    """The frames of one layer ``[H, W, 4]``: its own colours, and its alpha."""
    sights = sights_of(shown)
    for index, frame in enumerate(shown.frames()):
        yield cut_out(frame, sights.alpha(layer, index))
