"""How what is refused is answered over HTTP."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
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
MEANINGS = {
    400: "a foreign Host",
    401: "no key of this service",
    403: "not for this key, or from a page of another site",
    404: "there is no such job",
    408: "it did not arrive in time",
    409: "not in this state",
    410: "it was removed",
    413: "too large",
    429: "too often, or too many unfinished jobs",
    503: "the database or the store is away",
    507: "the disk is full",
}
ALWAYS = (400, 401, 403, 429, 503, 507)
"""What every operation may answer."""
FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Refusal:
    """The body of an answer that refuses: one sentence."""

    detail: str


def said(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Answers of an operation besides those it is for, as its description says them."""
    wrong: dict[int | str, dict[str, Any]] = {
        422: {"description": "it cannot be meant as given", "model": Refusal}
    }
    return wrong | {status: {"description": MEANINGS[status]} for status in statuses}


REFUSED = said(*MEANINGS)
"""What an operation may answer that may refuse for any reason."""


def status_of(error: Exception) -> int:
    """The status that answers a refusal, a UsageError."""
    return next(number for kind, number in STATUS if isinstance(error, kind))


async def not_understood(_: Request, error: Exception) -> Response:
    """The handler of what does not fit the description of an operation, in a sentence, too."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:]) or "body"
    return JSONResponse({"detail": f"{where}: {first['msg']}."}, 422)


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
