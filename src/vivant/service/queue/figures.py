"""What an operator watches: jobs by state, how long they wait and run. Read from the database, so
that all web processes say the same."""

from __future__ import annotations

import time
from dataclasses import dataclass

import sqlalchemy as sa

from vivant.service.queue.promises import by_state
from vivant.service.queue.tables import jobs_of, schema_of

HOUR_MS = 3_600_000
MOST = 10_000
"""Jobs of the last hour that are looked at."""
_STATES = {
    "ENQUEUED": "queued",
    "DELAYED": "queued",
    "PENDING": "running",
    "CANCELLED": "cancelled",
    "SUCCESS": "succeeded",
}


@dataclass(frozen=True)
class Figures:
    """``jobs`` by state; seconds that the ``oldest`` one has waited; seconds that the jobs which
    ended in the last hour ``waited`` (before their last start) and ``worked``; ``webhooks`` by
    state."""

    jobs: dict[str, int]
    oldest: float
    waited: tuple[float, ...]
    worked: tuple[float, ...]
    webhooks: dict[str, int]


def read_figures(engine: sa.Engine) -> Figures:
    """Look into the tables of DBOS. Raises SQLAlchemyError where the database is away."""
    job = jobs_of(engine)
    kept = (sa.column("workflow_uuid", sa.Text), sa.column("output", sa.Text))
    output = sa.table("workflow_output", *kept, schema=schema_of(engine))
    both = job.outerjoin(output, job.c.workflow_uuid == output.c.workflow_uuid)
    refused = sa.func.coalesce(output.c.output.like('{"error"%'), sa.false())  # with a sentence
    count = (
        sa.select(job.c.status, refused, sa.func.count())
        .select_from(both)
        .group_by(job.c.status, refused)
    )
    waiting = sa.select(sa.func.min(job.c.created_at)).where(job.c.status == "ENQUEUED")
    now = time.time() * 1000
    ended = (
        sa.select(job.c.created_at, job.c.started_at_epoch_ms, job.c.completed_at)
        .where(job.c.status == "SUCCESS", job.c.completed_at > now - HOUR_MS)
        .limit(MOST)
    )
    with engine.connect() as connection:
        counted = connection.execute(count).all()
        oldest = connection.execute(waiting).scalar()
        times = [row for row in connection.execute(ended).all() if None not in row]
    jobs = dict.fromkeys(("queued", "running", "succeeded", "failed", "cancelled"), 0)
    for status, with_error, number in counted:
        jobs["failed" if with_error else _STATES.get(status, "failed")] += number
    return Figures(
        jobs,
        0.0 if oldest is None else max(0.0, now - oldest) / 1000,
        tuple(max(0, start - made) / 1000 for made, start, _ in times),
        tuple(max(0, end - start) / 1000 for _, start, end in times),
        by_state(engine),
    )
