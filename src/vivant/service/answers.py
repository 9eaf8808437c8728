"""How what is refused is answered over HTTP."""

from __future__ import annotations

import errno

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from vivant.errors import UsageError
from vivant.service.jobs import NoClip, NoClipYet, NoSuchJob, NotEnded
from vivant.service.looks import Busy
from vivant.service.queue.client import OtherBody, QueueFull
from vivant.service.results import StoreAway
from vivant.service.uploads import NoRoom, TooLarge, TooSlow

STATUS: tuple[tuple[type[UsageError], int], ...] = (
    (OtherBody, 409),
    (QueueFull, 429),
    (Busy, 429),
    (TooLarge, 413),
    (NoRoom, 507),
    (TooSlow, 408),
    (NoSuchJob, 404),
    (NotEnded, 409),
    (NoClipYet, 409),
    (NoClip, 410),
    (StoreAway, 503),
    (UsageError, 422),
)
FULL = (errno.ENOSPC, errno.EDQUOT)


def status_of(error: Exception) -> int:
    """The status that answers a refusal, a UsageError."""
    return next(number for kind, number in STATUS if isinstance(error, kind))


async def away(_: Request, error: Exception) -> Response:
    """The handler of errors of the database and of the disk, in which nothing was taken."""
    if "full" in str(error) or (isinstance(error, OSError) and error.errno in FULL):
        return JSONResponse({"detail": "The disk of the service is full."}, 507)
    if isinstance(error, OSError):
        return JSONResponse({"detail": "The disk of the service cannot be used."}, 503)
    sentence = "The database of the queue does not answer; ask again."
    return JSONResponse({"detail": sentence}, 503, {"Retry-After": "5"})


async def refused(_: Request, error: Exception) -> Response:
    """The handler of UsageError."""
    return JSONResponse({"detail": str(error)}, status_of(error))
