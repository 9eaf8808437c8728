"""Who may call the service: keys, scopes, owners, limits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("dbos", reason="needs the [serve] extra")
pytest.importorskip("httpx2")

from fastapi.testclient import TestClient

from vivant.errors import UsageError
from vivant.service.api import api
from vivant.service.keys import new_key, read_keys
from vivant.service.listening import Ear, told
from vivant.service.queue.client import Queue
from vivant.service.queue.store import prepare
from vivant.service.settings import ServiceSettings, check_reach


@pytest.fixture
def settings(tmp_path: Path) -> ServiceSettings:
    return ServiceSettings(tmp_path / "data", max_upload=1000, max_waiting=2)


@pytest.fixture
def secrets(settings: ServiceSettings) -> dict[str, str]:
    return {
        "ann": new_key(settings.keys, "ann"),
        "bob": new_key(settings.keys, "bob"),
        "eve": new_key(settings.keys, "eve", ("read",)),
    }


@pytest.fixture
def client(settings: ServiceSettings, secrets: dict[str, str]) -> Iterator[TestClient]:
    prepare(settings)
    app = api(settings, read_keys(settings.keys))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield client


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def submit(client: TestClient, secret: str) -> Any:
    asset = client.post("/v1/assets", content=b"some bytes", headers=bearer(secret)).json()
    body = {"keyframes": [{"image": asset}]}
    return client.post("/v1/jobs", json=body, headers=bearer(secret))


def test_no_key_a_wrong_key_and_a_narrow_key_are_refused(
    client: TestClient, secrets: dict[str, str]
) -> None:
    assert client.post("/v1/assets", content=b"x").status_code == 401
    wrong = client.post("/v1/assets", content=b"x", headers=bearer("0" * 64))
    assert wrong.status_code == 401
    narrow = client.post("/v1/assets", content=b"x", headers=bearer(secrets["eve"]))
    assert narrow.status_code == 403
    assert client.post("/v1/assets", content=b"x", headers=bearer(secrets["ann"])).is_success


def test_nobody_sees_the_jobs_of_others(client: TestClient, secrets: dict[str, str]) -> None:
    job = submit(client, secrets["ann"]).json()["id"]
    path = f"/v1/jobs/{job}"
    assert client.get(path, headers=bearer(secrets["ann"])).json()["state"] == "queued"
    assert client.get(path, headers=bearer(secrets["bob"])).status_code == 404
    assert client.post(f"{path}/cancel", headers=bearer(secrets["bob"])).status_code == 404
    cancelled = client.post(f"{path}/cancel", headers=bearer(secrets["ann"]))
    assert cancelled.json()["state"] == "cancelled"


def test_a_key_has_a_quota_of_its_own(client: TestClient, secrets: dict[str, str]) -> None:
    codes = [submit(client, secrets["ann"]).status_code for _ in range(3)]
    assert codes == [201, 201, 429]
    assert submit(client, secrets["bob"]).status_code == 201


def test_an_oversized_input_leaves_nothing(
    client: TestClient, settings: ServiceSettings, secrets: dict[str, str]
) -> None:
    answer = client.post("/v1/assets", content=bytes(1001), headers=bearer(secrets["ann"]))
    assert answer.status_code == 413
    assert list(settings.uploads.iterdir()) == []


def test_secrets_are_not_stored(settings: ServiceSettings, secrets: dict[str, str]) -> None:
    stored = settings.keys.read_text()
    assert not any(secret in stored for secret in secrets.values())
    assert settings.keys.stat().st_mode & 0o077 == 0
    with pytest.raises(UsageError, match="not in use"):
        new_key(settings.keys, "ann")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_without_keys_only_loopback_is_served(settings: ServiceSettings, host: str) -> None:
    beyond = ServiceSettings(settings.folder, host=host)
    with pytest.raises(UsageError, match="make a key"):
        check_reach(beyond, keys=0)
    check_reach(beyond, keys=1)
    check_reach(settings, keys=0)


def test_a_hundred_who_listen_leave_room_for_others(tmp_path: Path) -> None:
    settings = ServiceSettings(tmp_path / "data")
    prepare(settings)
    queue = Queue(settings)
    job = queue.submit({"request": {}}, "local").id

    async def heard(ear: Ear) -> list[str]:
        return [text async for text in told(ear, queue, job, "local", 0)]

    async def everybody() -> tuple[list[list[str]], float]:
        ear = Ear(queue)
        listening = [asyncio.create_task(heard(ear)) for _ in range(100)]
        await asyncio.sleep(0.5)
        start = time.monotonic()
        await asyncio.to_thread(queue.cancel, job)
        answer = await asyncio.wait_for(asyncio.gather(*listening), 20), time.monotonic() - start
        await ear.close()
        return answer

    told_to_all, seconds = asyncio.run(everybody())
    queue.close()
    assert all(texts[-1].endswith('{"state": "cancelled"}\n\n') for texts in told_to_all)
    assert seconds < 10
