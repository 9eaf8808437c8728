"""What can be done with jobs, whatever the shape in which a client asks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from vivant.errors import UsageError
from vivant.request import Request
from vivant.service.outward import read_url
from vivant.service.queue.client import ENDED, Job, Queue
from vivant.service.results import Kept, Results, results_of
from vivant.service.settings import ServiceSettings
from vivant.service.uploads import check_room, check_there

Format = Literal["mp4", "webp", "gif"]
SUFFIXES: dict[str, str] = {"mp4": ".mp4", "webp": ".webp", "gif": ".gif"}
TYPES: dict[str, str] = {"mp4": "video/mp4", "webp": "image/webp", "gif": "image/gif"}

_ID = re.compile(r"[0-9a-f]{32}")  # a database does not take every text


class NoSuchJob(UsageError):
    """A job that is not there, or is somebody else's."""


class NotEnded(UsageError):
    """A job that has to end first."""


class NoClipYet(UsageError):
    """A job without a clip: it has not ended, or failed."""


class NoClip(UsageError):
    """A clip that was there."""


@dataclass(frozen=True)
class Jobs:
    """The jobs of a service; ``owner`` is the name of a key, and sees its own only."""

    settings: ServiceSettings
    queue: Queue

    @cached_property
    def results(self) -> Results:
        """Where the clips are."""
        return results_of(self.settings)

    def submit(
        self,
        wanted: Request,
        owner: str,
        made: str = "mp4",
        consent: bool = False,
        key: str = "",
        said: dict[str, Any] | None = None,
        webhook: str = "",
    ) -> Job:
        """Put a clip in format ``made`` into the queue; ``said`` is kept for the client;
        ``webhook`` is told when the job has ended.

        Raises UsageError where the model or an input is not there; see `Queue.submit`.
        """
        self.check(wanted)
        body: dict[str, Any] = {"request": wanted.to_data(), "format": made, "consent": consent}
        if said is not None:
            body["said"] = said
        if webhook:
            read_url(webhook, self.settings.webhook_hosts)
            body["webhook"] = webhook
        return self.queue.submit(body, owner, key)

    def check(self, wanted: Request) -> None:
        """Raises UsageError where the model or an input is not there, NoRoom."""
        if wanted.model not in self.settings.models:
            raise UsageError(f"There is no model {wanted.model[:80]!r} at this service.")
        check_room(self.settings.folder, self.settings.floor)
        check_there(wanted.to_data(), self.settings.uploads)

    def found(self, job_id: str, owner: str) -> Job:
        """A job. Raises NoSuchJob."""
        job = self.queue.get(job_id, owner) if _ID.fullmatch(job_id) else None
        if job is None:
            raise NoSuchJob("There is no such job.")
        return job

    def cancel(self, job_id: str, owner: str) -> Job:
        """Stop a job, which stays as it is where it has ended. Raises NoSuchJob."""
        if self.found(job_id, owner).state not in ENDED:
            self.queue.cancel(job_id)
        return self.found(job_id, owner)

    def forget(self, job_id: str, owner: str) -> None:
        """Remove a job and its clip. Raises NoSuchJob, NotEnded, StoreAway."""
        if self.found(job_id, owner).state not in ENDED:
            raise NotEnded("The job has not ended; cancel it first.")
        made = self.queue.body(job_id, owner)["format"]
        self.results.remove(job_id, _name(made))
        self.queue.forget(job_id)

    def clip(self, job_id: str, owner: str) -> tuple[Kept, str]:
        """A clip, and its format. Raises NoSuchJob, NoClipYet, NoClip, StoreAway."""
        job = self.found(job_id, owner)
        if job.state != "succeeded":
            raise NoClipYet(job.error or f"There is no clip: the job is {job.state}.")
        made = self.queue.body(job_id, owner)["format"]
        return self.kept(job.id, made), made

    def kept(self, job_id: str, made: str) -> Kept:
        """The clip of a job that was found. Raises NoClip, StoreAway."""
        kept = self.results.find(job_id, _name(made))
        if kept is None:
            raise NoClip("The clip is gone.")
        return kept

    def progress(self, job: Job) -> int:
        """How much of a job is done, in percent."""
        if job.state in ENDED:
            return 100 if job.state == "succeeded" else 0
        event = self.queue.latest(job.id) if job.state == "running" else {}
        if event.get("stage") != "rendering":
            return LOOKING if event else 0
        return LOOKING + int((99 - LOOKING) * event["share"])


def _name(made: str) -> str:
    return f"clip{SUFFIXES[made]}"


LOOKING = 5
"""Percent of the work that is done before frames are rendered."""
