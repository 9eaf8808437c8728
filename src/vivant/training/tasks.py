"""What is learned: the two networks of the motion model, their batches and their losses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from vivant.clip import Floats
from vivant.flow.path import interpolate, velocity
from vivant.metrics import moving_and_static
from vivant.motion.codec import MAP_CENTRE, MAP_FLOOR, MAP_SPREAD, Codec, rope_table
from vivant.motion.map_head import MapHead, token_features
from vivant.motion.transformer import MotionTransformer
from vivant.training.corpus import Part, mean_speed, smooth_map

Batch = dict[str, Tensor]


class Task(Protocol):
    """Anything the trainer can train."""

    network: nn.Module

    def batch(self, rng: np.random.Generator) -> Batch:
        """Draw one batch; the same generator state draws the same batch."""
        ...

    def loss(self, batch: Batch) -> Tensor:
        """Scalar loss of one batch."""
        ...


def tokens(values: Tensor) -> Tensor:
    """``[B, C, h, w]`` -> ``[B, h * w, C]``."""
    return values.flatten(2).transpose(1, 2)


class MapTask:
    """Regression of the log mean speed, and classification of moving against static cells."""

    def __init__(self, parts: list[Part], batch_size: int, network: MapHead) -> None:
        self.network: nn.Module = network
        self.parts = parts
        self.batch_size = batch_size
        self.targets = [_map_targets(part) for part in parts]

    def batch(self, rng: np.random.Generator) -> Batch:
        """Views of one shape, drawn so that every shot counts alike."""
        which = _choose_part(self.parts, rng)
        index = _balanced(self.parts[which], self.batch_size, rng)
        batch = {"features": torch.from_numpy(self.parts[which].features[index])}
        return batch | {k: torch.from_numpy(v[index]) for k, v in self.targets[which].items()}

    def loss(self, batch: Batch) -> Tensor:
        """Huber on log speed, its within-picture part doubled, plus two cross-entropies."""
        log_speed, moving, fluid = (out.float() for out in self.network(batch["features"].float()))
        regression = _log_speed_loss(log_speed, batch["log_speed"], batch["weight"])
        classes = _two_sided(moving, batch["moving"], batch["static"])
        kinds = _two_sided(fluid, batch["fluid"], batch["solid"])
        return regression + 0.5 * classes + 0.25 * kinds


def _log_speed_loss(predicted: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Where within the picture, and how fast overall, as separate Huber losses."""
    error = predicted - target
    mass = weight.sum((1, 2)) + 1e-3
    offset = (error * weight).sum((1, 2)) / mass
    centred = error - offset[:, None, None]
    inside = functional.smooth_l1_loss(centred, torch.zeros_like(error), reduction="none")
    inside = (inside * weight).sum((1, 2)) / mass
    overall = functional.smooth_l1_loss(offset, torch.zeros_like(offset), reduction="none")
    trust = (mass / mass.mean()).clamp(max=2.0)
    return ((inside + 0.5 * overall) * trust).mean()


