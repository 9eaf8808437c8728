"""A motion as a file: safetensors with JSON metadata, some 200 kB that a person can edit.

The metadata's ``motion`` is JSON: ``format`` "vivant-motion", ``version`` 1, and the layers: name,
kind, part, seed, and the parameters of the manner under the manner's name; tensors ``velocity.N``
(float16) are the fields of layers that flow. The scene is in it as in a file of its own
(`vivant.scene.file`), under ``scene`` of that JSON, and ``likeness`` is a thumbnail of the picture.
``camera`` is what was asked of the camera, as controls of a request; the tensor ``depth`` the
depth that was given, 16 bits, deflated.
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

from vivant.clip import Frame
from vivant.controls.table import control_data, control_from
from vivant.errors import FieldFileError, UsageError
from vivant.kinds import KINDS
from vivant.motion.layered import REST, LayerMotion, Motion
from vivant.motion.likeness import alike, likeness
from vivant.records import from_data, to_data
from vivant.rendering.manners.table import MANNERS, manner_of
from vivant.scene.file import scene_from, scene_tensors, scene_text
from vivant.scene.record import Scene

FORMAT = "vivant-motion"
VERSION = 1
MOST_BYTES = 1 << 24
MOST_LAYERS = 256
MOST_DEPTH = 1 << 22
"""Places of a depth map."""


def motion_bytes(motion: Motion) -> bytes:
    """A motion as the bytes of a file."""
    tensors: dict[str, NDArray[Any]] = {
        f"velocity.{number}": layer.velocity.astype(np.float16)
        for number, layer in enumerate(motion.layers)
        if layer.velocity is not None
    }
    rows: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "about": motion.about,
        "layers": [_row(layer) for layer in motion.layers],
    }
    if motion.likeness:
        rows["likeness"] = motion.likeness
    if motion.camera:
        rows["camera"] = [control_data(control) for control in motion.camera]
    if motion.scene is not None:
        rows["scene"] = scene_text(motion.scene)
        tensors |= scene_tensors(motion.scene)
    if motion.depth is not None:
        tensors["depth"] = _packed(motion.depth)
    metadata = {"motion": json.dumps(rows)}  # one member: the order of several is not kept
    return bytes(save(tensors or {"none": np.zeros(1, np.float16)}, metadata))


def write_motion(path: Path, motion: Motion) -> None:
    """Write a motion to ``path`` as it is named; the caller publishes it."""
    path.write_bytes(motion_bytes(motion))


def is_motion(content: bytes) -> bool:
    """Whether a file's bytes are those of a motion, rather than of a field."""
    try:
        return "motion" in _metadata(content)
    except (ValueError, AttributeError, TypeError):
        return False


def motion_from(content: bytes, name: str) -> Motion:
    """The motion of a file's bytes; ``name`` is the file's in errors.

    Raises FieldFileError where they hold no motion of this version.
    """
    if len(content) > MOST_BYTES:
        raise FieldFileError(f"{name} is too large to be a motion.")
    try:
        rows, tensors = json.loads(_metadata(content)["motion"]), load(content)
        if (rows["format"], rows["version"]) != (FORMAT, VERSION):
            raise FieldFileError(f"{name} holds no motion of this version.")
        if len(rows["layers"]) > MOST_LAYERS:
            raise ValueError("too many layers")
        layers = tuple(_layer(row, k, tensors) for k, row in enumerate(rows["layers"]))
        about = {str(k): str(v) for k, v in rows["about"].items()}
        scene = _scene(rows, tensors, name)
        camera = tuple(control_from(row) for row in rows.get("camera", ()))
        depth = None if "depth" not in tensors else _unpacked(tensors["depth"])
        motion = Motion(layers, about, scene, str(rows.get("likeness", "")), camera, depth)
        if scene is not None:
            check_scene(motion, scene)
    except FieldFileError:
        raise
    except UsageError as error:
        raise FieldFileError(f"{name} holds a damaged motion: {error}") from error
    except Exception as error:  # the parser raises its own errors
        raise FieldFileError(f"{name} holds no motion, or is damaged.") from error
    return motion


def check_picture(motion: Motion, pixels: Frame) -> None:
    """Raises UsageError where a motion remembers another picture than this one ``[H, W, 3]``,
    FieldFileError where what it remembers is damaged."""
    try:
        other = bool(motion.likeness) and not alike(motion.likeness, likeness(pixels))
    except ValueError as error:
        raise FieldFileError("The motion is damaged: it remembers no picture.") from error
    if other:
        raise UsageError(
            "The motion was made for another picture, which looks different; use the picture it"
            " was made for."
        )


def check_scene(motion: Motion, scene: Scene) -> None:
    """Raises UsageError where a motion names things that a picture's scene does not have."""
    for layer in motion.layers:
        part = layer.part
        if part is None or part == REST:
            continue
        if part >= len(scene.instances) or scene.instances[part].kind != layer.kind:
            raise UsageError(
                f"The motion was made for another picture: its layer {layer.name!r} is not seen in"
                " this one; use the picture it was made for."
            )


def _metadata(content: bytes) -> dict[str, str]:
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    found: dict[str, str] = header.get("__metadata__", {})
    return found


def _scene(rows: dict[str, Any], tensors: dict[str, NDArray[Any]], name: str) -> Scene | None:
    if "scene" not in rows:
        return None
    maps = {key[6:]: values for key, values in tensors.items() if key.startswith("scene.")}
    return scene_from(maps, rows["scene"], name)


def _packed(depth: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Rows and columns, then what each place differs by from the one to its left, deflated."""
    steps = np.diff(depth, axis=1, prepend=np.uint16(0)).astype("<u2")
    head = np.array(depth.shape, "<u4").tobytes()
    return np.frombuffer(head + zlib.compress(steps.tobytes()), np.uint8)


def _unpacked(data: NDArray[Any]) -> NDArray[np.uint16]:
    content = data.astype(np.uint8).tobytes()
    rows, columns = np.frombuffer(content[:8], "<u4").tolist()
    if not 0 < rows * columns <= MOST_DEPTH:
        raise ValueError("the depth is too large, or empty")
    steps = zlib.decompressobj().decompress(content[8:], 2 * rows * columns)
    found = np.cumsum(np.frombuffer(steps, "<u2").reshape(rows, columns), axis=1, dtype=np.uint16)
    return np.asarray(found, np.uint16)


def _row(layer: LayerMotion) -> dict[str, Any]:
    manner = manner_of(layer.manner).name
    plain = {"name": layer.name, "kind": layer.kind, "part": layer.part, "seed": layer.seed}
    return {**plain, manner: to_data(layer.manner)}


def _layer(row: Any, number: int, tensors: dict[str, NDArray[Any]]) -> LayerMotion:
    name = next(name for name in row if name in MANNERS)
    if row["kind"] not in KINDS:
        raise UsageError(f"there is no kind {row['kind']!r}")
    velocity = tensors.get(f"velocity.{number}")
    return LayerMotion(
        name=str(row["name"]),
        kind=row["kind"],
        manner=from_data(MANNERS[name].parameters, row[name], f"manner {name}"),
        seed=int(row["seed"]),
        part=None if row["part"] is None else int(row["part"]),
        velocity=None if velocity is None else velocity.astype(np.float32),
    )
