"""``vivant models add NAME FOLDER`` and ``check NAME``: other people's video models."""

from __future__ import annotations

import json
import re
from pathlib import Path

from vivant.adapters.families import Family, family_of
from vivant.adapters.fit import fit_for
from vivant.adapters.host import ChildHost
from vivant.adapters.hub import folder_of
from vivant.adapters.layout import Checkpoint, read_checkpoint
from vivant.adapters.memory import GIB, Machine, Placement, placed, weights
from vivant.adapters.model import capabilities_of
from vivant.bundle import FORMAT
from vivant.cli.bundles import add_bundle, check_bundle
from vivant.cli.show import say
from vivant.errors import BundleError, UsageError
from vivant.files import publish
from vivant.registry import MODELS, added_models, bundle_folder
from vivant.settings import Settings

COMMON = (1280, 720)
"""Frames for which the check estimates memory."""


def add_checkpoint(name: str, source: str, settings: Settings, dtype: str = "auto") -> None:
    """Make a checkpoint known as ``name``; its files stay where they are. ``source`` is a folder,
    or "owner/name" of the Hugging Face hub; ``dtype`` "int8" keeps what samples in one byte a
    number.

    Raises UsageError where the name cannot be used, BundleError where the source is none that
    this version runs or cannot be had. A model that was trained with vivant is copied.
    """
    if name in MODELS or not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", name):
        raise UsageError(f"A model cannot be called {name!r}; take small letters and digits.")
    if bundle_folder(Path(source)) is not None:
        add_bundle(name, Path(source), settings)
        return
    checkpoint = read_checkpoint(folder_of(source))
    family = family_of(checkpoint)
    config = {
        "format": FORMAT,
        "name": name,
        "version": checkpoint.sha256[:12] + ("" if dtype == "auto" else f"-{dtype}"),
        "family": "diffusers",
        "members": [],
        "summary": family.title,
        "licence": checkpoint.licence,
        "checkpoint": str(checkpoint.folder),
        "sha256": checkpoint.sha256,
        "dtype": dtype,
        "runs_on": "a GPU; small sizes on a CPU",
    }
    path = settings.home / "models" / name / "config.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    with publish(path, overwrite=True) as temporary:
        temporary.write_text(json.dumps(config, indent=1), "utf-8")
    say(f"{name} is {family.title}, licence {checkpoint.licence} ({config['version']}).")


def check_model(name: str, settings: Settings) -> None:
    """Read every byte of an added model again, say what it is and needs, and load it once, in its
    own process.

    Raises UsageError where it is not known, BundleError where it is not what was added, where a
    tensor lacks, or where there is no memory for it.
    """
    added = added_models(settings)
    if name not in added:
        raise UsageError(f"There is no added model {name!r}; `vivant models add` takes one in.")
    config = json.loads((added[name] / "config.json").read_text("utf-8"))
    if "checkpoint" not in config:
        check_bundle(name, added[name])
        return
    checkpoint = read_checkpoint(Path(config["checkpoint"]))
    if checkpoint.sha256 != config["sha256"]:
        raise BundleError(f"The files of {name} are not those that were added; add it again.")
    family = family_of(checkpoint)
    for line in described(family, checkpoint):
        say(line)
    host = ChildHost()
    machine = host.machine()
    placement = _placement(family, checkpoint, machine, str(config.get("dtype", "auto")))
    say(placement.said(machine))
    try:
        found = host.loads(str(checkpoint.folder), family.name, placement).values()
    except MemoryError as error:
        raise BundleError(
            f"{name} ran out of memory while it was loaded; {placement.need / GIB:.1f} GiB were"
            " thought to do."
        ) from error
    say(
        f"{name} is whole and loads: {sum(part.parameters for part in found):,} parameters,"
        f" {sum(part.size for part in found) / GIB:.2f} GiB."
    )


def described(family: Family, checkpoint: Checkpoint) -> list[str]:
    """What a checkpoint is, honours and weighs, as lines for people."""
    able = capabilities_of(family, checkpoint)
    lines = [
        f"{family.title} ({checkpoint.pipeline}), licence {checkpoint.licence}.",
        f"Honours {', '.join(able.controls)}{', last' if family.last else ''}.",
        f"Frames: {able.frames}; sizes: {able.sizes}.",
    ]
    sizes = weights(checkpoint, family, "bfloat16")
    lines += [
        f"  {part}: {len(checkpoint.tensors[part]):,} tensors,"
        f" {checkpoint.parameters(part):,} parameters, {size / GIB:.2f} GiB in bfloat16"
        for part, size in sizes.items()
    ]
    return [*lines, f"  all parts: {sum(sizes.values()) / GIB:.2f} GiB."]


def _placement(family: Family, checkpoint: Checkpoint, machine: Machine, dtype: str) -> Placement:
    size = fit_for(family, checkpoint, COMMON).outer
    return placed(family, checkpoint, size, family.most_frames(checkpoint), machine, dtype)
