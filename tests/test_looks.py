"""Looks before a job: scenes and previews over HTTP, done in a child."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from conftest import EXAMPLES, photo_like

pytest.importorskip("dbos", reason="needs the [serve] extra")
pytest.importorskip("httpx2")

from fastapi.testclient import TestClient

import vivant
from vivant.service.api import api
from vivant.service.looks import Looks
from vivant.service.queue.store import prepare
from vivant.service.settings import ServiceSettings


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> ServiceSettings:
    return ServiceSettings(tmp_path_factory.mktemp("looks") / "data")


@pytest.fixture(scope="module")
def client(settings: ServiceSettings) -> Iterator[TestClient]:
    prepare(settings)
    with TestClient(api(settings, ()), base_url="http://127.0.0.1") as client:
        yield client


def uploaded(client: TestClient, content: bytes) -> dict[str, Any]:
    return dict(client.post("/v1/assets", content=content).json())


def noise(client: TestClient) -> dict[str, Any]:
    buffer = io.BytesIO()
    Image.fromarray(photo_like(96, 64)).save(buffer, "PNG")
    return uploaded(client, buffer.getvalue())


def opened(uri: str) -> Image.Image:
    head, _, content = uri.partition(";base64,")
    image = Image.open(io.BytesIO(base64.b64decode(content)))
    assert head == f"data:image/{str(image.format).lower()}"
    return image


def test_a_scene_has_kinds_masks_and_depth(client: TestClient) -> None:
    asset = uploaded(client, (EXAMPLES / "lake.jpg").read_bytes())
    query = {"masks": ["sky", "0"], "depth": True, "side": 256}
    answer = client.post("/v1/scene", params=query, json=asset)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["kinds"]["sky"] > 0.1
    assert found["kinds"]["water"] > 0.1
    sky = np.asarray(opened(found["masks"]["sky"]))
    assert max(sky.shape) == 256
    assert abs(sky.mean() / 255 - found["kinds"]["sky"]) < 0.1
    thing = np.asarray(opened(found["masks"]["0"]))
    assert abs(thing.mean() / 255 - found["instances"][0]["area"]) < 0.1
    depth = np.asarray(opened(found["depth"]))
    assert depth[-1].mean() > depth[0].mean()  # near is white
    assert depth.max() > 255


def test_a_preview_is_the_plan_and_a_small_marked_clip(client: TestClient, tmp_path: Path) -> None:
    asset = uploaded(client, (EXAMPLES / "lake.jpg").read_bytes())
    body = {"keyframes": [{"image": asset}], "seconds": 2, "size": "640x360"}
    found = client.post("/v1/preview", params={"side": 160}, json=body).json()
    assert (found["size"], found["fps"], found["frames"]) == ([640, 360], 24, 48)
    clip = opened(found["preview"])
    assert clip.size == (160, 90)
    assert getattr(clip, "n_frames", 1) == 12
    path = tmp_path / "preview.webp"
    path.write_bytes(base64.b64decode(found["preview"].partition(",")[2]))
    assert vivant.verify(path).record is not None
    plan = client.post("/v1/preview", params={"side": 0}, json=body).json()
    assert plan == {**found, "preview": None}


def test_what_a_job_would_refuse_is_refused(client: TestClient, settings: ServiceSettings) -> None:
    body = {"keyframes": [{"image": noise(client)}], "size": "9000x9000"}
    answer = client.post("/v1/preview", json=body)
    assert answer.status_code == 422
    assert "9000x9000" in answer.json()["detail"]
    damaged = uploaded(client, b"no picture")
    for path, sent in (
        ("/v1/scene", damaged),
        ("/v1/preview", {"keyframes": [{"image": damaged}]}),
    ):
        answer = client.post(path, json=sent)
        assert answer.status_code == 422
        assert "not a picture" in answer.json()["detail"]
        assert str(settings.folder) not in answer.text
    absent = {"sha256": "0" * 64, "kind": "picture"}
    assert "not uploaded" in client.post("/v1/scene", json=absent).json()["detail"]
    wrong = client.post("/v1/scene", params={"masks": "unicorn"}, json=noise(client))
    assert "no mask 'unicorn'" in wrong.json()["detail"]


def test_a_look_that_dies_takes_nothing_along(
    client: TestClient, settings: ServiceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = Looks(settings)
    asset = noise(client)
    asked: dict[str, Any] = {"sha256": asset["sha256"], "masks": [], "depth": False, "side": 64}
    try:
        assert looks.ask("scene", **asked).facts["kinds"]
        child = looks._child
        assert child is not None
        child.kill()
        with pytest.raises(vivant.errors.UsageError, match="crashed"):
            looks.ask("scene", **asked)
        assert looks.ask("scene", **asked).facts["kinds"]
        looks._turn.acquire()
        monkeypatch.setattr("vivant.service.looks.WAIT_SECONDS", 0.01)
        with pytest.raises(vivant.errors.UsageError, match="try again"):
            looks.ask("scene", **asked)
        looks._turn.release()
        for _ in range(4):
            looks._places.acquire()
        with pytest.raises(vivant.errors.UsageError, match="try again"):
            looks.ask("scene", **asked)
    finally:
        looks.close()
