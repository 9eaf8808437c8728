"""The ComfyUI nodes, against a stub with the real API's signatures."""

from __future__ import annotations

import asyncio
import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vivant
from comfy_stub import InterruptProcessingException, Stub, install
from conftest import photo_like
from vivant.errors import UsageError

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch
PACK = Path(__file__).parent.parent / "integrations" / "comfyui"


@pytest.fixture
def stub(tmp_path: Path) -> Stub:
    return Stub(tmp_path)


@pytest.fixture
def nodes(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    install(stub, monkeypatch)
    monkeypatch.delitem(sys.modules, "vivant_nodes.nodes", raising=False)
    spec = importlib.util.spec_from_file_location(
        "vivant_nodes", PACK / "__init__.py", submodule_search_locations=[str(PACK)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "vivant_nodes", module)
    spec.loader.exec_module(module)

    async def listed() -> list[Any]:
        extension = await module.comfy_entrypoint()
        await extension.on_load()
        return list(await extension.get_node_list())

    return {node.GET_SCHEMA().node_id: node for node in asyncio.run(listed())}


def image(seed: int = 0) -> Any:
    return torch.from_numpy(photo_like(96, 64, seed)).float()[None] / 255


def widgets(node: Any, **given: Any) -> dict[str, Any]:
    """What ComfyUI hands over: every widget's value, and what is linked."""
    found = {one.id: one.default for one in node.GET_SCHEMA().inputs if hasattr(one, "default")}
    return {**found, **given}


def animated(nodes: dict[str, Any], **given: Any) -> Any:
    node = nodes["VivantAnimate"]
    return node.execute(**widgets(node, image=image(), seconds=0.25, size="96x64", **given)).args


def test_every_node_has_a_schema_that_its_function_takes(nodes: dict[str, Any]) -> None:
    assert len(nodes) == 5
    for node in nodes.values():
        schema = node.GET_SCHEMA()
        code = node.execute.__func__.__code__
        names = set(code.co_varnames[1 : code.co_argcount])
        assert names == {one.id for one in schema.inputs}
        assert schema.category == "vivant"


def test_frames_are_those_of_the_facade(nodes: dict[str, Any], stub: Stub) -> None:
    frames, clip = animated(nodes, prompt="slow push-in", seed=3)
    assert tuple(frames.shape) == (6, 64, 96, 3)
    assert frames.dtype == torch.float32
    expected = vivant.animate(
        photo_like(96, 64), seconds=0.25, fps=24, size="96x64", seed=3, prompt="slow push-in"
    )
    for one, other in zip(frames, expected.frames(), strict=True):
        assert np.array_equal((255 * one).round().numpy().astype(np.uint8), other)
    assert stub.progress[-1] == (6, 6)
    assert clip.request.seed == 3


def test_light_changes(nodes: dict[str, Any]) -> None:
    frames, _ = animated(nodes, light=" darker 0.8 ", strength=0.0)
    assert float(frames[-1].mean()) < 0.9 * float(frames[0].mean())


def test_masks_hold(nodes: dict[str, Any]) -> None:
    hold = torch.ones((1, 64, 96))
    frames, _ = animated(nodes, hold=hold, camera="")
    assert torch.equal(frames[0], frames[-1])


def test_a_video_is_marked_and_signed(nodes: dict[str, Any], stub: Stub) -> None:
    _, clip = animated(nodes)
    node = nodes["VivantVideo"]
    video, file = node.execute(**widgets(node, clip=clip)).args
    assert video.file == file
    assert Path(file).parent == stub.folder / "output"
    assert vivant.verify(file).record is not None


def test_a_kind_becomes_a_mask(nodes: dict[str, Any]) -> None:
    mask, depth, shares = nodes["VivantSee"].execute(image=image(), kind="sky").args
    assert tuple(mask.shape) == (1, 64, 96)
    assert tuple(depth.shape) == (1, 64, 96, 3)
    assert 0 <= float(mask.min()) <= float(mask.max()) <= 1
    assert 0 <= float(depth.min()) <= float(depth.max()) <= 1
    assert re.search(r"^sky \d", shares, re.MULTILINE)


def test_a_motion_is_saved_and_rendered_again(nodes: dict[str, Any], stub: Stub) -> None:
    frames, clip = animated(nodes, seed=5)
    save = nodes["VivantSaveMotion"]
    (name,) = save.execute(**widgets(save, clip=clip)).args
    node = nodes["VivantRenderField"]
    (combo,) = [one for one in node.GET_SCHEMA().inputs if one.id == "file"]
    assert combo.options == [name]
    again, _ = node.execute(
        **widgets(node, image=image(), file=name, seconds=0.25, size="96x64")
    ).args
    assert torch.equal(again, frames)
    for wrong in ("../../etc/passwd", "absent.motion"):
        with pytest.raises(ValueError, match="no motion"):
            node.execute(**widgets(node, image=image(), file=wrong))
    with pytest.raises(ValueError, match="make a name"):
        save.execute(clip=clip, name="../x")


def test_what_is_refused(nodes: dict[str, Any], stub: Stub) -> None:
    with pytest.raises(UsageError, match="dragon"):
        animated(nodes, prompt="a dragon appears")
    with pytest.raises(ValueError, match="ImageFromBatch"):
        node = nodes["VivantAnimate"]
        node.execute(**widgets(node, image=image().expand(2, -1, -1, -1)))
    stub.interrupted = True
    with pytest.raises(InterruptProcessingException):
        animated(nodes)


def test_the_pack_says_what_the_registry_asks() -> None:
    tomllib = pytest.importorskip("tomllib")
    data = tomllib.loads((PACK / "pyproject.toml").read_text())
    name = data["project"]["name"]
    assert re.fullmatch(r"[a-z][a-z0-9._-]{0,99}", name)
    assert "comfyui" not in name
    assert re.fullmatch(r"\d+\.\d+\.\d+", data["project"]["version"])
    assert set(data["tool"]["comfy"]) >= {"PublisherId", "DisplayName", "Icon"}
