"""Our own tables in the queue's database, beside those of DBOS."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.schema import CreateTable

from vivant.service.settings import ServiceSettings

_ALL = sa.MetaData()

WORKERS = sa.Table(
    "vivant_workers",
    _ALL,
    sa.Column("executor", sa.Text, primary_key=True),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("beat", sa.BigInteger, nullable=False),
)
"""Live workers: ``executor`` names one process and is never used again; ``place`` the lock it
holds; ``beat`` grows while it lives (`vivant.service.queue.lease`)."""

WEBHOOKS = sa.Table(
    "vivant_webhooks",
    _ALL,
    sa.Column("job", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("due", sa.Double, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
)
"""Web hooks: ``due`` is the time of the next attempt (`vivant.service.queue.promises`)."""


def jobs_of(engine: sa.Engine) -> sa.TableClause:
    """The table of DBOS that holds the jobs, to be read only."""
    words = [sa.column(name, sa.Text) for name in ("workflow_uuid", "status")]
    times = ("created_at", "started_at_epoch_ms", "completed_at")  # milliseconds since 1970
    numbers = [sa.column(name, sa.BigInteger) for name in times]
    return sa.table("workflow_status", *words, *numbers, schema=schema_of(engine))


def schema_of(engine: sa.Engine) -> str | None:
    """Where the tables of DBOS are."""
    return "dbos" if engine.dialect.name == "postgresql" else None


def connect(settings: ServiceSettings) -> sa.Engine:
    """Connections to the database of the queue; nothing is opened yet."""
    url = sa.make_url(settings.database)
    if url.drivername == "postgresql":
        patience = {"connect_timeout": 10}
        return sa.create_engine(
            url.set(drivername="postgresql+psycopg"), pool_pre_ping=True, connect_args=patience
        )
    engine = sa.create_engine(url)

    @sa.event.listens_for(engine, "connect")
    def writers_wait(connection: sa.engine.interfaces.DBAPIConnection, _: object) -> None:
        connection.isolation_level = "IMMEDIATE"
        connection.cursor().execute("PRAGMA busy_timeout=30000")

    return engine


def create_tables(engine: sa.Engine) -> None:
    """Create the tables that are missing; safe to repeat, and for several processes at once."""
    for table in _ALL.sorted_tables:
        if not sa.inspect(engine).has_table(table.name):
            try:
                with engine.begin() as connection:
                    connection.execute(CreateTable(table, if_not_exists=True))
            except sa.exc.DBAPIError:  # PostgreSQL: another process creates it at this moment
                if not sa.inspect(engine).has_table(table.name):
                    raise
