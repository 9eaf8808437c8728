"""What a video model starts from besides its picture: the built-in model's clip, or its motion."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.adapters.fit import Fit
from vivant.asset import Assets
from vivant.clip import Floats
from vivant.controls.start import Draft, MovedNoise
from vivant.controls.table import entry_of
from vivant.request import Generator, Hooks, Request, Result, Target

DRAWN = ("still", "move", "hold", "move-kind", "stroke", "camera", "flow", "wind")
"""Controls of the built-in model that a draft, or noise that moves, hands on."""
GRID = 4
"""Pixels of a cell on which motion is handed over."""


def starts(request: Request) -> bool:
    """Whether a request starts from the built-in model at all."""
    return bool(request.all(Draft) or request.all(MovedNoise))


def started(
    request: Request,
    builtin: Callable[[], Generator],
    assets: Assets,
    fit: Fit,
    fps: int,
    count: int,
    hooks: Hooks,
) -> Mapping[str, NDArray[Any]]:
    """``draft`` ``[count, H, W, 3]`` uint8 of the size that the model works on, ``motion``
    ``[count - 1, h, w, 2]`` float32, where a place of a later frame was in the frame before, less
    where it is, as shares of width and height; what is not asked for is left out."""
    if not starts(request):
        return {}
    made = _made(request, builtin(), assets, fit, fps, count, hooks)
    arrays: dict[str, NDArray[Any]] = {}
    if request.all(Draft):
        with made.open() as stream:
            arrays["draft"] = np.stack([fit.laid(frame) for frame in stream])
    if request.all(MovedNoise):
        pairs = made.artefacts["truth"].read()
        arrays["motion"] = np.stack([_shares(pair.backward, fit) for pair in pairs])
    return arrays


def _made(
    request: Request,
    builtin: Generator,
    assets: Assets,
    fit: Fit,
    fps: int,
    count: int,
    hooks: Hooks,
) -> Result:
    """The built-in model's clip of the picture, as long and as large as the model's own."""
    drawn = tuple(control for control in request.controls if entry_of(control).name in DRAWN)
    width, height = fit.inner
    own = replace(
        request,
        keyframes=request.keyframes[:1],
        controls=drawn,
        seconds=count / fps,
        fps=float(fps),
        size=f"{width}x{height}",
        model=builtin.identity.name,
    )
    plan = builtin.plan(own, assets, Target())
    return builtin.generate(own, plan, assets, hooks)


def _shares(backward: Floats, fit: Fit) -> Floats:
    """Flow of the picture's part, in pixels, over all that the model works on, in shares."""
    (wide, high), (left, top) = fit.inner, fit.place
    right, bottom = fit.outer[0] - wide - left, fit.outer[1] - high - top
    whole = cv2.copyMakeBorder(backward, top, bottom, left, right, cv2.BORDER_CONSTANT, value=0)
    cells = max(1, fit.outer[0] // GRID), max(1, fit.outer[1] // GRID)
    small = cv2.resize(whole, cells, interpolation=cv2.INTER_AREA)
    return np.asarray(small / np.array(fit.outer, np.float32), np.float32)
