"""A job end to end with the library of each foreign client, pointed at a service on loopback."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from conftest import photo_like

pytest.importorskip("dbos", reason="needs the [serve] extra")
pytest.importorskip("httpx2")
pytest.importorskip("python_multipart", reason="needs the [serve] extra")

from serving import Served, serving, wait_for

pytestmark = pytest.mark.filterwarnings("default")  # theirs are theirs


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("foreign")) as served:
        yield served


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray(photo_like(96, 64)).save(path)
    return path


def fetched(url: str) -> bytes:
    with urllib.request.urlopen(url) as answer:
        return bytes(answer.read())


def test_openai(served: Served, photo: Path, tmp_path: Path) -> None:
    openai = pytest.importorskip("openai")
    with openai.OpenAI(base_url=f"{served.url}/v1", api_key="none", max_retries=0) as client:
        video = client.videos.create(
            prompt="slow push-in",
            input_reference=photo,
            model="builtin",
            seconds="0.25",
            size="96x64",
        )
        assert video.status in ("queued", "in_progress")
        seen: list[int] = []

        def over() -> bool:
            found = client.videos.retrieve(video.id)
            seen.append(found.progress)
            return found.status not in ("queued", "in_progress")

        wait_for(over)
        done = client.videos.retrieve(video.id)
        assert (done.status, done.progress, done.size) == ("completed", 100, "96x64")
        assert done.prompt == "slow push-in"
        client.videos.download_content(video.id).write_to_file(tmp_path / "clip.mp4")
        assert (tmp_path / "clip.mp4").read_bytes()[4:8] == b"ftyp"
        assert [one.id for one in client.videos.list(limit=1)] == [video.id]
        with pytest.raises(openai.UnprocessableEntityError, match="no variant 'thumbnail'"):
            client.videos.download_content(video.id, variant="thumbnail")
        with pytest.raises(openai.UnprocessableEntityError, match="no model 'sora-2'"):
            client.videos.create(prompt="", input_reference=photo, model="sora-2")
        with pytest.raises(openai.UnprocessableEntityError, match="send one"):
            client.videos.create(prompt="slow push-in")
        assert client.videos.delete(video.id).deleted
        with pytest.raises(openai.NotFoundError):
            client.videos.retrieve(video.id)


def test_fal(served: Served, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fal_client = pytest.importorskip("fal_client")
    # their client speaks TLS only
    monkeypatch.setattr(fal_client.client, "QUEUE_URL_FORMAT", f"{served.url}/fal/")
    client = fal_client.SyncClient(key="none")
    words: dict[str, Any] = {
        "image_url": fal_client.encode_file(str(photo)),
        "duration": "0.25",
        "resolution": "96x64",
        "seed": 4,
        "loop": True,
    }
    told: list[Any] = []
    result = client.subscribe("vivant/animate", words, with_logs=True, on_queue_update=told.append)
    assert isinstance(told[-1], fal_client.Completed)
    assert result["seed"] == 4
    assert fetched(result["video"]["url"])[4:8] == b"ftyp"
    handle = client.submit("vivant/animate", {**words, "duration": 600})
    wait_for(lambda: isinstance(handle.status(with_logs=True), fal_client.InProgress))
    handle.cancel()
    wait_for(lambda: isinstance(handle.status(), fal_client.Completed))
    assert handle.status().error_type == "cancelled"
    with pytest.raises(fal_client.FalClientHTTPError, match="cancelled"):
        handle.get()
    with pytest.raises(fal_client.FalClientHTTPError, match="no input 'aspect_ratio'"):
        client.submit("vivant/animate", {**words, "aspect_ratio": "16:9"})
    with pytest.raises(fal_client.FalClientHTTPError, match="no fal-ai/wan"):
        client.submit("fal-ai/wan", words)
    client._client.close()


def test_replicate(served: Served, photo: Path) -> None:
    replicate = pytest.importorskip("replicate")
    client = replicate.Client(api_token="none", base_url=f"{served.url}/replicate")
    words = {"seconds": 0.25, "size": "96x64", "camera": "push-in 0.1"}
    with photo.open("rb") as image:  # uploaded by their client
        clip = client.run("vivant/animate", {"image": image, **words})
    assert fetched(str(clip))[4:8] == b"ftyp"
    with photo.open("rb") as image:
        made = client.predictions.create(
            version="builtin", input={"image": image, **words, "seconds": 600},
            file_encoding_strategy="base64",
        )  # fmt: skip
    assert made.status == "starting"

    def running() -> bool:
        made.reload()
        return made.status == "processing" and made.progress is not None

    wait_for(running)
    made.cancel()
    assert made.status == "canceled"
    assert client.predictions.get(made.id).completed_at
    assert made.id in {one.id for one in client.predictions.list()}
    with photo.open("rb") as image, pytest.raises(Exception, match="no input 'fps_factor'"):
        client.run("vivant/animate", {"image": image, "fps_factor": 2})
    damaged = {"image": "data:image/png;base64,AAAA", "seconds": 0.25}
    with pytest.raises(replicate.exceptions.ModelError, match="not a picture"):
        client.run("vivant/animate", damaged)
    client._client.close()
