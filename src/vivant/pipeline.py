"""The call that diffusers' image-to-video pipelines have, for programs that know it.

    from vivant import VivantPipeline

    pipe = VivantPipeline.from_pretrained("builtin")
    frames = pipe(image, num_frames=49, generator=torch.Generator().manual_seed(1)).frames[0]

PyTorch is needed where tensors are given or asked for only.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vivant.clip import Frame
from vivant.errors import UsageError
from vivant.facade import Animation, Value, animate

FPS = 24.0
MOST_SEED = 2**63
OutputType = Literal["pil", "np", "pt"]


@dataclass(frozen=True)
class VivantPipelineOutput:
    """``frames``: for each video a list of images ("pil"), or float32 0..1 in one array
    ``[B, T, H, W, 3]`` ("np") or tensor ``[B, T, 3, H, W]`` ("pt"). ``clips`` are the animations
    they come from: `vivant.facade.Animation.save` writes them, marked and signed. ``seeds`` make
    the same ones again."""

    frames: Any
    clips: tuple[Animation, ...]
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class VivantPipeline:
    """A model of vivant's in the shape of a pipeline."""

    model: str = "builtin"

    @classmethod
    def from_pretrained(cls, model: str = "builtin") -> VivantPipeline:
        """The model of a name, or of a bundle's folder; nothing is fetched."""
        return cls(model)

    def to(self, device: Any) -> VivantPipeline:
        """Itself on the CPU. Raises UsageError for any other device, which it has no use for."""
        if str(device).partition(":")[0] != "cpu":
            raise UsageError(f"The model {self.model} runs on the CPU, not on {device}.")
        return self

    def __call__(
        self,
        image: Any,
        prompt: str | None = None,
        *,
        negative_prompt: None = None,
        height: int | None = None,
        width: int | None = None,
        num_frames: int = 49,
        fps: float = FPS,
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        num_videos_per_prompt: int = 1,
        generator: Any = None,
        latents: None = None,
        output_type: OutputType = "pil",
        return_dict: bool = True,
        attention_kwargs: None = None,
        callback_on_step_end: Callable[..., Any] | None = None,
        consent: bool = False,
        **controls: Value | Iterable[Value],
    ) -> VivantPipelineOutput | tuple[Any]:
        """Frames of a picture: a PIL image, a path, an array ``[H, W, 3]`` (uint8, or floats
        0..1), a tensor ``[3, H, W]``, or a list or batch of those.

        ``generator`` is a `torch.Generator`, a whole number, or a list with one for each video;
        None draws a seed. ``controls`` are those of `vivant.animate`; steps and guidance are, too
        (``steps``, ``guidance``), which video models honour. Raises UsageError for what the model
        cannot honour, and for negative prompts, latents and callbacks: there are none here.
        """
        _refuse(
            negative_prompt=negative_prompt,
            latents=latents,
            attention_kwargs=attention_kwargs,
            callback_on_step_end=callback_on_step_end,
        )
        if output_type not in ("pil", "np", "pt"):
            raise UsageError(f"output_type is pil, np or pt, not {output_type!r}.")
        same = {"prompt": prompt, "steps": num_inference_steps, "guidance": guidance_scale}
        controls.update({name: value for name, value in same.items() if value})
        pictures = [one for one in _pictures(image) for _ in range(num_videos_per_prompt)]
        seeds = _seeds(generator, len(pictures))
        clips = tuple(
            animate(
                picture, seconds=num_frames / fps, fps=fps, size=_size(width, height), seed=seed,
                model=self.model, consent=consent, **controls,  # type: ignore[arg-type]
            )
            for picture, seed in zip(pictures, seeds, strict=True)
        )  # fmt: skip
        frames = _frames(clips, output_type)
        return VivantPipelineOutput(frames, clips, seeds) if return_dict else (frames,)


def _refuse(**given: Any) -> None:
    for name, value in given.items():
        if value is not None:
            raise UsageError(f"vivant has no {name}; leave it out.")


def _size(width: int | None, height: int | None) -> str | None:
    if width is None and height is None:
        return None
    if width is None or height is None:
        raise UsageError("Give both width and height, or neither.")
    return f"{width}x{height}"


def _pictures(image: Any) -> Iterator[str | Path | NDArray[np.uint8]]:
    if isinstance(image, list | tuple):
        for one in image:
            yield from _pictures(one)
    elif isinstance(image, str | Path):
        yield image
    elif isinstance(image, Image.Image):
        yield np.asarray(image.convert("RGB"))
    else:
        yield from _arrays(image)


def _arrays(image: Any) -> Iterator[NDArray[np.uint8]]:
    """The pictures of an array ``[..., H, W, 3]`` or of a tensor ``[..., 3, H, W]``."""
    values = image if isinstance(image, np.ndarray) else _of_tensor(image)
    if values.ndim not in (3, 4) or values.shape[-1] != 3:
        raise UsageError(f"A picture has three channels, not the shape {values.shape}.")
    if values.dtype != np.uint8:
        values = np.round(255 * np.clip(values.astype(np.float32), 0, 1)).astype(np.uint8)
    yield from values if values.ndim == 4 else values[None]


def _of_tensor(image: Any) -> NDArray[Any]:
    torch = sys.modules.get("torch")  # whoever has a tensor has loaded it
    if torch is None or not isinstance(image, torch.Tensor):
        kind = type(image).__name__
        raise UsageError(f"A picture is a PIL image, a path, an array or a tensor, not {kind}.")
    values: NDArray[Any] = image.detach().cpu().float().numpy()
    return np.moveaxis(values, -3, -1)


def _seeds(generator: Any, count: int) -> tuple[int, ...]:
    """A seed for each video; one generator gives consecutive ones."""
    if isinstance(generator, list | tuple):
        if len(generator) != count:
            raise UsageError(f"There are {count} videos, but {len(generator)} generators.")
        return tuple(_seed(one) for one in generator)
    first = _seed(generator)
    return tuple((first + number) % MOST_SEED for number in range(count))


def _seed(generator: Any) -> int:
    if generator is None:
        return secrets.randbelow(2**31)
    if isinstance(generator, int):
        return generator
    return int(generator.initial_seed()) % MOST_SEED


def _frames(clips: tuple[Animation, ...], output_type: OutputType) -> Any:
    if output_type == "pil":
        return [[Image.fromarray(frame) for frame in clip.frames()] for clip in clips]
    whole = np.stack([_floats(clip.plan.video.count, clip.frames()) for clip in clips])
    if output_type == "np":
        return whole
    try:
        import torch
    except ImportError as error:
        raise UsageError('output_type "pt" needs PyTorch; take "np" or "pil".') from error
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(whole, -1, -3)))


def _floats(count: int, frames: Iterator[Frame]) -> NDArray[np.float32]:
    first = next(frames)
    out = np.empty((count, *first.shape), np.float32)
    out[0] = first
    for number, frame in enumerate(frames, 1):
        out[number] = frame
    out /= 255
    return out
