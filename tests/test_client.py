"""The Python client: the facade's words over HTTP, and what goes wrong on the way."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import vivant
from conftest import photo_like
from vivant.client.http import Door, NoAnswer
from vivant.client.remote import RemoteJob
from vivant.errors import Cancelled, UsageError, VivantError
from vivant.request import Hooks

pytest.importorskip("dbos", reason="needs the [serve] extra")

from serving import Served, free_port, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("client")) as served:
        yield served


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray(photo_like(96, 64)).save(path)
    return path


SMALL: dict[str, Any] = {"seconds": 0.25, "size": "96x64"}


def test_a_clip_is_saved_with_progress(served: Served, photo: Path, tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    clip = vivant.connect(served.url).animate(photo, **SMALL)
    hooks = Hooks(lambda stage, share: told.append((stage, share)))
    assert clip.plan.video.count == 6
    done = clip.save(tmp_path / "clip.mp4", hooks=hooks)
    assert done.plan.video.width == 96
    assert done.plan.video.count == 6
    assert vivant.verify(tmp_path / "clip.mp4").record is not None
    assert [stage for stage, _ in told][:2] == ["planning", "sampling"]
    assert told[-1][0] == "rendering"
    with pytest.raises(UsageError, match="exists already"):
        clip.save(tmp_path / "clip.mp4")
    again = clip.save(tmp_path / "again.mp4")
    assert again.clip.sha256 == done.clip.sha256  # the same job, not made twice
    looped = clip.save(tmp_path / "clip.gif")
    assert looped.clip.path.read_bytes()[:4] == b"GIF8"


def test_the_frames_are_those_of_the_facade_but_for_the_codec(served: Served, photo: Path) -> None:
    there = list(vivant.connect(served.url).animate(photo, **SMALL).frames())
    here = list(vivant.animate(photo, **SMALL).frames())
    assert len(there) == len(here)
    apart = np.abs(np.stack(there).astype(int) - np.stack(here)).mean()
    assert apart < 12, apart  # noise under H.264 with a watermark


def test_controls_and_pixels_go_along(served: Served) -> None:
    mask = np.zeros((64, 96), np.uint8)
    mask[:, 48:] = 255
    clip = vivant.connect(served.url).animate(
        photo_like(96, 64), still=mask, camera="push-in 0.1", **SMALL
    )
    job = clip.start()
    assert job.wait()["result"]["frames"] == 6
    with pytest.raises(UsageError, match="no control 'shake'"):
        vivant.connect(served.url).animate(photo_like(96, 64), shake=True)


def test_a_job_is_cancelled_by_the_hooks(served: Served, photo: Path, tmp_path: Path) -> None:
    clip = vivant.connect(served.url).animate(photo, seconds=600, size="192x128")
    with pytest.raises(Cancelled):
        clip.save(tmp_path / "clip.mp4", hooks=Hooks(cancelled=lambda: True))
    assert not (tmp_path / "clip.mp4").exists()


def test_another_future_is_another_job(served: Served, photo: Path) -> None:
    service = vivant.connect(served.url)
    clip = service.animate(photo, **SMALL)
    first, other = clip.start(), clip.with_seed(1).start()
    assert first.id != other.id
    assert service.job(first.id).wait()["state"] == "succeeded"
    other.wait()
    other.delete()
    with pytest.raises(UsageError, match="no such job"):
        service.job(other.id)


def test_what_a_service_cannot_do_is_refused_by_name(
    served: Served, photo: Path, tmp_path: Path
) -> None:
    service = vivant.connect(served.url)
    clip = service.animate(photo, **SMALL)
    with pytest.raises(UsageError, match="lossless"):
        clip.save(tmp_path / "clip.webp", lossless=True)
    with pytest.raises(UsageError, match="not mkv"):
        clip.save(tmp_path / "clip.mkv")
    with pytest.raises(UsageError, match="no model 'svd'"):
        service.animate(photo, model="svd", **SMALL)
    with pytest.raises(UsageError, match="key frames cannot honour the control camera"):
        service.animate(photo, last=photo, camera="push-in")
    with pytest.raises(UsageError, match="9000x9000"):
        service.animate(photo, size="9000x9000")
    tmp_path.joinpath("no.png").write_text("no picture")
    with pytest.raises(UsageError, match="is not a picture"):
        service.animate(tmp_path / "no.png", **SMALL)


def test_a_picture_is_seen(served: Served, photo: Path) -> None:
    found = vivant.connect(served.url).scene(photo)
    assert abs(sum(found["kinds"].values()) - 1) < 0.01
    assert found["size"] == [96, 64]


def test_the_signatures_are_those_of_the_facade() -> None:
    from vivant.client.remote import RemoteAnimation, Service

    for here, there in (
        (vivant.animate, Service.animate),
        (vivant.Animation.save, RemoteAnimation.save),
        (vivant.Animation.frames, RemoteAnimation.frames),
        (vivant.Animation.preview, RemoteAnimation.preview),
        (vivant.Animation.with_seed, RemoteAnimation.with_seed),
    ):
        kept = [
            [one for one in inspect.signature(function).parameters.values() if one.name != "self"]
            for function in (here, there)
        ]
        assert kept[0] == kept[1]


def test_a_wrong_address_is_one_sentence() -> None:
    with pytest.raises(VivantError, match="does not answer"):
        vivant.connect(f"http://127.0.0.1:{free_port()}")
    for wrong in ("file:///etc/passwd", "clips.example.org"):
        with pytest.raises(UsageError, match="named like"):
            vivant.connect(wrong)


class Answers(BaseHTTPRequestHandler):
    """What a test's `answers` say, one after the other: status, headers, body."""

    answers: list[tuple[int, dict[str, str], bytes]]
    seen: list[dict[str, str]]

    def do_GET(self) -> None:
        status, headers, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.seen.append(dict(self.headers))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return


