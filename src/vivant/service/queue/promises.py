"""Web hooks that were promised: rows beside the jobs, so that none is lost in a restart."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from vivant.service.queue.tables import WEBHOOKS, jobs_of

DELAYS = (15.0, 60.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 86_400.0)
"""Seconds to the next attempt, after each that failed; then it is given up."""
ENDED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")


@dataclass(frozen=True)
class Promise:
    """A web hook of a job that has ended; ``attempts`` were made."""

    job: str
    owner: str
    url: str
    attempts: int


def promise(engine: sa.Engine, job: str, owner: str, url: str) -> None:
    """Write one down, before its job is; safe to repeat."""
    insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
    row = {"job": job, "owner": owner, "url": url, "attempts": 0, "due": 0.0, "state": "waiting"}
    with engine.begin() as connection:
        connection.execute(insert(WEBHOOKS).values(row).on_conflict_do_nothing())


def due(engine: sa.Engine, most: int, delays: Sequence[float] = DELAYS) -> list[Promise]:
    """What is to be sent now. A clock that was set back delays nothing by more than its turn."""
    jobs, now = jobs_of(engine), time.time()
    columns = (WEBHOOKS.c.job, WEBHOOKS.c.owner, WEBHOOKS.c.url, WEBHOOKS.c.attempts)
    far = sa.case(
        *((WEBHOOKS.c.attempts == n + 1, now + delay) for n, delay in enumerate(delays)), else_=now
    )
    chosen = (
        sa.select(*columns)
        .join(jobs, jobs.c.workflow_uuid == WEBHOOKS.c.job)
        .where(WEBHOOKS.c.state == "waiting", jobs.c.status.in_(ENDED))
        .where(sa.or_(WEBHOOKS.c.due <= now, WEBHOOKS.c.due > far))
        .order_by(WEBHOOKS.c.due)
        .limit(most)
    )
    with engine.connect() as connection:
        return [Promise(*row) for row in connection.execute(chosen).all()]


def begin(engine: sa.Engine, one: Promise, delays: Sequence[float] = DELAYS) -> bool:
    """Take an attempt; False where another process was first. Should this process die, the next
    attempt is made when it is due."""
    later = time.time() + delays[min(one.attempts, len(delays) - 1)]
    taken = (
        sa.update(WEBHOOKS)
        .where(WEBHOOKS.c.job == one.job, WEBHOOKS.c.attempts == one.attempts)
        .values(attempts=one.attempts + 1, due=later)
    )
    with engine.begin() as connection:
        return connection.execute(taken).rowcount == 1


def settle(engine: sa.Engine, job: str, state: str) -> None:
    """Say that it is "delivered" or "given up"."""
    with engine.begin() as connection:
        connection.execute(sa.update(WEBHOOKS).where(WEBHOOKS.c.job == job).values(state=state))


def by_state(engine: sa.Engine) -> dict[str, int]:
    """How many there are by state."""
    query = sa.select(WEBHOOKS.c.state, sa.func.count()).group_by(WEBHOOKS.c.state)
    with engine.connect() as connection:
        found = {str(state): int(number) for state, number in connection.execute(query).all()}
    return {state: found.get(state, 0) for state in ("waiting", "delivered", "given up")}


def forget(engine: sa.Engine, job: str) -> None:
    """Remove the row of a job."""
    with engine.begin() as connection:
        connection.execute(sa.delete(WEBHOOKS).where(WEBHOOKS.c.job == job))
