"""Who may call, and how often: API keys, their scopes, and no page of another site."""

import math
from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from vivant.service.keys import LOCAL, ApiKey, Scope, who
from vivant.service.limits import Limiter

SCHEMES = ("key", "token")
"""What clients of fal, and older ones of Replicate, write before a key."""


def access_to(scope: Scope, keys: tuple[ApiKey, ...]) -> Callable[..., ApiKey]:
    """A dependency that gives the caller's key, or refuses with 401, 403 or 429.

    The application's ``state.limiter`` counts the requests of a key.
    """

    def allowed(
        request: Request,
        given: Annotated[
            HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))
        ],
    ) -> ApiKey:
        _check_origin(request)
        if not keys:
            return LOCAL
        key = who(given.credentials if given else _otherwise(request), keys)
        if key is None:
            raise HTTPException(401, "Send a key of this service: Authorization: Bearer KEY.")
        if scope not in key.scopes:
            raise HTTPException(403, f"The key {key.name} may not {scope}.")
        _check_rate(request.app.state.limiter, key)
        return key

    return allowed


def _check_rate(limiter: Limiter, key: ApiKey) -> None:
    if wait := limiter.take(key.name):
        seconds = math.ceil(wait)
        raise HTTPException(
            429,
            f"The key {key.name} asks too often; ask again in {seconds} s.",
            headers={"Retry-After": str(seconds)},
        )


def _otherwise(request: Request) -> str:
    """The key in the words of clients that do not say Bearer."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    return secret.strip() if scheme.lower() in SCHEMES else ""


def _check_origin(request: Request) -> None:
    """Pages of other sites, and those that hide where they are from, cannot use a browser here."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise HTTPException(403, "Pages of other sites may not call this service.")
