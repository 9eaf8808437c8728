"""Web hooks: where they may go, how they are signed, and that none is lost."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("dbos", reason="needs the [serve] extra")
pytest.importorskip("httpx2")

from fastapi.testclient import TestClient

from databases import wait_for
from vivant.errors import UsageError
from vivant.service.api import api
from vivant.service.outward import Unreachable, is_public, post, read_url
from vivant.service.queue import promises
from vivant.service.queue.client import Queue
from vivant.service.queue.store import prepare
from vivant.service.queue.tables import connect
from vivant.service.settings import ServiceSettings
from vivant.service.webhooks import Teller, secret_for, shown, signed

INSIDE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001:db8::1",
    "fec0::1",
]


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_that_are_inside(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(UsageError, match="inside"):
        read_url(f"https://{host}/hook", ())


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_addresses_that_are_outside(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "", "hook", "ftp://example.org/", "http://example.org/", "https://", "https:///x",
        "https://a:b@example.org/", "https://example.org:99999/", "https://exa mple.org/",
        "https://example.org/\r\nX: y", "file:///etc/passwd", "https://ex\u00e4mple.org/",
        "https://example.org/" + "a" * 2000, "https://[::1/",
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_hook(url: str) -> None:
    with pytest.raises(UsageError):
        read_url(url, ())


def test_a_name_that_leads_inside_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def answers(*_: Any, **__: Any) -> list[Any]:
        return [(0, 0, 0, "", ("8.8.8.8", 443)), (0, 0, 0, "", ("10.0.0.7", 443))]

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("it was asked")

    monkeypatch.setattr(socket, "getaddrinfo", answers)
    monkeypatch.setattr(socket, "create_connection", refuse)
    with pytest.raises(Unreachable, match="inside"):
        post(read_url("https://example.org/x", ()), b"{}", {}, ())


def test_the_connection_goes_to_the_address_that_was_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Any] = []

    def answers(*_: Any, **__: Any) -> list[Any]:
        return [(0, 0, 0, "", ("8.8.8.8", 443))]

    def connect_to(address: Any, *_: Any, **__: Any) -> socket.socket:
        asked.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", answers)
    monkeypatch.setattr(socket, "create_connection", connect_to)
    with pytest.raises(Unreachable):
        post(read_url("https://example.org/x", ()), b"{}", {}, ())
    assert asked == [("8.8.8.8", 443)]


def test_the_signature_is_that_of_the_specification() -> None:
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    headers = signed(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_each_key_has_a_secret_of_its_own_that_stays(tmp_path: Path) -> None:
    first = secret_for(tmp_path, "ann")
    assert first == secret_for(tmp_path, "ann") != secret_for(tmp_path, "bob")
    assert base64.b64decode(shown(first).removeprefix("whsec_")) == first


@dataclass
class Receiver:
    url: str
    answers: list[int]
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            made.heard.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(made.answers.pop(0) if made.answers else 200)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made = Receiver(f"http://127.0.0.1:{server.server_port}/hook?a=b", [])
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def settings(tmp_path: Path) -> ServiceSettings:
    settings = ServiceSettings(tmp_path / "data", webhook_hosts=("127.0.0.1",))
    prepare(settings)
    return settings


@pytest.fixture
def told(settings: ServiceSettings) -> Iterator[Callable[..., tuple[Queue, Teller, str]]]:
    queue = Queue(settings)
    tellers: list[Teller] = []

    def ended_job(url: str, *delays: float) -> tuple[Queue, Teller, str]:
        job = queue.submit({"request": {}, "webhook": url}, "ann")
        queue.cancel(job.id)
        tellers.append(Teller(settings, queue, delays))
        return queue, tellers[-1], job.id

    yield ended_job
    for teller in tellers:
        teller.close()
    queue.close()


def states(settings: ServiceSettings) -> dict[str, int]:
    engine = connect(settings)
    try:
        return promises.by_state(engine)
    finally:
        engine.dispose()


def test_a_hook_is_tried_again_until_it_is_heard_and_then_no_more(
    settings: ServiceSettings, receiver: Receiver, told: Callable[..., Any]
) -> None:
    receiver.answers += [500, 302, 200]
    _, _, job = told(receiver.url, 0.1, 0.1, 0.1, 0.1)
    wait_for(lambda: states(settings)["delivered"] == 1)
    time.sleep(1.5)
    assert len(receiver.heard) == 3
    assert len({headers["webhook-id"] for headers, _ in receiver.heard}) == 1
    headers, body = receiver.heard[-1]
    said = json.loads(body)
    assert said["type"] == "job.cancelled"
    assert said["data"]["id"] == job
    secret = secret_for(settings.folder, "ann")
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(secret, text, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60


def test_a_hook_is_given_up_after_the_last_delay_or_where_it_is_gone(
    settings: ServiceSettings, receiver: Receiver, told: Callable[..., Any]
) -> None:
    receiver.answers += [500] * 9
    told(receiver.url, 0.1, 0.1)
    wait_for(lambda: states(settings)["given up"] == 1)
    assert len(receiver.heard) == 3
    receiver.answers[:] = [410]
    told(receiver.url, 0.1, 0.1)
    wait_for(lambda: states(settings)["given up"] == 2)
    assert len(receiver.heard) == 4


def test_a_promise_outlives_who_was_to_keep_it(
    settings: ServiceSettings, receiver: Receiver, told: Callable[..., Any]
) -> None:
    receiver.answers += [500]
    queue, teller, _ = told(receiver.url, 2.0, 2.0)
    wait_for(lambda: len(receiver.heard) == 1)
    teller.close()
    assert states(settings)["waiting"] == 1
    other = Teller(settings, queue, (2.0, 2.0))
    wait_for(lambda: states(settings)["delivered"] == 1)
    other.close()


def test_a_clock_that_was_set_back_delays_no_hook(
    settings: ServiceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue, engine, real = Queue(settings), connect(settings), time.time
    queue.cancel(queue.submit({"request": {}, "webhook": "https://example.org/"}, "ann").id)
    (one,) = promises.due(engine, 9)
    assert promises.begin(engine, one)
    assert not promises.begin(engine, one)  # another process was first
    assert promises.due(engine, 9) == []
    monkeypatch.setattr(time, "time", lambda: real() - 3600)
    assert [found.attempts for found in promises.due(engine, 9)] == [1]
    engine.dispose()
    queue.close()


def test_hooks_over_http(settings: ServiceSettings, receiver: Receiver) -> None:
    with TestClient(api(settings, ()), base_url="http://127.0.0.1") as client:
        asset = client.post("/v1/assets", content=b"bytes").json()
        body = {"keyframes": [{"image": asset}]}
        refused = client.post("/v1/jobs?webhook=https://10.0.0.1/", json=body)
        assert refused.status_code == 422
        assert "inside" in refused.json()["detail"]
        job = client.post("/v1/jobs", params={"webhook": receiver.url}, json=body).json()
        assert client.get("/v1/webhooks/secret").json().startswith("whsec_")
        assert receiver.heard == []
        client.post(f"/v1/jobs/{job['id']}/cancel")
        wait_for(lambda: len(receiver.heard) == 1)
        ended = client.get(f"/v1/jobs/{job['id']}").json()
        assert json.loads(receiver.heard[0][1])["data"] == ended
