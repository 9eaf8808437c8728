"""Running the networks that see, in ONNX Runtime: a picture in, a `Scene` out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from vivant.bundle import Bundle
from vivant.clip import Floats, Frame
from vivant.errors import BundleError
from vivant.inference import onnxruntime
from vivant.kinds import INDEX
from vivant.scene.instances import find_instances
from vivant.scene.record import Scene
from vivant.scene.waters import find_bodies

SHORT = 256
STRIDE = 4
MOST_CELLS = 512


@dataclass(frozen=True)
class Eyes:
    """The opened graphs of a scene bundle, and what they are called in the record."""

    see: Any
    refine: Any
    name: str
    sha256: str


PART, TRUST, FADE = 0.6, 0.5, 0.25
"""Sides of a part in sides of the picture, its weight beside the whole, and the share of it over
which that fades at its inner edges."""
BURNS, SURELY = 0.4, 0.68
"""Share of fire from which a place may burn, and its mean there from which it does: 0.76 to 0.91 in
three fires, 0.45 to 0.62 in six pictures of lamps, leaves and ornaments."""
RARE = tuple(INDEX[kind] for kind in ("fall", "fire", "smoke", "cloth"))


def open_eyes(bundle: Bundle, threads: int = 0) -> Eyes:
    """Load a bundle's graphs; ``threads`` 0 leaves the number to the runtime.

    Raises BundleError where a graph cannot be loaded.
    """
    graphs = [open_graph(str(bundle.file(name)), threads) for name in ("scene.onnx", "matte.onnx")]
    identity = bundle.identity
    return Eyes(graphs[0], graphs[1], f"{identity.name} {identity.version}", identity.sha256)


def open_graph(path: str, threads: int = 0) -> Any:
    """An ONNX graph ready to run on the CPU; raises BundleError where it cannot be loaded."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime raises its own family of errors
        raise BundleError(f"The network {path} cannot be loaded ({error}).") from error


def seen_size(width: int, height: int) -> tuple[int, int]:
    """(width, height) at which a picture is seen: short side 256, long side the nearest multiple
    of 32, at most 2048."""
    short = min(width, height)
    wide, high = (min(32 * max(1, round(SHORT / 32 * s / short)), 2048) for s in (width, height))
    return wide, high


def see(eyes: Eyes, pixels: Frame) -> Scene:
    """What a picture ``[H, W, 3]`` shows; the same picture gives the same scene.

    Kinds are those of the whole picture and of four overlapping parts, which show more detail.
    """
    kinds, waters, depth, moving, log_speed = _looked(eyes, pixels)
    return assemble(
        kinds=surely_burning(_with_parts(eyes, pixels, softmax(kinds))),
        waters=softmax(waters),
        depth=relative(depth),
        moving=(1 / (1 + np.exp(-np.clip(moving, -30, 30)))).astype(np.float32),
        log_speed=log_speed.astype(np.float32),
        seen_by={eyes.name: eyes.sha256},
    )


def _looked(eyes: Eyes, pixels: Frame) -> tuple[Floats, ...]:
    """The network's answers to a picture."""
    size = seen_size(pixels.shape[1], pixels.shape[0])
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    image = np.ascontiguousarray(small.transpose(2, 0, 1)[None])
    return tuple(values[0] for values in eyes.see.run(None, {"image": image}))


