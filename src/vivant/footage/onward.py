"""From what was observed to layers that go on: the manners of the kinds, at the footage's pace."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from vivant.clip import Floats, Frame, Plane
from vivant.motion.asked import Asked
from vivant.motion.choose import choose
from vivant.motion.flowing import field_of
from vivant.motion.held import FLOWING, Looked
from vivant.motion.layered import LayerMotion, Motion
from vivant.motion.priors import Priors
from vivant.motion.stage import region, staged
from vivant.rendering.layers import Stage
from vivant.rendering.manners.current import Current
from vivant.rendering.manners.drift import Drift, pace_at
from vivant.rendering.manners.flame import Flame
from vivant.rendering.manners.flight import Flight
from vivant.rendering.manners.particles import Particles
from vivant.rendering.manners.stream import Stream
from vivant.rendering.manners.surface import Surface
from vivant.rendering.manners.sway import Sway

CALM = 0.003
"""Short sides a second under which a fluid has no current."""
MOST = 1.3
"""Times the sampled amplitude up to which a layer that swings may be stirred."""
FALLS = 0.07
"""Deviation in short sides a second from which what looks like flakes is falling (snow: 0.08 to
0.45; houses from afar that were taken for it: 0.05)."""
SAMPLES = 6
"""Moments at which a layer's own pace is measured."""


def onward(
    pixels: Frame,
    looked: Looked,
    steady: Floats,
    shaken: Floats,
    priors: Priors,
    seed: int,
    *,
    held: Plane | None = None,
    back: bool = False,
) -> Stage:
    """How a picture ``[H, W, 3]``, the last frame of footage, goes on: which manner each layer
    moves by says its kind, how fast and which way ``steady`` ``[h, w, 2]``, short sides a second on
    cells, and how much it swings ``shaken`` ``[h, w]``. ``held`` ``[H, W]`` (255) never changes;
    ``back``: time runs backwards."""
    motion = choose(looked, Asked(seed=seed), priors)
    layers = [
        _paced(layer, pixels, looked, steady, back)
        for layer in motion.layers
        if not isinstance(layer.manner, Flight)  # birds of footage have ways of their own
        and (not isinstance(layer.manner, Particles) or np.median(shaken) > FALLS)
    ]
    kept = tuple(layer for layer in layers if layer is not None)
    paced = replace(motion, layers=kept)
    return staged(pixels, _stirred(pixels, paced, looked, shaken), looked, held=held)


def fluid(looked: Looked, size: tuple[int, int]) -> Plane:
    """Where currents of the layers carry what is seen ``[H, W]``, at ``size`` (width, height)."""
    matte = looked.of(FLOWING)
    return np.asarray(cv2.resize(matte, size, interpolation=cv2.INTER_AREA), np.uint8)


def carried(stage: Stage, size: tuple[int, int]) -> Floats:
    """How fast a stage's layers carry what is seen at the start, short sides a second ``[h, w, 2]``
    on cells, ``size`` (width, height) of them."""
    field = field_of(stage, 0.25, loop=False, about={})
    mean = np.ascontiguousarray(field.velocity.mean(axis=0).transpose(1, 2, 0))
    return np.asarray(cv2.resize(mean, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _paced(
    layer: LayerMotion, pixels: Frame, looked: Looked, steady: Floats, back: bool
) -> LayerMotion | None:
    """A layer at the pace of the footage; None where it stands still there."""
    own = _share(region(looked, layer, pixels), steady)
    if own.sum() < 1:
        return None
    manner = layer.manner
    if isinstance(manner, Drift):
        return replace(layer, manner=_drifting(manner, own, steady))
    if isinstance(manner, Flame) and back:
        return replace(layer, manner=replace(manner, rise=-manner.rise))
    if isinstance(manner, (Surface, Stream)):
        return _flowing(layer, _within(steady, own), own)
    return layer


def _flowing(layer: LayerMotion, velocity: Floats, own: Floats) -> LayerMotion:
    """A layer that flows as it was seen to; water that did not has no current."""
    inside = own > min(0.5, float(own.max()) / 2)
    fast = float(np.linalg.norm(velocity, axis=2)[inside].mean()) > CALM
    if isinstance(layer.manner, Surface):
        current = (layer.manner.current or Current()) if fast else None
        surface = replace(layer.manner, current=current)
        return replace(layer, manner=surface, velocity=velocity if fast else None)
    return replace(layer, velocity=velocity) if fast else layer


def _share(matte: Plane, cells: Floats) -> Floats:
    """Share 0..1 of each cell that a matte ``[H, W]`` covers."""
    size = (cells.shape[1], cells.shape[0])
    few = cv2.resize(matte, size, interpolation=cv2.INTER_AREA)
    return np.asarray(few / np.float32(255), np.float32)


def _within(velocity: Floats, own: Floats) -> Floats:
    """A velocity ``[h, w, 2]`` as what lies within a layer says, continued beyond it."""
    weight = own**2 + np.float32(1e-4)
    blurred = cv2.GaussianBlur(velocity * weight[..., None], (0, 0), 1.2)
    total = cv2.GaussianBlur(weight, (0, 0), 1.2)
    return np.asarray(blurred / np.maximum(total, 1e-6)[..., None], np.float32)


def _drifting(drift: Drift, own: Floats, velocity: Floats) -> Drift:
    """The drift whose velocities are nearest to those observed (least squares over the sky)."""
    rows = np.flatnonzero((own > 0.5).any(axis=1))
    horizon = int(rows[-1]) + 1 if len(rows) else own.shape[0]
    up = np.clip((horizon - np.arange(own.shape[0]) - 0.5) / horizon, 0, 1).astype(np.float32)
    profile = pace_at(up, drift.far)[:, None]
    rising = profile * up[:, None]
    speed = float((own * profile * velocity[..., 0]).sum()) / max(
        float((own * profile**2).sum()), 1e-6
    )
    rise = -float((own * rising * velocity[..., 1]).sum()) / max(
        float((own * rising**2).sum()), 1e-6
    )
    return replace(drift, speed=speed, rise=rise)


def _stirred(pixels: Frame, motion: Motion, looked: Looked, shaken: Floats) -> Motion:
    """Layers that swing, as much as the footage shakes where they are."""
    swinging = [layer for layer in motion.layers if isinstance(layer.manner, (Sway, Surface))]
    if not swinging:
        return motion
    out = []
    for layer in motion.layers:
        if layer not in swinging:
            out.append(layer)
            continue
        stage = staged(pixels, replace(motion, layers=(layer,)), looked)
        own = _share(region(looked, layer, pixels), shaken)
        pace = _pace(stage)
        wanted = float((shaken * own).sum() / max(float(own.sum()), 1e-6))
        factor = min(MOST, wanted / pace) if pace > 0 else 1.0
        out.append(replace(layer, manner=layer.manner.scaled(factor)))
    return replace(motion, layers=tuple(out))


def _pace(stage: Stage) -> float:
    """Deviation over time of what a stage's only layer moves by, short sides a second."""
    if not stage.layers:
        return 0.0
    layer = stage.layers[0]
    flows = np.stack([layer.manner.flow(0.37 + 0.61 * k) for k in range(SAMPLES)])
    return float(np.sqrt(flows.var(axis=0).sum(axis=2).mean()))
