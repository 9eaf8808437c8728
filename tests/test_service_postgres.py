"""The queue on PostgreSQL: a cluster of the test's own, two workers, jobs to their end."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from PIL import Image

from conftest import photo_like
from databases import HAS_POSTGRES, cluster, wait_for

pytest.importorskip("dbos", reason="needs the [serve] extra")
if not HAS_POSTGRES:
    pytest.skip("needs the programs of PostgreSQL", allow_module_level=True)

from vivant.files import sha256_of
from vivant.service.queue.client import ENDED, Queue
from vivant.service.queue.store import prepare
from vivant.service.settings import ServiceSettings
from vivant.service.work import clip_of


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """URL of a database that is not there yet."""
    with cluster() as made:
        yield made.url


@contextmanager
def working(settings: ServiceSettings, slot: int) -> Iterator[None]:
    command = ["worker", "--folder", str(settings.folder), "--queue", settings.queue]
    environment = {**os.environ, "VIVANT_HOME": str(settings.folder / "home")}
    worker = subprocess.Popen(
        [sys.executable, "-m", "vivant", *command, "--slot", str(slot)], env=environment
    )
    try:
        yield
    finally:
        worker.kill()
        worker.wait()


def test_two_workers_share_a_queue_and_a_cancelled_job_frees_one(
    database: str, tmp_path: Path
) -> None:
    settings = ServiceSettings(tmp_path, queue=database)
    prepare(settings)
    settings.uploads.mkdir()
    Image.fromarray(photo_like(96, 64)).save(tmp_path / "a.png")
    sha256 = sha256_of(tmp_path / "a.png")
    shutil.move(tmp_path / "a.png", settings.uploads / sha256)
    image = {"sha256": sha256, "kind": "picture"}
    queue = Queue(settings)

    def submit(seconds: float) -> str:
        request = {"keyframes": [{"image": image}], "seconds": seconds, "size": "96x64"}
        return queue.submit({"request": request, "format": "mp4", "consent": False}, "ann").id

    def state(job_id: str) -> str:
        job = queue.get(job_id, "ann")
        assert job is not None
        return job.state

    with ExitStack() as stack:
        stack.callback(queue.close)
        for slot in (0, 1):
            stack.enter_context(working(settings, slot))
        long = [submit(600), submit(600)]
        wait_for(lambda: [state(job) for job in long] == ["running", "running"])
        short = submit(0.25)
        queue.cancel(long[0])
        wait_for(lambda: state(short) in ENDED)
        assert state(short) == "succeeded", queue.get(short, "ann")
        assert state(long[0]) == "cancelled"
        assert state(long[1]) == "running"
        assert clip_of(settings, short, "mp4").read_bytes()[4:8] == b"ftyp"
        queue.cancel(long[1])
        jobs = queue.figures().jobs
        assert (jobs["succeeded"], jobs["failed"], jobs["cancelled"]) == (1, 0, 2)
