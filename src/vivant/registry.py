"""The models by name: what each can do, under which licence, and how it is loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vivant.bundle import BUILTIN, open_bundle
from vivant.errors import UsageError
from vivant.request import Generator, Request, refuse

CONTROLS = ("still", "move", "stroke", "camera", "loop", "strength")


@dataclass(frozen=True)
class ModelSpec:
    """One entry: ``controls`` it honours, licence of the weights, where it runs."""

    name: str
    family: str
    summary: str
    licence: str
    runs_on: str
    controls: tuple[str, ...]
    load: Callable[[int], Generator]


def _load_motion(folder: Path) -> Callable[[int], Generator]:
    def load(threads: int) -> Generator:
        from vivant.motion import model

        return model.load(open_bundle(folder), threads)

    return load


MODELS = {
    "builtin": ModelSpec(
        name="builtin",
        family="motion",
        summary="samples a motion field, renders at any resolution",
        licence="Apache-2.0",
        runs_on="any CPU",
        controls=CONTROLS,
        load=_load_motion(BUILTIN),
    )
}


def spec_of(name: str) -> ModelSpec:
    """The entry called ``name``, or of a folder that holds a bundle.

    Raises UsageError naming the known models.
    """
    if name in MODELS:
        return MODELS[name]
    folder = Path(name)
    if (folder / "config.json").is_file():
        config = open_bundle(folder).config
        licence = str(config.get("licence", "not stated"))
        return ModelSpec(
            name,
            "motion",
            "a bundle from a folder",
            licence,
            "any CPU",
            CONTROLS,
            _load_motion(folder),
        )
    known = ", ".join(sorted(MODELS))
    raise UsageError(f"There is no model {name!r}; known models: {known}, or a bundle's folder.")


def check_controls(spec: ModelSpec, request: Request) -> None:
    """Refuse by name a control that the model cannot honour; none is dropped in silence."""
    asked = [*request.controls.used()]
    asked += ["loop"] if request.loop else []
    asked += ["strength"] if request.strength != 1 else []
    for control in asked:
        if control not in spec.controls:
            able = tuple(m.name for m in MODELS.values() if control in m.controls)
            raise refuse(control, spec.name, able)
