"""``vivant models add NAME RUN`` and ``check NAME`` for models that were trained with vivant."""

from __future__ import annotations

import shutil
from pathlib import Path

from vivant.bundle import open_bundle
from vivant.child import Child, Limits
from vivant.cli.show import say
from vivant.errors import BundleError
from vivant.files import publish
from vivant.registry import bundle_folder, open_model
from vivant.settings import Settings


def add_bundle(name: str, folder: Path, settings: Settings) -> None:
    """Copy the bundle of ``folder``, a bundle's or a training run's, so that it is known as
    ``name``. Raises BundleError where it is damaged."""
    found = bundle_folder(folder) or folder
    model = open_model(str(found))
    place = settings.home / "models" / name
    place.mkdir(parents=True, exist_ok=True)
    members = [str(member) for member in open_bundle(found).config["members"]]
    for member in (*members, "data.json", "config.json"):  # the configuration last: it names them
        if (found / member).is_file():
            with publish(place / member) as temporary:
                shutil.copyfile(found / member, temporary)
    identity = open_bundle(place).identity
    say(
        f"{name} is a model of the family {model.family}, {model.licence} ({identity.sha256[:12]})."
    )


def check_bundle(name: str, folder: Path) -> None:
    """Read every byte of an added bundle of the family video and load it once, in its own process.

    Raises BundleError where it is damaged.
    """
    identity = open_bundle(folder).identity
    with Child(Limits(600, 1 << 20), called="the video model") as child:
        answers = list(child.ask("vivant.video.worker:loads", folder=str(folder)))
    if not answers:
        raise BundleError(f"The model {name} did not load.")
    count = answers[0].facts["parameters"]
    say(f"{name} is whole and loads: {count:,} parameters ({identity.sha256[:12]}).")
