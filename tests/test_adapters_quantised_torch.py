"""Weights of few bits: GGUF files and int8 matrices sample on the CPU (needs [quantised])."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from tiny_runs import CPU, NAMES, built, given, job
from vivant.adapters.families import family_of
from vivant.adapters.gguf import OPENED
from vivant.adapters.host import ChildHost
from vivant.adapters.layout import read_checkpoint
from vivant.adapters.memory import SAMPLERS, Placement, weights
from vivant.errors import BundleError
from vivant.request import Hooks

WHY = "needs the extras: pip install 'vivant[adapters,quantised]'"
pytest.importorskip("diffusers", reason=WHY)
pytestmark = pytest.mark.torch
INT8 = Placement("cpu", "int8", "", False, 0, 0)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory)


@pytest.fixture(scope="module")
def host() -> ChildHost:
    return ChildHost()


def clip(host: ChildHost, folder: Path, name: str, placement: Placement) -> np.ndarray:
    return np.stack(host.sampled(job(folder, name), placement, Hooks()).frames)


def gguf_written(part: Path) -> None:
    """The part's weights as Q8_0, where they can be, in a file beside its configuration."""
    gguf: Any = pytest.importorskip("gguf", reason=WHY)
    kind = gguf.GGMLQuantizationType.Q8_0
    (path,) = part.glob("*.safetensors")
    writer = gguf.GGUFWriter(str(part / "weights.gguf"), "tiny")
    for key, value in load_file(path).items():
        if key.endswith("weight") and value.ndim == 2 and value.shape[-1] % 32 == 0:
            packed = gguf.quants.quantize(value.astype(np.float32), kind)
            writer.add_tensor(key, packed, raw_dtype=kind)
        else:
            writer.add_tensor(key, value.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    path.unlink()


def kinds(folder: Path) -> dict[str, str]:
    index = json.loads((folder / "model_index.json").read_text())
    return {part: index[part][1] for part in SAMPLERS if index.get(part, [None])[0]}


@pytest.mark.parametrize("name", NAMES)
def test_a_gguf_file_samples_nearly_the_same(
    tiny: Path, host: ChildHost, tmp_path: Path, name: str
) -> None:
    if not set(kinds(tiny / name).values()) & set(OPENED):
        return  # diffusers opens none of this family, which test_gguf.py sees refused
    plain = clip(host, tiny, name, CPU)
    copy = tmp_path / name
    shutil.copytree(tiny / name, copy)
    for part in kinds(copy):
        gguf_written(copy / part)
    checkpoint = read_checkpoint(copy)
    found = host.loads(str(copy), name, CPU)
    estimated = weights(checkpoint, family_of(checkpoint), "float32")
    for part in kinds(copy):
        assert abs(found[part].size - estimated[part]) <= 0.1 * estimated[part]
    frames = clip(host, tmp_path, name, CPU)
    assert frames.shape == plain.shape
    assert np.abs(frames.astype(int) - plain).mean() < NEAR


@pytest.mark.parametrize("name", NAMES)
def test_int8_samples_nearly_the_same_in_fewer_bytes(
    tiny: Path, host: ChildHost, name: str
) -> None:
    pytest.importorskip("torchao", reason=WHY)
    half = Placement("cpu", "bfloat16", "", False, 0, 0)
    plain = clip(host, tiny, name, half)
    full = host.loads(str(tiny / name), name, half)
    found = host.loads(str(tiny / name), name, INT8)
    frames = clip(host, tiny, name, INT8)
    assert frames.shape == plain.shape == (given(name), *plain.shape[1:])
    assert np.abs(frames.astype(int) - plain).mean() < NEAR
    for part in kinds(tiny / name):
        assert found[part].size < full[part].size


NEAR = 6.0
"""Levels between clips of random weights, on average."""


def test_a_lost_tensor_of_a_gguf_file_is_named(tiny: Path, host: ChildHost, tmp_path: Path) -> None:
    copy = tmp_path / "wan-2.1"
    shutil.copytree(tiny / "wan-2.1", copy)
    path = next((copy / "transformer").glob("*.safetensors"))
    from safetensors.numpy import save_file

    tensors = load_file(path)
    save_file({k: v for k, v in tensors.items() if k != "proj_out.weight"}, path)
    gguf_written(copy / "transformer")
    with pytest.raises(BundleError, match=r"proj_out\.weight"):
        host.loads(str(copy), "wan-2.1", CPU)
