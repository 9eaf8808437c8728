"""A picture cut to another shape, where its main thing stays: everything that is given for the
picture (masks, depth, strokes) is cut alike."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.asset import Asset, Assets
from vivant.clip import DepthMap, FilmInfo, Floats, Frame, Mask, Picture, Sound
from vivant.controls.aspect import Aspect
from vivant.controls.entry import Control
from vivant.controls.stroke import Stroke
from vivant.errors import UsageError
from vivant.kinds import INDEX
from vivant.media.resize import cut_share
from vivant.motion.held import scene_of
from vivant.request import Request, Runtime
from vivant.scene.record import Instance, Scene

WEIGHTS = {"being": 6.0, "vehicle": 3.0, "object": 2.0, "fire": 2.0, "fall": 1.5, "cloth": 2.0}
"""How much more a place of a kind matters than any other."""
OTHERS = 0.3
MIDDLE = 0.6
"""How much less matters what lies at the edge of the picture."""
LEAST = 0.002
"""Share of the picture from which a thing may be the main one."""
HEADROOM = 0.03
"""Share of the height above what is too tall to be kept whole."""
SAME_ASPECT = 0.02
WHOLE = 0.005
"""A picture of which less is cut away is whole."""

Box = tuple[slice, slice]


@dataclass(frozen=True)
class Window:
    """The part of a picture that is kept, ``left``, ``top``, ``width``, ``height`` as shares, and
    the number of the ``main`` thing, None where there is none."""

    left: float
    top: float
    width: float
    height: float
    main: int | None = None

    def box(self, shape: tuple[int, ...]) -> Box:
        """Rows and columns of an image ``[H, W, ...]``."""
        high, wide = max(1, round(self.height * shape[0])), max(1, round(self.width * shape[1]))
        top = min(round(self.top * shape[0]), shape[0] - high)
        left = min(round(self.left * shape[1]), shape[1] - wide)
        return slice(top, top + high), slice(left, left + wide)


def window_of(scene: Scene, size: tuple[int, int], ratio: float) -> Window:
    """The largest part of a picture of ``size`` (width, height) with a ``ratio`` of width to
    height that shows most of what matters, and the main thing whole if it fits."""
    own = size[0] / size[1]
    across = ratio < own  # it slides sideways
    length = ratio / own if across else own / ratio
    main = _main(scene)
    weight = _weight(scene).sum(0 if across else 1)
    span = None if main is None else _span(scene.instances[main], across)
    start = _best(weight, length, span)
    if span is not None and not across and span[1] - span[0] > length:
        start = float(np.clip(span[0] - HEADROOM, 0, 1 - length))  # heads are above
    if across:
        return Window(start, 0.0, length, 1.0, main)
    return Window(0.0, start, 1.0, length, main)


def _main(scene: Scene) -> int | None:
    """The number of the thing that a picture is about."""
    scores = {
        number: WEIGHTS[one.kind] * np.sqrt(one.area) * _centred(one)
        for number, one in enumerate(scene.instances)
        if one.kind in WEIGHTS and one.area >= LEAST
    }
    return max(scores, key=lambda number: scores[number]) if scores else None


def _centred(one: Instance) -> float:
    away = max(abs(one.centre[0] - 0.5), abs(one.centre[1] - 0.5)) * 2
    return 1 - MIDDLE * away


def _weight(scene: Scene) -> Floats:
    """How much each cell ``[h, w]`` matters."""
    weight = np.full(scene.grid, OTHERS, np.float32)
    for kind, more in WEIGHTS.items():
        weight += more * scene.kinds[INDEX[kind]]
    weight += scene.moving
    y, x = (np.abs(np.linspace(-1, 1, side, dtype=np.float32)) for side in scene.grid)
    return np.asarray(weight * (1 - MIDDLE * np.maximum(y[:, None], x[None])), np.float32)


def _span(one: Instance, across: bool) -> tuple[float, float]:
    left, top, right, low = one.box
    return (left, right) if across else (top, low)


def _best(weight: Floats, length: float, span: tuple[float, float] | None) -> float:
    """Where a part of a ``length`` begins, as a share, to hold the most ``weight`` ``[n]``, and a
    span whole where it fits, in the middle of it where it does not."""
    starts = np.linspace(0, 1 - length, 101)
    if span is not None and span[1] - span[0] > length:
        return float(np.clip(sum(span) / 2 - length / 2, 0, 1 - length))
    total = np.concatenate([[0], np.cumsum(weight)])
    places = np.linspace(0, 1, len(total))
    held = np.interp(starts + length, places, total) - np.interp(starts, places, total)
    if span is not None:
        inside = (starts <= span[0] + 1e-6) & (starts + length >= span[1] - 1e-6)
        held = np.where(inside, held, -1) if inside.any() else held
    return float(starts[int(held.argmax())])


def framed(request: Request, assets: Assets, runtime: Runtime) -> tuple[Request, Assets, list[str]]:
    """The request and its assets as of the part of the picture that an `Aspect` asks for, and what
    is to be said of it; the same where none does."""
    aspect = request.one(Aspect)
    if aspect is None:
        return request, assets, []
    picture = assets.picture(request.keyframes[0].image)
    rest = tuple(control for control in request.controls if control is not aspect)
    target = (aspect.width * 10_000, aspect.height * 10_000)
    lost = cut_share(picture.size, target)
    if lost < WHOLE:
        return replace(request, controls=rest), assets, []
    scene = scene_of(picture, runtime)
    window = window_of(scene, picture.size, aspect.ratio)
    inner = replace(request, controls=tuple(_moved(control, window) for control in rest))
    note = f"The picture is cut by {lost:.0%} to {aspect}"
    if window.main is not None:
        one = scene.instances[window.main]
        note += f"; kept is the {one.kind} at {one.centre[0]:.2f},{one.centre[1]:.2f}"
    return inner, Cropped(assets, request.keyframes[0].image, window), [f"{note}."]


def _moved(control: Control, window: Window) -> Control:
    """A stroke in places of the part that is kept."""
    if not isinstance(control, Stroke):
        return control
    low, size = (window.left, window.top), (window.width, window.height)
    points = (np.array(control.points) - low) / size
    along = np.linspace(0, len(points) - 1, 32 * len(points))
    numbers = np.arange(len(points))
    walk = np.stack([np.interp(along, numbers, points[:, axis]) for axis in (0, 1)], axis=1)
    if not ((walk >= 0) & (walk <= 1)).all(axis=1).any():
        x, y = control.points[0]
        raise UsageError(
            f"The stroke at {x:g},{y:g} lies outside of the part that the aspect keeps; draw it"
            " within, or leave --aspect out."
        )
    return replace(control, points=tuple((float(x), float(y)) for x, y in np.clip(points, 0, 1)))


class Cropped:
    """Assets of which the picture, and what has its shape, are cut to a window."""

    def __init__(self, assets: Assets, image: Asset, window: Window) -> None:
        self._assets, self._image, self._window = assets, image, window

    def picture(self, asset: Asset) -> Picture:
        """See `vivant.asset.Assets`."""
        whole = self._assets.picture(asset)
        if asset != self._image:
            return whole
        box = self._window.box(whole.pixels.shape)
        alpha = None if whole.alpha is None else np.ascontiguousarray(whole.alpha[box])
        sha256 = hashlib.sha256(f"{whole.sha256} {box}".encode()).hexdigest()
        return replace(
            whole,
            pixels=np.ascontiguousarray(whole.pixels[box]),
            alpha=alpha,
            sha256=sha256 if whole.sha256 else "",
        )

    def mask(self, asset: Asset) -> Mask:
        """See `vivant.asset.Assets`."""
        whole = self._assets.mask(asset)
        return replace(whole, values=np.asarray(self._cut(whole.values), np.uint8))

    def depth(self, asset: Asset) -> DepthMap:
        """See `vivant.asset.Assets`."""
        whole = self._assets.depth(asset)
        return replace(whole, values=np.asarray(self._cut(whole.values), np.float32))

    def _cut(self, plane: NDArray[np.generic]) -> NDArray[np.generic]:
        """A plane cut as the picture is, at the picture's size; as it is where its shape is
        another."""
        size = self._assets.picture(self._image).size
        if cut_share(size, (plane.shape[1], plane.shape[0])) > SAME_ASPECT:
            return plane
        if plane.shape[::-1] != size:
            plane = cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR)
        return np.ascontiguousarray(plane[self._window.box(plane.shape)])

    def frames(self, asset: Asset) -> Iterator[Frame]:
        """See `vivant.asset.Assets`."""
        return self._assets.frames(asset)

    def film(self, asset: Asset) -> FilmInfo:
        """See `vivant.asset.Assets`."""
        return self._assets.film(asset)

    def sound(self, asset: Asset) -> Sound | None:
        """See `vivant.asset.Assets`."""
        return self._assets.sound(asset)

    def content(self, asset: Asset) -> bytes:
        """See `vivant.asset.Assets`."""
        return self._assets.content(asset)

    def path(self, asset: Asset) -> Path | None:
        """See `vivant.asset.Assets`."""
        return self._assets.path(asset)
