"""``vivant models add NAME FOLDER`` and ``check NAME``: other people's video models."""

from __future__ import annotations

import json
import re
from pathlib import Path

from vivant.adapters.layout import read_checkpoint
from vivant.adapters.svd import check
from vivant.bundle import FORMAT
from vivant.child import Child, Limits
from vivant.cli.bundles import add_bundle, check_bundle
from vivant.cli.show import say
from vivant.errors import BundleError, UsageError
from vivant.files import publish
from vivant.registry import MODELS, added_models, bundle_folder
from vivant.settings import Settings


def add_checkpoint(name: str, folder: Path, settings: Settings) -> None:
    """Make a checkpoint known as ``name``; its files stay where they are. A model that was trained
    with vivant is copied.

    Raises UsageError where the name cannot be used, BundleError where the folder is none that
    this version runs.
    """
    if name in MODELS or not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", name):
        raise UsageError(f"A model cannot be called {name!r}; take small letters and digits.")
    if bundle_folder(folder) is not None:
        add_bundle(name, folder, settings)
        return
    checkpoint = read_checkpoint(folder.resolve())
    check(checkpoint)
    config = {
        "format": FORMAT,
        "name": name,
        "version": checkpoint.sha256[:12],
        "family": "svd",
        "members": [],
        "summary": "Stable Video Diffusion",
        "licence": checkpoint.licence,
        "checkpoint": str(checkpoint.folder),
        "sha256": checkpoint.sha256,
    }
    path = settings.home / "models" / name / "config.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    with publish(path, overwrite=True) as temporary:
        temporary.write_text(json.dumps(config, indent=1), "utf-8")
    say(f"{name} is {checkpoint.pipeline}, licence {checkpoint.licence} ({config['version']}).")


def check_model(name: str, settings: Settings) -> None:
    """Read every byte of an added model again and load it once, in its own process.

    Raises UsageError where it is not known, BundleError where it is not what was added.
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
    with Child(Limits(3600, 1 << 20), called="the video model") as child:
        for answer in child.ask("vivant.adapters.worker:loads", folder=str(checkpoint.folder)):
            say(f"{name} is whole and loads: {answer.facts['parameters']:,} parameters.")