def _two_sided(odds: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """Cross-entropy in which both classes weigh the same, however many cells each has."""
    yes = (functional.softplus(-odds) * positive).sum() / (positive.sum() + 1.0)
    no = (functional.softplus(odds) * negative).sum() / (negative.sum() + 1.0)
    return yes + no


def _map_targets(part: Part) -> dict[str, Floats]:
    speed = mean_speed(part.velocity)
    weight = part.weight.astype(np.float32)
    smooth = np.stack([smooth_map(s, w, 0.7) for s, w in zip(speed, weight, strict=True)])
    moving, static = np.zeros_like(smooth), np.zeros_like(smooth)
    for k in range(len(part)):
        classes = moving_and_static(speed[k], part.gradient[k].astype(np.float32))
        if classes is not None and not part.camera_moves[k]:
            moving[k], static[k] = classes
    moves = weight * smooth / (smooth + 0.01)
    return {
        "log_speed": np.log(smooth + MAP_FLOOR),
        "weight": weight,
        "fluid": moves * (part.fluid == 1)[:, None, None],
        "solid": moves * (part.fluid == 0)[:, None, None],
        "moving": moving,
        "static": static,
    }


def _choose_part(parts: list[Part], rng: np.random.Generator) -> int:
    sizes = np.array([len(part) for part in parts], float)
    return int(rng.choice(len(parts), p=sizes / sizes.sum()))


def _balanced(part: Part, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Indices of views: a shot uniformly, then one of its views."""
    shots = np.unique(part.source)
    chosen = rng.choice(shots, count)
    return np.array([rng.choice(np.flatnonzero(part.source == shot)) for shot in chosen])


@dataclass(frozen=True)
class FieldOptions:
    """Chances and sizes of the field task's random conditions."""

    tokens_per_batch: int = 8192
    drop_image: float = 0.15
    give_hints: float = 0.5
    map_noise: float = 0.35
    time_spread: float = 1.0
    light_weight: float = 0.1


class FieldTask:
    """Flow matching on straight paths, logit-normal times, loss weighted by trust."""

    def __init__(
        self, parts: list[Part], network: nn.Module, codec: Codec, options: FieldOptions
    ) -> None:
        if not isinstance(network, MotionTransformer):
            raise TypeError("the field task trains motion transformers")
        self.network: nn.Module = network
        self.params = network.params
        self.codec = codec
        self.options = options
        self.data = [_field_targets(part, codec) for part in parts]
        self.parts = parts
        self.channel_weight = torch.from_numpy(_channel_weights(codec))

    def batch(self, rng: np.random.Generator) -> Batch:
        """Latents, conditions, noise and times; every shot counts alike."""
        which = _choose_part(self.parts, rng)
        data = self.data[which]
        count = max(1, self.options.tokens_per_batch // data["latents"].shape[1])
        index = _balanced(self.parts[which], count, rng)
        latents = data["latents"][index]
        h, w = data["shape"]
        maps = data["map"][index] + self.options.map_noise * _smooth_noise(rng, count, h, w)
        logits = rng.normal(0.0, self.options.time_spread, count)
        head = self.params.dim // self.params.heads
        cos, sin = rope_table(h, w, head)
        arrays = {
            "latents": latents,
            "noise": rng.standard_normal(latents.shape),
            "t": 1 / (1 + np.exp(-logits)),
            "image": data["image"][index],
            "use_image": rng.random(count) >= self.options.drop_image,
            "map": maps,
            "hints": _random_hints(data["mean"][index], h, w, self.options.give_hints, rng),
            "weight": data["weight"][index],
            "cos": cos,
            "sin": sin,
        }
        return {k: torch.from_numpy(np.asarray(v, np.float32)) for k, v in arrays.items()}

    def loss(self, batch: Batch) -> Tensor:
        """Weighted mean squared error of the velocity."""
        t = batch["t"][:, None, None]
        x = interpolate(batch["noise"], batch["latents"], t)
        predicted = self.network(
            x,
            batch["t"],
            batch["image"],
            batch["use_image"],
            batch["map"],
            batch["hints"],
            batch["cos"],
            batch["sin"],
        )
        error = (predicted.float() - velocity(batch["noise"], batch["latents"])) ** 2
        weight = self._weights(batch["weight"])
        return (error * weight).sum() / weight.sum()

    def _weights(self, trust: Tensor) -> Tensor:
        """Motion counts where it can be seen, light everywhere; ``[B, N, 1]`` to ``[B, N, C]``."""
        moved = trust * self.channel_weight[: 2 * self.codec.terms].to(trust.device)
        lit = self.options.light_weight * self.channel_weight[2 * self.codec.terms :]
        return torch.cat([moved, lit.to(trust.device).expand(*trust.shape[:2], -1)], dim=2)


def _channel_weights(codec: Codec) -> Floats:
    """Larger components count more; mean 1 over the motion's, and over the light's."""
    roots = np.array(codec.scales) ** 0.5
    moved, lit = roots[: 2 * codec.terms], roots[2 * codec.terms :]
    return np.concatenate([moved / moved.mean(), lit / lit.mean()]).astype(np.float32)


def token_mean(values: Floats, weight: Floats | None = None) -> Floats:
    """Mean over tokens of 2 x 2 cells, ``[..., h, w]`` -> ``[..., h / 2, w / 2]``."""

    def pool(a: Floats) -> Floats:
        h, w = a.shape[-2:]
        return a.reshape(*a.shape[:-2], h // 2, 2, w // 2, 2).mean(axis=(-3, -1))

    if weight is None:
        return pool(values)
    return np.asarray(pool(values * weight) / pool(weight), np.float32)


def raw_latents(part: Part, codec: Codec) -> tuple[Floats, Floats, Floats]:
    """Latents ``[V, C, h, w]``, motion maps and trust ``[V, h, w]``, all on tokens."""
    rows = []
    for k in range(len(part)):
        v, light, weight = (
            getattr(part, n)[k].astype(np.float32) for n in ("velocity", "light", "weight")
        )
        motion_map = smooth_map(mean_speed(v), weight)
        coarse = token_mean(v, np.broadcast_to(weight + 0.02, v.shape))
        coarse_map = token_mean(motion_map)
        rows.append(
            (codec.encode(coarse, token_mean(light), coarse_map), coarse_map, token_mean(weight))
        )
    latents, maps, weights = (np.stack(column) for column in zip(*rows, strict=True))
    trusted = (weights * (maps / (maps + 0.01))).astype(np.float32)
    return latents, maps, trusted


def measure_scales(parts: list[Part], codec: Codec) -> tuple[float, ...]:
    """Root mean square of each raw channel: motion weighted by trust, light alike everywhere."""
    total, mass = np.zeros(codec.channels), np.zeros(codec.channels)
    for part in parts:
        latents, _, trust = raw_latents(part, codec)
        weight = np.repeat(trust[:, None], codec.channels, axis=1)
        weight[:, 2 * codec.terms :] = 1.0
        total += (np.minimum(latents**2, 100) * weight).sum((0, 2, 3))
        mass += weight.sum((0, 2, 3))
    return tuple(float(s) for s in np.sqrt(total / mass))


def _field_targets(part: Part, codec: Codec) -> dict[str, NDArray[Any]]:
    latents, maps, weight = raw_latents(part, codec)
    views, _, h, w = latents.shape
    flat = np.clip(latents, -4, 4).reshape(views, -1, h * w).swapaxes(1, 2)
    moved = latents[:, [0, codec.terms]] * np.array(codec.scales)[[0, codec.terms]][:, None, None]
    features = [token_features(torch.from_numpy(f[None]).float())[0].half() for f in part.features]
    return {
        "latents": flat.astype(np.float32),
        "map": (np.log(maps + MAP_FLOOR).reshape(views, -1, 1) - MAP_CENTRE) / MAP_SPREAD,
        "weight": (weight.reshape(views, -1, 1) + 0.01).astype(np.float32),
        "mean": (moved / codec.steps**0.5).reshape(views, 2, -1).swapaxes(1, 2),
        "image": tokens(torch.stack(features)).numpy(),
        "shape": np.array([h, w]),
    }


def _smooth_noise(rng: np.random.Generator, count: int, h: int, w: int) -> Floats:
    """Noise of unit size: half an offset per picture, half coarse blobs; ``[B, h * w, 1]``."""
    coarse = rng.standard_normal((count, 1, 4, 4)).astype(np.float32)
    blobs = functional.interpolate(torch.from_numpy(coarse), (h, w), mode="bilinear").numpy()
    offset = rng.standard_normal((count, 1, 1, 1))
    return np.asarray((0.7 * offset + 0.7 * blobs).reshape(count, h * w, 1), np.float32)


def _random_hints(mean: Floats, h: int, w: int, chance: float, rng: np.random.Generator) -> Floats:
    """True mean unit velocity at a few random places, ``[B, N, 3]`` (vx, vy, mask)."""
    count = len(mean)
    hints = np.zeros((count, h * w, 3), np.float32)
    y, x = np.mgrid[0:h, 0:w].reshape(2, -1)
    for k in np.flatnonzero(rng.random(count) < chance):
        for _ in range(int(rng.integers(1, 4))):
            size = np.linalg.norm(mean[k], axis=1) + 1e-3
            spot = int(rng.choice(h * w, p=size / size.sum()))
            near = (y - y[spot]) ** 2 + (x - x[spot]) ** 2 <= rng.uniform(0, 4) ** 2
            hints[k, near, :2] = mean[k, near]
            hints[k, near, 2] = 1.0
    return hints
