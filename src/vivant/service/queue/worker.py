"""The process that does the work."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

from dbos import DBOS

from vivant.request import Hooks
from vivant.service.queue.claim import claimed
from vivant.service.queue.store import EVENTS, MAKE, POLL_SECONDS, client_for, config_for, prepare
from vivant.service.settings import ServiceSettings
from vivant.service.work import carry_out

ATTEMPTS = 20
"""A job whose worker dies this often is given up: it would take every worker with it. Deaths that
have nothing to do with the job count too, so this is no small number."""
LAST_SECONDS = 30


def run_worker(settings: ServiceSettings, name: str, until: threading.Event) -> None:
    """Work on the queue until told to stop; the job under way is finished first, for
    ``LAST_SECONDS`` at most, and is otherwise taken up at the next start.

    ``name`` must be the same at the next start. Raises UsageError where a live worker has it.
    """
    with claimed(settings.folder, name):
        prepare(settings)
        _register(settings)
        DBOS(config=config_for(settings, name))
        DBOS.launch()
        until.wait()
        DBOS.destroy(workflow_completion_timeout_sec=LAST_SECONDS)


def _register(settings: ServiceSettings) -> None:
    client = client_for(settings)

    @DBOS.workflow(name=MAKE, max_recovery_attempts=ATTEMPTS)
    def make(job_id: str, body: dict[str, Any]) -> dict[str, Any]:
        return work(job_id, body)

    @DBOS.step(name="work")
    def work(job_id: str, body: dict[str, Any]) -> dict[str, Any]:
        watch = _Watch(client, job_id)
        return carry_out(settings, job_id, body, Hooks(watch.tell, watch.cancelled))


class _Watch:
    """Between a job and the database: says how far it is, hears that it is cancelled."""

    def __init__(self, client: Any, job_id: str) -> None:
        self._client, self._job = client, job_id
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
        """Whether the client wants it no longer; the database is asked five times a second."""
        now = time.monotonic()
        if not self._over and now > self._asked + POLL_SECONDS:
            self._asked = now
            found = self._client.list_workflows(workflow_ids=[self._job], load_input=False)
            self._over = not found or found[0].status == "CANCELLED"
        return self._over


def leave_with_parent() -> None:
    """End this process at once when its standard input closes."""

    def watch() -> None:
        while os.read(0, 1024):
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
