"""The shape of diffusers' pipelines, and how a notebook shows a clip."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import vivant
from conftest import photo_like
from vivant.errors import UsageError
from vivant.pipeline import VivantPipeline, VivantPipelineOutput

SMALL: dict[str, Any] = {"num_frames": 4, "width": 96, "height": 64}


def called(image: Any, **words: Any) -> VivantPipelineOutput:
    out = VivantPipeline.from_pretrained()(image, **{**SMALL, **words})
    assert isinstance(out, VivantPipelineOutput)
    return out


def test_frames_are_those_of_the_facade(tmp_path: Path) -> None:
    picture = photo_like(96, 64)
    out = called(Image.fromarray(picture), generator=3, prompt="slow push-in")
    clip = vivant.animate(
        picture, seconds=4 / 24, fps=24, size="96x64", seed=3, prompt="slow push-in"
    )
    assert len(out.frames) == 1
    for one, other in zip(out.frames[0], clip.frames(), strict=True):
        assert np.array_equal(np.asarray(one), other)
    out.clips[0].save(tmp_path / "clip.mp4")
    assert vivant.verify(tmp_path / "clip.mp4").record is not None


def test_arrays_and_batches() -> None:
    picture = photo_like(96, 64)
    batch = np.stack([picture, photo_like(96, 64, 1)]) / np.float32(255)
    out = called(batch, output_type="np", generator=[5, 6], camera="pan-left 0.1")
    assert out.frames.shape == (2, 4, 64, 96, 3)
    assert out.frames.dtype == np.float32
    assert out.seeds == (5, 6)
    assert np.array_equal(out.frames[0, 0], picture / np.float32(255))
    (frames,) = VivantPipeline()(
        [picture], num_videos_per_prompt=2, return_dict=False, generator=1, **SMALL
    )  # type: ignore[misc]
    assert len(frames) == 2


def test_without_a_generator_each_call_is_another_future() -> None:
    seeds = {called(photo_like(96, 64)).seeds for _ in range(2)}
    assert len(seeds) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"negative_prompt": "blur"}, "no negative_prompt"),
        ({"guidance_scale": 5.0}, "cannot honour the control guidance"),
        ({"num_inference_steps": 25}, "cannot honour the control steps"),
        ({"latents": 0}, "no latents"),
        ({"height": None}, "both width and height"),
        ({"output_type": "latent"}, "pil, np or pt"),
        ({"generator": [1, 2]}, "2 generators"),
        ({"motion_bucket_id": 127}, "no control 'motion_bucket_id'"),
    ],
)
def test_what_there_is_not_is_refused_by_name(words: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        called(photo_like(96, 64), **words)


@pytest.mark.parametrize("image", [3, np.zeros((4, 4), np.uint8)])
def test_what_is_no_picture_is_refused(image: Any) -> None:
    with pytest.raises(UsageError, match="picture"):
        called(image)
    with pytest.raises(UsageError, match="not on cuda"):
        VivantPipeline().to("cuda:0")
    assert VivantPipeline().to("cpu") == VivantPipeline()


@pytest.mark.torch
def test_tensors_in_and_out() -> None:
    torch = pytest.importorskip("torch")
    picture = photo_like(96, 64)
    tensor = torch.from_numpy(picture).permute(2, 0, 1).float() / 255
    generator = torch.Generator().manual_seed(9)
    out = called(tensor, generator=generator, output_type="pt")
    assert tuple(out.frames.shape) == (1, 4, 3, 64, 96)
    assert out.seeds == (9,)
    assert torch.equal(out.frames[0, 0], tensor)


def test_a_notebook_shows_a_preview(tmp_path: Path) -> None:
    name = "<b>&photo.png"
    Image.fromarray(photo_like(96, 64)).save(tmp_path / name)
    clip = vivant.animate(tmp_path / name, seconds=1, camera="push-in 0.2", seed=7)
    html = clip._repr_html_()
    assert "&lt;b&gt;&amp;photo.png" in html
    assert "<b>" not in html
    assert "seed 7" in html
    assert len(html) < 300_000
    found = re.search(r'src="data:image/webp;base64,([^"]+)"', html)
    assert found
    content = base64.b64decode(found[1])
    preview: Any = Image.open(io.BytesIO(content))
    assert preview.n_frames == 6
    path = tmp_path / "preview.webp"
    path.write_bytes(content)
    assert vivant.verify(path).record is not None
