"""Sampling motion with ONNX Runtime: picture to motion map, noise to motion latents."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from vivant.bundle import Bundle
from vivant.clip import Floats, Frame
from vivant.errors import BundleError, VivantError
from vivant.flow.guidance import guide
from vivant.flow.solvers import SOLVERS, time_grid
from vivant.inference import onnxruntime
from vivant.motion.codec import MAP_CENTRE, MAP_FLOOR, MAP_SPREAD, Codec, rope_table
from vivant.request import Progress, no_progress

SHORT = 256
LONG_ASPECT = 4.0
"""Longer pictures are seen at less than `SHORT`: attention costs the square of the cells."""


@dataclass(frozen=True)
class SamplerOptions:
    """How latents are sampled: a solver of `vivant.flow`, its number of steps, the shift of
    the time grid, the guidance weight over the picture (1 = none), the share of the sampled
    light that is used, the cells over which it is smoothed (light was learned from labels as
    smooth as this: what is finer is noise), and into how many directions one draw of noise is
    turned by consecutive seeds (1, 2 or 4)."""

    solver: str = "heun"
    steps: int = 6
    shift: float = 1.0
    guidance: float = 1.5
    light: float = 0.0
    light_blur: float = 2.5
    turns: int = 4


@dataclass(frozen=True)
class Seen:
    """What the encoder makes of a picture: ``speed`` ``[h, w]`` expected mean speed in short
    sides per second; ``moving``, ``fluid`` and ``rigid`` ``[h, w]`` chances 0..1 that a cell
    moves at all, that it is water, cloud, smoke and the like, and that it is a man-made rigid
    thing; ``texture`` ``[h, w]`` 0..1, how much there is to be seen moving; ``features``
    ``[N, F]`` by token."""

    speed: Floats
    moving: Floats
    fluid: Floats
    rigid: Floats
    texture: Floats
    features: Floats


@dataclass(frozen=True)
class Networks:
    """The two graphs of a bundle, ready to run, with their fixed parameters."""

    encoder: Any
    velocity: Any
    codec: Codec
    head_dim: int
    options: SamplerOptions


def open_networks(bundle: Bundle, threads: int = 0) -> Networks:
    """Load a bundle's graphs; ``threads`` 0 leaves the number to the runtime.

    Raises BundleError where a graph cannot be loaded.
    """
    session = onnxruntime.SessionOptions()
    session.log_severity_level = 3
    session.intra_op_num_threads = threads
    config = bundle.config
    try:
        graphs = [
            onnxruntime.InferenceSession(
                str(bundle.file(name)), session, providers=["CPUExecutionProvider"]
            )
            for name in ("encoder.onnx", "velocity.onnx")
        ]
        codec = Codec(**{**config["codec"], "scales": tuple(config["codec"]["scales"])})
        head_dim = config["network"]["dim"] // config["network"]["heads"]
        options = SamplerOptions(**config["sampler"])
    except BundleError:
        raise
    except Exception as error:  # the runtime raises its own family of errors
        raise BundleError(f"The model in {bundle.folder} cannot be loaded ({error}).") from error
    return Networks(graphs[0], graphs[1], codec, head_dim, options)


def working_size(width: int, height: int) -> tuple[int, int]:
    """(width, height) at which a picture is seen: short side 256, long side the nearest
    multiple of 32 (the encoder halves five times), at most 2048. Pictures over 4:1 are seen
    smaller, so that they have hardly more cells than those."""
    short = min(width, height)
    narrow = min(1.0, (LONG_ASPECT * short / max(width, height)) ** 0.5)
    units = max(2, int(SHORT / 32 * narrow))
    sides = (min(32 * round(units * side / short), 2048) for side in (width, height))
    wide, high = sides
    return wide, high


@contextmanager
def _fitting() -> Iterator[None]:
    """A bundle's graphs and configuration may not fit each other; the runtime raises anything."""
    try:
        yield
    except VivantError:
        raise
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BundleError(
            f"The model's networks do not fit its configuration ({reason[:160]}); reinstall the"
            " model."
        ) from error


@_fitting()
def see(networks: Networks, pixels: Frame) -> Seen:
    """Run the encoder on a picture ``[H, W, 3]``. Raises BundleError where it cannot run."""
    size = working_size(pixels.shape[1], pixels.shape[0])
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    image = np.ascontiguousarray(small.transpose(2, 0, 1)[None])
    log_speed, *odds, rigid, features = networks.encoder.run(None, {"image": image})
    moving, fluid = (1 / (1 + np.exp(-o[0])) for o in odds)
    return Seen(np.exp(log_speed[0]), moving, fluid, rigid[0], _texture(small), features[0])


