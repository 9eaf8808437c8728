"""From known frames to a clip, in pieces of one window, each anchored on what went before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from vivant.bundle import Bundle, open_bundle, parameters
from vivant.clip import Floats
from vivant.errors import BundleError
from vivant.flow.guidance import guide
from vivant.flow.solvers import midpoint, time_grid
from vivant.video.anchor import held, inertia_maps, known_latents
from vivant.video.autoencoder import AutoencoderParams, VideoAutoencoder
from vivant.video.conditions import FEATURES, MOST_WORDS, motion_of
from vivant.video.followed import followed
from vivant.video.inertia import carried_on
from vivant.video.parameters import SAMPLING, WEIGHTS, Sampling, windows
from vivant.video.transformer import Conditions, TransformerParams, VideoTransformer


@dataclass(frozen=True)
class Networks:
    """The two networks of a bundle, in float32, and how they are sampled."""

    autoencoder: VideoAutoencoder
    transformer: VideoTransformer
    sampling: Sampling


@dataclass(frozen=True)
class Asked:
    """What a clip is sampled under: ``features`` ``[15, h, w]`` of the scene on the latents' grid;
    ``velocity`` ``[T, 2, rows, columns]`` of a motion field at the model's rate, short sides per
    second; ``words`` ``[16]``. None: nothing is said. ``strength`` of the motion, 1 = as
    sampled. ``decoded``: frames as they are decoded, not by the last known frame's own pixels."""

    features: Floats | None = None
    velocity: Floats | None = None
    words: NDArray[np.int64] | None = None
    strength: float = 1.0
    decoded: bool = False


def open_networks(folder: Path) -> Networks:
    """Load a bundle of the family video. Raises BundleError where it is damaged."""
    bundle = open_bundle(folder)
    try:
        tensors = load_file(bundle.file(WEIGHTS))
    except (SafetensorError, OSError) as error:
        raise BundleError(f"{folder / WEIGHTS} is damaged ({error}).") from error
    autoencoder = VideoAutoencoder(parameters(bundle, "autoencoder", AutoencoderParams()))
    transformer = VideoTransformer(parameters(bundle, "transformer", TransformerParams()))
    _fill(bundle, autoencoder, tensors, "autoencoder.")
    _fill(bundle, transformer, tensors, "transformer.")
    return Networks(autoencoder, transformer, parameters(bundle, "sampling", SAMPLING))


