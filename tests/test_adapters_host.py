"""The process in which a video model runs: number formats, memory, cancelling (needs the extra)."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from vivant.adapters.families import family_of
from vivant.adapters.host import ChildHost, Job
from vivant.adapters.layout import Checkpoint, read_checkpoint
from vivant.adapters.memory import Placement, weights
from vivant.adapters.model import VideoModel
from vivant.controls.sampling import Steps
from vivant.controls.words import Words
from vivant.errors import Cancelled
from vivant.media.assets import FileAssets
from vivant.registry import load
from vivant.request import Hooks, Keyframe, ModelIdentity, Request, Runtime, Target

pytest.importorskip("diffusers")
pytestmark = pytest.mark.torch
NAME = "wan-2.1"
CPU = Placement("cpu", "float32", "", False, 0, 0)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    folder = tmp_path_factory.mktemp("tiny")
    script = Path(__file__).with_name("tiny_models.py")
    subprocess.run([sys.executable, script, folder, NAME], check=True, capture_output=True)
    return read_checkpoint(folder / NAME)


@pytest.fixture(scope="module")
def host() -> ChildHost:
    return ChildHost()


def job(checkpoint: Checkpoint, steps: int = 2) -> Job:
    picture = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    where = str(checkpoint.folder)
    return Job(where, NAME, 5, 0, steps, 5.0, "", 16, 1.0, 0.0, 1, {"picture": picture})


def test_estimates_match_what_is_loaded(checkpoint: Checkpoint, host: ChildHost) -> None:
    family = family_of(checkpoint)
    placement = Placement("cpu", "bfloat16", "", False, 0, 0)
    found = host.loads(str(checkpoint.folder), family.name, placement)
    for part, size in weights(checkpoint, family, "bfloat16").items():
        width = 4 if part in family.parts_in_float else 2
        assert abs(found[part] * width - size) <= 0.1 * size
    frames = host.sampled(job(checkpoint), placement, Hooks()).frames
    assert len(frames) == 5


@pytest.mark.parametrize(
    "placement",
    [
        Placement("cpu", "float32", "parts", True, 0, 0),
        Placement("cpu", "float32", "blocks", True, 0, 0),
    ],
    ids=["parts", "blocks"],
)
def test_a_placement_changes_no_frame(
    checkpoint: Checkpoint, host: ChildHost, placement: Placement
) -> None:
    """Whatever moves, moves from the CPU to the CPU here; the picture is smaller than a tile."""
    whole = np.stack(host.sampled(job(checkpoint), CPU, Hooks()).frames)
    placed = np.stack(host.sampled(job(checkpoint), placement, Hooks()).frames)
    assert np.abs(whole.astype(int) - placed).max() <= 1


def test_cancelled_within_a_step_and_the_next_run_is_the_same(
    checkpoint: Checkpoint, host: ChildHost
) -> None:
    first = host.sampled(job(checkpoint), CPU, Hooks()).frames
    heard: list[float] = []
    asked: list[float] = []

    def wanted_until_now() -> bool:
        if len(heard) >= 2:
            asked.append(time.monotonic())
        return bool(asked)

    hooks = Hooks(lambda stage, share: heard.append(share), wanted_until_now)
    with pytest.raises(Cancelled):
        host.sampled(job(checkpoint, steps=500), CPU, hooks)
    assert time.monotonic() - asked[0] < 3
    assert len(heard) < 20
    again = host.sampled(job(checkpoint), CPU, Hooks()).frames
    assert np.abs(np.stack(first).astype(int) - np.stack(again)).max() <= 1


def test_a_lack_of_memory_is_named(checkpoint: Checkpoint) -> None:
    poor = ChildHost(memory_mib=2000)
    wide = job(checkpoint).arrays["picture"]
    large = Job(str(checkpoint.folder), NAME, 81, 0, 1, 1.0, "", 16, 1.0, 0.0, 1,
                {"picture": np.tile(wide, (12, 16, 1))})  # fmt: skip
    with pytest.raises(MemoryError, match="memory"):
        poor.sampled(large, CPU, Hooks())


def test_the_whole_way_frame_0_is_the_picture(checkpoint: Checkpoint, host: ChildHost) -> None:
    family = family_of(checkpoint)
    own = ModelIdentity("mine", "1", checkpoint.sha256)
    video = VideoModel(own, checkpoint, family, Runtime(), host, lambda: load("builtin"))
    picture = np.random.default_rng(3).integers(0, 256, (70, 110, 3), np.uint8)
    with FileAssets() as assets:
        image = Keyframe(assets.add_pixels(picture, "picture"))
        request = Request((image,), (Words("the lake"), Steps(2)), 0.5, model="mine")
        plan = video.plan(request, assets, Target())
        result = video.generate(request, plan, assets, Hooks())
        with result.open() as stream:
            frames = list(stream)
    assert len(frames) == plan.video.count == 8
    assert np.array_equal(frames[0], picture)
    assert result.artefacts["field"].read().grid == (32, 50)
