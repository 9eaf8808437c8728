"""Ground truth of single frames: where in the picture each pixel comes from, how far it is, which
way its surface faces.

Everything follows from the places and depths that the renderer itself uses. Where several slices
mix at a soft edge, the one that is seen more is stated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Plane
from vivant.rendering.space.pose import NEAREST, Lens, Pose
from vivant.rendering.space.truth import SOFT, Where, followed, within
from vivant.rendering.space.view import NODE, View, enlarged, fetched

Points = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Seen:
    """What the pixels of a frame show.

    ``places`` ``[H, W, 2]`` pixels of the picture; ``own`` ``[H, W]``: the picture shows it there,
    it was not hidden; ``exact`` ``[H, W]``: it is not mixed either, and camera and depth lead there
    within a tenth of a pixel; ``disparity`` ``[H, W]`` inverse depth along the frame's own axis,
    1 = the nearest of the picture, 0 infinitely far; ``normals`` ``[H, W, 3]`` of length 1 towards
    the camera, axes x right, y down, z forward.
    """

    places: Floats
    own: Where
    exact: Where
    disparity: Floats
    normals: Floats


def seen_through(view: View, pose: Pose) -> Seen:
    """What a pose sees of a picture in relief."""
    shape = view.shape
    whole = slice(0, shape[0]), slice(0, shape[1])
    places = np.zeros((*shape, 2), np.float32)
    own, exact = np.zeros(shape, bool), np.zeros(shape, bool)
    disparity, normals = np.zeros(shape, np.float32), np.zeros((*shape, 3), np.float32)
    focal = view.lens.focal * pose.zoom * view.short
    for layer in view.layers:
        one = layer.slice
        at = enlarged(view.sources(one, pose), whole)
        corner = np.array([one.box[1].start, one.box[0].start], np.float32)
        share = fetched(one.alpha, at - corner)
        here = share > 0.5
        if not here.any():
            continue
        inside = at - np.float32(view.margin)
        near = _nearness(view.lens, pose, view.places_of(at), view.disparity_at(one, at))
        places[here], disparity[here] = inside[here], near[here]
        normals[here] = normals_of(near, focal, view.middle)[here]
        mine = (fetched(one.own, at - corner) > 1 - SOFT) & within(view, inside)
        own[here] = mine[here]
        sure = mine & (share > 1 - SOFT) & followed(view, one, pose, at)
        exact = np.where(here, sure, exact & (share < SOFT))
    return Seen(places, own, exact, disparity, normals)


def seen_flat(near: Floats, affine: Floats | None, lens: Lens) -> Seen:
    """What a flat view, an ``affine`` ``[2, 3]`` from frame to picture, sees of a picture of
    disparity ``near`` ``[H, W]``."""
    h, w = near.shape
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    places, centre, focal = np.dstack([x, y]), np.array([w, h]) / 2, lens.focal
    if affine is not None:
        places = cv2.transform(places, affine)
        back = np.linalg.inv(affine[:, :2].astype(np.float64))
        centre = back @ (centre - 0.5 - affine[:, 2]) + 0.5
        focal *= float(np.sqrt(abs(np.linalg.det(back))))
    disparity = np.asarray(fetched(near, places), np.float32)
    normals = normals_of(disparity, focal * min(h, w), centre)
    everywhere = np.ones((h, w), bool)
    return Seen(places, everywhere, everywhere, disparity, normals)


def _nearness(lens: Lens, pose: Pose, at: Floats, disparity: Floats) -> Floats:
    """Disparity as seen from a pose, of what lies at places ``at`` of the picture."""
    axis = pose.rotation[2].astype(np.float32)
    rays = np.dstack([at / np.float32(lens.focal), np.ones_like(disparity)])
    ahead = (rays - disparity[..., None] * np.array(pose.position, np.float32)) @ axis
    return np.asarray(disparity / np.maximum(ahead, NEAREST), np.float32)


def normals_of(disparity: Floats, focal: float, centre: Sequence[float] | Points) -> Floats:
    """Normals ``[H, W, 3]`` of a surface by its inverse depth: a plane ``n . X = 1`` has the
    inverse depth ``n . (x, y, 1)``. ``focal`` and ``centre`` in pixels."""
    h, w = disparity.shape
    smooth = cv2.GaussianBlur(disparity, (0, 0), NODE / 2)  # given on nodes
    down, across = (np.float32(focal) * slope for slope in np.gradient(smooth))
    x = (np.arange(w, dtype=np.float32) + 0.5 - np.float32(centre[0])) / np.float32(focal)
    y = (np.arange(h, dtype=np.float32) + 0.5 - np.float32(centre[1])) / np.float32(focal)
    ahead = smooth - x[None] * across - y[:, None] * down
    away = np.dstack([across, down, ahead])
    length = np.linalg.norm(away, axis=2, keepdims=True)
    facing = np.array([0, 0, -1], np.float32)
    return np.where(length > 1e-6, -away / np.maximum(length, 1e-6), facing).astype(np.float32)


def kept_own(seen: Seen, plane: NDArray[np.generic]) -> NDArray[np.generic]:
    """Values of a picture's plane ``[H, W]``, such as numbers of things, as a frame sees them; 0
    where something is seen that the picture hides."""
    h, w = plane.shape
    x = np.clip(np.round(seen.places[..., 0]), 0, w - 1).astype(np.int32)
    y = np.clip(np.round(seen.places[..., 1]), 0, h - 1).astype(np.int32)
    return np.where(seen.own, plane[y, x], plane.dtype.type(0))


def mattes_through(view: View, pose: Pose, mattes: Sequence[Plane]) -> list[Plane]:
    """Mattes ``[H, W]`` of a picture as a pose sees them, mixed at soft edges as colours are."""
    whole = slice(0, view.shape[0]), slice(0, view.shape[1])
    out = [np.zeros(view.shape, np.float32) for _ in mattes]
    for layer in view.layers:
        one = layer.slice
        at = enlarged(view.sources(one, pose), whole)
        corner = np.array([one.box[1].start, one.box[0].start], np.float32)
        share, own = (fetched(plane, at - corner) for plane in (one.alpha, one.own))
        inside = at - np.float32(view.margin)
        own = np.minimum(own, 1) * within(view, inside)
        for number, matte in enumerate(mattes):
            mine = fetched(matte, inside).astype(np.float32) * own
            out[number] += share * (mine - out[number])
    return [np.asarray(np.round(np.clip(total, 0, 255)), np.uint8) for total in out]


def mattes_flat(seen: Seen, mattes: Sequence[Plane]) -> list[Plane]:
    """Mattes ``[H, W]`` of a picture in a flat view."""
    return [np.asarray(fetched(matte, seen.places), np.uint8) for matte in mattes]
