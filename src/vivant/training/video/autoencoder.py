"""Training of the video autoencoder: principal components first, then all of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from vivant.training.tasks import Batch
from vivant.training.video.corpus import Shape, Shot, draw_shots, draw_window
from vivant.video.autoencoder import VideoAutoencoder, patches_of

FINE = 0.01
"""Error, of a range of 2, below which the loss is a square (Charbonnier et al., 1994)."""


@dataclass(frozen=True)
class AutoencoderOptions:
    """``shapes`` of windows, drawn alike; share ``made`` of them procedural; ``noise`` of latents
    that the decoder must bear; weight ``steady`` of the change from frame to frame; ``first``
    windows from which the principal components come."""

    shapes: tuple[Shape, ...] = (Shape(),)
    made: float = 0.3
    noise: float = 0.03
    steady: float = 0.5
    first: int = 200


class AutoencoderTask:
    """Reconstruction of windows, and of how they change."""

    def __init__(
        self, network: VideoAutoencoder, shots: list[Shot], options: AutoencoderOptions
    ) -> None:
        self.network: nn.Module = network
        self.params = network.params
        self.shots = shots
        self.options = options

    def batch(self, rng: np.random.Generator) -> Batch:
        """Clips ``[B, 3, T, H, W]`` uint8, and noise for their latents."""
        options, params = self.options, self.params
        shape = options.shapes[int(rng.integers(len(options.shapes)))]
        shots = draw_shots(self.shots, shape.count, options.made, rng)
        clips = np.stack([draw_window(s, shape, params, rng).clip for s in shots])
        grid = (shape.height // params.space, shape.width // params.space)
        size = (shape.count, params.channels, params.latent_frames(shape.frames), *grid)
        noise = options.noise * rng.standard_normal(size, np.float32)
        return {
            "clip": torch.from_numpy(clips).permute(0, 4, 1, 2, 3),
            "noise": torch.from_numpy(noise),
        }

    def loss(self, batch: Batch) -> Tensor:
        """Mean of the Charbonnier loss of frames and, weighted, of differences between them."""
        clip = scaled(batch["clip"])
        _, decoded = self.network(clip, batch["noise"])
        error = decoded.float() - clip
        change = error[:, :, 1:] - error[:, :, :-1]
        return charbonnier(error) + self.options.steady * charbonnier(change)


def scaled(clip: Tensor) -> Tensor:
    """uint8 as -1..1."""
    return clip.float() / 127.5 - 1


def charbonnier(error: Tensor) -> Tensor:
    """Mean of a smooth absolute value."""
    return (error.pow(2) + FINE**2).sqrt().mean() - FINE


def begin(network: VideoAutoencoder, shots: list[Shot], options: AutoencoderOptions) -> None:
    """Set the linear paths to the principal components of patches (always the same ones)."""
    rng = np.random.default_rng(0)
    params, shape = network.params, options.shapes[0]
    drawn = draw_shots(shots, options.first, options.made, rng)
    rows = []
    for shot in drawn:
        clip = draw_window(shot, shape, params, rng).clip
        tensor = scaled(torch.from_numpy(clip).permute(3, 0, 1, 2)[None])
        rows.append(patches_of(tensor, params)[0].flatten(1).T)
    values = torch.cat(rows).double()
    mean = values.mean(0)
    _, vectors = torch.linalg.eigh(torch.cov((values - mean).T))
    components = vectors.flip(1)[:, : params.channels]
    scale = ((values - mean) @ components).pow(2).mean().sqrt()
    network.begin_as(mean.float(), components.float(), float(scale))


def psnr_of(network: VideoAutoencoder, shots: list[Shot], shape: Shape) -> dict[str, float]:
    """Mean PSNR, dB, of decoded against true clips (8-bit levels), over the middles of shots."""
    found = []
    for shot in shots:
        plain = draw_window(shot, shape, network.params, np.random.default_rng(0), plain=True).clip
        clip = scaled(torch.from_numpy(plain).permute(3, 0, 1, 2)[None])
        with torch.no_grad():
            decoded = network.decode(network.encode(clip))
        levels = ((decoded + 1) * 127.5).round().clamp(0, 255)[0].permute(1, 2, 3, 0).numpy()
        error = float(((levels - plain.astype(np.float32)) ** 2).mean())
        found.append(10 * np.log10(255**2 / max(error, 1e-3)))
    return {"psnr": float(np.mean(found))}
