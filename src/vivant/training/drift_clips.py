"""What a labelled clip shows of the way that clouds, water and smoke go, beside what their layers
would do on its first frame by the median constants."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from vivant.clip import Floats, Frame, Picture
from vivant.data.prepare import prepare
from vivant.data.quality import Thresholds
from vivant.data.shards import Sample, read_samples
from vivant.data.sources import Source
from vivant.data.windows import Window, windows_of
from vivant.metrics import MIN_MOVING, Bools
from vivant.motion.asked import Asked
from vivant.motion.choose import choose, is_fog
from vivant.motion.drifts import moving_kinds, without_rain
from vivant.motion.flowing import field_of
from vivant.motion.held import Looked, look
from vivant.motion.layered import LayerMotion, Motion
from vivant.motion.priors import LogNormal, Normal, Priors
from vivant.motion.stage import staged
from vivant.records import from_data, to_data
from vivant.request import Runtime
from vivant.training.drift_fit import ROWS, Drifted

Say = Callable[[str], None]

EITHER = ("sky", "smoke", "fog")
"""Kinds that go left or right by chance."""
CLIMB = 45.0
"""Degrees of climb by which it is found how much of it a sky shows."""
MOMENT = 0.25
"""Seconds over which a layer's motion is taken."""
SLOW = 1e-4
"""Short sides a second under which a layer does not go anywhere."""


EVERY = Thresholds(min_speed=0.0, min_confidence=0.0, max_jump=1e9, max_text=1.0, duplicate_bits=-1)
"""What is still or hard to follow says something, too."""


def read_drifts(sources: list[Source], priors: Priors, out: Path, say: Say) -> list[Drifted]:
    """What every clip shows, labelled into ``out/shards``; goes on where it was interrupted."""
    prepare(sources, out / "shards", thresholds=EVERY)
    kept = out / "drifts.jsonl"
    lines = kept.read_text("utf-8").splitlines() if kept.is_file() else []
    rows = {row["shot"]: row["seen"] for row in map(json.loads, lines)}
    with kept.open("a", encoding="utf-8") as file:
        for sample in read_samples(out / "shards"):
            if sample.key not in rows:
                rows[sample.key] = [to_data(one) for one in drifts_of(sample, priors)]
                row = {"shot": sample.key, "seen": rows[sample.key]}
                file.write(json.dumps(row) + "\n")
                file.flush()
                say(f"{sample.key}: {', '.join(one['kind'] for one in rows[sample.key])}")
    return [from_data(Drifted, one, "a line") for seen in rows.values() for one in seen]


def drifts_of(sample: Sample, priors: Priors, threads: int = 0) -> list[Drifted]:
    """What the first window of a shot shows whose camera stands, or the first of all."""
    windows = list(windows_of(sample))
    window = next((one for one in windows if not one.camera_moves), windows[0])
    steps = (k for k in sorted(sample.keys) if np.array_equal(sample.keys[k], window.image))
    found = moving_kinds(window, sample.labels, next(steps))
    kinds = {} if found is None else without_rain(found[1], sample)
    if found is None or not set(kinds) & {"sky", "water", "fall", "smoke"}:
        return []
    steady = found[0]
    looked = look(Picture(window.image), Runtime(threads=threads))
    moving = {kind: classes[0] for kind, classes in kinds.items()}
    return drifts_in(sample, looked, steady, moving, priors)


def drifts_in(
    sample: Sample, looked: Looked, window: Window, moving: dict[str, Bools], priors: Priors
) -> list[Drifted]:
    """What the ``moving`` cells ``[h, w]`` of each kind show in a ``window`` whose camera
    stands."""
    source = str(sample.facts.get("origin", sample.key))
    return [
        Drifted(sample.key, source, name, *compared)
        for name, compared in _layers(looked, window, moving, priors)
    ]


def _layers(
    looked: Looked, window: Window, moving: dict[str, Bools], priors: Priors
) -> Iterator[tuple[str, tuple[float, float]]]:
    true = window.velocity.mean(axis=0)
    for name, layer in named(looked, certain(priors)):
        if layer.kind not in moving:
            continue
        stated = stated_velocity(looked, layer, window.image)
        where = moving[layer.kind] & (np.linalg.norm(stated, axis=0) > SLOW)
        if where.sum() < MIN_MOVING:
            continue
        faster, turn = compared(true[:, where], stated[:, where], name in EITHER)
        if name == "sky":
            turn = _climb(looked, window.image, priors, where, turn)
        yield name, (faster, turn)


def named(looked: Looked, priors: Priors, seed: int = 0) -> Iterator[tuple[str, LayerMotion]]:
    """The layers of a scene that go somewhere, each with its kind, or character, of `ROWS`."""
    waters = {body.instance: body.name for body in looked.scene.bodies}
    smoke = "fog" if is_fog(looked.mattes.of("smoke")) else "smoke"
    for layer in choose(looked, Asked(seed=seed), priors).layers:
        name = {"water": waters.get(layer.part or 0, ""), "smoke": smoke}.get(
            layer.kind, layer.kind
        )
        if name in ROWS and layer.name != "snow":
            yield name, layer


def certain(priors: Priors) -> Priors:
    """Distributions without any spread."""
    changed: dict[str, Any] = {"river_back": 0.0}
    for one in fields(priors):
        value = getattr(priors, one.name)
        if isinstance(value, LogNormal | Normal):
            changed[one.name] = replace(value, spread=0.0)
    return replace(priors, **changed)


def stated_velocity(looked: Looked, layer: LayerMotion, image: Frame) -> Floats:
    """Mean velocity ``[2, h, w]`` that a layer says it has."""
    stage = staged(image, Motion((layer,)), looked)
    return np.asarray(field_of(stage, MOMENT, False, {}).velocity.mean(axis=0), np.float32)


def compared(true: Floats, stated: Floats, either: bool) -> tuple[float, float]:
    """How many times as fast velocities ``[2, N]`` are, and by how many degrees they are turned
    up; ``either`` way, left or right, is straight on."""
    sizes = [float(np.linalg.norm(v, axis=0).mean()) for v in (true, stated)]
    if either and float((true[0] * stated[0]).sum()) < 0:
        true = true * np.array([[-1.0], [1.0]], np.float32)
    along = float((true * stated).sum())
    across = float((stated[1] * true[0] - stated[0] * true[1]).sum())
    right = 1.0 if not either or float(stated[0].sum()) >= 0 else -1.0
    return max(sizes[0] / sizes[1], 1e-3), right * float(np.degrees(np.arctan2(across, along)))


def _climb(looked: Looked, image: Frame, priors: Priors, where: Bools, turn: float) -> float:
    """The climb of clouds whose way is seen to turn by ``turn`` degrees: less of it is seen the
    nearer to the horizon they are."""
    steep = replace(certain(priors), sky_climb=Normal(CLIMB, 0.0))
    layer = next(layer for name, layer in named(looked, steep) if name == "sky")
    across, down = np.abs(stated_velocity(looked, layer, image)[:, where]).mean(axis=1)
    share = max(float(down / max(across, 1e-9)), 0.2)
    return float(np.degrees(np.arctan(np.tan(np.radians(np.clip(turn, -85, 85))) / share)))
