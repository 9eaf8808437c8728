"""Listening to jobs: one look at the database, five times a second, for all who listen here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from vivant.service.queue.client import ENDED, News, Queue

LOOK_SECONDS = 0.2
KEEP_ALIVE_SECONDS = 15.0
NO_WAIT = 0.001
AWAY_SECONDS = 1.0
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"description": "events", "content": {"text/event-stream": {}}}
}
"""How the answer is described."""


class Ear:
    """Hears of jobs in the place of everybody who waits for them, so that a hundred who listen
    cost the threads and the database no more than one."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._waiting: dict[str, list[asyncio.Future[News]]] = {}
        self._known: dict[str, News] = {}
        self._task: asyncio.Task[None] | None = None

    async def news(self, job_id: str, seen: News | None, seconds: float) -> News | None:
        """What is known of a job, as soon as that is not what was ``seen``; None where nothing
        new came for ``seconds``."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(job_id, []).append(future)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._listen())
        known = self._known.get(job_id)
        try:
            if known is not None and known != seen:
                return known
            return await asyncio.wait_for(future, seconds)
        except asyncio.TimeoutError:
            return None
        finally:
            self._waiting[job_id].remove(future)
            if not self._waiting[job_id]:
                del self._waiting[job_id]

    async def close(self) -> None:
        """Listen no longer."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _listen(self) -> None:
        while self._waiting:
            with suppress(Exception):  # the database is away: at the next look
                found = await asyncio.to_thread(self._queue.news, list(self._waiting))
                for job_id in list(self._waiting):
                    self._tell(job_id, found.get(job_id, News(0, "deleted")))
                self._known = {job_id: found[job_id] for job_id in found if job_id in self._waiting}
            await asyncio.sleep(LOOK_SECONDS)
        self._known = {}

    def _tell(self, job_id: str, now: News) -> None:
        if self._known.get(job_id) == now:
            return
        for future in self._waiting[job_id]:
            if not future.done():
                future.set_result(now)


async def told(ear: Ear, queue: Queue, job_id: str, owner: str, after: int) -> AsyncIterator[str]:
    """The events of a job from number ``after`` on, as SSE, then one ``ended``."""
    seen: News | None = None
    while True:
        news = await ear.news(job_id, seen, KEEP_ALIVE_SECONDS)
        if news is None:
            yield ": still there\n\n"
            continue
        try:
            events = await asyncio.to_thread(list, queue.events(job_id, after, NO_WAIT))
            job = await asyncio.to_thread(queue.get, job_id, owner)
        except SQLAlchemyError:
            yield ": the database is away\n\n"
            await asyncio.sleep(AWAY_SECONDS)
            continue
        seen = news
        for number, event in events:
            after = number + 1
            yield f"id: {number}\nevent: progress\ndata: {json.dumps(event)}\n\n"
        if job is None or job.state in ENDED:
            state = "deleted" if job is None else job.state
            yield f"event: ended\ndata: {json.dumps({'state': state})}\n\n"
            return
