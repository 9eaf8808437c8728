"""What a request asks of the camera: kept with the motion, checked, and said."""

from __future__ import annotations

from dataclasses import replace

from vivant.clip import VideoSpec
from vivant.controls.aspect import Aspect
from vivant.controls.camera import Camera, combined, write_camera
from vivant.controls.entry import Control
from vivant.controls.fov import FieldOfView, view_of
from vivant.controls.light import Light
from vivant.controls.loop import Loop
from vivant.controls.path import CameraPath
from vivant.controls.path_file import write_path
from vivant.errors import UsageError
from vivant.motion.layered import Motion
from vivant.rendering.space.path import beyond
from vivant.request import Request

MOVES = (Camera, CameraPath, FieldOfView)


def camera_of(request: Request) -> tuple[Control, ...]:
    """All that a request says of the camera, of the shape of its frames, and of the light."""
    return tuple(c for c in request.controls if isinstance(c, (*MOVES, Aspect, Light)))


def filmed(request: Request, motion: Motion) -> Request:
    """The request with the camera of a given motion, unless it has one of its own; the same with
    the shape of the frames, and the light."""
    own = [kinds for kinds in (MOVES, (Aspect,), (Light,)) if not any(map(request.all, kinds))]
    missing = tuple(kind for kinds in own for kind in kinds)
    taken = tuple(control for control in motion.camera if isinstance(control, missing))
    return replace(request, controls=(*request.controls, *taken)) if taken else request


def camera_notes(request: Request, video: VideoSpec) -> list[str]:
    """What is to be said of the camera. Raises UsageError where a path looks away from the
    picture."""
    camera, paths = combined(request.all(Camera)), request.all(CameraPath)
    said = [write_camera(camera)[1]] if camera.moves else []
    said += [write_path(path)[1] for path in paths if path.asks]
    notes = [f"The camera moves: {', '.join(said)}."] if said else []
    for path in paths:
        if path.name and path.scale != 1:
            notes.append(
                f"Positions of {path.name} are multiplied by {path.scale:.3g} to be units of the"
                " nearest depth; write scale=... after the file's name for another size."
            )
        if not path.shares and path.keys[-1].at > video.seconds + 0.5 / video.fps:
            notes.append(
                f"The camera path lasts {path.keys[-1].at:.3g} s, the clip {video.seconds:.3g} s:"
                " the rest is not shown."
            )
    view = view_of(request.one(FieldOfView), paths)
    late = beyond(paths, video, request.one(Loop) is not None, view) if paths else None
    if late is not None:
        raise UsageError(
            f"The camera path looks beyond the picture's edge at {late:.2g} s; turn it less, or"
            " move it less far back or aside."
        )
    return notes
