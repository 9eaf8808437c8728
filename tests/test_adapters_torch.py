"""Tiny random checkpoints of the real layouts go the whole way (needs the [adapters] extra)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tiny_runs import NAMES, SIDE, apart, built, given, job, sampled
from vivant.adapters.families import TABLE, family_named
from vivant.child import Child, Limits

pytest.importorskip("diffusers", reason="needs the extra: pip install 'vivant[adapters]'")
pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory)


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    """One process for all: what it loads takes seconds."""
    with Child(Limits(300, 1 << 22)) as one:
        yield one


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    """All tests of one family come one after another: it is loaded once."""
    return str(request.param)


def test_a_family_gives_what_its_row_says(tiny: Path, child: Child, name: str) -> None:
    asked = job(tiny, name)
    told, frames = sampled(child, asked)
    assert frames.shape == (given(name), SIDE, SIDE, 3)
    shares = [f["share"] for f in told if f.get("stage") == "sampling"]
    assert len(shares) == 2 * asked.rounds
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert any(f.get("stage") == "decoding" for f in told)
    assert apart(sampled(child, asked)[1], frames) <= 1
    assert apart(sampled(child, job(tiny, name, seed=1))[1], frames) > 1


def test_every_count_up_to_40_is_given(tiny: Path, child: Child, name: str) -> None:
    """Each number of frames that the grid has, the model gives when it is asked for it."""
    grid, steps = family_named(name).grid, family_named(name).least_steps
    most = min(40, family_named(name).most)
    for k in sorted({grid.rounds(needed) for needed in range(1, most + 1)}):
        _, frames = sampled(child, job(tiny, name, grid.given(k), steps=steps, guidance=1.0))
        assert len(frames) == grid.given(k)


@pytest.mark.parametrize("noised", [family.name for family in TABLE if family.noise])
def test_noise_that_moves_is_taken(tiny: Path, child: Child, noised: str) -> None:
    motion = np.full((given(noised) - 1, 16, 16, 2), 0.02, np.float32)
    _, plain = sampled(child, job(tiny, noised))
    _, moved = sampled(child, job(tiny, noised, arrays={"motion": motion}))
    assert moved.shape == plain.shape
    assert apart(moved, plain) > 1


@pytest.mark.parametrize("drafted", [family.name for family in TABLE if family.draft])
def test_a_draft_shortens_the_way_and_shows(tiny: Path, child: Child, drafted: str) -> None:
    drafts = np.random.default_rng(2).integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)
    clips = []
    for draft in drafts:
        whole = np.repeat(draft[None], given(drafted), axis=0)
        asked = job(tiny, drafted, steps=8, draft=0.5, arrays={"draft": whole})
        told, frames = sampled(child, asked)
        shares = [f["share"] for f in told if f.get("stage") == "sampling"]
        assert len(shares) < 8
        assert shares[-1] == 1.0
        clips.append(frames)
    assert apart(clips[0], clips[1]) > 1


@pytest.mark.parametrize("ended", [family.name for family in TABLE if family.last])
def test_a_last_picture_shows(tiny: Path, child: Child, ended: str) -> None:
    lasts = [np.full((SIDE, SIDE, 3), level, np.uint8) for level in (0, 255)]
    jobs = [job(tiny, ended) for _ in lasts]
    clips = []
    for asked, last in zip(jobs, lasts, strict=True):
        asked.arrays["last"] = last  # type: ignore[index]
        clips.append(sampled(child, asked)[1])
    assert apart(clips[0], clips[1]) > 0  # random weights hardly look at it, but they do
