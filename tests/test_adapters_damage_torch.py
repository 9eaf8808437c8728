"""Damaged checkpoints of every family: each is refused in one sentence (needs the extra)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tiny_runs import CPU, NAMES, WORKER, built, job, sampled
from vivant.adapters.layout import read_checkpoint
from vivant.adapters.memory import Placement
from vivant.child import Child, Limits
from vivant.errors import BundleError

pytest.importorskip("diffusers", reason="needs the extra: pip install 'vivant[adapters]'")
pytestmark = pytest.mark.torch
Tensors = dict[str, np.ndarray]


@pytest.fixture(scope="module", params=NAMES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of a checkpoint, to be damaged; its name is the family's."""
    copy = tmp_path_factory.mktemp("damaged") / str(request.param)
    shutil.copytree(built(tmp_path_factory) / str(request.param), copy)
    return copy


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    with Child(Limits(300, 1 << 22)) as one:
        yield one


@contextmanager
def changed(path: Path, content: bytes) -> Iterator[None]:
    """A file with other content, for a while."""
    kept = path.read_bytes()
    path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(kept)


@contextmanager
def without(path: Path, key: str) -> Iterator[None]:
    """A file of tensors that lacks one, for a while."""
    kept = path.read_bytes()
    tensors = load_file(path)
    save_file({k: v for k, v in tensors.items() if k != key}, path, {"format": "pt"})
    try:
        yield
    finally:
        path.write_bytes(kept)


NUMBERS = count()


def placement() -> Placement:
    """Another one at each call: what is loaded for a placement is kept."""
    return replace(CPU, need=next(NUMBERS))


def loaded(child: Child, folder: Path) -> None:
    where = vars(placement())
    tuple(child.ask(f"{WORKER}:loads", folder=str(folder), family=folder.name, placement=where))


def parts_of(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*.safetensors"))


def sentence(error: pytest.ExceptionInfo[BundleError]) -> str:
    said = str(error.value)
    assert "\n" not in said
    assert len(said) < 500
    return said


def test_a_missing_tensor_of_any_part_is_named(folder: Path, child: Child) -> None:
    for path in parts_of(folder):
        gone = sorted(load_file(path))[-1]
        with without(path, gone), pytest.raises(BundleError) as error:
            loaded(child, folder)
        assert gone.rpartition(".")[2] in sentence(error)
        assert path.parent.name in sentence(error)


def test_tensors_of_another_size_are_named(folder: Path, child: Child) -> None:
    path = next(p for p in parts_of(folder) if p.parent.name in ("unet", "transformer"))
    tensors = load_file(path)
    key = sorted(k for k, v in tensors.items() if v.ndim > 1)[0]
    kept = path.read_bytes()
    save_file({**tensors, key: np.repeat(tensors[key], 2, axis=0)}, path, {"format": "pt"})
    try:
        with pytest.raises(BundleError) as error:
            loaded(child, folder)
    finally:
        path.write_bytes(kept)
    assert path.parent.name in sentence(error)


def test_weights_that_are_no_numbers_give_no_black_clip(folder: Path, child: Child) -> None:
    path = next(p for p in parts_of(folder) if p.parent.name in ("unet", "transformer"))
    kept = path.read_bytes()
    broken = {key: np.full_like(value, np.nan) for key, value in load_file(path).items()}
    save_file(broken, path, {"format": "pt"})
    try:
        with pytest.raises(BundleError, match="NaN"):
            sampled(child, job(folder.parent, folder.name), placement())
    finally:
        path.write_bytes(kept)


def test_unknown_classes_and_lost_files_are_named(folder: Path, child: Child) -> None:
    index = folder / "model_index.json"
    named: dict[str, Any] = json.loads(index.read_text())
    odd = json.dumps(named | {"scheduler": ["diffusers", "DreamScheduler"]}).encode()
    with changed(index, odd), pytest.raises(BundleError, match="DreamScheduler") as error:
        loaded(child, folder)
    assert "does not have" in sentence(error)
    settings = folder / "scheduler" / "scheduler_config.json"
    with changed(settings, b"{"), pytest.raises(BundleError) as error:
        loaded(child, folder)
    assert "cannot be loaded" in sentence(error)


def test_code_pickles_and_cut_files_are_refused(folder: Path) -> None:
    assert read_checkpoint(folder, hashed=False).licence == "tiny-licence"
    part = parts_of(folder)[0]
    for odd in (folder / "pipeline.py", part.with_name("weights.bin"), part.with_suffix(".pth")):
        odd.write_bytes(b"x")
        with pytest.raises(BundleError, match="could run code"):
            read_checkpoint(folder)
        odd.unlink()
    for path in parts_of(folder):
        whole = path.read_bytes()
        with changed(path, whole[:-1]), pytest.raises(BundleError, match="cut short"):
            read_checkpoint(folder)
    gone = part.parent.rename(folder / "elsewhere")
    with pytest.raises(BundleError, match=f"lacks its part {part.parent.name}"):
        read_checkpoint(folder)
    gone.rename(part.parent)
