"""A tiny random checkpoint of the real layout goes the whole way (needs the [adapters] extra)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from vivant.child import Child, Limits
from vivant.errors import BundleError

pytest.importorskip("diffusers")
pytestmark = pytest.mark.torch
WORKER = "vivant.adapters.worker:sample"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny") / "svd"
    script = Path(__file__).with_name("tiny_svd.py")
    subprocess.run([sys.executable, script, folder], check=True, capture_output=True)
    return folder


def sampled(folder: Path, seed: int = 0, frames: int = 3) -> tuple[list[int], np.ndarray]:
    picture = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    with Child(Limits(300, 1 << 20)) as child:
        answers = list(
            child.ask(WORKER, {"picture": picture}, folder=str(folder), frames=frames, fps=7,
                      seed=seed, bucket=127)
        )  # fmt: skip
    return [a.facts["step"] for a in answers[:-1]], answers[-1].arrays["frames"]


def test_steps_are_told_and_a_seed_repeats(tiny: Path) -> None:
    steps, first = sampled(tiny)
    assert steps == list(range(1, 26))
    assert first.shape == (3, 64, 64, 3)
    again = sampled(tiny)[1]
    assert np.abs(first.astype(int) - again).max() <= 1
    assert np.abs(first.astype(int) - sampled(tiny, seed=1)[1]).max() > 1


@pytest.mark.parametrize("part", ["unet", "vae", "image_encoder"])
def test_a_missing_tensor_is_named(tiny: Path, part: str) -> None:
    path = next((tiny / part).glob("*.safetensors"))
    kept = path.read_bytes()
    tensors = load_file(path)
    gone = sorted(tensors)[-1]
    del tensors[gone]
    save_file(tensors, path, {"format": "pt"})
    try:
        with pytest.raises(BundleError, match=gone):
            sampled(tiny)
    finally:
        path.write_bytes(kept)


def test_weights_that_are_no_numbers_give_no_black_clip(tiny: Path) -> None:
    path = next((tiny / "unet").glob("*.safetensors"))
    kept = path.read_bytes()
    tensors = {name: np.full_like(value, np.nan) for name, value in load_file(path).items()}
    save_file(tensors, path, {"format": "pt"})
    try:
        with pytest.raises(BundleError, match="NaN"):
            sampled(tiny)
    finally:
        path.write_bytes(kept)