@contextmanager
def answering(*answers: tuple[int, dict[str, str], bytes]) -> Iterator[tuple[str, Any]]:
    handler = type("Handler", (Answers,), {"answers": list(answers), "seen": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", handler
        finally:
            server.shutdown()


def test_a_busy_service_is_asked_again() -> None:
    busy = (429, {"Retry-After": "0.1"}, b'{"detail": "Too many."}')
    with answering(busy, busy, (200, {}, b'{"a": 1}')) as (url, handler):
        assert Door(url).json("GET", "/x") == {"a": 1}
        assert len(handler.seen) == 3
    with answering(busy) as (url, _), pytest.raises(NoAnswer, match="Too many"):
        Door(url, patience=0.5).json("GET", "/x")


def test_a_key_is_not_sent_on_to_where_a_redirect_leads() -> None:
    with (
        answering((200, {}, b"{}")) as (elsewhere, other),
        answering((302, {"Location": elsewhere}, b"")) as (url, handler),
    ):
        with pytest.raises(UsageError, match="302"):
            Door(url, "secret").json("GET", "/x")
        assert handler.seen[0]["Authorization"] == "Bearer secret"
        assert other.seen == []
    assert "secret" not in repr(Door(url, "secret"))


def test_a_clip_that_arrives_cut_off_or_changed_is_not_kept(tmp_path: Path) -> None:
    cut = (200, {"Content-Length": "10"}, b"half")
    with answering(cut) as (url, _), pytest.raises(NoAnswer):
        Door(url, patience=0).download("/x", tmp_path / "clip.mp4")
    whole = (200, {}, b"others")
    state = (200, {}, b'{"state": "succeeded", "result": {"sha256": "0"}}')
    with answering(state, whole) as (url, _), pytest.raises(VivantError, match="damaged"):
        RemoteJob(Door(url), "1", "mp4").download(tmp_path / "two.mp4")
    assert not (tmp_path / "two.mp4").exists()


def test_a_stranger_that_is_no_service_is_told() -> None:
    with answering((200, {}, b"<html>")) as (url, _), pytest.raises(VivantError, match="not speak"):
        vivant.connect(url)
