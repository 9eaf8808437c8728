"""Flow matching of how a clip leaves its anchor, under conditions that are sometimes withheld."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from vivant.flow.path import interpolate, velocity
from vivant.training.tasks import Batch
from vivant.training.video.autoencoder import scaled
from vivant.training.video.consistency import flow_back, inconsistency
from vivant.training.video.corpus import Shape, Shot, Window, draw_shots, draw_window
from vivant.video.anchor import held, inertia_maps, known_latents
from vivant.video.autoencoder import VideoAutoencoder
from vivant.video.inertia import carried_on
from vivant.video.transformer import Conditions, VideoTransformer

LEAST_LEFT = 0.5
"""Of the flow's time: nearer to its end an error counts no more than here."""


@dataclass(frozen=True)
class VideoOptions:
    """``shapes`` of windows, drawn alike; share ``made`` of them procedural; ``several`` of them
    anchored on five frames instead of one; chances to ``drop_features``, ``drop_words`` and to
    ``give_motion``; weight ``consistent`` of the flow's consistency, 0: none; ``time_centre``
    and ``time_spread`` of the logit-normal flow times, or with the chance ``from_noise`` time 0,
    where what is learned is the mean of all futures; ``even`` mean square of a clip's departure
    above which its error counts the less, the more it departs, so that those in which little moves
    count; ``measured`` windows from which the scales come."""

    shapes: tuple[Shape, ...] = (Shape(),)
    made: float = 0.3
    several: float = 0.5
    drop_features: float = 0.1
    drop_words: float = 0.5
    give_motion: float = 0.3
    consistent: float = 0.1
    time_centre: float = -0.5
    time_spread: float = 1.0
    from_noise: float = 0.25
    even: float = 0.5
    measured: int = 64


class VideoTask:
    """The transformer is trained; the autoencoder stays as it is."""

    def __init__(
        self,
        network: VideoTransformer,
        autoencoder: VideoAutoencoder,
        shots: list[Shot],
        options: VideoOptions,
        device: str = "cpu",
    ) -> None:
        self.network: nn.Module = network
        self.params = network.params
        self.scale_for = network.scale_for
        self.autoencoder = autoencoder.eval().requires_grad_(False).to(device)
        self.shots = shots
        self.options = options

    def batch(self, rng: np.random.Generator) -> Batch:
        """Clips, conditions, noise and flow times; the flow of the clip with the latest time."""
        options = self.options
        shape = options.shapes[int(rng.integers(len(options.shapes)))]
        coder = self.autoencoder.params
        shots = draw_shots(self.shots, shape.count, options.made, rng)
        windows = [_withheld(draw_window(s, shape, coder, rng), options, rng) for s in shots]
        t = 1 / (1 + np.exp(-rng.normal(options.time_centre, options.time_spread, shape.count)))
        t[rng.random(shape.count) < options.from_noise] = 0
        n, h, w = windows[0].motion.shape[1:]
        known = np.where(rng.random(shape.count) < options.several, 1 + coder.time, 1)
        goes_on = [
            carried_on(w.clip[:k], shape.frames) for w, k in zip(windows, known, strict=True)
        ]
        arrays = {
            "clip": np.stack([one.clip for one in windows]).transpose(0, 4, 1, 2, 3),
            "features": np.stack([one.features for one in windows]),
            "motion": np.stack([one.motion for one in windows]),
            "words": np.stack([one.words for one in windows]),
            "noise": rng.standard_normal((shape.count, self.params.channels, n, h, w), np.float32),
            "t": t.astype(np.float32),
            "known": known.astype(np.int64),
            "goes_on": np.stack([clip for clip, _ in goes_on]).transpose(0, 4, 1, 2, 3),
            "trust": np.stack([trust for _, trust in goes_on]),
        }
        if options.consistent:
            arrays["flow"], arrays["explains"] = flow_back(windows[int(t.argmax())].clip)
        return {k: torch.from_numpy(np.ascontiguousarray(v)) for k, v in arrays.items()}

    def loss(self, batch: Batch) -> Tensor:
        """Mean squared error of the velocity, and the inconsistency of the clearest clip."""
        data, given = self.prepared(batch)
        t = batch["t"][:, None, None, None, None]
        free = (1 - given.known)[:, None, :, None, None]
        x = interpolate(batch["noise"], data, t) * free
        found = self.network(x, batch["t"], given).float()
        bounded = (1 - t) / (1 - t).clamp(min=LEAST_LEFT)
        error = ((found - velocity(batch["noise"], data) * free) * bounded) ** 2
        count = free.sum((1, 2, 3, 4)) * error[0, :, 0].numel()
        departs = data.square().sum((1, 2, 3, 4)) / count
        weight = (1 + self.options.even) / (departs + self.options.even)
        loss = (weight * error.sum((1, 2, 3, 4)) / count).mean()
        if not self.options.consistent:
            return loss
        one = int(batch["t"].argmax())
        ahead = (x + (1 - t) * found)[one : one + 1] * self.scale_for(given.known[one : one + 1])
        clip = self.autoencoder.decode(given.anchor[one : one + 1] + ahead)[0].float()
        apart = inconsistency(clip, batch["flow"], batch["explains"])
        return loss + self.options.consistent * batch["t"][one] * apart

    def prepared(self, batch: Batch) -> tuple[Tensor, Conditions]:
        """How the latents of the clips leave their anchor, in units of the scales, and what they
        are sampled under."""
        clip, frames, coder = scaled(batch["clip"]), batch["known"], self.autoencoder
        three = torch.cat([clip, held(clip, frames), scaled(batch["goes_on"])])
        with torch.no_grad():
            latents, anchor, ahead = coder.encode(three).float().chunk(3)
        known = known_latents(frames, latents.shape[2], coder.params)
        scale = self.scale_for(known)
        inertia = inertia_maps((ahead - anchor) / scale, batch["trust"], known, coder.params.space)
        rest = (batch[k] for k in ("features", "motion", "words"))
        return (latents - anchor) / scale, Conditions(anchor, known, inertia, *rest)


