"""What was drawn, held and asked for, enforced on a field."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from vivant.clip import Floats
from vivant.controls.raster import Guidance, rasterise
from vivant.field import operations
from vivant.field.motion_field import MotionField
from vivant.field.operations import LOOPING, Looping
from vivant.motion.steering import FIRST, Steering
from vivant.rendering.shot import Shot


def guidance_for(shot: Shot, grid: tuple[int, int]) -> Guidance:
    """The controls of a shot on a cell grid."""
    width, height = shot.picture.size
    return rasterise(shot.controls, grid, width / height, shot.spec.seconds)


def apply_controls(
    field: MotionField,
    guidance: Guidance,
    shot: Shot,
    fluid: Floats | None = None,
    *,
    steering: Steering = FIRST,
    looping: Looping = LOOPING,
) -> MotionField:
    """What was drawn, held and asked for, enforced on the sampled field.

    ``fluid`` ``[h, w]`` 0..1, where it is known, tells which drawn things are bodies.
    """
    if guidance.hint_mask.any():
        field = _draw(_turn(field, guidance, steering), guidance, steering)
    if guidance.move is not None:
        field = operations.mask(field, guidance.move)
        if fluid is not None:
            field = _cut_out(field, guidance, guidance.move, fluid, steering)
    if guidance.things is not None and fluid is not None:
        field = _cut_out(field, guidance, guidance.things, fluid, steering)
    if guidance.still.any():
        field = operations.freeze(field, guidance.still)
    if shot.strength != 1:
        field = operations.scale(field, shot.strength)
    if shot.loop:
        field = operations.periodic(field, shot.spec.seconds, looping)
    return field


def _cut_out(
    field: MotionField, guidance: Guidance, move: Floats, fluid: Floats, steering: Steering
) -> MotionField:
    """Mark as a body what a move mask outlines and a stroke drives, if it is compact and no
    fluid: it leaves its place whole, at the stroke's mean velocity."""
    count, labels = cv2.connectedComponents((move > 0.5).astype(np.uint8))
    body = np.zeros(field.grid, np.float32)
    velocity = field.velocity.copy()
    for label in range(1, count):
        inside = labels == label
        driven = inside & (guidance.hint_mask > 0)
        if inside.mean() > steering.body_share or not driven.any() or fluid[inside].mean() > 0.5:
            continue
        around = cv2.dilate(inside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        body = np.maximum(body, np.where(around, move, np.float32(0)))
        velocity[:, :, around] = guidance.hint_velocity[:, driven].mean(axis=1)[None, :, None]
    if not body.any():
        return field
    return replace(field, velocity=velocity, body=body.astype(np.float32))


def _turn(field: MotionField, guidance: Guidance, steering: Steering) -> MotionField:
    """Let what moves and hangs together with a stroke drift its way, the less the farther off,
    at the speed and in the rhythm that were sampled."""
    touched, reach = guidance.hint_mask > 0, steering.reach
    around = cv2.dilate(touched.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    moves = touched | (field.map > steering.connected * np.percentile(field.map[around], 75))
    _, labels = cv2.connectedComponents(moves.astype(np.uint8))
    connected = np.isin(labels, np.unique(labels[touched])).astype(np.float32)
    away = cv2.distanceTransform((~touched).astype(np.uint8), cv2.DIST_L2, 5)
    share = cv2.GaussianBlur(connected, (0, 0), 1.0) * np.exp(-0.5 * (away / reach) ** 2)
    way = np.stack([cv2.GaussianBlur(v, (0, 0), reach / 2) for v in guidance.hint_velocity])
    way /= np.maximum(np.linalg.norm(way, axis=0), 1e-9)
    drift = field.velocity.mean(axis=0)
    turned = way * np.linalg.norm(drift, axis=0) - drift
    return replace(field, velocity=(field.velocity + turned * share).astype(np.float32))


def _draw(field: MotionField, guidance: Guidance, steering: Steering) -> MotionField:
    """Blend the drawn velocity in around each stroke, keeping the sample's own rhythm outside."""
    h, w = field.grid
    edge, wide = steering.stroke_soft, steering.stroke_spread
    soft = np.minimum(2 * cv2.GaussianBlur(guidance.hint_mask, (0, 0), edge), 1)
    soft = np.maximum(soft, guidance.hint_mask)
    spread = cv2.GaussianBlur(guidance.hint_mask, (0, 0), wide) + 1e-6
    drawn = np.stack(
        [
            cv2.GaussianBlur(v * guidance.hint_mask, (0, 0), wide) / spread
            for v in guidance.hint_velocity
        ]
    )
    velocity = field.velocity * (1 - soft) + drawn[None] * soft
    still = field.still * (1 - soft)
    speed = np.maximum(field.map, np.linalg.norm(drawn, axis=0).reshape(h, w) * soft)
    return replace(
        field,
        velocity=velocity.astype(np.float32),
        still=still.astype(np.float32),
        map=speed.astype(np.float32),
    )
