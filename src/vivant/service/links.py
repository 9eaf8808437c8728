"""Addresses of clips that need no key, for players and for clients that send none: signed, and
good for a day."""

from __future__ import annotations

import hashlib
import hmac
import time
from pathlib import Path

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import FileResponse, StreamingResponse

from vivant.files import DAY
from vivant.service.jobs import SUFFIXES, TYPES, Format, Jobs
from vivant.service.keys import own_secret
from vivant.service.results import Kept


def link_to(request: Request, jobs: Jobs, job_id: str, made: str) -> str:
    """The address of a clip, at the host that was called."""
    until = str(int(time.time() + DAY))
    signed = _signature(jobs.settings.folder, job_id, until, made)
    return f"{request.base_url}v1/clips/{job_id}/{until}/{signed}/clip{SUFFIXES[made]}"


def add_links(app: FastAPI, jobs: Jobs) -> None:
    """Answer at such addresses."""

    @app.get(
        "/v1/clips/{job_id}/{until}/{signature}/clip.{made}",
        summary="A clip by its signed link",
        response_class=FileResponse,
        responses={403: {"description": "wrong or too old"}, 410: {"description": "removed"}},
    )
    def linked(job_id: str, until: str, signature: str, made: Format) -> Response:
        """Links come with the jobs of the other clients' shapes, and are good for a day."""
        expected = _signature(jobs.settings.folder, job_id, until, made)
        if not hmac.compare_digest(signature.encode(), expected.encode()):
            raise HTTPException(403, "This link was not made here.")
        if int(until) < time.time():  # signed, hence a number
            raise HTTPException(403, "This link is too old; ask for the job again.")
        return clip_answer(jobs.kept(job_id, made), made)


def clip_answer(kept: Kept, made: str) -> Response:
    """A clip as it is sent."""
    headers = {"X-Content-Type-Options": "nosniff"}
    if kept.path is not None:
        return FileResponse(kept.path, media_type=TYPES[made], filename=kept.name, headers=headers)
    assert kept.chunks is not None
    headers["Content-Disposition"] = f'attachment; filename="{kept.name}"'
    headers["Content-Length"] = str(kept.size)
    return StreamingResponse(kept.chunks(), media_type=TYPES[made], headers=headers)


def _signature(folder: Path, *parts: str) -> str:
    said = "\n".join(parts).encode("utf-8", "surrogateescape")
    return hmac.new(own_secret(folder / "links.key"), said, hashlib.sha256).hexdigest()
