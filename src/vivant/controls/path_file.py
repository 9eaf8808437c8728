"""Files of camera paths: vivant's own JSON, RealEstate10K text, and the ``transforms.json`` of
nerfstudio and Blender.

Matrices lead from the world to the camera, ``[N, 3, 4]``, axes x right, y down, z forward (Zhou et
al., "Stereo Magnification", 2018); ``transforms.json`` has the inverse, with y up and z backward.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivant.asset import Files
from vivant.controls.camera import Camera, combined, parse_camera, write_camera
from vivant.controls.entry import Entry, Option
from vivant.controls.path import CameraPath, Key, Triple
from vivant.errors import UsageError
from vivant.records import check_members

MAX_FILE = 8 << 20
OWN = "vivant"
"""The word by which a file of poses says that its unit is the nearest depth."""
SIDEWAYS, FORWARD = 0.08, 0.25
"""Of the nearest depth: how far a path of unknown scale goes at most."""
OFF = 0.03
"""Sides by which a principal point may lie off the middle and be taken to lie there."""
SPACED = 19
"""Numbers in a line of RealEstate10K."""
FLIP = np.diag([1.0, -1.0, -1.0])
"""Between y down, z forward and y up, z backward."""

Matrices = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Filmed:
    """Cameras as other programs write them: ``times`` in seconds (None where the file has none),
    ``matrices`` ``[N, 3, 4]`` world to camera, ``focals`` in short sides, principal points
    ``centres`` ``[N, 2]`` as shares of the sides, whether the unit is vivant's ``own``."""

    times: tuple[float, ...] | None
    matrices: Matrices
    focals: tuple[float, ...]
    centres: Matrices
    own: bool = False


def read_path(path: Path, scale: float | None = None) -> CameraPath:
    """A camera path from a file; ``scale`` multiplies positions, None leaves it to the file, or
    where its unit is unknown, to what a picture can show.

    Raises UsageError where there is no such file or it holds no path, in one sentence.
    """
    text = _text(path)
    if path.suffix.lower() == ".txt":
        return _path_of(_real_estate(text, path.name), path.name, scale)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The camera file {path} is not readable JSON ({error}).") from error
    if isinstance(data, dict) and "frames" in data:
        return _path_of(_transforms(data, path.name), path.name, scale)
    return _own(data, path.name, 1.0 if scale is None else scale)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_FILE:
            raise UsageError(f"The camera file {path} is over {MAX_FILE >> 20} MiB.")
        return path.read_text("utf-8")
    except FileNotFoundError as error:
        raise UsageError(f"There is no camera file {path}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The camera file {path} cannot be read as text ({error}).") from error


# vivant's own JSON


def _own(data: Any, name: str, scale: float) -> CameraPath:
    """``{"keys": [{"at": 0}, {"at": 2, "move": "truck-right 5%"}], "fov": 50}``."""
    try:
        check_members(data, {"keys", "fov", "times"}, "camera path")
        times = data.get("times", "seconds")
        if times not in ("seconds", "shares"):
            raise UsageError('"times" is "seconds" or "shares".')
        if not isinstance(data.get("keys"), list):
            raise UsageError('it needs a list of "keys", such as [{"at": 2, "move": "push-in"}].')
        keys = [_key(row, scale) for row in data["keys"]]
        if keys and keys[0].at > 0:
            keys.insert(0, Key(0.0))
        if "fov" in data and keys:
            keys[0] = _with_view(keys[0], _number(data["fov"], "fov"))
        return CameraPath(tuple(keys), times == "shares", name, scale)
    except UsageError as error:
        raise UsageError(f"The camera file {name} is not understood: {error}") from error


def _key(row: Any, scale: float) -> Key:
    check_members(row, {"at", "move", "position", "turn", "fov", "ease"}, "key")
    if "at" not in row:
        raise UsageError('a key needs its time, such as "at": 2.')
    move = row.get("move", "still")
    if not (isinstance(move, str) and isinstance(row.get("ease", ""), str)):
        raise UsageError('"move" and "ease" are words, such as "truck-right 5%" and "linear".')
    position = _three(row.get("position", (0, 0, 0)), "position")
    return Key(
        _number(row["at"], "at"),
        parse_camera(move),
        (position[0] * scale, position[1] * scale, position[2] * scale),
        _three(row.get("turn", (0, 0, 0)), "turn"),
        _number(row["fov"], "fov") if "fov" in row else None,
        row.get("ease", "smooth"),
    )


