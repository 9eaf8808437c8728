"""The database of the queue: how it is reached, and its preparation."""

from __future__ import annotations

import sqlite3

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer

from vivant.errors import VivantError
from vivant.service.queue.tables import connect, create_tables
from vivant.service.settings import ServiceSettings

QUEUE, MAKE, EVENTS = "clips", "make", "events"
FORMAT = "1"
"""Of the jobs' data: fixed, so that a new version of the program goes on with old jobs. Raise it
only after the queue has run empty."""
POLL_SECONDS = 0.2


def config_for(settings: ServiceSettings, executor: str) -> DBOSConfig:
    """What a worker called ``executor`` is started with. The JSON serialiser matters: the
    default one unpickles what it finds in the database."""
    return DBOSConfig(
        name="vivant",
        system_database_url=settings.database,
        application_version=FORMAT,
        executor_id=executor,
        serializer=DBOSPortableJSONSerializer(),
        log_level="ERROR",
    )


def prepare(settings: ServiceSettings) -> None:
    """Create or migrate the database, and the queue in it; safe to repeat. Raises VivantError
    where it is away or full."""
    settings.folder.mkdir(parents=True, exist_ok=True)
    try:
        _prepare(settings)
    except sa.exc.OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise VivantError(f"The database of the queue cannot be used ({reason}).") from error


def _prepare(settings: ServiceSettings) -> None:
    DBOS.migrate(settings.database)
    if not settings.queue:
        path = settings.database.removeprefix("sqlite:///")
        with sqlite3.connect(path) as database:  # readers and a writer at once; it is kept
            database.execute("PRAGMA journal_mode=WAL")
        database.close()
    engine = connect(settings)
    create_tables(engine)
    engine.dispose()
    client = client_for(settings)
    client.register_queue(QUEUE, worker_concurrency=1, polling_interval_sec=POLL_SECONDS)
    client.destroy()


def client_for(settings: ServiceSettings, patient: bool = False) -> DBOSClient:
    """A connection from outside a worker. Where the database is away, one that is ``patient``
    waits until it comes back; otherwise SQLAlchemyError is raised."""
    return DBOSClient(
        lazy=True,
        retry_connection_errors=patient,
        system_database_url=settings.database,
        serializer=DBOSPortableJSONSerializer(),
        application_name="vivant",
    )
