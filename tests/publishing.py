"""Shots with a given field, published as the use case publishes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from vivant.clip import Frame, Picture
from vivant.field.motion_field import MotionField
from vivant.media.assets import MemoryAssets
from vivant.media.formats import Format
from vivant.motion.model import frames_of
from vivant.provenance.credentials import Statement
from vivant.provenance.keys import SigningKey, known_anchors, signing_key
from vivant.provenance.record import record_of
from vivant.provenance.release import Delivery, Published, release
from vivant.provenance.verify import Verdict
from vivant.provenance.verify import verify as verify_under
from vivant.rendering.shot import Shot
from vivant.request import (
    FrameStream,
    Keyframe,
    ModelIdentity,
    Plan,
    Request,
    Result,
    SourceType,
    Target,
)
from vivant.settings import read_settings

IDENTITY = ModelIdentity("builtin", "0", "cd" * 32)


def key() -> SigningKey:
    return signing_key(read_settings())


def verify(path: Path) -> Verdict:
    return verify_under(path, known_anchors(read_settings()))


def result_of(
    shot: Shot, frames: MotionField | Callable[[], Iterator[Frame]], count: int | None = None
) -> Result:
    """A result that renders a field, or that has frames of its own."""
    video = shot.spec
    if count is not None:
        video = type(video)(video.width, video.height, video.fps, count)
    made = frames if callable(frames) else lambda: frames_of(shot, frames)
    return Result(
        Plan(video, shot.picture.size),
        lambda: FrameStream(made()),
        IDENTITY,
        SourceType.COMPOSITE,
    )


def request_of(shot: Shot) -> Request:
    assets = MemoryAssets(shot.picture)
    return Request((Keyframe(assets.asset),), (), shot.seconds, shot.fps, seed=shot.seed)


def record(shot: Shot, result: Result) -> dict[str, Any]:
    return record_of(request_of(shot), Target(), result, MemoryAssets(shot.picture))


def leave(
    shot: Shot,
    result: Result,
    out: Path,
    fmt: Format,
    picture_path: Path | None = None,
    picture: Picture | None = None,
    **options: Any,
) -> Published:
    """Release ``result`` as the use case does."""
    statement = Statement(result.made, record(shot, result), picture or shot.picture, picture_path)
    return release(result, Delivery(out, fmt, **options), statement, key())


def frames(result: Result) -> list[Frame]:
    with result.open() as stream:
        return list(stream)
