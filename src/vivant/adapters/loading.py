"""A pipeline of diffusers with all of its tensors, where its placement says (needs torch)."""

from __future__ import annotations

import importlib
import os
import re
from pathlib import Path
from typing import Any

from vivant.adapters.families import Family
from vivant.adapters.layout import Checkpoint, read_checkpoint, variant_of
from vivant.adapters.memory import Machine, Placement
from vivant.errors import BundleError

SUBMODULES = {"ltx2": "diffusers.pipelines.ltx2"}
"""Where a checkpoint names a package of diffusers as a library."""
UNKNOWN = 1 << 40
"""Bytes taken for granted where a system does not say how much memory it has."""


def imported(name: str) -> Any:
    """A module. Raises BundleError naming the extra that brings it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise BundleError(
            f"This model needs {error.name}; install it: pip install 'vivant[adapters]'."
        ) from error


def machine_here() -> Machine:
    """What this process can run on. Raises BundleError where torch lacks."""
    torch = imported("torch")
    ram = _available()
    if torch.cuda.is_available():
        free, _ = torch.cuda.mem_get_info()
        return Machine("cuda", torch.cuda.get_device_name(), free, ram)
    return Machine("cpu", "the CPU", ram, ram)


def _available() -> int:
    """Bytes of main memory that can be had; all of it where the system does not say more."""
    try:
        stated = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text("ascii"))
        if stated:
            return int(stated[1]) << 10
    except OSError:
        pass
    if not hasattr(os, "sysconf"):
        return UNKNOWN
    return int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))


def opened(folder: Path, family: Family, placement: Placement) -> Any:
    """The pipeline of a checkpoint, whole and placed.

    Raises BundleError where a tensor lacks, in the file or in what was made of it.
    """
    torch, diffusers = imported("torch"), imported("diffusers")
    torch.set_num_threads(os.cpu_count() or 1)  # a child is started with one
    checkpoint = read_checkpoint(folder, hashed=False)
    parts = {
        name: _part(checkpoint, name, family, getattr(torch, placement.dtype))
        for name in checkpoint.tensors
    }
    pipe = getattr(diffusers, family.pipeline).from_pretrained(
        folder, **parts, use_safetensors=True, local_files_only=True
    )
    _place(pipe, placement)
    if placement.tiled and hasattr(pipe.vae, "enable_tiling") and family.name != "svd":
        pipe.vae.enable_tiling()
    pipe.set_progress_bar_config(disable=True)
    return pipe


def _part(checkpoint: Checkpoint, name: str, family: Family, dtype: Any) -> Any:
    torch = imported("torch")
    library, kind = checkpoint.classes[name]
    module = imported(SUBMODULES.get(library, library))
    if name in family.parts_in_float:
        dtype = torch.float32
    part, told = getattr(module, kind).from_pretrained(
        checkpoint.folder / name,
        dtype=dtype,
        variant=variant_of(checkpoint),
        use_safetensors=True,
        local_files_only=True,
        output_loading_info=True,
    )
    lost = sorted(told["missing_keys"]) or [
        key for key, tensor in part.named_parameters() if tensor.device.type == "meta"
    ]
    if lost:
        raise BundleError(f"{checkpoint.folder / name} lacks the tensor {lost[0]}.")
    return part.eval()


def _place(pipe: Any, placement: Placement) -> None:
    torch = imported("torch")
    if placement.offload == "":
        pipe.to(placement.device)
    elif placement.offload == "parts":
        pipe.enable_model_cpu_offload(device=placement.device)
    else:
        pipe.enable_group_offload(
            onload_device=torch.device(placement.device),
            offload_device=torch.device("cpu"),
            offload_type="leaf_level",
        )
