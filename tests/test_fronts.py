"""The shapes of foreign clients: what is read, what is refused by name, what others may see."""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("dbos", reason="needs the [serve] extra")
pytest.importorskip("httpx2")
pytest.importorskip("python_multipart", reason="needs the [serve] extra")

from fastapi.testclient import TestClient

from vivant.controls.table import options
from vivant.errors import UsageError
from vivant.service.api import api
from vivant.service.keys import new_key, read_keys
from vivant.service.queue.store import prepare
from vivant.service.settings import ServiceSettings
from vivant.words import read_words

SHA = "a" * 64
URI = "data:image/png;base64," + base64.b64encode(b"some bytes").decode()
DEEP = b'{"stroke":' + b"[" * 900 + b"]" * 900 + b"}"
FAL, REPLICATE, OPENAI = "/fal/vivant/animate", "/replicate/v1/predictions", "/v1/videos"


@pytest.fixture
def settings(tmp_path: Path) -> ServiceSettings:
    return ServiceSettings(tmp_path / "data", max_upload=1000)


@pytest.fixture
def secrets(settings: ServiceSettings) -> dict[str, str]:
    return {name: new_key(settings.keys, name) for name in ("ann", "bob")}


@pytest.fixture
def client(settings: ServiceSettings, secrets: dict[str, str]) -> Iterator[TestClient]:
    prepare(settings)
    app = api(settings, read_keys(settings.keys))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        client.headers["Authorization"] = f"Bearer {secrets['ann']}"
        yield client


def body_of(path: str, **words: Any) -> dict[str, Any]:
    image = {FAL: "image_url", REPLICATE: "image", OPENAI: "input_reference"}[path]
    said = {image: URI, **words}
    return {"version": "vivant/animate", "input": said} if path == REPLICATE else said


def sentence(answer: Any) -> str:
    said = answer.json()
    return str(said["error"]["message"] if "error" in said else said["detail"])


def test_words_are_those_of_the_command_line() -> None:
    words = {
        "image": SHA,
        "duration": "2",
        "seed": 7,
        "camera": "push-in 0.1",
        "loop": True,
        "hold": ["built", SHA],
        "strength": 0.5,
        "prompt": "the clouds drift left",
        "resolution": "640*360",
    }
    asked = read_words(words, {"duration": "seconds", "resolution": "size"}, "builtin")
    assert asked.request.seconds == 2
    assert asked.request.size == "640x360"
    names = sorted(c["control"] for c in asked.request.to_data()["controls"])
    assert names == sorted(["loop", "strength", "hold", "still", "camera", "flow"])
    assert asked.made == "mp4"


