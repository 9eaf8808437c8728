"""Telling that a job has ended: signed as Standard Webhooks say, and tried again for two days.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path

import sqlalchemy as sa

from vivant.errors import VivantError
from vivant.service.keys import own_secret
from vivant.service.outward import post, read_url
from vivant.service.queue import promises
from vivant.service.queue.client import Job, Queue
from vivant.service.queue.promises import DELAYS, Promise
from vivant.service.queue.tables import connect
from vivant.service.settings import ServiceSettings

LOOK_SECONDS = 1.0
AT_ONCE = 8
GONE = 410


def secret_for(folder: Path, owner: str) -> bytes:
    """What the web hooks of a key are signed with, 32 bytes: made of the service's own secret."""
    return hmac.new(own_secret(folder / "webhooks.key"), owner.encode(), hashlib.sha256).digest()


def shown(secret: bytes) -> str:
    """A secret as libraries of Standard Webhooks read it."""
    return f"whsec_{base64.b64encode(secret).decode()}"


def signed(secret: bytes, identity: str, at: int, body: bytes) -> dict[str, str]:
    """The headers of a message; ``at`` in seconds since 1970."""
    said = f"{identity}.{at}.".encode() + body
    signature = base64.b64encode(hmac.new(secret, said, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": identity,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{signature}",
        "content-type": "application/json",
    }


def body_of(job: Job) -> bytes:
    """What is sent: the same at each attempt."""
    at = datetime.fromtimestamp(job.updated / 1000, timezone.utc)
    said = {"type": f"job.{job.state}", "timestamp": at.isoformat(), "data": asdict(job)}
    return json.dumps(said, separators=(",", ":")).encode()


class Teller:
    """Delivers what was promised, from a thread of the web process; several may do so at once."""

    def __init__(
        self, settings: ServiceSettings, queue: Queue, delays: Sequence[float] = DELAYS
    ) -> None:
        self._settings, self._queue, self._delays = settings, queue, delays
        self._engine = connect(settings)
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End; what is under way is waited for."""
        self._over.set()
        self._thread.join()
        self._pool.shutdown()
        self._engine.dispose()

    def _run(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            try:
                found = promises.due(self._engine, AT_ONCE, self._delays)
                list(self._pool.map(self._tell, found))
            except sa.exc.SQLAlchemyError:  # the database is away: at the next look
                continue

    def _tell(self, one: Promise) -> None:
        if not promises.begin(self._engine, one, self._delays):
            return
        job = self._queue.get(one.job, one.owner)
        if job is None:
            promises.forget(self._engine, one.job)
            return
        status, why = self._send(one, job)
        if 200 <= status < 300:
            promises.settle(self._engine, one.job, "delivered")
        elif status == GONE or one.attempts + 1 > len(self._delays):
            promises.settle(self._engine, one.job, "given up")
            print(f"vivant: the web hook of {one.job} is given up: {why}", file=sys.stderr)

    def _send(self, one: Promise, job: Job) -> tuple[int, str]:
        secret = secret_for(self._settings.folder, one.owner)
        body = body_of(job)
        headers = signed(secret, f"job_{job.id}", int(time.time()), body)
        try:
            address = read_url(one.url, self._settings.webhook_hosts)
            status = post(address, body, headers, self._settings.webhook_hosts)
        except VivantError as error:
            return 0, str(error)
        return status, f"it was answered with {status}."
