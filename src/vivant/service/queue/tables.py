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