def _withheld(window: Window, options: VideoOptions, rng: np.random.Generator) -> Window:
    features, motion, words = window.features, window.motion, window.words
    if rng.random() < options.drop_features:
        features = np.zeros_like(features)
    if rng.random() >= options.give_motion:
        motion = np.zeros_like(motion)
    if rng.random() < options.drop_words:
        words = np.zeros_like(words)
    return Window(window.clip, features, motion, words)


def measure_scales(task: VideoTask) -> Tensor:
    """Root mean square of how latents leave the anchor, ``[C, horizon]``, by channel and distance,
    smoothed half-way to that of all channels: faint ones would be noise."""
    rng = np.random.default_rng(0)
    options, shape = task.options, task.options.shapes[0]
    coder = task.autoencoder.params
    total = torch.zeros(task.params.channels, task.params.horizon)
    for shot in draw_shots(task.shots, options.measured, options.made, rng):
        clip = draw_window(shot, shape, coder, rng).clip
        tensor = scaled(torch.from_numpy(clip).permute(3, 0, 1, 2)[None])
        one = torch.ones(1, dtype=torch.int64)
        both = torch.cat([tensor, held(tensor, one)])
        with torch.no_grad():
            latents, anchor = task.autoencoder.encode(both).chunk(2)
        total += (latents - anchor)[0, :, 1:].pow(2).mean((2, 3))[:, : task.params.horizon]
    rms = (total / options.measured).sqrt().clamp(min=1e-3)
    return (rms * rms.mean(0, keepdim=True)).sqrt()


def held_out_loss(task: VideoTask, network: nn.Module, batches: int = 4) -> dict[str, float]:
    """Loss of ``network`` on always the same windows of the task's shots."""
    trained, task.network = task.network, network
    try:
        drawn = [task.batch(np.random.default_rng((7, k))) for k in range(batches)]
        with torch.no_grad():
            return {"held_out": float(np.mean([float(task.loss(batch)) for batch in drawn]))}
    finally:
        task.network = trained
