"""A picture in which nothing moves by itself: the camera breathes, unless it is asked not to."""

from __future__ import annotations

from dataclasses import replace

from vivant.asset import Assets
from vivant.controls.camera import Camera, parse_camera
from vivant.controls.given import GivenField
from vivant.controls.kinds import MoveKind
from vivant.controls.light import Light
from vivant.controls.mask import Move
from vivant.controls.path import CameraPath
from vivant.controls.strength import Strength, overall
from vivant.controls.stroke import Stroke
from vivant.motion.held import LEAST_SEEN, MOVING, asked_kinds, scene_of
from vivant.request import Request, Runtime
from vivant.scene.falling import falling

AUTO = "auto"
"""The camera that breathes (`vivant.controls.camera.WORDS`)."""


def breathing(request: Request, assets: Assets, runtime: Runtime) -> Request:
    """The request with a camera that breathes, where nothing in the picture moves by itself and
    nothing is said of the camera or of what shall move."""
    if not _breathes(request, assets, runtime):
        return request
    return replace(request, controls=(*request.controls, parse_camera(AUTO)))


def quiet_notes(request: Request, assets: Assets, runtime: Runtime) -> list[str]:
    """What to say where nothing in the picture is seen to move. ``request`` is as it was asked
    for, before `breathing`."""
    if _breathes(request, assets, runtime):
        return [
            "Nothing is seen that moves by itself, so the camera breathes a little; --camera still"
            " holds it, a stroke drives a thing, --move takes a mask."
        ]
    if _filmed(request) or not _quiet(request, assets, runtime):
        return []
    return [
        "Nothing is seen that moves by itself, so the clip stands still; --camera auto lets it"
        " breathe, a stroke drives a thing, --move takes a mask."
    ]


def _breathes(request: Request, assets: Assets, runtime: Runtime) -> bool:
    """Whether the picture is quiet of itself: what somebody holds shall be held."""
    if _filmed(request) or any(asked_kinds(request)):
        return False
    return _quiet(request, assets, runtime)


def _filmed(request: Request) -> bool:
    """Whether anything is said of the camera, were it that it stands still."""
    return bool(request.all(Camera) or request.all(CameraPath))


def _quiet(request: Request, assets: Assets, runtime: Runtime) -> bool:
    """Whether nothing of what is seen moves, and nothing is asked to."""
    asks = (Stroke, Move, MoveKind, GivenField, Light)
    if any(request.all(kind) for kind in asks) or overall(request.all(Strength)) == 0:
        return False
    picture = assets.picture(request.keyframes[0].image)
    scene = scene_of(picture, runtime)
    held, _ = asked_kinds(request)
    moving = [one for one in scene.instances if one.kind in MOVING and one.kind not in held]
    if sum(one.area for one in moving) > LEAST_SEEN:
        return False
    return falling(picture) is None
