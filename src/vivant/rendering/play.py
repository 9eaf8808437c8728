"""A stage of layers, bodies upon it and a camera before it: frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from vivant.clip import Frame, Picture, VideoSpec
from vivant.controls.camera import Camera
from vivant.rendering.abreast import abreast
from vivant.rendering.advect import grid_of
from vivant.rendering.bodies import Body
from vivant.rendering.camera import sight
from vivant.rendering.layers import Stage
from vivant.rendering.parameters import RENDERING, Rendering
from vivant.rendering.renderer import Held, views_of
from vivant.rendering.source import Source
from vivant.rendering.upon import Travellers, viewed


def play(
    picture: Picture,
    spec: VideoSpec,
    stage_of: Callable[[Frame], Stage],
    *,
    bodies: Callable[[Frame], list[Body]] | None = None,
    camera: Camera = Camera(),  # noqa: B008 - frozen
    loop: bool = False,
    held: Held | None = None,
    light: Callable[[Frame, float], Frame] | None = None,
    rendering: Rendering = RENDERING,
) -> Iterator[Frame]:
    """Yield ``spec.count`` frames ``[spec.height, spec.width, 3]``; frame 0 is the picture, scaled
    and cut to the size of the frames.

    ``stage_of`` puts the layers on a picture of that size; ``bodies`` are what travels upon it, and
    the layers go on behind them; ``held`` ``[H, W]`` never changes while the camera stands still;
    ``light`` changes what a frame shows, seconds after the first, before the camera sees it.
    """
    size = (spec.width, spec.height)
    views = views_of(camera, spec, loop)
    source = Source(picture.pixels, size, tuple(sight(affine, *size) for affine in views))
    travellers = None
    found = [] if bodies is None else bodies(source.fitted)
    if found:
        travellers = Travellers.of(source.fitted, found, held, rendering)
    stage = stage_of(source.fitted if travellers is None else travellers.below)
    grid = grid_of(size) if views else None

    def made(index: int) -> Frame:
        if index == 0:
            return source.fitted.copy()
        frame = stage.at(index / spec.fps)
        if travellers is not None:
            frame = travellers.upon(frame, index)
        return frame if light is None else light(frame, index / spec.fps)

    for index, frame in enumerate(abreast(made, range(spec.count))):
        seen = index == 0 or grid is None
        yield frame if seen else viewed(frame, source, grid, views[index])
