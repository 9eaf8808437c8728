"""The process that does the work."""

from __future__ import annotations

import os
import secrets
import threading
import time
from contextlib import ExitStack
from functools import partial
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, DBOSClient

from vivant.request import Hooks
from vivant.service.queue.claim import claimed_slot
from vivant.service.queue.lease import beating, watching
from vivant.service.queue.store import EVENTS, MAKE, POLL_SECONDS, client_for, config_for, prepare
from vivant.service.queue.tables import connect
from vivant.service.settings import ServiceSettings
from vivant.service.work import carry_out

ATTEMPTS = 20
"""A job whose worker dies this often is given up: it would take every worker with it. Deaths that
have nothing to do with the job count too, so this is no small number."""
LAST_SECONDS = 30


def run_worker(
    settings: ServiceSettings, host: str, slot: int | None, until: threading.Event
) -> None:
    """Work on the queue until told to stop; the job under way is finished first, for
    ``LAST_SECONDS`` at most, and is otherwise put back for the others.

    Raises UsageError where a live worker of this ``host`` has the ``slot``; None takes a free
    one.
    """
    with claimed_slot(settings.folder, host, slot) as place, ExitStack() as stack:
        prepare(settings)
        engine = connect(settings)
        stack.callback(engine.dispose)
        client = client_for(settings)
        stack.callback(client.destroy)
        executor = f"{host}-{os.getpid()}-{secrets.token_hex(4)}"
        stack.enter_context(beating(engine, executor, place, settings.lease))
        under_way: set[str] = set()
        _register(settings, client, executor, under_way)
        DBOS(config=config_for(settings, executor))
        DBOS.launch()
        working, busy = partial(_working, client), partial(bool, under_way)
        with watching(engine, executor, settings.lease, working, _put_back, busy):
            until.wait()
        DBOS.destroy(workflow_completion_timeout_sec=LAST_SECONDS)


def _working(client: DBOSClient) -> set[str]:
    """The executors that have a job."""
    found = client.list_workflows(status="PENDING", load_input=False, load_output=False)
    return {status.executor_id for status in found if status.executor_id}


def _put_back(executor: str) -> None:
    """Queue the jobs of a dead executor again; those that another one has by now stay there."""
    DBOS._recover_pending_workflows([executor])


def _register(
    settings: ServiceSettings, client: DBOSClient, executor: str, under_way: set[str]
) -> None:
    @DBOS.workflow(name=MAKE, max_recovery_attempts=ATTEMPTS)
    def make(job_id: str, body: dict[str, Any]) -> dict[str, Any]:
        return work(job_id, body)

    @DBOS.step(name="work")
    def work(job_id: str, body: dict[str, Any]) -> dict[str, Any]:
        watch = _Watch(client, job_id, executor)
        under_way.add(job_id)
        try:
            return carry_out(settings, job_id, body, Hooks(watch.tell, watch.cancelled))
        finally:
            under_way.discard(job_id)


class _Watch:
    """Between a job and the database: says how far it is, hears that it is cancelled, or has
    another worker."""

    def __init__(self, client: DBOSClient, job_id: str, executor: str) -> None:
        self._client, self._job, self._executor = client, job_id, executor
        self._told = self._asked = 0.0
        self._stage = ""
        self._over = False

    def tell(self, stage: str, share: float) -> None:
        """Write an event, five a second at most besides the first of each stage."""
        now = time.monotonic()
        if stage == self._stage and now < self._told + POLL_SECONDS:
            return
        self._told, self._stage = now, stage
        DBOS.write_stream(EVENTS, {"stage": stage, "share": round(share, 4)})

    def cancelled(self) -> bool:
        """Whether it is no longer to be done here; the database is asked five times a second."""
        now = time.monotonic()
        if not self._over and now > self._asked + POLL_SECONDS:
            self._asked = now
            try:
                found = self._client.list_workflows(workflow_ids=[self._job], load_input=False)
            except sa.exc.SQLAlchemyError:  # it is away: the next write waits until it is back
                return False
            self._over = [(at.status, at.executor_id) for at in found] != [
                ("PENDING", self._executor)
            ]
        return self._over


def leave_with_parent() -> None:
    """End this process at once when its standard input closes."""

    def watch() -> None:
        while os.read(0, 1024):
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
