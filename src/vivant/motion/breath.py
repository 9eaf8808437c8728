"""A picture in which hardly anything is seen to move: the camera breathes, unless it shall not."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np

from vivant.asset import Assets
from vivant.clip import Frame
from vivant.controls.camera import Camera, parse_camera
from vivant.controls.given import GivenField
from vivant.controls.kinds import MoveKind
from vivant.controls.light import Light
from vivant.controls.mask import Move
from vivant.controls.path import CameraPath
from vivant.controls.strength import Strength, overall
from vivant.controls.stroke import Stroke
from vivant.kinds import INDEX
from vivant.motion.held import MOVING, asked_kinds, scene_of
from vivant.rendering.explained import small_size
from vivant.request import Request, Runtime
from vivant.scene.calm import calm_sky
from vivant.scene.falling import falling
from vivant.scene.known import Known
from vivant.scene.record import Scene

SHORT, FAINT = 240, 3.0
"""Short side in pixels at which it is told what would be seen to move, and levels by which that
differs from what is around it."""
UNSURE = 0.35
"""Share up to which a kind is not there; with the rest of it, it surely is."""
LEAST_LIVELY = 0.07
"""Share of a picture that is seen to move from which the camera need not."""
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
            "Hardly anything is seen that moves by itself, so the camera breathes a little;"
            " --camera still holds it, a stroke drives a thing, --move takes a mask."
        ]
    if _filmed(request) or not _quiet(request, assets, runtime):
        return []
    return [
        "Hardly anything is seen that moves by itself, so the clip nearly stands still; --camera"
        " auto lets it breathe, a stroke drives a thing, --move takes a mask."
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
    kinds = tuple(kind for kind in MOVING if kind not in held)
    return _lively(scene, Known(picture), kinds) < LEAST_LIVELY and falling(picture) is None


@lru_cache(maxsize=4)
def _lively(scene: Scene, known: Known, kinds: tuple[str, ...]) -> float:
    """As `lively`, remembered: one clip asks several times."""
    return lively(scene, known.picture.pixels, kinds)


def lively(scene: Scene, pixels: Frame, kinds: tuple[str, ...] = MOVING) -> float:
    """Share 0..1 of a picture ``[H, W, 3]`` whose motion would be seen: what moves of itself and is
    not plain."""
    if "sky" in kinds and calm_sky(scene, pixels):
        kinds = tuple(kind for kind in kinds if kind != "sky")
    if not kinds:
        return 0.0
    size = small_size(pixels, SHORT)
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    around = cv2.GaussianBlur(grey, (0, 0), SHORT / 40)
    textured = cv2.blur((np.abs(grey - around) > FAINT).astype(np.float32), (5, 5))
    share = np.sum([scene.kinds[INDEX[kind]] for kind in kinds], axis=0, dtype=np.float32)
    moves = np.clip((cv2.resize(share, size) - UNSURE) / (1 - 2 * UNSURE), 0, 1)
    return float((moves * textured).mean())
