"""A pipeline of diffusers with all of its tensors, where its placement says (needs torch)."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vivant.adapters.families import Family
from vivant.adapters.layout import Checkpoint, gguf_of, read_checkpoint, variant_of
from vivant.adapters.memory import SAMPLERS, Machine, Placement
from vivant.cores import cores
from vivant.errors import BundleError, VivantError

SUBMODULES = {"ltx2": "diffusers.pipelines.ltx2"}
"""Where a checkpoint names a package of diffusers as a library."""
QUANTISED = "adapters,quantised"
"""Extras for weights of few bits."""
LONGEST = 200
"""Letters of a library's sentence that are passed on."""
UNKNOWN = 1 << 40
"""Bytes taken for granted where a system does not say how much memory it has."""


def imported(name: str, extra: str = "adapters") -> Any:
    """A module. Raises BundleError naming the ``extra`` that brings it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise BundleError(
            f"This model needs {error.name}; install it: pip install 'vivant[{extra}]'."
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
    torch = imported("torch")
    torch.set_num_threads(cores())  # a child is started with one
    checkpoint = read_checkpoint(folder, hashed=False)
    for name, (library, kind) in checkpoint.classes.items():
        _class(library, kind, f"{folder / name}")
    parts = {name: _part(checkpoint, name, family, placement) for name in checkpoint.tensors}
    made = _class("diffusers", family.pipeline, f"{folder}")
    with named(f"{folder} cannot be loaded"):
        pipe = made.from_pretrained(folder, **parts, use_safetensors=True, local_files_only=True)
    _place(pipe, placement)
    if placement.tiled and family.tile:
        pipe.vae.enable_tiling()
    pipe.set_progress_bar_config(disable=True)
    return pipe


def held(part: Any) -> int:
    """Bytes of a network's tensors."""
    tensors = [*part.parameters(), *part.buffers()]
    return sum(_bytes(tensor) for tensor in tensors)


def _bytes(tensor: Any) -> int:
    """Of a tensor; of those that it is made of, where it is quantised by torchao."""
    if hasattr(tensor, "__tensor_flatten__"):
        names, _ = tensor.__tensor_flatten__()
        return sum(_bytes(getattr(tensor, name)) for name in names)
    return int(tensor.numel() * tensor.element_size())


@contextmanager
def named(doing: str) -> Iterator[None]:
    """Whatever a library says is raised as one sentence, BundleError, that begins with ``doing``;
    a lack of memory stays."""
    try:
        yield
    except (VivantError, MemoryError):
        raise
    except Exception as error:  # the libraries raise many kinds, over many lines
        if is_memory(error):
            raise
        said = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
        raise BundleError(
            f"{doing} ({type(error).__name__}: {said[:LONGEST].rstrip('.: ')})."
        ) from error


def is_memory(error: Exception) -> bool:
    """Whether a library says that memory does not suffice."""
    said = str(error)
    return (
        isinstance(error, MemoryError) or "DefaultCPUAllocator" in said or "out of memory" in said
    )


def _class(library: str, kind: str, place: str) -> Any:
    """A class of a library. Raises BundleError where what is installed has none such."""
    module = imported(SUBMODULES.get(library, library))
    found = getattr(module, kind, None)
    if found is None:
        version = getattr(imported(module.__name__.partition(".")[0]), "__version__", "")
        raise BundleError(
            f"{place} is a {kind}, which the installed {library} {version} does not have."
        )
    return found


def _part(checkpoint: Checkpoint, name: str, family: Family, placement: Placement) -> Any:
    """A part with all of its tensors."""
    torch = imported("torch")
    place, made = checkpoint.folder / name, _class(*checkpoint.classes[name], name)
    dtype = getattr(torch, "bfloat16" if placement.dtype == "int8" else placement.dtype)
    if name in family.parts_in_float:
        dtype = torch.float32
    told: Mapping[str, Any]
    with named(f"{place} cannot be loaded"):
        if name in checkpoint.packed:
            part, told = _unpacked(made, place, dtype, checkpoint.tensors[name]), {}
        else:
            part, told = made.from_pretrained(
                place,
                dtype=dtype,
                variant=variant_of(checkpoint),
                use_safetensors=True,
                local_files_only=True,
                output_loading_info=True,
                **_quantised(name, placement),
            )
    lost = sorted(told.get("missing_keys", ())) or [
        key for key, tensor in part.named_parameters() if tensor.device.type == "meta"
    ]
    if lost:
        raise BundleError(f"{place} lacks the tensor {lost[0]}.")
    return part.eval()


def _unpacked(made: Any, place: Path, dtype: Any, names: Collection[str]) -> Any:
    """A part whose weights stay quantised as its GGUF file has them, and are turned back where
    they are used; ``names`` of its tensors are diffusers' or the original ones."""
    imported("gguf", QUANTISED)
    settings = imported("diffusers").GGUFQuantizationConfig(compute_dtype=dtype)
    with imported("torch").device("meta"):
        wanted = set(made.from_config(made.load_config(place)).state_dict())
    lost = sorted(wanted.difference(names)) if wanted.intersection(names) else []
    if lost:
        raise BundleError(f"{place} lacks the tensor {lost[0]}.")
    return made.from_single_file(
        str(gguf_of(place)), config=str(place.parent), subfolder=place.name, torch_dtype=dtype,
        quantization_config=settings, local_files_only=True,
    )  # fmt: skip


def _quantised(name: str, placement: Placement) -> dict[str, Any]:
    if placement.dtype != "int8" or name not in SAMPLERS:
        return {}
    kind = imported("torchao.quantization", QUANTISED).Int8WeightOnlyConfig()
    return {"quantization_config": imported("diffusers").TorchAoConfig(kind)}


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
