"""A model, or a folder of anyone's clips, through a suite: one result file a case.

Seeds are 0, 1, 2, ... for samples and 0 for frames, hints and strength, so that a run can be
repeated; a case whose file is there is passed over, so that a killed run goes on.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame
from vivant.controls.camera import Camera
from vivant.controls.entry import Control
from vivant.controls.loop import Loop
from vivant.controls.strength import Strength
from vivant.data.labels import label
from vivant.evaluation.baselines import BASELINES, CLIPS, mean_field
from vivant.evaluation.camera import asked, camera_error, camera_of
from vivant.evaluation.frames import Frames, frame_scores, resampled, seam, shrink, usual_step
from vivant.evaluation.hints import obedience
from vivant.evaluation.motion_scores import Truth, score
from vivant.evaluation.subject import Subject, features
from vivant.evaluation.suites import Case
from vivant.field.wheel import colourise, heat
from vivant.files import listed, publish
from vivant.media.decoder import Decoder

SECONDS, FPS = 2.0, 24.0
STRENGTHS = (0.5, 2.0)
CAMERA = Camera(pan_x=0.06, zoom=0.1, roll=2.0)
SAMPLES_SHOWN = 3
LEAST_SPEED = 1e-6
"""Mean speed in short sides a second under which nothing moves, so that nothing can be scaled."""
LEAST_STEP = 0.15
"""Levels a frame under which so little moves that the watermark, which fades in, is what is seen of
a seam."""
Row = dict[str, Any]
Stated = dict[str, Floats]
"""Velocities ``[S, T, 2, h, w]`` by what they are called."""


@dataclass(frozen=True)
class Plan:
    """What to measure: ``model`` (or ``clips``, a folder of ``NAME.mp4`` and the like), the
    number of ``samples``, and whether the report may show the pictures themselves."""

    model: Subject | None
    clips: Path | None
    samples: int = 8
    pictures: bool = True


def run(cases: list[Case], plan: Plan, out: Path, progress: Callable[[float], None]) -> list[Row]:
    """Measure every case that has no result yet; returns all rows in the suite's order."""
    folder = out / "cases"
    folder.mkdir(parents=True, exist_ok=True)
    truths = [case.truth for case in cases if case.truth is not None]
    rows = []
    for done, case in enumerate(cases, start=1):
        path = folder / f"{case.name}.json"
        if not path.is_file():
            row = measure(case, plan, truths)
            with publish(path) as temporary:
                temporary.write_text(json.dumps(row), "utf-8")
        rows.append(json.loads(path.read_text("utf-8")))
        progress(done / len(cases))
    return rows


def measure(case: Case, plan: Plan, truths: list[Truth]) -> Row:
    """Everything about one case, as plain numbers."""
    row: Row = {"name": case.name, "category": case.category, "motion": {}, "frames": {}}
    model = plan.model
    static = case.truth.static if case.truth is not None else None
    clips = {name: make(case.picture, round(SECONDS * FPS)) for name, make in CLIPS.items()}
    if model is not None:
        clock = time.monotonic()
        model.expected(case.picture)
        row["sampling_seconds"] = time.monotonic() - clock
        clips["model"] = _as_measured(*model.clip(case.picture), case.picture)
        row |= _obedience_of_frames(model, case.picture)
        row["features"] = {"model": features(list(clips["model"][:: round(FPS / 2)]))}
        if case.real:
            row["features"]["real"] = features(list(case.real))
    if plan.clips is not None:
        found = find_clip(plan.clips, case.name)
        if found is not None:
            clips["model"] = _as_measured(*found, case.picture)
    for name, frames in clips.items():
        row["frames"][name] = asdict(frame_scores(frames, case.picture, FPS, static))
    if case.truth is not None:
        row["camera_removed"] = case.truth.camera_removed
    known = case.truth is not None or bool(case.kinds)
    samples = plan.samples if known else min(plan.samples, SAMPLES_SHOWN)
    stated = {} if model is None else _stated(model, case.picture, samples)
    if known:
        _measure_motion(row, case, plan.samples, stated, truths, clips.get("model"))
    if model is not None and "rendered" in stated:
        _measure_control(row, case, model, stated["rendered"][0])
    row["strip"] = strip(case, plan, stated)
    return row


def _measure_motion(
    row: Row,
    case: Case,
    samples: int,
    stated: Stated,
    truths: list[Truth],
    frames: Frames | None,
) -> None:
    """Motion against all that truly moves, ``motion``, and against what of each kind does,
    ``kinds``."""
    own = [truth for truth in (case.truth, *case.kinds.values()) if truth is not None]
    filmed = None if frames is None else filmed_velocity(frames, own[0])
    truth = case.truth
    if truth is not None:
        row["motion"] = _scores(truth, samples, stated, filmed)
        others = mean_field(truths)(truth, 0)[None]
        row["motion"]["class-free mean field"] = asdict(score(truth, others))
    row["kinds"] = {k: _scores(one, samples, stated, filmed) for k, one in case.kinds.items()}


