"""Checkpoints are looked through without torch; nothing unsafe, cut or foreign is taken in."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from vivant.adapters.families import family_of
from vivant.adapters.layout import read_checkpoint, variant_of
from vivant.adapters.memory import weights
from vivant.adapters.overview import table
from vivant.cli.checkpoints import add_checkpoint
from vivant.errors import BundleError, UsageError
from vivant.registry import added_models
from vivant.settings import Settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    whole = tmp_path / "svd"
    (whole / "unet").mkdir(parents=True)
    index = {
        "_class_name": "StableVideoDiffusionPipeline",
        "unet": ["diffusers", "UNetSpatioTemporalConditionModel"],
        "feature_extractor": [None, None],
    }
    (whole / "model_index.json").write_text(json.dumps(index))
    (whole / "README.md").write_text("---\nlicense: other\nlicense_name: some-licence\n---\n")
    (whole / "unet" / "config.json").write_text(json.dumps({"num_frames": 14}))
    tensors = {"a.weight": np.ones((3, 4), np.float32), "b": np.ones(5, np.float32)}
    save_file(tensors, whole / "unet" / "model.fp16.safetensors")
    return whole


def test_it_is_read_from_headers(folder: Path) -> None:
    found = read_checkpoint(folder)
    assert family_of(found).name == "svd"
    assert found.tensors == {"unet": {"a.weight": (3, 4), "b": (5,)}}
    assert found.parameters("unet") == 17
    assert found.licence == "some-licence"
    assert variant_of(found) == "fp16"
    (folder / "unet" / "config.json").write_text(json.dumps({"num_frames": 25}))
    assert read_checkpoint(folder).sha256 != found.sha256


@pytest.mark.parametrize("name", ["unet/model.bin", "pipeline.py", "vae.ckpt"])
def test_code_and_pickles_are_refused(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"x")
    with pytest.raises(BundleError, match="could run code"):
        read_checkpoint(folder)


def test_damage_is_named(folder: Path) -> None:
    path = folder / "unet" / "model.fp16.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(BundleError, match="cut short"):
        read_checkpoint(folder)
    path.write_bytes(whole[:20])
    with pytest.raises(BundleError, match="no whole safetensors"):
        read_checkpoint(folder)
    path.unlink()
    with pytest.raises(BundleError, match="no safetensors weights"):
        read_checkpoint(folder)


def test_another_class_is_refused(folder: Path, tmp_path: Path) -> None:
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | {"_class_name": "WanPipeline"}))
    with pytest.raises(BundleError, match="WanPipeline"):
        add_checkpoint("a", str(folder), Settings(tmp_path / "home"))
    assert not (tmp_path / "home").exists()


def test_it_is_added_by_name(folder: Path, tmp_path: Path) -> None:
    settings = Settings(tmp_path / "home")
    add_checkpoint("mine", str(folder), settings)
    assert list(added_models(settings)) == ["mine"]
    for name in ("builtin", "../up", "A B"):
        with pytest.raises(UsageError, match="cannot be called"):
            add_checkpoint(name, str(folder), settings)


def test_matrices_of_one_byte_are_asked_for_when_it_is_added(folder: Path, tmp_path: Path) -> None:
    settings = Settings(tmp_path / "home")
    for name, dtype in (("plain", "auto"), ("small", "int8")):
        add_checkpoint(name, str(folder), settings, dtype)
    plain, small = (
        json.loads((added_models(settings)[name] / "config.json").read_text())
        for name in ("plain", "small")
    )
    assert (plain["dtype"], small["dtype"]) == ("auto", "int8")
    assert plain["sha256"] == small["sha256"]
    assert plain["version"] != small["version"]
    checkpoint = read_checkpoint(folder)
    family = family_of(checkpoint)
    assert weights(checkpoint, family, "bfloat16") == {"unet": 34}
    assert weights(checkpoint, family, "int8") == {"unet": 12 + 10}


def test_foreign_code_is_refused(folder: Path) -> None:
    index = json.loads((folder / "model_index.json").read_text())
    for stated in (["my_module", "Net"], ["diffusers", "os.system"], ["../x", "Net"]):
        (folder / "model_index.json").write_text(json.dumps(index | {"unet": stated}))
        with pytest.raises(BundleError, match="does not run"):
            read_checkpoint(folder)


def test_no_torch_is_loaded() -> None:
    code = "import sys, vivant.registry, vivant.adapters.model, vivant.cli.checkpoints; print({'torch','diffusers'} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"


def test_the_page_holds_the_table_of_families() -> None:
    page = (Path(__file__).parent.parent / "docs" / "adapters.md").read_text("utf-8")
    assert "\n".join(table()) in page
