"""The child's side of `vivant.service.looks`: a picture is seen, a clip is tried out in small."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.asset import Asset, named_in
from vivant.clip import Frame, Plane
from vivant.errors import UsageError, VivantError
from vivant.kinds import KINDS
from vivant.media.assets import FileAssets
from vivant.media.formats import format_for
from vivant.media.framing import target_of
from vivant.preview import preview_of
from vivant.provenance.policy import policy_of
from vivant.registry import load
from vivant.request import Plan, Request
from vivant.scene import eyes
from vivant.scene.mattes import thing_matte
from vivant.scene.record import Scene
from vivant.service.settings import ServiceSettings
from vivant.service.work import without_paths
from vivant.settings import read_settings
from vivant.wire import Answer


def _without_paths(
    answer: Callable[..., Iterator[Answer]],
) -> Callable[..., Iterator[Answer]]:
    """What is refused says nothing of the server's folders."""

    @wraps(answer)
    def cleaned(folder: str, **asked: Any) -> Iterator[Answer]:
        settings = ServiceSettings(Path(folder))
        try:
            yield from answer(settings, **asked)
        except VivantError as error:
            raise type(error)(without_paths(str(error), settings)) from error

    return cleaned


@_without_paths
def scene(
    settings: ServiceSettings, sha256: str, masks: list[str], depth: bool, side: int
) -> Iterator[Answer]:
    """What an upload shows: facts as of `Scene.describe`, and PNG files as arrays of bytes,
    ``mask:NAME`` for each of ``masks`` (kinds, or numbers of instances) and ``depth``, at most
    ``side`` pixels long."""
    with FileAssets() as assets:
        asset = assets.add(settings.uploads / Asset(sha256, "picture").sha256, "picture")
        picture = assets.picture(asset)
    seen = eyes.scene_of(picture)
    small = _small(picture.pixels, side)
    arrays = {f"mask:{name}": _png(_mask(seen, small, name)) for name in masks}
    if depth:
        arrays["depth"] = _png(seen.depth_at((small.shape[1], small.shape[0])))
    size = [*picture.size]
    yield Answer({**seen.describe(), "size": size, "notes": list(picture.notes)}, arrays)


def _small(pixels: Frame, side: int) -> Frame:
    height, width = pixels.shape[:2]
    scale = min(1.0, side / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _mask(seen: Scene, pixels: Frame, name: str) -> Plane:
    if name in KINDS:
        return eyes.mattes(seen, pixels, (name,)).of(name)
    if not (name.isascii() and name.isdigit() and int(name) < len(seen.instances)):
        raise UsageError(
            f"There is no mask {name[:40]!r}: it is a kind ({', '.join(KINDS)}) or the number of an"
            f" instance, of which there are {len(seen.instances)}."
        )
    number = int(name)
    kind = seen.instances[number].kind
    return thing_matte(seen, number, eyes.mattes(seen, pixels, (kind,)).of(kind))


def _png(values: NDArray[Any]) -> NDArray[np.uint8]:
    return np.asarray(cv2.imencode(".png", values)[1], np.uint8).ravel()


@_without_paths
def preview(
    settings: ServiceSettings, request: dict[str, Any], made: str, consent: bool, side: int
) -> Iterator[Answer]:
    """The plan of a request in format ``made``, and the clip at few and small frames as an animated
    ``webp``, marked and signed as every clip; none where ``side`` is 0."""
    wanted = Request.from_data(request)
    with FileAssets() as assets:
        for sha256, kind in named_in(request).items():
            assets.add(settings.uploads / sha256, kind)
        generator = load(wanted.model)
        plan = generator.plan(wanted, assets, target_of(format_for(None, made)))
        facts = _facts(plan)
        if not side:
            yield Answer(facts)
            return
        environment = read_settings()
        policy = policy_of(environment, consent)
        webp = preview_of(wanted, plan, side, assets, generator, policy, environment)
        yield Answer(facts, {"webp": np.frombuffer(webp, np.uint8)})


def _facts(plan: Plan) -> dict[str, Any]:
    video = plan.video
    return {
        "size": [video.width, video.height],
        "fps": video.fps,
        "frames": video.count,
        "fitted": list(plan.fitted),
        "notes": list(plan.notes),
    }
