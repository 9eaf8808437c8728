"""Clips in an S3-compatible store: a job end to end against a server on loopback."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import vivant
from conftest import photo_like
from vivant.errors import UsageError, VivantError

pytest.importorskip("dbos", reason="needs the [serve] extra")
pytest.importorskip("httpx2")
pytest.importorskip("obstore", reason="needs the [s3] extra")
pytest.importorskip("moto.server", reason="needs an S3 server")

import obstore
from moto.server import ThreadedMotoServer

from serving import serving
from vivant.service.results import InStore, StoreAway, check_store
from vivant.service.settings import ServiceSettings

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
URL = "s3://clips/vivant"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    _, port = server.get_host_and_port()
    address = f"http://127.0.0.1:{port}"
    for name, value in {
        "AWS_ENDPOINT_URL": address,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    with urllib.request.urlopen(urllib.request.Request(f"{address}/clips", method="PUT")):
        pass
    from vivant.service import results

    results._opened.cache_clear()
    yield obstore.store.from_url(URL)
    results._opened.cache_clear()
    server.stop()


def keys(store: Any) -> list[str]:
    return [one["path"] for batch in obstore.list(store) for one in batch]


def test_a_clip_goes_to_the_store_and_comes_from_it(store: Any, tmp_path: Path) -> None:
    Image.fromarray(photo_like(96, 64)).save(tmp_path / "photo.png")
    with serving(tmp_path, "--results", URL) as served:
        clip = vivant.connect(served.url).animate(
            tmp_path / "photo.png", seconds=0.25, size="96x64"
        )
        done = clip.save(tmp_path / "clip.mp4")  # checked against its hash
        job = clip.start()
        assert keys(store) == [f"{job.id}/clip.mp4"]
        assert not (served.folder / "results" / job.id).exists()
        assert vivant.verify(tmp_path / "clip.mp4").record is not None
        frames = list(clip.frames())
        assert len(frames) == done.plan.video.count
        assert np.stack(frames).std() > 1
        with served.client() as client:
            video = client.get(f"/fal/vivant/animate/requests/{job.id}").json()["video"]
            assert video["file_size"] == (tmp_path / "clip.mp4").stat().st_size
            linked = client.get(video["url"])
            assert linked.content == (tmp_path / "clip.mp4").read_bytes()
            assert linked.headers["content-type"] == "video/mp4"
        job.delete()
        assert keys(store) == []


def test_what_is_not_there_and_a_store_that_is_away(
    store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = InStore(URL, tmp_path)
    assert kept.find("absent", "clip.mp4") is None
    kept.remove("absent", "clip.mp4")
    check_store(ServiceSettings(tmp_path, store=URL))
    with pytest.raises(UsageError, match="s3://BUCKET"):
        check_store(ServiceSettings(tmp_path, store="ftp://clips"))
    with pytest.raises(UsageError, match="cannot be written to"):
        check_store(ServiceSettings(tmp_path, store="s3://not-there"))
    away = InStore("s3://not-there", tmp_path)
    (tmp_path / "clip.mp4").write_bytes(b"a clip")
    with pytest.raises(VivantError, match="did not take"):
        away.keep("job", tmp_path / "clip.mp4")


def test_without_a_store_nothing_is_asked(tmp_path: Path) -> None:
    check_store(ServiceSettings(tmp_path))
    assert "AWS_ENDPOINT_URL" not in os.environ
    assert issubclass(StoreAway, UsageError)
