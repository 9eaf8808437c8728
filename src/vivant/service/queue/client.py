"""The queue as the web process sees it: submit, look, listen, cancel, forget."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa
from dbos import EnqueueOptions, WorkflowStatus
from dbos import error as dbos_error

from vivant.errors import UsageError
from vivant.service.queue import promises
from vivant.service.queue.figures import Figures, read_figures
from vivant.service.queue.store import EVENTS, FORMAT, MAKE, QUEUE, client_for
from vivant.service.queue.tables import connect, jobs_of, schema_of
from vivant.service.settings import ServiceSettings

State = Literal["queued", "running", "succeeded", "failed", "cancelled"]
_STATES: dict[str, State] = {
    "ENQUEUED": "queued",
    "DELAYED": "queued",
    "PENDING": "running",
    "SUCCESS": "succeeded",
    "CANCELLED": "cancelled",
}
ENDED: frozenset[State] = frozenset({"succeeded", "failed", "cancelled"})
UNFINISHED = [name for name, state in _STATES.items() if state not in ENDED]
LISTEN_SECONDS = 0.1
NO_WAIT = 0.001
MOST_HEARD = 1000
"""Jobs whose last event is remembered."""


class OtherBody(UsageError):
    """An idempotency key that came before with another job."""


class QueueFull(UsageError):
    """More unfinished jobs than one key may have."""


@dataclass(frozen=True)
class Job:
    """A job as clients see it: times in milliseconds since 1970; ``result`` when it succeeded,
    ``error`` in one sentence when it failed."""

    id: str
    state: State
    created: int
    updated: int
    result: dict[str, Any] | None = None
    error: str = ""


class News(NamedTuple):
    """How many events a job has, and the word of the database for its state."""

    events: int
    status: str


class Queue:
    """A connection to the queue; safe to share between threads. Its methods raise
    SQLAlchemyError where the database is away, unless it is ``patient`` and waits."""

    def __init__(self, settings: ServiceSettings, patient: bool = False) -> None:
        self._client = client_for(settings, patient)
        self._engine = connect(settings)
        self._most = settings.max_waiting
        self._submitting = threading.Lock()
        self._hearing = threading.Lock()
        self._heard: dict[str, tuple[int, dict[str, Any]]] = {}

    def close(self) -> None:
        """End the connection."""
        self._client.destroy()
        self._engine.dispose()

    def check(self) -> None:
        """Raises where the database does not answer."""
        self._client.check_connection()

    def submit(self, body: dict[str, Any], owner: str, key: str = "") -> Job:
        """Put a job into the queue; it is durable when this returns, and so is its ``webhook``.

        The same ``key`` of the same owner gives the same job. Raises OtherBody where the body
        differs from the first, QueueFull beyond the owner's quota.
        """
        job_id = _id_for(owner, key)
        with self._submitting:  # or two at once would both find the last free place
            first = self._status(job_id, owner) if key else None
            if first is None:
                self._check_quota(owner)
                if "webhook" in body:
                    promises.promise(self._engine, job_id, owner, body["webhook"])
                self._enqueue(job_id, body, owner)
                first = self._status(job_id, owner)
        assert first is not None
        assert first.input is not None
        if first.input["args"][1] != body:
            raise OtherBody("This Idempotency-Key came before with another job; take a new one.")
        return _job(first)

    def _enqueue(self, job_id: str, body: dict[str, Any], owner: str) -> None:
        options = EnqueueOptions(
            workflow_name=MAKE,
            queue_name=QUEUE,
            workflow_id=job_id,
            app_version=FORMAT,
            authenticated_user=owner,
        )
        self._client.enqueue(options, job_id, body)

    def get(self, job_id: str, owner: str) -> Job | None:
        """A job of this owner, None where there is none."""
        status = self._status(job_id, owner)
        return None if status is None else _job(status)

    def several(self, job_ids: list[str], owner: str) -> list[Job]:
        """Those of the jobs that this owner has."""
        found = self._client.list_workflows(workflow_ids=job_ids, user=owner, load_input=False)
        return [_job(status) for status in found] if job_ids else []

    def body(self, job_id: str, owner: str) -> dict[str, Any]:
        """What was submitted. The job must be there."""
        status = self._status(job_id, owner)
        assert status is not None
        assert status.input is not None
        body: dict[str, Any] = status.input["args"][1]
        return body

    def cancel(self, job_id: str) -> None:
        """Stop a job; one that has ended stays as it is."""
        self._client.cancel_workflow(job_id)

    def forget(self, job_id: str) -> None:
        """Remove a job that has ended."""
        self._client.delete_workflow(job_id)
        promises.forget(self._engine, job_id)

    def events(self, job_id: str, after: int, wait: float) -> Iterator[tuple[int, dict[str, Any]]]:
        """The events of a job from number ``after`` on; ends when the job does, or when nothing
        came for ``wait`` seconds."""
        stream = self._client.read_stream(
            job_id,
            EVENTS,
            offset=after,
            polling_interval_sec=LISTEN_SECONDS,
            timeout_seconds=wait,
        )
        try:
            yield from enumerate(stream, after)
        except dbos_error.DBOSStreamTimeoutError:
            return

    def latest(self, job_id: str) -> dict[str, Any]:
        """The last event of a job, empty where there is none yet."""
        with self._hearing:
            after, event = self._heard.pop(job_id, (0, {}))
        for number, found in self.events(job_id, after, NO_WAIT):
            after, event = number + 1, found
        with self._hearing:
            self._heard[job_id] = after, event  # so that nothing is read twice
            if len(self._heard) > MOST_HEARD:
                self._heard.pop(next(iter(self._heard)))
        return event

    def of(self, owner: str, limit: int, newest_first: bool = True, skip: int = 0) -> list[Job]:
        """The jobs of an owner by the time at which they came, ``limit`` at most."""
        found = self._client.list_workflows(
            user=owner, limit=limit, offset=skip, sort_desc=newest_first, load_input=False
        )
        return [_job(status) for status in found]

    def ahead_of(self, job: Job) -> int:
        """How many jobs of anybody wait before this one."""
        found = self._client.list_workflows(status="ENQUEUED", load_input=False, load_output=False)
        return sum((status.created_at or 0) < job.created for status in found)

    def counts(self) -> dict[str, int]:
        """How many jobs wait and run."""
        found = self._client.list_workflows(status=UNFINISHED, load_input=False, load_output=False)
        states = [_STATES[status.status] for status in found]
        return {"queued": states.count("queued"), "running": states.count("running")}

    def news(self, job_ids: list[str]) -> dict[str, News]:
        """How far each of the jobs is that are there, in one look."""
        jobs, schema = jobs_of(self._engine), schema_of(self._engine)
        names = ("workflow_uuid", "key", "offset")
        events = sa.table("streams", *(sa.column(name) for name in names), schema=schema)
        mine = sa.and_(events.c.workflow_uuid == jobs.c.workflow_uuid, events.c.key == EVENTS)
        look = (
            sa.select(jobs.c.workflow_uuid, sa.func.count(events.c.offset), jobs.c.status)
            .select_from(jobs.outerjoin(events, mine))
            .where(jobs.c.workflow_uuid.in_(job_ids))
            .group_by(jobs.c.workflow_uuid, jobs.c.status)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(look).all()
        return {job_id: News(number, status) for job_id, number, status in rows}

    def figures(self) -> Figures:
        """What an operator watches."""
        return read_figures(self._engine)

    def unfinished(self) -> list[dict[str, Any]]:
        """What was submitted of the jobs that wait or run."""
        found = self._client.list_workflows(status=UNFINISHED, load_output=False)
        return [status.input["args"][1] for status in found if status.input is not None]

    def _check_quota(self, owner: str) -> None:
        waiting = self._client.list_workflows(
            user=owner, status=UNFINISHED, limit=self._most, load_input=False
        )
        if len(waiting) >= self._most:
            raise QueueFull(f"There are {self._most} unfinished jobs already; wait for some.")

    def _status(self, job_id: str, owner: str) -> WorkflowStatus | None:
        found = self._client.list_workflows(workflow_ids=[job_id], user=owner)
        return found[0] if found else None


def _id_for(owner: str, key: str) -> str:
    if not key:
        return uuid.uuid4().hex
    return hashlib.sha256(f"{owner}\n{key}".encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _job(status: WorkflowStatus) -> Job:
    state = _STATES.get(status.status, "failed")
    output = status.output if state == "succeeded" else None
    error = ""
    if output is not None and "error" in output:
        state, error, output = "failed", output["error"], None
    elif state == "failed":
        error = "The work failed unexpectedly; the operator finds the cause in the worker's log."
    return Job(
        status.workflow_id, state, status.created_at or 0, status.updated_at or 0, output, error
    )