def _scores(truth: Truth, samples: int, stated: Stated, filmed: Floats | None) -> Row:
    """Scores of the baselines, of what is stated and of what is ``filmed`` ``[T, 2, h, w]``."""
    drawn = {
        name: np.stack([guess(truth, k) for k in range(samples)])
        for name, guess in BASELINES.items()
    }
    drawn |= {name: _as_long(made, truth) for name, made in stated.items()}
    if filmed is not None:
        drawn["as filmed"] = _as_long(filmed[None], truth)
    return {name: asdict(score(truth, made)) for name, made in drawn.items()}


def _stated(model: Subject, picture: Frame, samples: int) -> Stated:
    """Velocities ``[S, T, 2, h, w]`` of the motion that a model states, as rendered and as its
    networks expect it; nothing where it states none."""
    found: Stated = {}
    for name, ask in (("rendered", model.field), ("model", model.expected)):
        first = ask(picture, 0)
        if first is None:
            continue
        known = found.get("rendered")
        if known is not None and np.array_equal(first.velocity, known[0]):
            found[name] = known  # no need to draw the same samples again
            continue
        rest = [field for seed in range(1, samples) if (field := ask(picture, seed)) is not None]
        found[name] = np.stack([field.velocity for field in (first, *rest)])
    return found


def _as_long(made: Floats, truth: Truth) -> Floats:
    """Velocities ``[S, T, 2, h, w]`` over the steps of a truth."""
    return made[:, np.minimum(np.arange(len(truth.window.velocity)), made.shape[1] - 1)]


def _measure_control(row: Row, case: Case, model: Subject, usual: Floats) -> None:
    """How strokes and strength are obeyed; strength where anything moves."""

    def velocity(*controls: Control) -> Floats:
        field = model.field(case.picture, 0, *controls)
        assert field is not None
        return field.velocity

    if model.honours("stroke") and case.truth is not None:
        row["hints"] = asdict(obedience(case.truth, velocity, 0))
    whole = _mean_speed(usual)
    if model.honours("strength") and whole > LEAST_SPEED:
        row["strength"] = {f"{by:g}": _mean_speed(velocity(Strength(by))) / whole
                           for by in STRENGTHS}  # fmt: skip


def _mean_speed(velocity: Floats) -> float:
    return float(np.linalg.norm(velocity, axis=1).mean())


def _obedience_of_frames(model: Subject, picture: Frame) -> Row:
    """How far the camera is from the one asked for, while nothing else moves that could be taken
    for it, and how well a loop closes in which anything moves; nothing of what the model does not
    honour."""
    row: Row = {}
    if model.honours("strength", "camera"):
        moved = model.frames(picture, 0, Strength(0.0), CAMERA)
        height, width = picture.shape[:2]
        error = camera_error(camera_of(moved), asked(CAMERA, width, height))
        row["camera"] = asdict(error)
    if model.honours("loop"):
        closed = shrink(model.frames(picture, 0, Loop()))
        if usual_step(closed) > LEAST_STEP:
            row["loop_seam"] = seam(closed)
    return row


def filmed_velocity(frames: Frames, truth: Truth) -> Floats:
    """Velocity ``[T, 2, h, w]`` of a clip by optical flow, on the truth's cells and steps."""
    h, w = truth.moving.shape
    small = np.stack([cv2.resize(f, (8 * w, 8 * h), interpolation=cv2.INTER_AREA) for f in frames])
    velocity = label(small, FPS, w / h).velocity
    steps = len(truth.window.velocity)
    return velocity[np.minimum(np.arange(steps), len(velocity) - 1)]


def find_clip(folder: Path, name: str) -> tuple[Frames, float] | None:
    """Frames of the video called ``name`` in ``folder``, and their rate, or None."""
    path = next((p for p in listed(folder) if p.stem == name), None)
    if path is None:
        return None
    with Decoder() as decoder:
        fps = decoder.info(path).fps if path.is_file() else FPS
        frames = np.stack(list(decoder.frames(path)))
    return frames, fps


def _as_measured(frames: Frames, fps: float, picture: Frame) -> Frames:
    """A clip of any size and rate at those of the measures."""
    size = (picture.shape[1], picture.shape[0])
    return resampled(frames, fps, size, FPS, round(SECONDS * FPS))


def strip(case: Case, plan: Plan, stated: Stated) -> str:
    """A picture in hexadecimal: [the picture,] the true mean motion, the map, and samples."""
    tiles: list[Frame] = [case.picture] if plan.pictures else []
    if case.window is not None:
        tiles.append(colourise(case.window.velocity.mean(axis=0)))
    field = None if plan.model is None else plan.model.expected(case.picture)
    if field is not None:
        tiles.append(heat(field.map))
    tiles += [colourise(made.mean(axis=0)) for made in stated.get("model", ())[:SAMPLES_SHOWN]]
    if not tiles:
        return ""
    height = 96
    width = round(height * case.picture.shape[1] / case.picture.shape[0])
    sized = [cv2.resize(t, (width, height), interpolation=cv2.INTER_AREA) for t in tiles]
    picture: NDArray[np.uint8] = np.hstack(sized)
    _, data = cv2.imencode(".webp", picture[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, 50])
    return bytes(data).hex()