def test_frames_are_counted_at_a_rate() -> None:
    assert read_words({"image": SHA, "num_frames": 48}, {}, "builtin").request.seconds == 2
    asked = read_words({"image": SHA, "num_frames": "48", "fps": 12}, {}, "builtin")
    assert asked.request.seconds == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({}, "send one"),
        ({"image": "/etc/passwd"}, "no file that was sent"),
        ({"image": SHA, "still": "/etc/passwd"}, "no file that was sent"),
        ({"image": SHA, "hold": "/etc/passwd"}, "neither a mask file nor a kind"),
        ({"image": SHA, "strokes": "/etc/passwd"}, "not read here"),
        ({"image": SHA, "camera": "/etc/path.json"}, "not read here"),
        ({"image": SHA, "aspect_ratio": "16:9"}, "no input 'aspect_ratio'"),
        ({"image": SHA, "seconds": "long"}, "seconds must be a number"),
        ({"image": SHA, "seconds": True}, "seconds must be a number"),
        ({"image": SHA, "seconds": 1e9}, "seconds must be"),
        ({"image": SHA, "seed": 1.5}, "seed must be a whole number"),
        ({"image": SHA, "seed": 10**400}, "seed must be"),
        ({"image": SHA, "seconds": 4, "num_frames": 8}, "leave one out"),
        ({"image": SHA, "seconds": 4, "duration": 8}, "leave one out"),
        ({"image": SHA, "format": "mkv"}, "mp4, webp, gif"),
        ({"image": SHA, "consent": "perhaps"}, "true or false"),
        ({"image": SHA, "camera": {"a": 1}}, "camera takes a text"),
        ({"image": SHA, "prompt": "a dragon appears"}, "dragon"),
        ({"image": ["x"]}, "image must be a text"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(words: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_words(words, {"duration": "seconds"}, "builtin")


def test_no_word_opens_a_file_of_the_server(tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text("[]")
    opened: list[str] = []
    watching = [True]

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "open" and watching[0]:
            opened.append(str(args[0]))

    sys.addaudithook(hook)
    for option in options():
        for said in (str(secret), f"{secret} scale=2"):
            with suppress(UsageError):
                read_words({"image": SHA, option.keyword: said}, {}, "builtin")
    watching[0] = False
    assert str(secret) not in opened


@pytest.mark.parametrize("path", [FAL, REPLICATE, OPENAI])
def test_every_front_makes_the_same_job(
    client: TestClient, settings: ServiceSettings, path: str
) -> None:
    answer = client.post(path, json=body_of(path, seed=3, camera="pan-left 0.1"))
    assert answer.is_success, answer.text
    job = answer.json().get("request_id") or answer.json()["id"]
    assert client.get(f"/v1/jobs/{job}").json()["state"] == "queued"
    listed = client.get(OPENAI).json()
    assert [video["id"] for video in listed["data"]] == [job]
    assert client.get(f"{REPLICATE}/{job}").json()["status"] == "starting"
    status = client.get(f"{FAL}/requests/{job}/status")
    assert (status.status_code, status.json()["status"]) == (202, "IN_QUEUE")
    assert len(list(settings.uploads.iterdir())) == 1


@pytest.mark.parametrize("path", [FAL, REPLICATE, OPENAI])
@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ({"audio": True}, 422, "no input 'audio'"),
        ({"image_url": None, "image": "https://example.org/a.png"}, 422, "fetches nothing"),
        ({"still": "file:///etc/passwd"}, 422, "fetches nothing"),
        ({"still": "data:image/png;base64,!!"}, 422, "no base64"),
        ({"still": "data:image/png;base64," + "A" * 1400}, 413, "bytes at most"),
        ({"still": "data:image/png;base64," + "A" * 90_000}, 413, "bytes at most"),
    ],
)
def test_what_is_refused(
    client: TestClient, path: str, words: dict[str, Any], status: int, said: str
) -> None:
    answer = client.post(path, json=body_of(path, **words))
    assert answer.status_code == status, answer.text
    assert said in sentence(answer)


@pytest.mark.parametrize("path", [FAL, REPLICATE, OPENAI])
def test_a_key_of_idempotency_gives_the_same_job(client: TestClient, path: str) -> None:
    once = {"Idempotency-Key": "once"}
    first, again = (client.post(path, json=body_of(path), headers=once).json() for _ in range(2))
    assert first.get("request_id", first.get("id")) == again.get("request_id", again.get("id"))
    assert client.post(path, json=body_of(path, seed=1), headers=once).status_code == 409


@pytest.mark.parametrize("path", [FAL, REPLICATE, OPENAI])
@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b"[" * 5000, DEEP])
def test_a_body_that_is_none_is_refused(client: TestClient, path: str, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    assert client.post(path, content=content, headers=headers).status_code == 422


@pytest.mark.parametrize(
    ("path", "json", "said"),
    [
        (OPENAI, {**body_of(OPENAI), "model": "sora-2"}, "no model 'sora-2'"),
        (OPENAI, {"prompt": "a cat"}, "send one"),
        (OPENAI, {"input_reference": {"file_id": "file_1"}}, "no files by id"),
        ("/fal/fal-ai/wan-i2v", body_of(FAL), "no fal-ai/wan-i2v"),
        (f"{FAL}?fal_webhook=https://example.org", body_of(FAL), "no webhooks"),
        (REPLICATE, {**body_of(REPLICATE), "version": "stability/svd:1"}, "no stability/svd"),
        (REPLICATE, {**body_of(REPLICATE), "webhook": "https://example.org"}, "not do webhook"),
        (REPLICATE, {"version": "vivant/animate"}, 'object "input"'),
    ],
)
def test_what_a_front_does_not_do(
    client: TestClient, path: str, json: dict[str, Any], said: str
) -> None:
    answer = client.post(path, json=json)
    assert answer.status_code == 422
    assert said in sentence(answer)


def test_a_form_is_read_and_limited(client: TestClient) -> None:
    fields = {"prompt": "the clouds drift left", "seconds": "2"}
    made = client.post(OPENAI, data=fields, files={"input_reference": b"some bytes"})
    assert made.json()["seconds"] == "2"
    assert made.json()["prompt"] == fields["prompt"]
    large = client.post(OPENAI, files={"input_reference": bytes(90_000)})
    assert large.status_code == 413
    some = client.post(OPENAI, files={"input_reference": bytes(2_000)})
    assert some.status_code == 413
    damaged = client.post(
        OPENAI, content=b"--x\r\nnothing", headers={"Content-Type": "multipart/form-data"}
    )
    assert damaged.status_code == 422


@pytest.mark.parametrize("scheme", ["Bearer", "Key", "Token"])
def test_keys_come_in_the_words_of_each_client(
    client: TestClient, secrets: dict[str, str], scheme: str
) -> None:
    job = client.post(FAL, json=body_of(FAL)).json()["request_id"]
    own = {"Authorization": f"{scheme} {secrets['ann']}"}
    other = {"Authorization": f"{scheme} {secrets['bob']}"}
    for path in (f"{FAL}/requests/{job}/status", f"{REPLICATE}/{job}", f"{OPENAI}/{job}"):
        assert client.get(path, headers=own).status_code in (200, 202)
        assert client.get(path, headers=other).status_code == 404
        assert client.get(path, headers={"Authorization": f"{scheme} no"}).status_code == 401
    assert client.get(OPENAI, headers=other).json()["data"] == []


def test_jobs_are_cancelled_and_deleted(client: TestClient) -> None:
    fal, replicate, openai = (
        client.post(path, json=body_of(path)).json() for path in (FAL, REPLICATE, OPENAI)
    )
    cancelled = client.put(f"{FAL}/requests/{fal['request_id']}/cancel")
    assert cancelled.json()["status"] == "CANCELLATION_REQUESTED"
    again = client.put(f"{FAL}/requests/{fal['request_id']}/cancel")
    assert (again.status_code, again.json()["status"]) == (400, "ALREADY_COMPLETED")
    ended = client.get(f"{FAL}/requests/{fal['request_id']}/status").json()
    assert (ended["status"], ended["error_type"]) == ("COMPLETED", "cancelled")
    assert client.get(f"{FAL}/requests/{fal['request_id']}").status_code == 422
    stopped = client.post(f"{REPLICATE}/{replicate['id']}/cancel").json()
    assert stopped["status"] == "canceled"
    assert client.delete(f"{OPENAI}/{openai['id']}").json()["deleted"] is True
    assert client.get(f"{OPENAI}/{openai['id']}").status_code == 404


def test_an_upload_has_an_address_but_is_not_served(client: TestClient) -> None:
    file = client.post("/replicate/v1/files", files={"content": b"some bytes"}).json()
    shown = client.get(file["urls"]["get"])
    assert shown.json()["size"] == 10
    assert b"some bytes" not in shown.content
    body = {"version": "vivant/animate", "input": {"image": file["urls"]["get"]}}
    made = client.post(REPLICATE, json=body)
    assert made.status_code == 201
    assert client.get(f"/replicate/v1/files/{'0' * 64}").status_code == 422
    assert client.get("/replicate/v1/files/..%2fkeys.json").status_code in (404, 422)


def test_pages_of_many_jobs(client: TestClient) -> None:
    ids = [client.post(OPENAI, json=body_of(OPENAI, seed=n)).json()["id"] for n in range(5)]
    first = client.get(OPENAI, params={"limit": 2}).json()
    assert [video["id"] for video in first["data"]] == ids[:-3:-1]
    assert first["has_more"]
    rest = client.get(OPENAI, params={"limit": 3, "after": first["last_id"]}).json()
    assert [video["id"] for video in rest["data"]] == ids[2::-1]
    assert not rest["has_more"]


def test_links_are_signed_and_end(
    client: TestClient, settings: ServiceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from types import SimpleNamespace

    from vivant.service.jobs import Jobs
    from vivant.service.links import link_to

    folder = settings.results / "0123"
    folder.mkdir(parents=True)
    (folder / "clip.mp4").write_bytes(b"a clip")
    jobs: Any = Jobs(settings, None)  # type: ignore[arg-type]
    asked: Any = SimpleNamespace(base_url="http://127.0.0.1/")
    link = link_to(asked, jobs, "0123", "mp4")
    bare = {"Authorization": ""}
    assert client.get(link, headers=bare).content == b"a clip"
    assert client.get(link.replace("0123", "0124"), headers=bare).status_code == 403
    assert client.get(link.replace("clip.mp4", "clip.gif"), headers=bare).status_code == 403
    assert client.get(link[:-12] + "é" + link[-11:], headers=bare).status_code == 403
    monkeypatch.setattr("time.time", lambda: 1.0)
    old = link_to(asked, jobs, "0123", "mp4")
    monkeypatch.undo()
    assert "too old" in client.get(old, headers=bare).json()["detail"]
    assert (settings.folder / "links.key").stat().st_mode & 0o077 == 0
