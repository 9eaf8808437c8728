"""What a service keeps in order: names of workers, quotas, uploads, its page."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("dbos", reason="needs the [serve] extra")
pytest.importorskip("httpx2")

from fastapi.testclient import TestClient

from databases import HAS_POSTGRES, cluster, free_port, wait_for
from vivant.errors import UsageError, VivantError
from vivant.service.api import api, clean_uploads
from vivant.service.queue.claim import claimed
from vivant.service.queue.client import Queue, QueueFull
from vivant.service.queue.store import prepare
from vivant.service.settings import ServiceSettings
from vivant.service.uploads import TooSlow, take_in, take_in_time


@pytest.fixture
def settings(tmp_path: Path) -> ServiceSettings:
    return ServiceSettings(tmp_path / "data", max_waiting=3)


@pytest.fixture
def queue(settings: ServiceSettings) -> Iterator[Queue]:
    prepare(settings)
    queue = Queue(settings)
    yield queue
    queue.close()


async def arriving(*chunks: bytes, pause: float = 0.0) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
        await asyncio.sleep(pause)


def test_a_name_has_one_live_worker_and_is_free_after_a_kill(tmp_path: Path) -> None:
    code = (
        "import sys, time, pathlib\nfrom vivant.service.queue.claim import claimed\n"
        "with claimed(pathlib.Path(sys.argv[1]), 'host-0'):\n"
        "    print('held', flush=True)\n    time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        try:
            assert holder.stdout.readline() == b"held\n"
            with pytest.raises(UsageError, match="--slot"), claimed(tmp_path, "host-0"):
                pass
            with claimed(tmp_path, "host-1"):
                pass
        finally:
            holder.send_signal(signal.SIGKILL)
            holder.wait()
    with claimed(tmp_path, "host-0"):
        pass


def test_the_last_free_place_is_given_once(queue: Queue) -> None:
    def submit(number: int) -> bool:
        try:
            return bool(queue.submit({"number": number}, "ann").id)
        except QueueFull:
            return False

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(submit, range(12)))
    assert taken.count(True) == 3


def test_a_slow_upload_is_ended_and_leaves_nothing(tmp_path: Path) -> None:
    chunks = arriving(b"a", b"b", pause=5)
    with pytest.raises(TooSlow, match="within"):
        asyncio.run(take_in_time(chunks, tmp_path, "picture", "", 100, 0.05))
    assert list(tmp_path.iterdir()) == []


def test_old_uploads_go_but_those_of_waiting_jobs_stay(
    settings: ServiceSettings, queue: Queue
) -> None:
    needed, old, fresh = (
        asyncio.run(take_in(arriving(data), settings.uploads, "picture", "", 9)).sha256
        for data in (b"needed", b"old", b"fresh")
    )
    (settings.uploads / ".part-cut").touch()
    past = time.time() - 2 * 86400
    for name in (needed, old, ".part-cut"):
        os.utime(settings.uploads / name, (past, past))
    queue.submit({"request": {"image": {"sha256": needed, "kind": "picture"}}}, "ann")
    clean_uploads(settings, queue)
    assert {path.name for path in settings.uploads.iterdir()} == {needed, fresh}


def test_the_page_loads_nothing_from_elsewhere(settings: ServiceSettings) -> None:
    prepare(settings)
    with TestClient(api(settings, ()), base_url="http://127.0.0.1") as client:
        page = client.get("/docs")
    assert "POST /v1/jobs" in page.text
    assert "http" not in page.text.replace("http-", "")
    assert "<script" not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


def test_a_disk_that_is_nearly_full_takes_nothing(settings: ServiceSettings) -> None:
    prepare(settings)
    full = replace(settings, floor=1 << 60)
    with TestClient(api(full, ()), base_url="http://127.0.0.1") as client:
        answer = client.post("/v1/assets", content=b"x")
        assert answer.status_code == 507
        assert "nearly full" in answer.json()["detail"]
        body = {"keyframes": [{"image": {"sha256": "0" * 64, "kind": "picture"}}]}
        assert client.post("/v1/jobs", json=body).status_code == 507
        assert client.get("/health").status_code == 200


@pytest.mark.skipif(not HAS_POSTGRES, reason="needs the programs of PostgreSQL")
def test_a_database_that_goes_and_comes_back(tmp_path: Path) -> None:
    with cluster() as database:
        settings = ServiceSettings(tmp_path / "data", database.url)
        prepare(settings)
        with TestClient(api(settings, ()), base_url="http://127.0.0.1") as client:
            assert client.get(f"/v1/jobs/{'0' * 32}").status_code == 404
            database.stop()
            for path in (f"/v1/jobs/{'0' * 32}", "/metrics", "/health"):
                answer = client.get(path)
                assert answer.status_code == 503, path
                assert "database" in answer.json()["detail"]
            database.start()
            wait_for(lambda: client.get("/health").status_code == 200)
            assert client.get(f"/v1/jobs/{'0' * 32}").status_code == 404


def test_a_full_disk_is_said(settings: ServiceSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    prepare(settings)
    with TestClient(api(settings, ()), base_url="http://127.0.0.1") as client:
        monkeypatch.setattr(os, "fsync", full)
        answer = client.post("/v1/assets", content=b"x")
    assert answer.status_code == 507
    assert list(settings.uploads.iterdir()) == []


def test_a_database_that_is_away_at_the_start_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "queue.sqlite").mkdir()
    with pytest.raises(VivantError, match="cannot be used"):
        prepare(ServiceSettings(tmp_path))
    if HAS_POSTGRES:
        gone = f"postgresql://vivant@127.0.0.1:{free_port()}/queue"
        with pytest.raises(VivantError, match="cannot be used"):
            prepare(ServiceSettings(tmp_path, gone))
