"""The process in which a video model runs: number formats, memory, cancelling (needs the extra)."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tiny_runs import CPU, NAMES, PICTURE, apart, built, given, job
from vivant.adapters import memory, worker
from vivant.adapters.families import Family, family_named, family_of
from vivant.adapters.host import ChildHost, Host, Job, Part, Sampled
from vivant.adapters.layout import read_checkpoint
from vivant.adapters.loading import opened
from vivant.adapters.memory import GIB, Machine, Placement, weights
from vivant.adapters.model import VideoModel
from vivant.clip import Frame
from vivant.controls.sampling import Steps
from vivant.controls.words import Words
from vivant.errors import Cancelled
from vivant.media.assets import FileAssets
from vivant.registry import load
from vivant.request import Hooks, Keyframe, ModelIdentity, Request, Runtime, Target

pytest.importorskip("diffusers", reason="needs the extra: pip install 'vivant[adapters]'")
pytestmark = pytest.mark.torch
TABLES = 8 << 10
"""Bytes of positions that are no weights, in no file, and matter for tiny checkpoints only."""
ODD = np.random.default_rng(3).integers(0, 256, (70, 110, 3), np.uint8)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory)


@pytest.fixture(scope="module")
def host() -> ChildHost:
    return ChildHost()


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    """All tests of one family come one after another: it is loaded few times."""
    return str(request.param)


def clip(host: ChildHost, tiny: Path, name: str, placement: Placement = CPU) -> np.ndarray:
    return np.stack(host.sampled(job(tiny, name), placement, Hooks()).frames)


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_estimates_match_what_is_loaded(tiny: Path, host: ChildHost, name: str, dtype: str) -> None:
    checkpoint = read_checkpoint(tiny / name, hashed=False)
    placement = Placement("cpu", dtype, "", False, 0, 0)
    found = host.loads(str(tiny / name), name, placement)
    estimated = weights(checkpoint, family_of(checkpoint), dtype)
    assert estimated.keys() == found.keys()
    for part, size in estimated.items():
        assert abs(found[part].size - size) <= 0.1 * size + TABLES, part
    assert len(clip(host, tiny, name, placement)) == given(name)


def test_a_placement_changes_no_frame(tiny: Path, host: ChildHost, name: str) -> None:
    """Whatever moves, moves from the CPU to the CPU here; the picture is smaller than a tile.
    Where frames are decoded one at a time in place of tiles, they do change: not asked here."""
    whole, tiled = clip(host, tiny, name), family_named(name).tile > 0
    for offload in ("parts", "blocks"):
        placement = Placement("cpu", "float32", offload, tiled, 0, 0)  # type: ignore[arg-type]
        assert apart(clip(host, tiny, name, placement), whole) <= 1, offload


def test_cancelled_within_a_step_and_the_next_run_is_the_same(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Its process is stopped where it is after two steps, so that no further one ever ends, as one
    of a large model takes minutes. The next run is in another process: the same seed's clip."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    host = ChildHost()
    first = clip(host, tiny, name)
    heard: list[float] = []
    asked: list[float] = []

    def told(stage: str, share: float) -> None:
        heard.append(share)
        if len(heard) == 2:
            os.kill(_process_of(host), signal.SIGSTOP)

    def wanted_until_now() -> bool:
        if len(heard) >= 2:
            asked.append(time.monotonic())
        return bool(asked)

    with pytest.raises(Cancelled):
        host.sampled(job(tiny, name, steps=50), CPU, Hooks(told, wanted_until_now))
    assert time.monotonic() - asked[0] < 10
    assert len(heard) <= 3
    assert list(tmp_path.iterdir()) == []
    assert apart(clip(host, tiny, name), first) <= 1


def _process_of(host: ChildHost) -> int:
    process = host._child._process
    assert process is not None
    return process.pid


@dataclass
class Here:
    """A host in this process. The decoder of what is loaded first finds no memory."""

    tried: list[Placement] = field(default_factory=list)

    def machine(self) -> Machine:
        return Machine("cpu", "the CPU", 64 * GIB, 64 * GIB)

    def loads(self, folder: str, family: str, placement: Placement) -> dict[str, Part]:
        raise NotImplementedError

    def sampled(self, job: Job, placement: Placement, hooks: Hooks) -> Sampled:
        self.tried.append(placement)
        answers = worker.sample(job.facts(), asdict(placement), **job.arrays)
        found = [answer.arrays["frames"] for answer in answers if "frames" in answer.arrays]
        return Sampled(list(np.concatenate(found)))

    def opened(self, folder: Path, family: Family, placement: Placement) -> Any:
        assert not worker._LOADED, "what is held is freed first"
        pipe = opened(folder, family, placement)
        if len(self.tried) == 1:
            pipe.vae.decoder.register_forward_pre_hook(_no_memory)
        return pipe


def _no_memory(*_: object) -> None:
    raise RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate")


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of Pillow
def test_a_smaller_retry_after_a_lack_of_memory(
    tiny: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In every family's pipeline; of such checkpoints every saving counts."""
    host = Here()
    monkeypatch.setattr(memory, "SMALLER", 1.0)
    monkeypatch.setattr(worker, "opened", host.opened)
    frames, notes = whole_way(tiny, name, host)
    assert np.array_equal(frames[0], ODD)
    first, second = host.tried
    assert second.need < first.need
    assert any("tried again after a lack of memory" in note for note in notes)
    worker._LOADED.clear()


def test_a_lack_of_memory_is_named(tiny: Path) -> None:
    poor = ChildHost(memory_mib=2000)
    wide = np.tile(PICTURE, (12, 16, 1))
    large = job(tiny, "wan-2.1", 81, steps=1, guidance=1.0, arrays={"picture": wide})
    with pytest.raises(MemoryError, match="memory"):
        poor.sampled(large, CPU, Hooks())


def whole_way(tiny: Path, name: str, host: Host) -> tuple[list[Frame], tuple[str, ...]]:
    """Half a second from a picture of odd sides: its frames, and what is said of them."""
    checkpoint = read_checkpoint(tiny / name, hashed=False)
    family = family_of(checkpoint)
    assert family.name == name
    video = VideoModel(
        ModelIdentity("mine", "1", "0" * 64), checkpoint, family, Runtime(), host,
        lambda: load("builtin"),
    )  # fmt: skip
    with FileAssets() as assets:
        first, last = (assets.add_pixels(one, "picture") for one in (ODD, ODD[:, ::-1].copy()))
        keyframes = (Keyframe(first), *([Keyframe(last, 0.5)] if family.needs_last else []))
        controls = (Steps(2), *([Words("the lake")] if family.prompt else []))
        request = Request(keyframes, controls, 0.5, model="mine")
        plan = video.plan(request, assets, Target())
        assert any("GiB of" in note for note in plan.notes)
        assert any("tiny-licence" in note for note in plan.notes)
        result = video.generate(request, plan, assets, Hooks())
        with result.open() as stream:
            frames = list(stream)
    assert len(frames) == plan.video.count
    return frames, result.plan.notes


def test_the_whole_way_frame_0_is_the_picture(tiny: Path, host: ChildHost, name: str) -> None:
    frames, _ = whole_way(tiny, name, host)
    assert np.array_equal(frames[0], ODD)
    assert not np.array_equal(frames[-1], ODD)
