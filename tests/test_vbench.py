"""The VBench-I2V export: names, list, crops, resuming and refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from conftest import photo_like
from publishing import key
from vivant.asset import Assets
from vivant.clip import Frame, VideoSpec
from vivant.controls.camera import Camera
from vivant.errors import UsageError
from vivant.evaluation import vbench
from vivant.media.assets import FileAssets
from vivant.media.framing import frame_size
from vivant.media.resize import fit
from vivant.request import (
    Capabilities,
    FrameStream,
    Hooks,
    ModelIdentity,
    Plan,
    Request,
    Result,
    SourceType,
    Target,
)


class Still:
    """A generator that repeats the picture and remembers what it was asked."""

    capabilities = Capabilities(controls=("camera",))

    def __init__(self, sha256: str = "1" * 64) -> None:
        self.identity = ModelIdentity("still", "1", sha256)
        self.asked: list[Request] = []

    def plan(self, request: Request, assets: Assets, target: Target) -> Plan:
        size = frame_size(assets.picture(request.keyframes[0].image).size, request.size, target)
        fps = request.fps or 24.0
        return Plan(VideoSpec(*size, fps, max(1, round(request.seconds * fps))), size)

    def generate(self, request: Request, plan: Plan, assets: Assets, hooks: Hooks) -> Result:
        self.asked.append(request)
        pixels = fit(assets.picture(request.keyframes[0].image), plan.fitted).pixels

        def frames() -> Iterator[Frame]:
            for _ in range(plan.video.count):
                yield pixels

        return Result(plan, lambda: FrameStream(frames()), self.identity, SourceType.ALGORITHMIC)


def _suite(root: Path) -> Path:
    """VBench's data folder with one ready crop and a list of three prompts."""
    crop = root / "data/crop/1-1"
    crop.mkdir(parents=True)
    cv2.imwrite(str(crop / "a red boat.jpg"), photo_like(96, 96))
    camera = {"dimension": ["camera_motion"], "image_type": "scenery"}
    name = {"image_name": "a red boat.jpg"}
    entries = [
        {"prompt_en": "a red boat", "dimension": ["i2v_background"], **name},
        {"prompt_en": "a red boat, camera pans left", **camera},
        {"prompt_en": "a red boat, camera zooms out", **camera, **name},
    ]
    (root / vbench.INFO).write_text(json.dumps(entries), "utf-8")
    return root / "data"


def test_layout_names_and_resuming(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vbench, "SHORT", 64)
    prompts = vbench.read_prompts(_suite(tmp_path), "1-1")
    assert [p.camera for p in prompts] == [Camera(), Camera(pan_x=-0.15), Camera(zoom=-0.1)]
    model, out = Still(), tmp_path / "out"
    record = vbench.export(prompts[::2], model, out, key(), seconds=0.1)
    wanted = [f"a red boat{ask}-{k}.mp4" for ask in (", camera zooms out", "") for k in range(5)]
    assert sorted(p.name for p in (out / "videos").iterdir()) == wanted
    assert len({r.seed for r in model.asked}) == 10
    assert not any("refused" in row for row in record["clips"])
    assert json.loads((out / vbench.INFO).read_text("utf-8"))[0]["prompt_en"] == "a red boat"
    (out / "videos" / "a red boat-3.mp4").unlink()
    again = Still()
    assert vbench.export(prompts[::2], again, out, key(), seconds=0.1) == record
    assert [r.seed for r in again.asked] == [model.asked[3].seed]
    with pytest.raises(UsageError, match="other weights"):
        vbench.export(prompts[::2], Still("2" * 64), out, key(), seconds=0.1)


def test_crops_are_cut_from_the_originals(tmp_path: Path) -> None:
    (tmp_path / "origin").mkdir()
    pixels = np.zeros((200, 300, 3), np.uint8)
    pixels[20:120, 50:250] = 255
    cv2.imwrite(str(tmp_path / "origin/sea.png"), pixels)
    item = {"file_name": "sea.png", "diff_ratio_crop": {"2-1": [50, 20, 200, 100]}}
    (tmp_path / vbench.CROPS).write_text(json.dumps([item]), "utf-8")
    (prompt,) = vbench.read_prompts(tmp_path, "2-1")
    with FileAssets() as assets:
        picture = assets.picture(vbench.picture_of(prompt, assets))
    assert picture.size == (960, 480)
    assert picture.pixels.min() > 250
    with pytest.raises(UsageError, match="no crop '5-4'"):
        vbench.read_prompts(tmp_path, "5-4")


def test_own_images_and_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no images"):
        vbench.read_prompts(tmp_path, "1-1")
    cv2.imwrite(str(tmp_path / "a tree.png"), photo_like(64, 64))
    (prompt,) = vbench.read_prompts(tmp_path, "1-1")
    assert prompt.text == "a tree"
    assert prompt.entry["custom_image_path"] == str((tmp_path / "a tree.png").resolve())
    (tmp_path / vbench.INFO).write_text('[{"prompt_en": "gone", "dimension": []}]', "utf-8")
    with pytest.raises(UsageError, match=r"gone\.jpg"):
        vbench.read_prompts(tmp_path, "1-1")
