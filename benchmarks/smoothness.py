"""Is a slow camera smooth below a pixel?

    python benchmarks/smoothness.py PHOTO... --out smoothness.json

A push-in of 2 % over 8 s (192 frames at 720p, every sixth of them; nothing else moves). Fifty
corners of the first frame are tracked by Lucas and Kanade's method, always against the first frame,
so that nothing adds up, starting from where the poses and the relief say that they are. ``path``:
r.m.s. distance in pixels between both. ``jitter``: the same of each track from its own smooth curve
(a polynomial of degree 5 in time), which needs no relief. ``tracker``: what the same tracking makes
of the first frame enlarged by a windowed sinc: the floor of the method. Besides photographs a known
texture (noise without detail finer than 4 pixels, on sloping ground) is measured: there the floor
is low.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame, VideoSpec
from vivant.controls.camera import parse_camera
from vivant.media.assets import FileAssets
from vivant.media.formats import DEFAULT
from vivant.media.framing import frame_size, target_of
from vivant.media.resize import fit
from vivant.motion.held import look
from vivant.motion.relief import relief_of
from vivant.rendering.noise import smooth_noise
from vivant.rendering.space.path import path_of
from vivant.rendering.space.pose import Pose
from vivant.rendering.space.relief import Relief, Sheet
from vivant.rendering.space.seen import seen_through
from vivant.rendering.space.view import View, fetched
from vivant.request import Runtime

COUNT, APART, EDGE = 50, 24, 30
"""Points, pixels between them, and to the border."""
SECONDS, FPS, MOVE, EVERY = 8.0, 24.0, "push-in 2%", 6
LOST = 1.0
"""Pixels from the path at which a point is lost, not unsmooth."""
WINDOW, STOP = (31, 31), (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 60, 1e-4)

Doubles = NDArray[np.float64]


def grey(frame: Frame) -> Frame:
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)


def points_of(first: Frame, sure: NDArray[np.bool_]) -> Floats:
    """Corners where everything is exact, none near a soft edge."""
    mask = cv2.erode(sure.astype(np.uint8), np.ones((EDGE, EDGE)))
    mask[:EDGE], mask[-EDGE:], mask[:, :EDGE], mask[:, -EDGE:] = 0, 0, 0, 0
    found = cv2.goodFeaturesToTrack(grey(first), COUNT, 0.01, APART, mask=mask, blockSize=7)
    return np.zeros((0, 2), np.float32) if found is None else found[:, 0]


def expected(view: View, pose: Pose, points: Floats) -> Floats:
    """Where places of the picture are seen, each on the slice that shows it."""
    out = points.copy()
    for layer in view.layers:
        one = layer.slice
        inside = np.zeros(view.shape, np.float32)
        inside[one.box] = one.own
        mine = fetched(inside, points[None])[0] > 0.5
        out[mine] = view.images(one, pose, points[None])[0][mine]
    return out


def tracked(first: Frame, frame: Frame, points: Floats, guess: Floats) -> Floats:
    at, _, _ = cv2.calcOpticalFlowPyrLK(
        grey(first), grey(frame), points[:, None], guess[:, None].copy(), winSize=WINDOW,
        maxLevel=0, criteria=STOP, flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )  # fmt: skip
    return np.asarray(at[:, 0], np.float32)


def plane_through(first: Frame, points: Floats, at: Floats) -> tuple[Frame, Floats]:
    """The first frame enlarged as the points are in the middle, and where they are then."""
    affine, _ = cv2.estimateAffine2D(points, at)
    size = first.shape[1::-1]
    moved = cv2.warpAffine(
        first, affine, size, flags=cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REFLECT_101
    )
    return moved, cv2.transform(points[None], affine)[0]


def rms(distances: Doubles) -> float:
    return round(float(np.sqrt((distances**2).sum(-1).mean())), 4)


def photographed(photo: Path) -> tuple[Frame, Relief]:
    """A photograph at 720p, in relief."""
    with FileAssets() as assets:
        whole = assets.picture(assets.add(photo, "picture"))
    picture = fit(whole, frame_size(whole.size, None, target_of(DEFAULT)))
    return picture.pixels, relief_of(look(picture, Runtime()), picture.size)


def textured() -> tuple[Frame, Relief]:
    """Noise on ground that slopes from far to near."""
    shape = (720, 1280)
    noise = smooth_noise(shape, 8.0, np.random.default_rng(3), 3) * 32 + 128
    soft = [cv2.GaussianBlur(plane, (0, 0), 2.0) for plane in noise]
    slope = np.tile(np.linspace(0.1, 0.9, 120, dtype=np.float32)[:, None], (1, 213))
    sheet = Sheet(np.full(shape, 255, np.uint8), slope)
    return np.clip(np.dstack(soft) + 0.5, 0, 255).astype(np.uint8), Relief((sheet,))


def smoothness(pixels: Frame, relief: Relief) -> dict[str, Any]:
    video = VideoSpec(pixels.shape[1], pixels.shape[0], FPS, round(SECONDS * FPS))
    path = path_of(parse_camera(MOVE), video, False, relief)
    view = View(pixels, relief, path)
    points = points_of(pixels, seen_through(view, path.poses[-1]).exact)
    places, found, floor = [], [], []
    for number, index in enumerate(range(0, video.count, EVERY)):
        at = expected(view, path.poses[index], points)
        places.append(at)
        found.append(tracked(pixels, view.at(pixels, path.poses[index]), points, at))
        if number % 8 == 4:
            moved, where = plane_through(pixels, points, at)
            floor.append(tracked(pixels, moved, points, where) - where)
    tracks, truth = np.array(found, np.float64), np.array(places, np.float64)
    kept = np.abs(tracks - truth).max(axis=(0, 2)) < LOST
    off = (tracks - truth)[:, kept]
    curves = np.polynomial.polynomial.polyvander(np.linspace(-1, 1, len(tracks)), 5)
    flat = tracks[:, kept].reshape(len(tracks), -1)
    left = flat - curves @ np.linalg.lstsq(curves, flat, rcond=None)[0]
    return {
        "points": int(kept.sum()),
        "lost": int((~kept).sum()),
        "travel": round(float(np.linalg.norm(truth[-1] - truth[0], axis=1).mean()), 2),
        "path": rms(off),
        "jitter": rms(left.reshape(len(tracks), -1, 2)),
        "tracker": rms(np.array(floor, np.float64)[:, kept]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path, nargs="*")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    rows = {}
    for photo in (None, *args.photos):
        name = "texture" if photo is None else photo.stem
        rows[name] = smoothness(*(textured() if photo is None else photographed(photo)))
        print(name, json.dumps(rows[name]), flush=True)
    measured = ("path", "jitter", "tracker")
    summary = {k: round(float(np.mean([row[k] for row in rows.values()])), 4) for k in measured}
    worst = max(row["path"] for row in rows.values())
    out = {"move": MOVE, "seconds": SECONDS, "fps": FPS, "mean": summary, "worst": worst}
    args.out.write_text(json.dumps({**out, "photos": rows}, indent=1) + "\n", "utf-8")
    print(json.dumps({**out}))


if __name__ == "__main__":
    main()
