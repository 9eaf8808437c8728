"""What sampling starts from in place of plain noise: a draft, noise that moves (needs torch)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivant.adapters.families import Family
from vivant.adapters.host import Job
from vivant.adapters.noise import composed, moved_noise

Said = Callable[[str], None]


@dataclass(frozen=True)
class Start:
    """``arguments`` of the call, and the ``steps`` that it takes."""

    arguments: dict[str, Any]
    steps: int


def initial(pipe: Any, family: Family, job: Job, say: Said) -> Start:
    """What the draft and the motion of a job make of the call; what is changed is said.
    Conditions of LTX-Video, which has no argument of its own for a last picture, too."""
    arguments: dict[str, Any] = {}
    steps = job.steps
    if family.pipeline == "LTXConditionPipeline":
        arguments["conditions"] = _conditions(job)
        arguments["image"] = None
    if "draft" in job.arrays and family.draft == "video":
        arguments |= {"latents": _encoded(pipe, job.arrays["draft"]), "denoise_strength": job.draft}
    elif "draft" in job.arrays:
        arguments["latents"], steps = _noised(pipe, family, job, say)
    elif "motion" in job.arrays:
        arguments["latents"] = _noise(pipe, family, job)
    return Start(arguments, steps)


def _conditions(job: Job) -> list[Any]:
    from diffusers.pipelines.ltx.pipeline_ltx_condition import LTXVideoCondition
    from PIL import Image

    found = [LTXVideoCondition(image=Image.fromarray(job.arrays["picture"]), frame_index=0)]
    if "last" in job.arrays:
        last = Image.fromarray(job.arrays["last"])
        found.append(LTXVideoCondition(image=last, frame_index=job.frames - 1))
    return found


def _encoded(pipe: Any, frames: NDArray[np.uint8]) -> Any:
    """Latents ``[1, C, T, h, w]`` of a clip ``[T, H, W, 3]``, normalised as the model's are."""
    import torch

    vae = pipe.vae
    values = torch.from_numpy(frames).permute(3, 0, 1, 2)[None].to(vae.dtype) / 127.5 - 1
    with torch.no_grad():
        found = vae.encode(values.to(pipe._execution_device)).latent_dist.mode()
    mean, deviation = _statistics(vae)
    return (found.float().cpu() - mean) / deviation


def _statistics(vae: Any) -> tuple[Any, Any]:
    """Mean and deviation ``[1, C, 1, 1, 1]`` by which latents are normalised."""
    import torch

    found = (torch.as_tensor(getattr(vae, name)) for name in ("latents_mean", "latents_std"))
    mean, deviation = (value.float().cpu().view(1, -1, 1, 1, 1) for value in found)
    return mean, deviation


def _noised(pipe: Any, family: Family, job: Job, say: Said) -> tuple[Any, int]:
    """The draft under as much noise as its strength says, and the steps from there."""
    import torch

    scheduler, count = pipe.scheduler, job.steps
    scheduler.set_timesteps(count)
    sigmas = scheduler.sigmas[:count]
    start = int(min((sigmas > job.draft).sum(), count - 1))
    sigma = float(sigmas[start])
    _starting_at(scheduler, start)
    say(f"The draft starts under noise of {sigma:.2f}, in {count - start} of {count} steps.")
    if "motion" in job.arrays:
        noise = _noise(pipe, family, job)
    else:
        shape = _shape(pipe, job)
        noise = torch.randn(shape, generator=torch.Generator("cpu").manual_seed(job.seed))
    return (1 - sigma) * _encoded(pipe, job.arrays["draft"]) + sigma * noise, count - start


def _starting_at(scheduler: Any, start: int) -> None:
    """The next time that steps are set, leave the first ``start`` of them out."""
    plain = type(scheduler).set_timesteps

    def set_timesteps(*args: Any, **kwargs: Any) -> None:
        plain(scheduler, *args, **kwargs)
        del scheduler.set_timesteps  # once
        scheduler.timesteps = scheduler.timesteps[start:]
        scheduler.sigmas = scheduler.sigmas[start:]
        scheduler.num_inference_steps = len(scheduler.timesteps)

    scheduler.set_timesteps = set_timesteps


def _shape(pipe: Any, job: Job) -> tuple[int, int, int, int, int]:
    """``[1, C, T, h, w]`` of the latents of a job."""
    vae = pipe.vae.config
    channels = next(
        int(vae[name]) for name in ("z_dim", "latent_channels") if vae.get(name) is not None
    )
    height, width = job.arrays["picture"].shape[:2]
    time, space = _factors(pipe)
    return 1, channels, (job.frames - 1) // time + 1, height // space, width // space


def _factors(pipe: Any) -> tuple[int, int]:
    """Frames and pixels of one latent."""
    time = next(
        (
            int(getattr(pipe, name))
            for name in ("vae_scale_factor_temporal", "vae_temporal_compression_ratio")
            if hasattr(pipe, name)
        ),
        1,
    )
    space = next(
        int(getattr(pipe, name))
        for name in (
            "vae_scale_factor_spatial", "vae_spatial_compression_ratio", "vae_scale_factor",
        )
        if hasattr(pipe, name)
    )  # fmt: skip
    return time, space


def _noise(pipe: Any, family: Family, job: Job) -> Any:
    """Noise that moves, in the layout that the family takes; where its latents hold the picture
    besides, with it."""
    import torch

    _, channels, steps, h, w = _shape(pipe, job)
    motion = composed(job.arrays["motion"], _factors(pipe)[0])
    still = np.zeros((max(0, steps - 1 - len(motion)), *motion.shape[1:]), np.float32)
    whole = np.concatenate([still, motion])[: steps - 1]
    noise = torch.from_numpy(moved_noise(whole, (channels, h, w), job.seed))[None]
    if family.noise == "bfchw":
        transformer = getattr(pipe, "transformer", None)
        patch = transformer.config.patch_size_t if transformer is not None else None
        lacking = -noise.shape[1] % (patch or 1)
        return torch.cat([noise[:, :1]] * lacking + [noise], dim=1)
    noise = noise.transpose(1, 2).contiguous()
    if family.noise in ("tokens", "plain"):
        noise[:, :, :1] = _encoded(pipe, job.arrays["picture"][None])
    if family.noise == "tokens":
        return noise.flatten(2).transpose(1, 2)
    if family.noise == "plain":
        mean, deviation = _statistics(pipe.vae)
        return noise * deviation / pipe.vae.config.scaling_factor + mean
    return noise