def _texture(image: Floats) -> Floats:
    """Mean gradient of cells of 8 x 8 pixels, squashed: half at 4 levels of 255."""
    grey = 255 * cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    dy, dx = np.gradient(grey)
    size = (grey.shape[1] // 8, grey.shape[0] // 8)
    gradient = cv2.resize(np.hypot(dx, dy), size, interpolation=cv2.INTER_AREA)
    return np.asarray(gradient / (gradient + 4.0), np.float32)


@dataclass(frozen=True)
class Conditions:
    """What one sample is drawn under, on cells: the motion map ``[h, w]`` short sides per
    second, and hints: velocity ``[2, h, w]`` with a mask ``[h, w]`` 0 or 1."""

    motion_map: Floats
    hint_velocity: Floats
    hint_mask: Floats


@_fitting()
def sample(
    networks: Networks,
    seen: Seen,
    conditions: Conditions,
    seed: int,
    progress: Progress = no_progress,
) -> tuple[Floats, Floats]:
    """Draw one motion: velocity ``[T, 2, h, w]`` and light ``[T, h, w]`` on cells. Raises
    BundleError where the networks cannot run."""
    codec, options = networks.codec, networks.options
    h, w = (side // 2 for side in conditions.motion_map.shape)
    noise = starting_noise(codec, h, w, seed, options.turns)
    inputs = _inputs(networks, seen, conditions, h, w)
    x = noise.reshape(1, codec.channels, h * w).swapaxes(1, 2)
    times = time_grid(options.steps, options.shift)

    def field_velocity(x: Floats, t: float) -> Floats:
        progress("sampling", t)
        return _guided(networks.velocity, inputs, x, t, options.guidance)

    x = SOLVERS[options.solver](field_velocity, x, times)
    progress("sampling", 1.0)
    latents = np.clip(x[0].T.reshape(codec.channels, h, w), -5, 5)
    velocity, light = codec.decode(latents.astype(np.float32), conditions.motion_map)
    blur = options.light_blur
    return velocity, np.stack([cv2.GaussianBlur(part, (0, 0), blur) for part in light])


def starting_noise(codec: Codec, h: int, w: int, seed: int, turns: int = 4) -> Floats:
    """Standard normal noise ``[C, h, w]``, the same on every machine (PCG64, O'Neill 2014).

    ``turns`` consecutive seeds share one draw, its velocities turned by a quarter each: every one
    is as normal as the other, but together they look all ways (antithetic sampling, Hammersley and
    Morton 1956), where independent draws often take one direction twice.
    """
    generator = np.random.Generator(np.random.PCG64(seed // turns))
    noise = generator.standard_normal((codec.channels, h, w), dtype=np.float32)
    x, y = noise[: codec.terms].copy(), noise[codec.terms : 2 * codec.terms].copy()
    for _ in range(seed % turns * 4 // turns):
        x, y = -y, x
    return np.concatenate([x, y, noise[2 * codec.terms :]])


def _inputs(
    networks: Networks, seen: Seen, conditions: Conditions, h: int, w: int
) -> dict[str, Floats]:
    def pool(values: Floats) -> Floats:
        return values.reshape(*values.shape[:-2], h, 2, w, 2).mean(axis=(-3, -1))

    coarse = pool(conditions.motion_map)
    mask = (pool(conditions.hint_mask) > 0.25).astype(np.float32)
    share = np.maximum(pool(conditions.hint_mask), 1e-3)
    hint = pool(conditions.hint_velocity * conditions.hint_mask) / share / (coarse + MAP_FLOOR)
    hints = np.concatenate([np.clip(hint, -4, 4) * mask, mask[None]])
    cos, sin = rope_table(h, w, networks.head_dim)
    log_map = (np.log(coarse + MAP_FLOOR) - MAP_CENTRE) / MAP_SPREAD
    return {
        "image": seen.features[None],
        "motion_map": log_map.reshape(1, h * w, 1).astype(np.float32),
        "hints": hints.reshape(3, h * w).T[None].astype(np.float32),
        "cos": cos,
        "sin": sin,
    }


def _guided(session: Any, inputs: dict[str, Floats], x: Floats, t: float, weight: float) -> Floats:
    """Guided velocity; both branches run as one batch."""
    use = np.array([1.0] if weight == 1.0 else [1.0, 0.0], np.float32)
    count = len(use)
    batch = {k: v if k in ("cos", "sin") else np.repeat(v, count, 0) for k, v in inputs.items()}
    batch |= {"x": np.repeat(x, count, 0), "t": np.full(count, t, np.float32), "use_image": use}
    out: Floats = session.run(None, batch)[0]
    return out if weight == 1.0 else guide(out[:1], out[1:], weight)
