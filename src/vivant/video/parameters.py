"""What a video bundle says of how its clips are sampled (read without PyTorch)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sampling:
    """``fps`` that the model was trained for; ``short`` side of its frames, pixels; ``frames`` of
    a window; ``chunk`` of them and ``space`` pixels that become one latent; ``steps`` of the
    midpoint solver, ``shift`` of its time grid, ``guidance`` towards what the scene, words and
    motion say (1 = none beyond); ``temperature`` of the noise that it begins with: 1 = futures as
    various as those of training, 0 = always the likeliest."""

    fps: float = 8.0
    short: int = 64
    frames: int = 17
    chunk: int = 4
    space: int = 4
    steps: int = 8
    shift: float = 1.0
    guidance: float = 1.0
    temperature: float = 1.0


SAMPLING = Sampling()
WEIGHTS = "weights.safetensors"
"""The member that holds both networks: names begin with autoencoder. and transformer."""
TOKEN = 2
"""Latents of a token's side."""
LONGEST_ASPECT = 2.0
"""Longer pictures are squeezed to it while they are sampled: the positions go no further."""


def working_size(width: int, height: int, sampling: Sampling) -> tuple[int, int]:
    """(width, height) at which a picture is sampled: the short side of the training, the long side
    in whole tokens."""
    short = min(width, height)
    sides = (min(LONGEST_ASPECT, side / short) * sampling.short for side in (width, height))
    whole = TOKEN * sampling.space
    wide, high = (max(1, round(side / whole)) * whole for side in sides)
    return wide, high


def windows(frames: int, known: int, sampling: Sampling) -> list[tuple[int, int]]:
    """How a clip of ``frames``, ``known`` of them given, is made piece by piece: for each piece
    where it begins, and how many of its frames are known. Later pieces are anchored on one latent
    more than the first frame's, so that motion goes on."""
    anchored = 1 + sampling.chunk
    pieces = [(0, known)]
    while pieces[-1][0] + sampling.frames < frames:
        pieces.append((pieces[-1][0] + sampling.frames - anchored, anchored))
    return pieces
