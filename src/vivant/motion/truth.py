"""Ground truth of a clip of layers: what `--export` writes beside the flow."""

from __future__ import annotations

from pathlib import Path

from vivant.controls.path_file import Filmed
from vivant.motion.performance import Performance
from vivant.rendering.exports import FLOWS, export
from vivant.rendering.renderer import views_of
from vivant.rendering.space.cameras import of_path, of_views, write_cameras
from vivant.rendering.space.pose import Lens
from vivant.request import Progress

PARTS = ("camera",)
"""What there is besides `vivant.rendering.exports.FLOWS`."""


def write_truth(
    shown: Performance, folder: Path, parts: tuple[str, ...], progress: Progress
) -> None:
    """Write ``parts`` of the truth about a performance into ``folder``, which is there."""
    spec = shown.shot.spec
    flows = tuple(part for part in parts if part in FLOWS)
    if flows:
        export(shown.flows(), spec.count, folder, flows, progress)
    if "camera" in parts:
        write_cameras(folder, cameras(shown), (spec.width, spec.height))


def cameras(shown: Performance) -> Filmed:
    """The camera of every frame."""
    shot, space = shown.shot, shown.space()
    if space is not None:
        return of_path(space[1], shot.spec)
    views = views_of(shot.controls.camera, shot.spec, shot.loop)
    return of_views(views, Lens(shot.controls.view), shot.spec)
