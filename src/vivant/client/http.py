"""HTTP to a service: JSON, files and events, with patience where the service asks for it."""

from __future__ import annotations

import http.client
import json
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, TypeVar

from vivant.errors import UsageError, VivantError

TIMEOUT = 60.0
"""Seconds without a byte; a service that is listened to says something every 15."""
PATIENCE = 30.0
"""Seconds for which a call that was not answered is repeated."""
LONGEST_WAIT = 10.0
BUSY = frozenset({429, 502, 503, 504})
ERRORS = (OSError, http.client.HTTPException)  # URLError is an OSError
T = TypeVar("T")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A key goes to the service that it belongs to, and nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        return None


_LOCAL = ("localhost", "127.0.0.1", "::1")


class NoAnswer(VivantError):
    """The service was not reached, or does not answer now."""


@dataclass(frozen=True)
class Door:
    """A service at ``url``, called with ``key`` ("" = none) that is left out where it is shown.

    Calls are repeated for ``patience`` seconds while the service is not reached or says that it
    is busy, so they must be safe to repeat. They raise UsageError for what the service refuses,
    NoAnswer where it stays away.
    """

    url: str
    key: str = field(default="", repr=False)
    patience: float = PATIENCE

    def __post_init__(self) -> None:
        parts = urllib.parse.urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise UsageError(f"A service is named like https://clips.example.org, not {self.url}.")

    def json(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Any:
        """The JSON that a call is answered with, None for an empty answer."""
        data = None if body is None else json.dumps(body).encode()
        kind = {} if body is None else {"Content-Type": "application/json"}

        def call() -> Any:
            with self._open(method, path, data, {**kind, **(headers or {})}) as answer:
                content = answer.read()
            return json.loads(content) if content else None

        return self._patiently(call)

    def upload(self, path: str, file: Path) -> Any:
        """The JSON that the bytes of a ``file`` are answered with."""

        def call() -> Any:
            length = {"Content-Length": str(file.stat().st_size)}
            with file.open("rb") as content, self._open("POST", path, content, length) as answer:
                return json.loads(answer.read())

        return self._patiently(call)

    def download(self, path: str, file: Path) -> None:
        """Write what is at ``path`` of the service into ``file``."""

        def call() -> None:
            with self._open("GET", path) as answer, file.open("wb") as out:
                shutil.copyfileobj(answer, out)
                expected = answer.headers.get("Content-Length")
                if expected is not None and out.tell() != int(expected):
                    raise http.client.IncompleteRead(b"")

        self._patiently(call)

    @contextmanager
    def lines(self, path: str, headers: dict[str, str]) -> Iterator[Iterator[str]]:
        """The lines of an answer as they come, tried once. Raises NoAnswer where they break off."""
        with self._told(), self._open("GET", path, headers=headers) as answer:
            yield (line.decode("utf-8", "replace").rstrip("\r\n") for line in answer)

    def _open(
        self,
        method: str,
        path: str,
        data: bytes | IO[bytes] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Any:
        url = f"{self.url.rstrip('/')}{path}"
        asked = urllib.request.Request(url, data, headers or {}, method=method)
        if data is not None and not asked.has_header("Content-type"):
            asked.add_header("Content-Type", "application/octet-stream")
        if self.key:
            asked.add_unredirected_header("Authorization", f"Bearer {self.key}")
        local = urllib.parse.urlsplit(url).hostname in _LOCAL  # no proxy leads back here
        proxies = urllib.request.ProxyHandler({} if local else None)
        opener = urllib.request.build_opener(_NoRedirects, proxies)
        return opener.open(asked, timeout=TIMEOUT)

    def _patiently(self, call: Callable[[], T]) -> T:
        end, wait = time.monotonic() + self.patience, 0.2
        while True:
            try:
                with self._told():
                    return call()
            except NoAnswer as error:
                wait = min(2 * wait, LONGEST_WAIT)
                asked = getattr(error.__cause__, "headers", None) or {}
                pause = max(wait, _seconds(asked.get("Retry-After")))
                if time.monotonic() + pause > end:
                    raise
                time.sleep(pause)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What goes wrong in here is told in one sentence."""
        try:
            yield
        except urllib.error.HTTPError as error:
            with error:
                said = _detail(error)
            if error.code in BUSY:
                raise NoAnswer(f"The service at {self.url} is busy: {said}") from error
            if error.code < 500:
                raise UsageError(said) from error
            raise VivantError(f"The service at {self.url} failed: {said}") from error
        except json.JSONDecodeError as error:
            raise VivantError(f"{self.url} does not speak as a service of vivant.") from error
        except ERRORS as error:
            reason = getattr(error, "reason", None) or error
            raise NoAnswer(f"The service at {self.url} does not answer ({reason}).") from error


def _detail(error: urllib.error.HTTPError) -> str:
    """The sentence in an answer that refuses."""
    try:
        said = json.loads(error.read(1 << 16))["detail"]
        if isinstance(said, list):  # of a check that FastAPI made
            said = f"{'.'.join(map(str, said[0]['loc']))}: {said[0]['msg']}."
        return str(said)[:1000]
    except (ValueError, KeyError, TypeError, IndexError, *ERRORS):
        return f"it answered {error.code} {error.reason}."


def _seconds(text: str | None) -> float:
    try:
        return max(0.0, float(text or 0))
    except ValueError:  # a date
        return 0.0
