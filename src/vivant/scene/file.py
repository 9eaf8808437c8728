"""A scene as a file: safetensors with JSON metadata.

Tensors are named ``scene.kinds``, ``scene.moving``, ``scene.log_speed``, ``scene.depth`` (float16)
and ``scene.parts`` (int16); the metadata's ``scene`` holds instances, water bodies and the networks
that saw them. ``format`` is "vivant-scene", ``version`` "1".
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save

from vivant.errors import FieldFileError, UsageError
from vivant.kinds import KINDS
from vivant.records import from_data, to_data
from vivant.scene.record import Instance, Scene, WaterBody

FORMAT = "vivant-scene"
VERSION = 1
MAPS = ("kinds", "moving", "log_speed", "depth")
MAX_BYTES = 1 << 26
MAX_CELLS = 512 * 512


def scene_tensors(scene: Scene) -> dict[str, NDArray[Any]]:
    """The maps of a scene by their names in files."""
    maps: dict[str, NDArray[Any]] = {
        f"scene.{name}": getattr(scene, name).astype(np.float16) for name in MAPS
    }
    return maps | {"scene.parts": scene.parts.astype(np.int16)}


def scene_text(scene: Scene) -> str:
    """What is no map, as JSON."""
    rows = {
        "kinds": KINDS,
        "instances": [to_data(one) for one in scene.instances],
        "bodies": [to_data(body) for body in scene.bodies],
        "seen_by": scene.seen_by,
    }
    return json.dumps(rows)


def write_scene(path: Path, scene: Scene) -> None:
    """Write a scene to ``path`` as it is named; the caller publishes it."""
    metadata = {"format": FORMAT, "version": str(VERSION), "scene": scene_text(scene)}
    path.write_bytes(save(scene_tensors(scene), metadata))


def load_scene(path: Path) -> Scene:
    """The scene of a file.

    Raises UsageError where there is no such file, FieldFileError where it holds no scene of this
    version.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise FieldFileError(f"{path} is too large to be a scene.")
        with safe_open(path, "numpy") as file:
            text = (file.metadata() or {}).get("scene")
            if text is None:
                raise FieldFileError(f"{path} holds no scene.")
            tensors = {name: file.get_tensor(f"scene.{name}") for name in (*MAPS, "parts")}
    except FileNotFoundError as error:
        raise UsageError(f"There is no file {path}.") from error
    except FieldFileError:
        raise
    except Exception as error:  # the parser raises its own errors
        raise FieldFileError(f"{path} holds no scene, or is damaged.") from error
    return scene_from(tensors, text, str(path))


def scene_from(tensors: dict[str, NDArray[Any]], text: str, path: str) -> Scene:
    """A scene from its parts in a file; ``path`` names it in errors. Raises FieldFileError."""
    try:
        rows = json.loads(text)
        if tuple(rows["kinds"]) != KINDS:
            raise ValueError("other kinds")
        if tensors["parts"].size > MAX_CELLS:
            raise ValueError("too many cells")
        return Scene(
            **{name: tensors[name].astype(np.float32) for name in MAPS},
            parts=tensors["parts"].astype(np.int32),
            instances=tuple(from_data(Instance, row, "instance") for row in rows["instances"]),
            bodies=tuple(from_data(WaterBody, row, "water body") for row in rows["bodies"]),
            seen_by={str(k): str(v) for k, v in rows["seen_by"].items()},
        )
    except (UsageError, KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
        raise FieldFileError(f"{path} holds a damaged scene ({error}).") from error
