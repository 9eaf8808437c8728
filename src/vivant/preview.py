"""A clip tried out in small: few frames, few pixels, the same motion."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from vivant import job
from vivant.job import ClosableAssets
from vivant.media.formats import format_for
from vivant.pages import page
from vivant.provenance.keys import signing_key
from vivant.provenance.policy import Policy
from vivant.provenance.release import Delivery
from vivant.request import Generator, Plan, Request
from vivant.settings import Settings

FPS, MOST_FRAMES = 6.0, 24
"""Frames a second, or in all where that gives fewer."""


def preview_of(
    request: Request,
    plan: Plan,
    side: int,
    assets: ClosableAssets,
    generator: Generator,
    policy: Policy,
    settings: Settings,
) -> bytes:
    """An animated WebP whose longer side has ``side`` pixels, marked and signed as every clip.

    Raises what `vivant.job.run` does.
    """
    with tempfile.TemporaryDirectory(prefix="vivant-") as folder:
        out = Path(folder) / "preview.webp"
        job.run(
            _tried(request, plan, side),
            Delivery(out, format_for(out, None)),
            assets,
            generator,
            signing_key(settings),
            policy=policy,
        )
        return out.read_bytes()


def _tried(request: Request, plan: Plan, side: int) -> Request:
    video = plan.video
    scale = min(1.0, side / max(video.width, video.height))
    width, height = (max(16, 2 * round(n * scale / 2)) for n in (video.width, video.height))
    fps = min(video.fps, FPS, MOST_FRAMES / request.seconds)
    return replace(request, size=f"{width}x{height}", fps=fps)


def shown(request: Request, plan: Plan, webp: bytes) -> str:
    """A clip as a piece of HTML for notebooks: its preview and its facts."""
    video = plan.video
    facts: Mapping[str, str] = {
        "size": f"{video.width}x{video.height}",
        "frames": f"{video.count} at {video.fps:g} a second",
        "seed": str(request.seed),
        "model": request.model,
    }
    source = f"data:image/webp;base64,{base64.b64encode(webp).decode()}"
    name = request.keyframes[0].image.name or "picture"
    return page("clip", name=name, source=source, facts=facts, notes=plan.notes)
