"""The queue on PostgreSQL: a cluster of the test's own, two workers, jobs to their end."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from PIL import Image

from conftest import photo_like

pytest.importorskip("dbos", reason="needs the [serve] extra")
if sys.platform == "win32" or shutil.which("initdb") is None or shutil.which("postgres") is None:
    pytest.skip("needs the programs of PostgreSQL", allow_module_level=True)

from vivant.files import sha256_of
from vivant.service.queue.client import ENDED, Queue
from vivant.service.queue.store import prepare
from vivant.service.settings import ServiceSettings
from vivant.service.work import clip_of


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """URL of a database in a new cluster on loopback; it refuses to run as root."""
    who = "postgres" if os.geteuid() == 0 else None
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with tempfile.TemporaryDirectory(prefix="vivant-pg-") as base:
        if who:
            shutil.chown(base, "postgres")
        data = f"{base}/data"
        make = ["initdb", "-D", data, "-U", "vivant", "-A", "trust", "--no-sync", "-E", "UTF8"]
        subprocess.run(make, check=True, stdout=subprocess.DEVNULL, cwd=base, user=who)
        run = ["postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", base, "-F"]
        with subprocess.Popen(run, cwd=base, stderr=subprocess.DEVNULL, user=who) as server:
            try:
                wait_for(lambda: Path(f"{base}/.s.PGSQL.{port}").exists())
                yield f"postgresql://vivant@127.0.0.1:{port}/vivant_queue"
            finally:
                server.send_signal(signal.SIGINT)
                server.wait(20)


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
