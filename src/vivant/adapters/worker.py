"""The child's side: loads Stable Video Diffusion and samples a clip. The only module with torch."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivant.adapters.layout import read_checkpoint, variant_of
from vivant.errors import BundleError
from vivant.wire import Answer

CHUNK = 4
"""Frames decoded at a time; the retry after a lack of memory decodes them one by one."""


def sample(
    folder: str, picture: NDArray[np.uint8], frames: int, fps: int, seed: int, bucket: int
) -> Iterator[Answer]:
    """A clip of ``picture`` ``[H, W, 3]``: an answer ``step`` of ``steps`` after each step, then
    one with ``frames`` ``[frames, H, W, 3]`` uint8. Raises BundleError where the weights do not
    fit the model or give no numbers, MemoryError where they need too much.
    """
    pipe = opened(Path(folder))
    try:
        yield from _sampled(pipe, picture, frames, fps, seed, bucket, CHUNK)
    except Exception as error:
        if not _is_memory(error):
            raise
        yield Answer({"retry": "one frame at a time"})
        try:
            yield from _sampled(pipe, picture, frames, fps, seed, bucket, 1)
        except Exception as again:
            if _is_memory(again):
                raise MemoryError(str(again)) from again
            raise


def loads(folder: str) -> Iterator[Answer]:
    """Load the model once: how many ``parameters`` it has. Raises as `opened`."""
    pipe = opened(Path(folder))
    parts = [part for part in pipe.components.values() if hasattr(part, "num_parameters")]
    yield Answer({"parameters": sum(part.num_parameters() for part in parts)})


def opened(folder: Path) -> Any:
    """The pipeline with all of its tensors. Raises BundleError where some are missing."""
    try:
        import torch
        from diffusers import StableVideoDiffusionPipeline
    except ImportError as error:
        raise BundleError(
            f"This model needs {error.name}; install it: pip install 'vivant[adapters]'."
        ) from error
    torch.set_num_threads(os.cpu_count() or 1)  # a child is started with one
    checkpoint = read_checkpoint(folder, hashed=False)
    pipe = StableVideoDiffusionPipeline.from_pretrained(
        folder,
        torch_dtype=torch.float32,
        variant=variant_of(checkpoint),
        use_safetensors=True,
        local_files_only=True,
    )
    for component, stored in checkpoint.tensors.items():
        wanted = getattr(pipe, component).state_dict()
        if missing := sorted(set(wanted) - set(stored)):
            raise BundleError(f"{folder / component} lacks the tensor {missing[0]}.")
    return pipe


def _sampled(
    pipe: Any, picture: NDArray[np.uint8], frames: int, fps: int, seed: int, bucket: int, chunk: int
) -> Iterator[Answer]:
    import torch
    from PIL import Image

    steps: Queue[Answer | BaseException | None] = Queue()

    def call() -> Any:
        return pipe(
            Image.fromarray(picture),
            height=picture.shape[0],
            width=picture.shape[1],
            num_frames=frames,
            fps=fps,
            motion_bucket_id=bucket,
            decode_chunk_size=chunk,
            generator=torch.Generator("cpu").manual_seed(seed),
            output_type="np",
            callback_on_step_end=heard,
        ).frames[0]

    def heard(pipe: Any, step: int, time: Any, values: dict[str, Any]) -> dict[str, Any]:
        steps.put(Answer({"step": step + 1, "steps": pipe.num_timesteps}))
        return values

    Thread(target=_run, args=(lambda: _clip(call()), steps), daemon=True).start()
    while (found := steps.get()) is not None:
        if isinstance(found, BaseException):
            raise found
        yield found


def _run(call: Callable[[], Answer], steps: Queue[Answer | BaseException | None]) -> None:
    try:
        steps.put(call())
    except BaseException as error:  # raised by whoever waits
        steps.put(error)
    steps.put(None)


def _clip(values: NDArray[np.float32]) -> Answer:
    if not np.isfinite(values).all():
        raise BundleError("The model's weights give no numbers (NaN); fetch them again.")
    return Answer(arrays={"frames": np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)})


def _is_memory(error: Exception) -> bool:
    text = str(error)
    return (
        isinstance(error, MemoryError) or "DefaultCPUAllocator" in text or "out of memory" in text
    )
