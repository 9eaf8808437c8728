"""A job in the worker's process: from its data to a published clip."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from vivant import job
from vivant.asset import named_in
from vivant.errors import UsageError, VivantError
from vivant.media.assets import FileAssets
from vivant.media.formats import format_for
from vivant.provenance.keys import signing_key
from vivant.provenance.policy import policy_of
from vivant.provenance.release import Delivery
from vivant.registry import load
from vivant.request import Hooks, Request
from vivant.service.results import results_of
from vivant.service.settings import ServiceSettings
from vivant.settings import read_settings


def clip_of(settings: ServiceSettings, job_id: str, format_name: str) -> Path:
    """Where the clip of a job is, or will be: it depends on nothing a client says."""
    return settings.results / job_id / f"clip{format_for(None, format_name).suffix}"


def carry_out(
    settings: ServiceSettings, job_id: str, body: dict[str, Any], hooks: Hooks
) -> dict[str, Any]:
    """Make the clip of a job; what is returned is kept in the queue.

    A failure that the client can understand is returned as ``{"error": sentence}``: trying
    again would not help. Raises Cancelled where the hooks say so.
    """
    out = clip_of(settings, job_id, body["format"])
    try:
        done = _run(settings, out, body, hooks)
        results_of(settings).keep(job_id, out)
    except VivantError as error:
        if hooks.cancelled():
            raise
        return {"error": without_paths(str(error), settings)}
    video = done.plan.video
    return {
        "sha256": done.clip.sha256,
        "size": [video.width, video.height],
        "fps": video.fps,
        "frames": video.count,
        "notes": list(done.plan.notes),
    }


def _run(settings: ServiceSettings, out: Path, body: dict[str, Any], hooks: Hooks) -> job.Done:
    request = Request.from_data(body["request"])
    if request.model not in settings.models:
        raise UsageError(f"There is no model {request.model!r} at this service.")
    shutil.rmtree(out.parent, ignore_errors=True)  # what an interrupted attempt left
    out.parent.mkdir(parents=True, exist_ok=True)  # one that was thought dead may write, too
    environment = read_settings()
    with FileAssets() as assets:
        for sha256, kind in named_in(body["request"]).items():
            assets.add(settings.uploads / sha256, kind)
        return job.run(
            request,
            Delivery(out, format_for(out, body["format"]), overwrite=True),
            assets,
            load(request.model),
            signing_key(environment),
            policy=policy_of(environment, body["consent"]),
            hooks=hooks,
        )


def without_paths(sentence: str, settings: ServiceSettings) -> str:
    """A sentence that says nothing of where the service keeps its things."""
    return sentence.replace(f"{settings.uploads}/", "").replace(f"{settings.folder}/", "")
