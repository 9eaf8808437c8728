"""The service: jobs end to end over HTTP, what is refused, and what survives a kill."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from conftest import photo_like

pytest.importorskip("dbos", reason="needs the [serve] extra")
pytest.importorskip("httpx2")

from serving import Served, serving, wait_for


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("service")) as served:
        yield served


def upload(client: Any, tmp_path: Path, seed: int = 0) -> dict[str, Any]:
    path = tmp_path / f"{seed}.png"
    Image.fromarray(photo_like(96, 64, seed)).save(path)
    answer = client.post("/v1/assets", params={"name": path.name}, content=path.read_bytes())
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def request_for(asset: dict[str, Any], seconds: float = 0.25) -> dict[str, Any]:
    return {"keyframes": [{"image": asset}], "seconds": seconds, "size": "96x64"}


def ended(client: Any, job: str) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def over() -> bool:
        found.update(client.get(f"/v1/jobs/{job}").json())
        return found["state"] in ("succeeded", "failed", "cancelled")

    wait_for(over)
    return found


def test_a_job_ends_in_a_clip(served: Served, tmp_path: Path) -> None:
    with served.client() as client:
        body = request_for(upload(client, tmp_path))
        key = {"Idempotency-Key": "one"}
        job = client.post("/v1/jobs", json=body, headers=key).json()["id"]
        assert client.post("/v1/jobs", json=body, headers=key).json()["id"] == job
        other = client.post("/v1/jobs", json={**body, "seed": 1}, headers=key)
        assert other.status_code == 409
        done = ended(client, job)
        assert done["state"] == "succeeded", done
        assert done["result"]["size"] == [96, 64]
        clip = client.get(f"/v1/jobs/{job}/result")
        assert clip.headers["content-type"] == "video/mp4"
        assert clip.content[4:8] == b"ftyp"
        told = client.get(f"/v1/jobs/{job}/events").text
        numbers = [int(line[4:]) for line in told.splitlines() if line.startswith("id: ")]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) > 1
        last = {"Last-Event-ID": str(numbers[-2])}
        rest = client.get(f"/v1/jobs/{job}/events", headers=last).text
        assert f"id: {numbers[-1]}\n" in rest
        assert f"id: {numbers[-2]}\n" not in rest
        assert json.loads(rest.split("data: ")[-1]) == {"state": "succeeded"}
        assert client.delete(f"/v1/jobs/{job}").status_code == 204
        assert client.get(f"/v1/jobs/{job}").status_code == 404
        assert not (served.folder / "results" / job).exists()


def test_a_killed_worker_is_replaced_and_its_job_ends_once(served: Served, tmp_path: Path) -> None:
    with served.client() as client:
        body = request_for(upload(client, tmp_path, 2), seconds=6)
        job = client.post("/v1/jobs", json=body).json()["id"]
        wait_for(lambda: client.get(f"/v1/jobs/{job}").json()["state"] == "running")
        os.kill(worker_of(served), signal.SIGKILL)
        assert ended(client, job)["state"] == "succeeded"
        left = sorted(p.name for p in (served.folder / "results" / job).iterdir())
        assert left == ["clip.mp4"]


def worker_of(served: Served) -> int:
    children = Path(f"/proc/{served.process.pid}/task/{served.process.pid}/children")
    if not children.exists():
        pytest.skip("needs /proc")
    tasks = Path(f"/proc/{served.process.pid}/task").glob("*/children")
    return next(int(pid) for path in tasks for pid in path.read_text().split())


def test_a_running_job_is_cancelled_within_two_seconds(served: Served, tmp_path: Path) -> None:
    with served.client() as client:
        body = {**request_for(upload(client, tmp_path, 3), seconds=600), "size": "192x128"}
        job = client.post("/v1/jobs", json=body).json()["id"]
        wait_for(lambda: client.get(f"/v1/jobs/{job}").json()["state"] == "running")
        assert client.delete(f"/v1/jobs/{job}").status_code == 409
        assert client.get(f"/v1/jobs/{job}/result").status_code == 409
        start = time.monotonic()
        assert client.post(f"/v1/jobs/{job}/cancel").json()["state"] == "cancelled"
        quick = client.post("/v1/jobs", json=request_for(upload(client, tmp_path, 4))).json()["id"]
        wait_for(lambda: client.get(f"/v1/jobs/{quick}").json()["state"] != "queued")
        assert time.monotonic() - start < 4  # two for the worker to stop, and to take the next
        assert ended(client, quick)["state"] == "succeeded"


def test_a_picture_that_is_none_fails_with_a_sentence(served: Served) -> None:
    with served.client() as client:
        asset = client.post("/v1/assets", content=b"<svg onload='x()'/>").json()
        job = client.post("/v1/jobs", json=request_for(asset)).json()["id"]
        done = ended(client, job)
        assert 'vivant_jobs{state="failed"} 1\n' in client.get("/metrics").text
    assert done["state"] == "failed"
    assert "Traceback" not in done["error"]
    assert str(served.folder) not in done["error"]


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "/v1/jobs/../../etc/passwd", {}, 404),
        ("GET", "/v1/jobs/..%2f..%2fkeys.json/result", {}, 404),
        ("GET", "/health", {"headers": {"Host": "evil.example"}}, 400),
        ("POST", "/v1/assets", {"headers": {"Origin": "null"}, "content": b"x"}, 403),
        (
            "POST",
            "/v1/assets",
            {"headers": {"Origin": "http://evil.example"}, "content": b"x"},
            403,
        ),
        ("POST", "/v1/assets", {"content": b""}, 422),
        ("POST", "/v1/jobs", {"json": {}}, 422),
        ("POST", "/v1/jobs", {"content": b"{"}, 422),
        ("POST", "/v1/jobs", {"json": {"keyframes": [], "model": "/etc"}}, 422),
    ],
)
def test_what_is_refused(
    served: Served, method: str, path: str, options: dict[str, Any], status: int
) -> None:
    with served.client() as client:
        assert client.request(method, path, **options).status_code == status


def test_a_job_cannot_name_a_model_by_its_folder_or_an_input_that_is_not_there(
    served: Served, tmp_path: Path
) -> None:
    with served.client() as client:
        body = request_for(upload(client, tmp_path))
        answer = client.post("/v1/jobs", json={**body, "model": str(tmp_path)})
        assert answer.status_code == 422
        assert "no model" in answer.json()["detail"]
        absent = request_for({"sha256": "0" * 64, "kind": "picture"})
        assert "not uploaded" in client.post("/v1/jobs", json=absent).json()["detail"]
