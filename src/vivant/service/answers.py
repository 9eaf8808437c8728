"""How what is refused is answered over HTTP."""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from vivant.errors import UsageError
from vivant.service.jobs import NoClip, NoClipYet, NoSuchJob, NotEnded
from vivant.service.looks import Busy
from vivant.service.queue.client import OtherBody, QueueFull
from vivant.service.results import StoreAway
from vivant.service.uploads import TooLarge, TooSlow

STATUS: tuple[tuple[type[UsageError], int], ...] = (
    (OtherBody, 409),
    (QueueFull, 429),
    (Busy, 429),
    (TooLarge, 413),
    (TooSlow, 408),
    (NoSuchJob, 404),
    (NotEnded, 409),
    (NoClipYet, 409),
    (NoClip, 410),
    (StoreAway, 503),
    (UsageError, 422),
)

REFUSED: dict[int | str, dict[str, Any]] = {
    number: {"description": "refused"}
    for number in (401, 403, 404, 408, 409, 410, 413, 422, 429, 503)
}
"""What any operation may answer, for its documentation."""


def status_of(error: Exception) -> int:
    """The status that answers a refusal, a UsageError."""
    return next(number for kind, number in STATUS if isinstance(error, kind))


async def refused(_: Request, error: Exception) -> Response:
    """The handler of UsageError."""
    return JSONResponse({"detail": str(error)}, status_of(error))
