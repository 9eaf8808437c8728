"""The models by name, and the families that run them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vivant.bundle import BUILTIN, Bundle, open_bundle
from vivant.errors import BundleError, UsageError
from vivant.files import listed
from vivant.request import Generator, Runtime
from vivant.scene.guests import guests_at
from vivant.settings import Settings, read_settings


def _motion(bundle: Bundle, runtime: Runtime) -> Generator:
    from vivant.footage import through

    return through.load(bundle, runtime)


def _diffusers(bundle: Bundle, runtime: Runtime) -> Generator:
    from vivant.adapters import model

    return model.load(bundle, runtime, lambda: load("builtin", runtime))


def _video(bundle: Bundle, runtime: Runtime) -> Generator:
    from vivant.footage.gone_on import GoneOn
    from vivant.video import model

    return GoneOn(model.load(bundle, runtime))


FAMILIES: dict[str, Callable[[Bundle, Runtime], Generator]] = {
    "motion": _motion,
    "diffusers": _diffusers,
    "svd": _diffusers,  # as the first edition named them
    "video": _video,
}
"""By the ``family`` of a bundle's configuration. Opening is cheap: what is heavy is loaded when
a generator first needs it."""
MODELS: dict[str, Path] = {"builtin": BUILTIN}
"""The installed bundles."""


@dataclass(frozen=True)
class Model:
    """A named model: what it says of itself, and the generator that runs it."""

    name: str
    family: str
    summary: str
    licence: str
    runs_on: str
    generator: Generator


def open_model(name: str, runtime: Runtime = Runtime()) -> Model:  # noqa: B008 - frozen
    """The model called ``name``, or that of a folder which holds a bundle.

    Raises UsageError naming the known models, BundleError where the bundle is damaged or of a
    family that this version does not know.
    """
    bundle = open_bundle(_folder_of(name))
    config = bundle.config
    family = str(config.get("family", "motion"))  # bundles of the first edition state none
    if family not in FAMILIES:
        raise BundleError(
            f"The model {name} is of the family {family!r}, which this version does not know;"
            f" known are {', '.join(FAMILIES)}."
        )
    return Model(
        name=name,
        family=family,
        summary=str(config.get("summary", "")),
        licence=str(config.get("licence", "not stated")),
        runs_on=str(config.get("runs_on", "any CPU")),
        generator=FAMILIES[family](bundle, runtime),
    )


def load(name: str, runtime: Runtime = Runtime()) -> Generator:  # noqa: B008 - frozen
    """The generator of a model; see `open_model`."""
    return open_model(name, runtime).generator


def added_models(settings: Settings) -> dict[str, Path]:
    """The models that the user added, by name, as folders of bundles."""
    found = listed(settings.home / "models", "*/config.json")
    return {path.parent.name: path.parent for path in found}


def runtime_of(settings: Settings) -> Runtime:
    """How models run for a user: with the eyes that were added."""
    guests = guests_at(settings.home)
    return Runtime(depth=guests.depth, kinds=guests.kinds)


def _folder_of(name: str) -> Path:
    if name in MODELS:
        return MODELS[name]
    added = added_models(read_settings())
    if name in added:
        return added[name]
    folder = bundle_folder(Path(name))
    if folder is not None:
        return folder
    known = ", ".join([*sorted(MODELS), *added])
    raise UsageError(f"There is no model {name!r}; known models: {known}, or a bundle's folder.")


def bundle_folder(folder: Path) -> Path | None:
    """Where a bundle lies: in ``folder``, or below it where that is a training run's; None where
    there is none."""
    places = (folder, folder / "bundle")
    return next((place for place in places if (place / "config.json").is_file()), None)


def editor(settings: Settings) -> Generator:
    """What edits footage and several pictures, with the built-in model."""
    from vivant.footage.editor import Editor

    return Editor(load("builtin", runtime_of(settings)), guests_at(settings.home))