def _with_view(key: Key, view: float) -> Key:
    return Key(key.at, key.moves, key.position, key.turn, view, key.ease)


def _three(values: Any, what: str) -> Triple:
    if not isinstance(values, list | tuple) or len(values) != 3:
        raise UsageError(f'"{what}" has three numbers.')
    x, y, z = (_number(value, what) for value in values)
    return x, y, z


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UsageError(f'"{what}" must be a number, not {value!r}.')
    return float(value)


def path_data(path: CameraPath) -> dict[str, Any]:
    """A path of poses as the JSON of vivant's own files."""
    rows = []
    for key in path.keys:
        row: dict[str, Any] = {"at": key.at, "position": key.position, "turn": key.turn}
        if key.view is not None:
            row["fov"] = key.view
        rows.append({**row, "ease": key.ease})
    return {"times": "shares" if path.shares else "seconds", "keys": rows}


# RealEstate10K


def _real_estate(text: str, name: str) -> Filmed:
    """A line that says where the clip is from; then microseconds, focal lengths and principal
    point as shares of the sides, two zeros, and a matrix, a line a frame."""
    head, *lines = text.strip().splitlines() or [""]
    if len(head.split()) == SPACED:
        head, lines = "", [head, *lines]
    try:
        rows = np.array([[float(v) for v in line.split()] for line in lines if line.strip()])
        if rows.ndim != 2 or rows.shape[1] != SPACED or not np.isfinite(rows).all():
            raise ValueError(f"a line has {SPACED} numbers")
    except ValueError as error:
        raise UsageError(
            f"The camera file {name} is no RealEstate10K text: after the first line each has"
            f" {SPACED} numbers ({error})."
        ) from error
    times = (rows[:, 0] - rows[0, 0]) / 1e6
    focals = rows[:, 1:3].max(axis=1)  # of the short side: the picture's pixels are square
    matrices = rows[:, 7:].reshape(-1, 3, 4)
    own = head.startswith(OWN)
    return Filmed(tuple(times.tolist()), matrices, tuple(focals.tolist()), rows[:, 3:5], own)


def real_estate_text(filmed: Filmed, size: tuple[int, int]) -> str:
    """Cameras as RealEstate10K text, for pictures of ``size`` (width, height)."""
    times = filmed.times or tuple(range(len(filmed.focals)))
    short = min(size)
    lines = [f"{OWN}: the unit is the nearest depth"]
    rows = zip(times, filmed.focals, filmed.centres, filmed.matrices, strict=True)
    for time, focal, centre, matrix in rows:
        head = [focal * short / size[0], focal * short / size[1], *centre, 0.0, 0.0]
        numbers = " ".join(f"{v:.9g}" for v in (*head, *matrix.ravel()))
        lines.append(f"{round(time * 1e6)} {numbers}")
    return "\n".join(lines) + "\n"


# nerfstudio and Blender


def _transforms(data: dict[str, Any], name: str) -> Filmed:
    frames = data["frames"]
    try:
        if not frames:
            raise ValueError("it has no frames")
        inverse = np.array([frame["transform_matrix"] for frame in frames], np.float64)
        if inverse.ndim != 3 or inverse.shape[1:] not in ((3, 4), (4, 4)):
            raise ValueError("a transform_matrix is 4x4")
        focals = tuple(_focal({**data, **frame}) for frame in frames)
        centres = np.array([_centre({**data, **frame}) for frame in frames])
        if not all(np.isfinite(values).all() for values in (inverse, focals, centres)):
            raise ValueError("a number is not finite")
        stated = [frame.get("time") for frame in frames]
        times = tuple(map(float, stated)) if all(t is not None for t in stated) else None
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError) as error:
        raise UsageError(
            f"The camera file {name} is no transforms.json that is understood ({error})."
        ) from error
    rotation = FLIP @ inverse[:, :3, :3] @ FLIP
    centre = inverse[:, :3, 3] @ FLIP
    turned = rotation.transpose(0, 2, 1)
    matrices = np.concatenate([turned, -(turned @ centre[..., None])], axis=2)
    return Filmed(times, matrices, focals, centres, OWN in data)