def _fill(bundle: Bundle, network: nn.Module, tensors: dict[str, Tensor], prefix: str) -> None:
    own = {k.removeprefix(prefix): v.float() for k, v in tensors.items() if k.startswith(prefix)}
    try:
        network.load_state_dict(own, strict=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise BundleError(f"The weights in {bundle.folder} do not fit ({reason}).") from error
    network.eval().requires_grad_(False)


def sample(
    networks: Networks,
    known: NDArray[np.uint8],
    count: int,
    asked: Asked,
    seed: int,
    progress: Callable[[float], None] = lambda share: None,
) -> NDArray[np.uint8]:
    """A clip ``[count, H, W, 3]`` uint8 that begins with the ``known`` frames ``[K, H, W, 3]``, or,
    where frames are asked for as ``decoded``, with those as the autoencoder shows them; H and W in
    whole tokens. K is cut to 1 + a multiple of four.

    The same seed gives the same clip on one machine. Raises BundleError where the weights give no
    numbers.
    """
    sampling = networks.sampling
    usable = 1 + (min(len(known), 1 + sampling.chunk) - 1) // sampling.chunk * sampling.chunk
    clip = first = known[-usable:]
    generator = torch.Generator().manual_seed(seed % 2**63)
    pieces = windows(count, usable, sampling)
    for number, (start, have) in enumerate(pieces):
        told = lambda share, n=number: progress((n + share) / len(pieces))  # noqa: E731
        under, context = _from(asked, start, sampling), _tensor(clip[start : start + have])
        with torch.no_grad():
            made = _piece(networks, context, under, generator, told)
        if not made.isfinite().all():
            raise BundleError("The model's weights give no numbers (NaN); train or add it again.")
        decoded = _levels(made)
        if not asked.decoded:
            ahead = followed(clip[-1], decoded[have - 1 :])
        else:
            ahead = decoded[have:]
            first = first if number else decoded[:have]  # no jump after what is known
        clip = np.concatenate([clip, ahead])
    return np.concatenate([first, clip[usable:]])[:count]


def _from(asked: Asked, start: int, sampling: Sampling) -> Asked:
    """A field that has come to its end stays as it last was."""
    if asked.velocity is None:
        return asked
    steps = np.minimum(np.arange(start, start + sampling.frames - 1), len(asked.velocity) - 1)
    return replace(asked, velocity=asked.velocity[steps])


def _piece(
    networks: Networks,
    context: Tensor,
    asked: Asked,
    generator: torch.Generator,
    progress: Callable[[float], None],
) -> Tensor:
    """One window ``[1, 3, frames, H, W]`` that begins with ``context``."""
    sampling, coder = networks.sampling, networks.autoencoder
    rest = sampling.frames - context.shape[2]
    frames = torch.tensor([context.shape[2]])
    clip = torch.cat([context, context[:, :, -1:].expand(-1, -1, rest, -1, -1)], dim=2)
    goes_on, trust = carried_on(_levels(context), sampling.frames)
    anchor, ahead = coder.encode(torch.cat([held(clip, frames), _tensor(goes_on)])).chunk(2)
    known = known_latents(frames, anchor.shape[2], coder.params)
    scale = networks.transformer.scale_for(known)
    leaving = (ahead - anchor) / scale
    inertia = inertia_maps(leaving, torch.from_numpy(trust)[None], known, coder.params.space)
    given = _conditions(anchor, known, inertia, asked, sampling)
    plain = _conditions(anchor, known, inertia, Asked(), sampling)
    free = (1 - known)[:, None, :, None, None]
    evaluations = 2 * sampling.steps
    done = 0

    def velocity(x: Tensor, t: float) -> Tensor:
        nonlocal done
        at = torch.full((1,), t)
        found: Tensor = networks.transformer(x, at, given)
        if sampling.guidance != 1.0:
            found = guide(found, networks.transformer(x, at, plain), sampling.guidance)
        done += 1
        progress(done / evaluations)
        return found

    noise = torch.randn(anchor.shape, generator=generator) * free * sampling.temperature
    leaving = midpoint(velocity, noise, time_grid(sampling.steps, sampling.shift))
    return coder.decode(anchor + leaving * free * scale * asked.strength)


def _conditions(
    anchor: Tensor, known: Tensor, inertia: Tensor, asked: Asked, sampling: Sampling
) -> Conditions:
    _, _, n, h, w = anchor.shape
    features = torch.zeros(1, FEATURES, h, w)
    motion = torch.zeros(1, 3, n, h, w)
    words = torch.zeros(1, MOST_WORDS, dtype=torch.int64)
    if asked.features is not None:
        features = torch.from_numpy(asked.features)[None]
    if asked.velocity is not None:
        motion = torch.from_numpy(motion_of(asked.velocity, sampling.chunk, (h, w)))[None]
    if asked.words is not None:
        words = torch.from_numpy(asked.words)[None]
    return Conditions(anchor, known, inertia, features, motion, words)


def _levels(clip: Tensor) -> NDArray[np.uint8]:
    """``[1, 3, T, H, W]`` from -1 to 1 as frames ``[T, H, W, 3]``."""
    levels = ((clip[0] + 1) * 127.5).round().clamp(0, 255)
    return levels.permute(1, 2, 3, 0).byte().numpy()


def _tensor(frames: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(frames)).permute(3, 0, 1, 2)[None] / 127.5 - 1
