"""Workers that die: who is dead, and who goes on with their jobs, on both databases."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from PIL import Image

from conftest import photo_like
from databases import HAS_POSTGRES, cluster, wait_for

pytest.importorskip("dbos", reason="needs the [serve] extra")

from vivant.files import Locked, sha256_of
from vivant.service.queue.claim import claimed_slot
from vivant.service.queue.client import ENDED, Queue
from vivant.service.queue.lease import LEFT, Lasting, Watch, beating
from vivant.service.queue.store import client_for, prepare
from vivant.service.queue.tables import connect
from vivant.service.queue.worker import ATTEMPTS
from vivant.service.settings import ServiceSettings
from vivant.service.work import clip_of

LEASE = 2.0


def test_who_stands_still_for_a_lease_is_dead_and_nobody_else() -> None:
    watch = Watch(10)
    assert watch.dead({"a": 0, "b": 0}, (), 100) == set()
    assert watch.dead({"a": 1, "b": 0}, (), 104) == set()
    assert watch.dead({"a": 2, "b": 0}, (), 108) == set()
    assert watch.dead({"a": 3, "b": 0}, (), 110) == {"b"}


def test_time_in_which_nobody_looked_does_not_count() -> None:
    watch = Watch(10)
    watch.dead({"a": 0}, (), 0)
    assert watch.dead({"a": 0}, (), 1000) == set()  # asleep, or the database was away
    assert watch.dead({"a": 0}, (), 1004) == set()
    assert watch.dead({"a": 0}, (), 1008) == set()
    assert watch.dead({"a": 0}, (), 1010) == {"a"}


def test_who_cannot_beat_thinks_nobody_dead() -> None:
    watch = Watch(10, "me")
    for now in (0, 4, 8, 12, 16):
        assert watch.dead({"me": 7, "a": 0, "b": LEFT}, (), now) == {"b"}
    watch.dead({"me": 8, "a": 0}, (), 17)
    assert watch.dead({"me": 9, "a": 0}, (), 20) == set()  # a had its lease since
    watch.dead({"me": 10, "a": 0}, (), 24)
    assert watch.dead({"me": 11, "a": 0}, (), 28) == {"a"}


def test_what_lasts_is_told_once_and_a_break_begins_anew() -> None:
    lasting = Lasting(10)
    assert [lasting.is_over(holds, now) for holds, now in [(True, 0), (True, 9), (False, 9.5)]] == [
        False, False, False
    ]  # fmt: skip
    found = [lasting.is_over(True, now) for now in (10, 15, 20, 21, 25, 32)]
    assert found == [False, False, True, False, False, True]


def test_who_left_is_dead_at_once_and_who_works_without_a_row_after_a_lease() -> None:
    watch = Watch(10)
    assert watch.dead({"a": LEFT, "b": 3}, {"c"}, 0) == {"a"}
    watch.dead({"b": 4}, {"c"}, 5)
    assert watch.dead({"b": 5}, {"c"}, 10) == {"c"}


def test_a_supervised_worker_takes_the_first_free_slot(tmp_path: Path) -> None:
    with claimed_slot(tmp_path, "host", 0) as first:
        with pytest.raises(Locked, match="--slot"), claimed_slot(tmp_path, "host", 0):
            pass
        with claimed_slot(tmp_path, "host", None) as other:
            assert first != other
    with claimed_slot(tmp_path, "host", None) as again:
        assert again == first


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "sqlite":
        yield ""
        return
    if not HAS_POSTGRES:
        pytest.skip("needs the programs of PostgreSQL")
    with cluster() as made:
        yield made.url


@pytest.fixture
def settings(database: str, tmp_path: Path) -> ServiceSettings:
    settings = ServiceSettings(tmp_path, queue=database, lease=LEASE)
    prepare(settings)
    return settings


@pytest.fixture
def queue(settings: ServiceSettings) -> Iterator[Queue]:
    queue = Queue(settings)
    yield queue
    queue.close()


def submit(settings: ServiceSettings, queue: Queue, seconds: float) -> str:
    settings.uploads.mkdir(exist_ok=True)
    path = settings.folder / "a.png"
    Image.fromarray(photo_like(96, 64)).save(path)
    image = {"sha256": sha256_of(path), "kind": "picture"}
    shutil.move(path, settings.uploads / image["sha256"])
    request = {"keyframes": [{"image": image}], "seconds": seconds, "size": "96x64"}
    return queue.submit({"request": request, "format": "mp4", "consent": False}, "ann").id


def state(queue: Queue, job_id: str) -> str:
    job = queue.get(job_id, "ann")
    assert job is not None
    return job.state


@contextmanager
def working(settings: ServiceSettings, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    command = ["worker", "--folder", str(settings.folder), "--queue", settings.queue]
    environment = {**os.environ, "VIVANT_HOME": str(settings.folder / "home")}
    with subprocess.Popen(
        [sys.executable, "-m", "vivant", *command, "--lease", str(LEASE), *words],
        env=environment, stdin=subprocess.PIPE,
    ) as worker:  # fmt: skip
        try:
            yield worker
        finally:
            worker.kill()


def executor(settings: ServiceSettings, job_id: str) -> str | None:
    client = client_for(settings)
    try:
        found: str | None = client.list_workflows(workflow_ids=[job_id])[0].executor_id
        return found
    finally:
        client.destroy()


def beats(settings: ServiceSettings) -> dict[str, int]:
    engine = connect(settings)
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("select executor, beat from vivant_workers").all()
    engine.dispose()
    return {str(name): int(beat) for name, beat in rows}


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP])
def test_the_job_of_a_dead_worker_is_taken_over(
    settings: ServiceSettings, queue: Queue, blow: signal.Signals
) -> None:
    with ExitStack() as stack:
        workers = [stack.enter_context(working(settings, "--slot", str(n))) for n in (0, 1)]
        wait_for(lambda: all(any(f"-{w.pid}-" in b for b in beats(settings)) for w in workers))
        job = submit(settings, queue, 150)
        wait_for(lambda: state(queue, job) == "running")
        before = executor(settings, job)
        assert before is not None
        first = next(worker for worker in workers if f"-{worker.pid}-" in before)
        first.send_signal(blow)
        start = time.monotonic()
        wait_for(lambda: state(queue, job) == "running" and executor(settings, job) != before)
        assert time.monotonic() - start < LEASE + 5
        if blow == signal.SIGSTOP:
            first.send_signal(signal.SIGCONT)
            assert first.wait(LEASE + 5) == 1  # it learns that it was thought dead
        wait_for(lambda: state(queue, job) in ENDED, 60)
        assert state(queue, job) == "succeeded", queue.get(job, "ann")
        assert [path.name for path in clip_of(settings, job, "mp4").parent.iterdir()] == [
            "clip.mp4"
        ]


def test_a_job_that_killed_too_many_workers_fails(settings: ServiceSettings, queue: Queue) -> None:
    with working(settings, "--slot", "0"):
        job = submit(settings, queue, 600)
        wait_for(lambda: state(queue, job) == "running")
    table = "dbos.workflow_status" if settings.queue else "workflow_status"
    engine = connect(settings)
    with engine.begin() as connection:  # as after twenty more deaths
        more = f"update {table} set recovery_attempts = recovery_attempts + {ATTEMPTS}"
        assert connection.exec_driver_sql(more).rowcount >= 1
    engine.dispose()
    with working(settings, "--slot", "0") as worker:
        wait_for(lambda: state(queue, job) in ENDED)
        found = queue.get(job, "ann")
        assert found is not None
        assert (found.state, worker.poll()) == ("failed", None)
        assert "operator" in found.error
        quick = submit(settings, queue, 0.25)
        wait_for(lambda: state(queue, quick) in ENDED)
        assert state(queue, quick) == "succeeded"


def test_a_worker_that_starts_again_in_its_place_does_not_wait_for_the_lease(
    settings: ServiceSettings,
) -> None:
    engine = connect(settings)
    with beating(engine, "old", "here", 100), beating(engine, "new", "here", 100):
        found = beats(settings)
    engine.dispose()
    assert (found["old"], found["new"]) == (LEFT, 0)


def test_a_served_worker_beside_one_of_the_same_slot_works(
    settings: ServiceSettings, queue: Queue
) -> None:
    with working(settings, "--slot", "0"):
        long = submit(settings, queue, 600)
        wait_for(lambda: state(queue, long) == "running")
        with working(settings, "--supervised") as other:
            quick = submit(settings, queue, 0.25)
            wait_for(lambda: state(queue, quick) in ENDED)
            assert state(queue, quick) == "succeeded"
            assert other.poll() is None
        queue.cancel(long)
