"""Tiny random checkpoints of the real layouts go the whole way (needs the [adapters] extra)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from vivant.adapters.families import TABLE, family_named
from vivant.adapters.memory import Placement
from vivant.child import Child, Limits
from vivant.errors import BundleError

pytest.importorskip("diffusers")
pytestmark = pytest.mark.torch
WORKER = "vivant.adapters.worker"
CPU = Placement("cpu", "float32", "", False, 0, 0)
NAMES = [family.name for family in TABLE]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds a checkpoint of each family, by name."""
    folder = tmp_path_factory.mktemp("tiny")
    script = Path(__file__).with_name("tiny_models.py")
    subprocess.run([sys.executable, script, folder, *NAMES], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    """One process for all: what it loads takes seconds."""
    with Child(Limits(300, 1 << 22)) as one:
        yield one


def job(folder: Path, name: str, **more: Any) -> dict[str, Any]:
    family = family_named(name)
    k = family.grid.rounds(more.pop("needed", 5))
    plain = {
        "folder": str(folder / name), "family": name, "frames": family.grid.asked(k), "seed": 0,
        "steps": 2, "guidance": family.guidance, "prompt": "the lake", "fps": family.fps,
        "strength": 1.0, "draft": 0.0, "rounds": k if family.grid.windows else 1,
    }  # fmt: skip
    return plain | more


def sampled(
    child: Child, asked: dict[str, Any], placement: Placement = CPU, **arrays: np.ndarray
) -> tuple[list[dict[str, Any]], np.ndarray]:
    """What is told on the way, and the frames."""
    picture = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    family = family_named(str(asked["family"]))
    if family.needs_last:
        arrays["last"] = picture[::-1].copy()
    answers = list(
        child.ask(
            f"{WORKER}:sample",
            {"picture": picture, **arrays},
            job=asked,
            placement=asdict(placement),
        )
    )
    frames = [a.arrays["frames"] for a in answers if "frames" in a.arrays]
    return [a.facts for a in answers], np.concatenate(frames)


@pytest.mark.parametrize("name", NAMES)
def test_a_family_gives_what_its_row_says(tiny: Path, child: Child, name: str) -> None:
    grid = family_named(name).grid
    asked = job(tiny, name)
    told, frames = sampled(child, asked)
    assert frames.shape == (grid.given(grid.rounds(5)), 64, 64, 3)
    shares = [f["share"] for f in told if f.get("stage") == "sampling"]
    assert len(shares) == 2 * asked["rounds"]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert np.abs(sampled(child, asked)[1].astype(int) - frames).max() <= 1
    assert np.abs(sampled(child, asked | {"seed": 1})[1].astype(int) - frames).max() > 1


@pytest.mark.parametrize("name", NAMES)
def test_the_grid_of_frames_goes_on(tiny: Path, child: Child, name: str) -> None:
    grid = family_named(name).grid
    for needed in (2, 18):
        steps = family_named(name).least_steps
        _, frames = sampled(child, job(tiny, name, needed=needed, steps=steps))
        assert len(frames) == grid.given(grid.rounds(needed))


@pytest.mark.parametrize("name", [family.name for family in TABLE if family.noise])
def test_noise_that_moves_is_taken(tiny: Path, child: Child, name: str) -> None:
    grid = family_named(name).grid
    motion = np.full((grid.given(grid.rounds(5)) - 1, 16, 16, 2), 0.02, np.float32)
    _, plain = sampled(child, job(tiny, name))
    _, moved = sampled(child, job(tiny, name), motion=motion)
    assert moved.shape == plain.shape
    assert np.abs(moved.astype(int) - plain).max() > 1


@pytest.mark.parametrize("name", [family.name for family in TABLE if family.draft])
def test_a_draft_shortens_the_way_and_shows(tiny: Path, child: Child, name: str) -> None:
    grid = family_named(name).grid
    drafts = np.random.default_rng(2).integers(0, 256, (2, 64, 64, 3), np.uint8)
    clips = []
    for draft in drafts:
        whole = np.repeat(draft[None], grid.given(grid.rounds(5)), axis=0)
        told, frames = sampled(child, job(tiny, name, steps=8, draft=0.5), draft=whole)
        shares = [f["share"] for f in told if f.get("stage") == "sampling"]
        assert len(shares) < 8
        assert shares[-1] == 1.0
        clips.append(frames.astype(int))
    assert np.abs(clips[0] - clips[1]).max() > 1


@contextmanager
def changed(path: Path, change: Any) -> Iterator[None]:
    """A file of tensors with ``change`` made to them, for a while."""
    kept = path.read_bytes()
    save_file(change(load_file(path)), path, {"format": "pt"})
    try:
        yield
    finally:
        path.write_bytes(kept)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("svd", "unet"), ("svd", "vae"), ("svd", "image_encoder"), ("wan-2.2", "transformer_2"),
        ("wan-2.1", "text_encoder"), ("hunyuan", "text_encoder"), ("ltx-2", "connectors"),
        ("hunyuan-1.5", "text_encoder_2"),
    ],
)  # fmt: skip
def test_a_missing_tensor_is_named(tiny: Path, name: str, part: str) -> None:
    path = next((tiny / name / part).glob("*.safetensors"))
    gone = sorted(load_file(path))[-1]

    def without(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {key: value for key, value in tensors.items() if key != gone}

    said = pytest.raises(BundleError, match=gone.rpartition(".")[2])
    with changed(path, without), Child(Limits(300, 1 << 22)) as fresh, said:
        sampled(fresh, job(tiny, name))


def test_weights_that_are_no_numbers_give_no_black_clip(tiny: Path) -> None:
    path = next((tiny / "wan-2.1" / "transformer").glob("*.safetensors"))

    def broken(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {key: np.full_like(value, np.nan) for key, value in tensors.items()}

    said = pytest.raises(BundleError, match="NaN")
    with changed(path, broken), Child(Limits(300, 1 << 22)) as fresh, said:
        sampled(fresh, job(tiny, "wan-2.1"))
