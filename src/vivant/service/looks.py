"""Quick looks before a job: what a picture shows, what would be made of a request. They are done
in one child process, which a look that goes wrong takes down alone."""

from __future__ import annotations

import threading
from typing import Any

from vivant.child import Child, Limits
from vivant.errors import UsageError, VivantError
from vivant.service.settings import ServiceSettings
from vivant.wire import Answer

SIDE = "vivant.service.look_child"
LIMITS = Limits(seconds=60.0)
"""For one look."""
WAIT_SECONDS = 30.0
MOST_AT_ONCE = 4
"""Who waits holds one of the web process's threads."""
IDLE_SECONDS = 60.0
BUSY = "Others are looking at their pictures; try again."


class Busy(UsageError):
    """Too many look at once."""


class Looks:
    """The child that looks; it starts at the first look, and ends when nobody looks for a while."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings
        self._turn = threading.Lock()
        self._places = threading.BoundedSemaphore(MOST_AT_ONCE)
        self._child: Child | None = None
        self._idle: threading.Timer | None = None

    def close(self) -> None:
        """End the child; a look under way ends with it."""
        if self._idle is not None:
            self._idle.cancel()
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.close()

    def ask(self, function: str, **asked: Any) -> Answer:
        """The answer of a function of `vivant.service.look_child`.

        Raises Busy where others have the child for too long, UsageError for what it refuses, what
        cannot be decoded, and what takes too long.
        """
        if not self._places.acquire(blocking=False):
            raise Busy(BUSY)
        try:
            return self._in_turn(function, asked)
        finally:
            self._places.release()

    def _in_turn(self, function: str, asked: dict[str, Any]) -> Answer:
        if not self._turn.acquire(timeout=WAIT_SECONDS):
            raise Busy(BUSY)
        try:
            return self._asked(function, asked)
        except VivantError as error:
            if isinstance(error, UsageError):
                raise
            raise UsageError(str(error)) from error
        finally:
            self._idle = threading.Timer(IDLE_SECONDS, self._rest)
            self._idle.daemon = True
            self._idle.start()
            self._turn.release()

    def _asked(self, function: str, asked: dict[str, Any]) -> Answer:
        if self._idle is not None:
            self._idle.cancel()
        if self._child is None:
            self._child = Child(LIMITS, imports=(SIDE,), called="the process that looked")
        folder = str(self._settings.folder.absolute())
        (answer,) = self._child.ask(f"{SIDE}:{function}", folder=folder, **asked)
        return answer

    def _rest(self) -> None:
        if self._turn.acquire(blocking=False):
            try:
                self.close()
            finally:
                self._turn.release()
