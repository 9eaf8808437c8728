"""Ground truth of a clip of layers: what ``--export`` writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivant.controls.path_file import Filmed, transforms_data
from vivant.motion.performance import Performance
from vivant.motion.sights import Sights, sights_of
from vivant.rendering.exports import FLOWS, export
from vivant.rendering.renderer import views_of
from vivant.rendering.space.cameras import of_path, of_views, write_cameras
from vivant.rendering.space.planes import (
    FORMATS,
    write_depth,
    write_millimetres,
    write_normals,
    write_plane,
)
from vivant.rendering.space.pose import Lens
from vivant.rendering.space.seen import (
    Seen,
)
from vivant.request import Progress

NERFSTUDIO = "nerfstudio"
DEEP = ("depth", "normals")
SEEN = (*DEEP, *(f"{name}:{kind}" for name in DEEP for kind in FORMATS), "instances", "alpha")
PARTS = ("camera", *SEEN, NERFSTUDIO)
"""What there is besides `vivant.rendering.exports.FLOWS`. "nerfstudio=FOLDER" names the folder of
frames that its cameras belong to, from the export's."""
LEAST_KIND = 0.001
"""Share of the picture from which a kind has an alpha of its own."""
CHECKED = 16
"""Frames looked at for the nearest there is."""


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
    rest = tuple(part for part in parts if part in SEEN or part.startswith(NERFSTUDIO))
    if rest:
        _Writer(sights_of(shown), folder, rest).write(progress)


def cameras(shown: Performance) -> Filmed:
    """The camera of every frame."""
    shot, space = shown.shot, shown.space()
    if space is not None:
        return of_path(space[1], shot.spec)
    views = views_of(shot.controls.camera, shot.spec, shot.loop)
    return of_views(views, Lens(shot.controls.view), shot.spec)


@dataclass(frozen=True)
class _Writer:
    """Writes ``parts`` of a truth into a ``folder``."""

    truth: Sights
    folder: Path
    parts: tuple[str, ...]

    def write(self, progress: Progress) -> None:
        """Frame by frame."""
        spec = self.truth.shown.shot.spec
        white = self.truth.white() if "depth:png" in self.parts else 1.0
        frames = next((p.partition("=")[2] for p in self.parts if p.startswith(NERFSTUDIO)), None)
        if frames is not None:
            (self.folder / "depths").mkdir()
            self._nerfstudio(frames)
        for index in range(spec.count):
            seen = self.truth.seen(index)
            for stem, part in self._deep():
                if stem == "depth":
                    write_depth(self._at(stem, index), seen.disparity, part, white)
                else:
                    write_normals(self._at("normal", index), seen.normals, part)
            for name, plane in self._planes(seen, index):
                write_plane(self._at(name, index).with_suffix(".png"), plane)
            if frames is not None:
                write_millimetres(self.folder / "depths" / f"frame_{index:05d}.png", seen.disparity)
            progress("exporting", (index + 1) / spec.count)
        about = {"white": white, "unit": "the nearest depth of the picture", **self.truth.about()}
        (self.folder / "truth.json").write_text(json.dumps(about, indent=1) + "\n", "utf-8")

    def _deep(self) -> Iterator[tuple[str, str]]:
        for part in self.parts:
            name, _, kind = part.partition(":")
            if name in DEEP:
                yield name, kind or FORMATS[0]

    def _planes(self, seen: Seen, index: int) -> Iterator[tuple[str, NDArray[Any]]]:
        if any(name == "depth" for name, _ in self._deep()):
            yield "depth_exact", np.where(seen.exact, np.uint8(255), np.uint8(0))
        if "instances" in self.parts:
            yield "instance", self.truth.numbers(seen, index)
        if "alpha" in self.parts:
            for kind, plane in self.truth.alphas(seen, index).items():
                yield f"alpha_{kind}", plane

    def _at(self, name: str, index: int) -> Path:
        return self.folder / f"{name}_{index:05d}"

    def _nerfstudio(self, frames: str) -> None:
        spec = self.truth.shown.shot.spec
        names = [f"{frames}/frame_{index:05d}.png" for index in range(spec.count)]
        data = transforms_data(cameras(self.truth.shown), (spec.width, spec.height), names)
        for index, row in enumerate(data["frames"]):
            row["depth_file_path"] = f"depths/frame_{index:05d}.png"
        (self.folder / "transforms.json").write_text(json.dumps(data, indent=1) + "\n", "utf-8")
