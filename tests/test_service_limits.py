"""How often a key may ask, and what an operator can watch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("dbos", reason="needs the [serve] extra")
pytest.importorskip("httpx2")

from fastapi.testclient import TestClient

from vivant.service.api import api
from vivant.service.exposition import Counted, exposition
from vivant.service.keys import new_key, read_keys
from vivant.service.limits import Limiter
from vivant.service.queue.figures import Figures
from vivant.service.queue.store import prepare
from vivant.service.settings import ServiceSettings

SAMPLE = re.compile(r'[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.e+-]+')


def test_a_bucket_gives_its_burst_then_its_rate() -> None:
    now = [0.0]
    limiter = Limiter(2, lambda: now[0])
    assert [limiter.take("ann") for _ in range(10)] == [0.0] * 10
    assert limiter.take("ann") == pytest.approx(0.5)
    assert limiter.take("bob") == 0.0
    now[0] = 0.5
    assert limiter.take("ann") == 0.0
    assert limiter.take("ann") > 0
    now[0] = 1e6  # a long silence gives one burst, not more
    assert sum(limiter.take("ann") == 0 for _ in range(20)) == 10


def test_no_rate_is_no_limit() -> None:
    limiter = Limiter(0)
    assert not any(limiter.take("ann") for _ in range(1000))


@pytest.fixture
def settings(tmp_path: Path) -> ServiceSettings:
    return ServiceSettings(tmp_path / "data", rate=1)


@pytest.fixture
def bearer(settings: ServiceSettings) -> dict[str, str]:
    return {"Authorization": f"Bearer {new_key(settings.keys, 'ann')}"}


@pytest.fixture
def client(settings: ServiceSettings, bearer: dict[str, str]) -> Iterator[TestClient]:
    prepare(settings)
    app = api(settings, read_keys(settings.keys))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield client


def test_a_key_that_asks_too_often_is_told_when_to_come_again(
    client: TestClient, bearer: dict[str, str]
) -> None:
    answers = [client.get("/v1/jobs/none", headers=bearer) for _ in range(7)]
    assert [answer.status_code for answer in answers[:5]] == [404] * 5
    assert answers[-1].status_code == 429
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 2
    assert "ann" in answers[-1].json()["detail"]


def test_metrics_say_what_waits_and_what_was_answered(
    client: TestClient, bearer: dict[str, str]
) -> None:
    assert client.get("/metrics").status_code == 401
    asset = client.post("/v1/assets", content=b"bytes", headers=bearer).json()
    body = {"keyframes": [{"image": asset}]}
    assert client.post("/v1/jobs", json=body, headers=bearer).status_code == 201
    answer = client.get("/metrics", headers=bearer)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert 'vivant_jobs{state="queued"} 1' in lines
    assert "vivant_queue_depth 1" in lines
    assert 'vivant_http_requests_total{method="GET",status="401"} 1' in lines
    assert 'vivant_http_requests_total{method="POST",status="201"} 2' in lines
    oldest = next(line for line in lines if line.startswith("vivant_queue_oldest_seconds "))
    assert 0 <= float(oldest.split()[1]) < 60


def test_every_line_is_one_that_prometheus_reads() -> None:
    counted = Counted()
    counted.add("GET", 200)
    counted.add('X"\n', 400)
    figures = Figures({"queued": 2, "succeeded": 3}, 1.5, (1.0, 2.0, 9.0), (0.5,), {"waiting": 1})
    text = exposition(figures, counted)
    lines = [line for line in text.splitlines() if not line.startswith("# ")]
    assert all(SAMPLE.fullmatch(line) for line in lines), lines
    assert 'vivant_job_wait_seconds{quantile="0.5"} 2' in lines
    assert 'vivant_job_wait_seconds{quantile="0.95"} 9' in lines
    assert 'vivant_http_requests_total{method="other",status="400"} 1' in lines
    assert text.endswith("\n")
