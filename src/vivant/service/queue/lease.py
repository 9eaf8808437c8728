"""Which workers live: each beats in the database, and the others take over from one that stopped.

A beat is a number that grows, not a time: whoever watches counts the seconds in which it stood
still by a monotonic clock of its own. So neither a clock that is set nor machines that disagree
about the time make the living dead or the dead live.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import sqlalchemy as sa

from vivant.service.queue.tables import WORKERS

LEFT = -1
"""The beat of a worker that has left, or is known to be dead."""
_ABSENT = -2
LIVELINESS = 5
"""Beats in a lease, so that a few may come late."""


@dataclass
class Watch:
    """Tells the dead by looking again and again. ``lease``: seconds without a beat; ``me`` looks:
    while its own beats do not get through (the disk is full), only who left is dead to it."""

    lease: float
    me: str = ""
    _seen: dict[str, tuple[int, float]] = field(default_factory=dict)
    _looked: float = float("-inf")

    def dead(self, beats: Mapping[str, int], working: Collection[str], now: float) -> set[str]:
        """The workers that are dead at ``now`` (monotonic seconds), of those with a row in
        ``beats`` and those that have a job (``working``), with a row or not."""
        found = {**dict.fromkeys(working, _ABSENT), **beats}
        unseen = now - self._looked > self.lease / 2  # we slept, or the database was away
        self._looked = now
        known = {} if unseen else self._seen
        self._seen = {
            name: known[name] if name in known and known[name][0] == beat else (beat, now)
            for name, beat in found.items()
        }
        own = self._seen.get(self.me)
        mute = own is not None and now - own[1] > 0.8 * self.lease
        if mute:
            self._looked = float("-inf")
        return {
            name
            for name, (beat, since) in self._seen.items()
            if name != self.me and (beat == LEFT or (now - since >= self.lease and not mute))
        }


@dataclass
class Lasting:
    """Tells what holds for ``seconds`` without a break."""

    seconds: float
    _since: float | None = None

    def is_over(self, holds: bool, now: float) -> bool:
        """Whether it has held for that long at ``now``; the count begins anew then."""
        if not holds or self._since is None:
            self._since = now if holds else None
            return False
        if now - self._since < self.seconds:
            return False
        self._since = None
        return True


@contextmanager
def beating(engine: sa.Engine, executor: str, place: str, lease: float) -> Iterator[None]:
    """Be alive as ``executor`` while the body runs.

    ``place`` is the lock that this process holds, "" for none: others that said they hold it are
    dead. The process ends at once where another one has declared it dead: it was stopped for
    longer than ``lease`` seconds, and its job has a new worker.
    """
    with engine.begin() as connection:
        if place:
            ours = WORKERS.c.place == place
            connection.execute(sa.update(WORKERS).where(ours).values(beat=LEFT))
        row = {"executor": executor, "place": place, "beat": 0}
        connection.execute(sa.insert(WORKERS).values(row))
    over = threading.Event()
    thread = threading.Thread(target=_beat, args=(engine, executor, lease, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        with engine.begin() as connection:
            me = WORKERS.c.executor == executor
            connection.execute(sa.update(WORKERS).where(me).values(beat=LEFT))


def _beat(engine: sa.Engine, executor: str, lease: float, over: threading.Event) -> None:
    more = (
        sa.update(WORKERS)
        .where(WORKERS.c.executor == executor, WORKERS.c.beat != LEFT)
        .values(beat=WORKERS.c.beat + 1)
    )
    while not over.wait(lease / LIVELINESS):
        try:
            with engine.begin() as connection:
                alive = connection.execute(more).rowcount == 1
        except sa.exc.SQLAlchemyError:  # the database is away: nobody can take over either
            continue
        if not alive:
            print("vivant: this worker was thought dead and ends.", file=sys.stderr, flush=True)
            os._exit(1)


@contextmanager
def watching(
    engine: sa.Engine,
    executor: str,
    lease: float,
    working: Callable[[], Collection[str]],
    adopt: Callable[[str], None],
    busy: Callable[[], bool],
) -> Iterator[None]:
    """Look after the other workers while the body runs: the jobs of a dead one are put back.

    ``working`` gives the executors that have a job; ``adopt`` puts the jobs of one back and must
    be safe to repeat, since several workers may do it at once. A job that is ours by the database
    while this process is not ``busy`` for a lease is put back, too: its end could not be written.
    """
    over = threading.Event()
    watch, left = Watch(lease, executor), Lasting(lease)

    def look() -> None:
        well = True
        while not over.wait(min(lease / (2 * LIVELINESS), 1.0)):
            try:
                now, at_work = time.monotonic(), working()
                for name in watch.dead(_beats(engine), at_work, now):
                    _bury(engine, name)
                    adopt(name)
                if left.is_over(executor in at_work and not busy(), now):
                    adopt(executor)
                well = True
            except Exception as error:  # the database is away, or refuses: at the next look
                if well:  # once, until it is back
                    kind = type(error).__name__
                    print(f"vivant: {kind} while looking after workers", file=sys.stderr)
                well = False

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _beats(engine: sa.Engine) -> dict[str, int]:
    with engine.connect() as connection:
        rows = connection.execute(sa.select(WORKERS.c.executor, WORKERS.c.beat)).all()
    return {str(executor): int(beat) for executor, beat in rows}


def _bury(engine: sa.Engine, executor: str) -> None:
    """Remove a row first: should its worker wake up, it ends before it does harm."""
    with engine.begin() as connection:
        connection.execute(sa.delete(WORKERS).where(WORKERS.c.executor == executor))