def _with_parts(eyes: Eyes, pixels: Frame, kinds: Floats) -> Floats:
    """Kinds ``[12, h, w]`` of a picture, averaged with those of its four corners but for what is
    rare, of which a part shows too little."""
    height, width = pixels.shape[:2]
    h, w = kinds.shape[1:]
    tall, wide = round(PART * h), round(PART * w)
    total, weight = kinds.copy(), np.ones((h, w), np.float32)
    for y in (0, h - tall):
        for x in (0, w - wide):
            rows = slice(y * height // h, -(-(y + tall) * height // h))
            columns = slice(x * width // w, -(-(x + wide) * width // w))
            own = softmax(_looked(eyes, np.ascontiguousarray(pixels[rows, columns]))[0])
            at = slice(y, y + tall), slice(x, x + wide)
            trust = TRUST * np.outer(_fading(tall, y == 0), _fading(wide, x == 0))
            for number, share in enumerate(own):
                fitted = cv2.resize(share, (wide, tall), interpolation=cv2.INTER_AREA)
                total[(number, *at)] += trust * fitted
            weight[at] += trust
    total /= weight
    total[list(RARE)] = 0
    kept = kinds[list(RARE)]
    total *= (1 - kept.sum(0)) / np.maximum(total.sum(0), 1e-6)
    total[list(RARE)] = kept
    return np.asarray(total, np.float32)


def surely_burning(kinds: Floats) -> Floats:
    """Kinds ``[12, h, w]`` without a fire of which the network is never sure: lamps and bright
    leaves are half taken for one, flames are wholly."""
    fire = kinds[INDEX["fire"]]
    there = fire > BURNS
    if there.any() and float(fire[there].mean()) > SURELY:
        return kinds
    left = kinds.copy()
    left[INDEX["fire"]] = 0
    return np.asarray(left / np.maximum(left.sum(0), 1e-6), np.float32)


def _fading(length: int, from_start: bool) -> Floats:
    """Weights along a part, which fade out towards its inner end."""
    ramp = np.minimum(1, (np.arange(length, dtype=np.float32) + 0.5) / (FADE * length))
    return np.asarray(ramp[::-1] if from_start else ramp, np.float32)


def assemble(
    kinds: Floats,
    waters: Floats,
    depth: Floats,
    moving: Floats,
    log_speed: Floats,
    seen_by: dict[str, str],
) -> Scene:
    """A scene from maps on one grid: instances and water bodies are found in them."""
    parts, instances = find_instances(kinds, depth)
    bodies = find_bodies(parts, instances, waters, kinds)
    return Scene(kinds, moving, log_speed, depth, parts, instances, bodies, seen_by)


def with_kinds(scene: Scene, kinds: Floats, seen_by: dict[str, str]) -> Scene:
    """The scene with kinds ``[12, h, w]`` of another network; its waters keep their character
    where they still are."""
    parts, instances = find_instances(kinds, scene.depth)
    waters = np.zeros((4, *scene.grid), np.float32)
    waters[0] = 0.25
    for body in scene.bodies:
        waters[:, scene.parts == body.instance] = np.array(body.character, np.float32)[:, None]
    bodies = find_bodies(parts, instances, waters, kinds)
    seen = scene.seen_by | seen_by
    return replace(
        scene, kinds=kinds, parts=parts, instances=instances, bodies=bodies, seen_by=seen
    )


def with_depth(scene: Scene, depth: Floats, seen_by: dict[str, str]) -> Scene:
    """The scene with inverse depth ``[h, w]`` 0..1 of another network."""
    parts, instances = find_instances(scene.kinds, depth)
    waters = np.zeros((4, *scene.grid), np.float32)
    waters[0] = 0.25
    for body in scene.bodies:
        waters[:, scene.parts == body.instance] = np.array(body.character, np.float32)[:, None]
    bodies = find_bodies(parts, instances, waters, scene.kinds)
    seen = scene.seen_by | seen_by
    return replace(
        scene, depth=depth, parts=parts, instances=instances, bodies=bodies, seen_by=seen
    )


def softmax(logits: Floats) -> Floats:
    """Shares over the first axis."""
    odds = np.exp(logits - logits.max(0))
    return np.asarray(odds / odds.sum(0), np.float32)


def relative(depth: Floats) -> Floats:
    """Inverse depth brought to 0..1: 0 stays infinitely far, 1 is what is near (99th
    percentile)."""
    near = max(float(np.percentile(depth, 99)), 1e-6)
    return np.asarray(np.clip(depth / near, 0, 1), np.float32)
