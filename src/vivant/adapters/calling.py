"""One call of a pipeline: arguments of its family, progress by its bars (needs torch)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivant.adapters.families import Family, family_named
from vivant.adapters.host import Job
from vivant.adapters.latents import initial
from vivant.adapters.memory import Placement

BUCKET = 127
"""Measure of motion of Stable Video Diffusion that stands for strength 1; 255 is the most."""
CHUNK = 4
"""Frames that Stable Video Diffusion decodes at a time; in a tiled placement, one."""
Report = Callable[[str, float], None]
Said = Callable[[str], None]


def call(
    pipe: Any, job: Job, placement: Placement, report: Report, say: Said
) -> NDArray[np.float32]:
    """The clip ``[T, H, W, 3]``, values 0..1, at the size of the job's picture; stages are
    reported with their shares, what is changed is said."""
    family = family_named(job.family)
    arguments = _arguments(pipe, family, job, placement)
    start = initial(pipe, family, job, say)
    arguments |= start.arguments
    known = inspect.signature(pipe.__call__).parameters
    arguments = {k: v for k, v in arguments.items() if k in known and v is not None}
    bars = _Bars(job.rounds, start.steps, report)
    pipe.progress_bar = bars.next
    hook = pipe.vae.decoder.register_forward_pre_hook(lambda *_: report("decoding", 0.0))
    try:
        made = pipe(**arguments)
    finally:
        hook.remove()
        pipe.maybe_free_model_hooks()
    return np.asarray(made.frames[0], np.float32)


def _arguments(pipe: Any, family: Family, job: Job, placement: Placement) -> dict[str, Any]:
    import torch
    from PIL import Image

    picture = job.arrays["picture"]
    said: dict[str, Any] = {
        "image": Image.fromarray(picture),
        "prompt": job.prompt,
        "height": picture.shape[0],
        "width": picture.shape[1],
        "num_frames": job.frames,
        "num_inference_steps": job.steps,
        "generator": torch.Generator("cpu").manual_seed(job.seed),
        "output_type": "np",
        "frame_rate": job.fps,
        "fps": job.fps,
        "guidance_scale": job.guidance,
        "guidance_scale_2": job.guidance if pipe.components.get("transformer_2") else None,
        "max_guidance_scale": job.guidance,
        "motion_bucket_id": round(min(255.0, BUCKET * job.strength)),
        "motion_speed": job.strength,
        "decode_chunk_size": 1 if placement.tiled else CHUNK,
        **family.options,
    }
    if "last" in job.arrays:
        said["last_image"] = Image.fromarray(job.arrays["last"])
    return said


class _Bars:
    """Bars of one call, of which ``rounds`` come one after another; each step is reported."""

    def __init__(self, rounds: int, steps: int, report: Report) -> None:
        self._rounds = rounds
        self._steps = steps
        self._report = report
        self._done = 0

    def next(self, iterable: Iterable[Any] | None = None, total: int | None = None) -> _Bar:
        """What a pipeline shows its progress by."""
        number, self._done = self._done, self._done + 1

        def told(share: float) -> None:
            self._report("sampling", min(1.0, (number + share) / self._rounds))

        return _Bar(list(iterable or ()), min(total or self._steps, self._steps), told)


class _Bar:
    def __init__(self, things: list[Any], total: int, told: Callable[[float], None]) -> None:
        self._things = things
        self._total = max(1, total)
        self._step = 0
        self._told = told

    def __enter__(self) -> _Bar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def __iter__(self) -> Iterator[Any]:
        for thing in self._things:
            yield thing
            self.update()

    def update(self, steps: int = 1) -> None:
        """So many steps more are done."""
        self._step += steps
        self._told(min(1.0, self._step / self._total))

    def set_postfix(self, *_: object, **__: object) -> None:
        """What a bar shows besides."""