def _focal(facts: dict[str, Any]) -> float:
    """Focal length in short sides."""
    wide, high = float(facts.get("w", 1)), float(facts.get("h", facts.get("w", 1)))
    if "fl_x" in facts and "w" in facts:
        focal = float(facts["fl_x"]) / min(wide, high)
    elif "camera_angle_x" in facts:
        focal = 0.5 / math.tan(float(facts["camera_angle_x"]) / 2) * wide / min(wide, high)
    else:
        raise ValueError("neither fl_x with w nor camera_angle_x is there")
    return focal


def _centre(facts: dict[str, Any]) -> tuple[float, float]:
    """The principal point as shares of the sides."""
    sides = (float(facts.get("w", 1)), float(facts.get("h", 1)))
    x, y = float(facts.get("cx", sides[0] / 2)), float(facts.get("cy", sides[1] / 2))
    return x / sides[0], y / sides[1]


def transforms_data(filmed: Filmed, size: tuple[int, int], files: Sequence[str]) -> dict[str, Any]:
    """Cameras as nerfstudio's ``transforms.json`` for the pictures ``files`` of ``size`` (width,
    height)."""
    width, height = size
    rotation = FLIP @ filmed.matrices[:, :, :3].transpose(0, 2, 1) @ FLIP
    centre = -(filmed.matrices[:, :, :3].transpose(0, 2, 1) @ filmed.matrices[:, :, 3:])[..., 0]
    times = filmed.times or tuple(range(len(files)))
    frames = []
    for k, name in enumerate(files):
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = rotation[k], centre[k] @ FLIP
        focal = filmed.focals[k] * min(size)
        frames.append(
            {"file_path": name, "time": times[k], "fl_x": focal, "fl_y": focal,
             "cx": filmed.centres[k][0] * width, "cy": filmed.centres[k][1] * height,
             "transform_matrix": matrix.tolist()}
        )  # fmt: skip
    first = filmed.focals[0] * min(size)
    return {
        "camera_model": "OPENCV", "w": width, "h": height, "cx": width / 2, "cy": height / 2,
        "fl_x": first, "fl_y": first, "camera_angle_x": 2 * math.atan(width / 2 / first),
        OWN: {"unit": "the nearest depth"}, "frames": frames,
    }  # fmt: skip


# poses


def _path_of(filmed: Filmed, name: str, scale: float | None) -> CameraPath:
    """Poses relative to the first one, as keys that are gone through without a stop."""
    try:
        if np.abs(filmed.centres - 0.5).max() > OFF:
            raise UsageError("its principal points lie off the middle of the picture.")
        rotation, positions = _relative(filmed.matrices)
        if scale is None:
            scale = 1.0 if filmed.own else _fitting(positions)
        times = filmed.times or tuple(np.linspace(0, 1, len(positions)).tolist())
        keys = []
        for at, turned, position, focal in zip(
            times, rotation, positions * scale, filmed.focals, strict=True
        ):
            x, y, z = (float(v) for v in position)
            view = math.degrees(2 * math.atan(0.5 / max(focal, 1e-6)))
            keys.append(Key(at - times[0], Camera(), (x, y, z), turn_of(turned), view, "spline"))
        keys[0] = _with_view(Key(0.0), keys[0].view or 0.0)
        return CameraPath(tuple(keys), filmed.times is None, name, scale)
    except UsageError as error:
        raise UsageError(f"The camera file {name} cannot be followed: {error}") from error


def _relative(matrices: Matrices) -> tuple[Matrices, Matrices]:
    """Rotations from the first camera's axes ``[N, 3, 3]`` and positions there ``[N, 3]``."""
    rotation = matrices[:, :, :3]
    if not np.allclose(rotation @ rotation.transpose(0, 2, 1), np.eye(3), atol=1e-2):
        raise UsageError("a matrix is no rotation.")
    if (np.linalg.det(rotation) < 0).any():
        raise UsageError("a matrix mirrors the picture.")
    centre = -(rotation.transpose(0, 2, 1) @ matrices[:, :, 3:])[..., 0]
    return rotation @ rotation[0].T, (centre - centre[0]) @ rotation[0].T


def _fitting(positions: Matrices) -> float:
    """The scale by which a path of unknown unit goes as far as a picture can show."""
    aside = float(np.abs(positions[:, :2]).max())
    ahead = float(np.abs(positions[:, 2]).max())
    return min(SIDEWAYS / max(aside, 1e-9), FORWARD / max(ahead, 1e-9), 1e6)


def turn_of(rotation: Matrices) -> Triple:
    """Degrees of pan, tilt and roll of a rotation ``[3, 3]`` (`vivant.rendering.space.pose`)."""
    pan = math.atan2(rotation[2, 0], rotation[2, 2])
    tilt = math.asin(min(1.0, max(-1.0, float(rotation[2, 1]))))
    roll = math.atan2(rotation[0, 1], rotation[1, 1])
    return math.degrees(pan), math.degrees(tilt), math.degrees(roll)


# the words of the command line


def parse_moves(text: str, files: Files | None = None) -> tuple[Camera | CameraPath, ...]:
    """``"truck-right 5%, pan-left"``, a move with an easing (``truck-right 5% linear``), or a file
    of keys or poses (``path.json``, ``cameras.txt scale=0.1``) among ``files``, or of this machine.
    Raises UsageError."""
    name, scale = _scaled(text)
    path = _file_named(name, files)
    if path is not None:
        return (read_path(path, scale),)
    plain: list[str] = []
    found: list[Camera | CameraPath] = []
    for move in text.split(","):
        words, _, ease = move.strip().rpartition(" ")
        if words and ease in EASED:
            found.append(_eased(parse_camera(words), ease, move.strip()))
        else:
            plain.append(move)
    if plain or not found:
        found.append(combined([parse_camera(",".join(plain))]))
    return tuple(found)


def _file_named(name: str, files: Files | None) -> Path | None:
    """The file of a name, None where it is a move's. Raises UsageError where ``files`` do."""
    path, ending = Path(name), name.lower().endswith((".json", ".txt"))
    if files is not None:
        if not ending and not files.has(path):
            return None
        path = files.local(path)
    return path if ending or path.is_file() else None


EASED = ("smooth", "linear", "in", "out")


def _scaled(text: str) -> tuple[str, float | None]:
    name, given, number = text.strip().rpartition(" scale=")
    if not given:
        return text.strip(), None
    try:
        scale = float(number)
    except ValueError:
        scale = math.nan
    if not 0 < scale < 1e6:
        raise UsageError(f"The scale of a camera path is a number above 0, not {number!r}.")
    return name.strip(), scale


def _eased(moves: Camera, ease: str, said: str) -> CameraPath:
    round_ = [name for name in ("swing", "circle", "hand") if getattr(moves, name)]
    if round_ or not moves.moves:
        raise UsageError(f"{said!r} has no beginning and end, so it takes no easing.")
    return CameraPath((Key(0.0), Key(1.0, moves, ease=ease)), shares=True)


def write_path(path: CameraPath) -> tuple[str, ...]:
    """The words that ask for a path again."""
    if path.name:
        return "--camera", path.name if path.scale == 1 else f"{path.name} scale={path.scale:g}"
    return "--camera", f"{write_camera(path.keys[-1].moves)[1]} {path.keys[-1].ease}"


ENTRY = Entry(
    "camera-path",
    CameraPath,
    (
        Option(
            "--camera",
            '"push-in 10%", "truck-right 5% linear", "orbit 4deg", hand-held, auto, ..., or a file'
            " of key frames or poses; repeatable.",
            parse_moves,
            "MOVE|FILE",
        ),
    ),
    write=write_path,
    repeats=True,
)
