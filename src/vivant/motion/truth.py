"""Ground truth of a clip of layers: what ``--export`` writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Plane
from vivant.controls.path_file import Filmed, transforms_data
from vivant.errors import UsageError
from vivant.media.resize import fit_plane
from vivant.motion.held import Looked
from vivant.motion.performance import Performance
from vivant.records import to_data
from vivant.rendering.bodies import Body, find_bodies, shifted_matte
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
from vivant.rendering.space.pose import Path as Way
from vivant.rendering.space.seen import (
    Seen,
    kept_own,
    mattes_flat,
    mattes_through,
    seen_flat,
    seen_through,
)
from vivant.rendering.space.view import View
from vivant.request import Progress
from vivant.scene.mattes import thing_matte

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
        _Writer(_Truth(_looked(shown), shown), folder, rest).write(progress)


def cameras(shown: Performance) -> Filmed:
    """The camera of every frame."""
    shot, space = shown.shot, shown.space()
    if space is not None:
        return of_path(space[1], shot.spec)
    views = views_of(shot.controls.camera, shot.spec, shot.loop)
    return of_views(views, Lens(shot.controls.view), shot.spec)


def _looked(shown: Performance) -> Looked:
    if shown.looked is None:
        raise UsageError("With strength 0 nothing is seen, so there is no such truth to export.")
    return shown.looked


@dataclass(frozen=True)
class _Truth:
    """What frames show, frame by frame."""

    looked: Looked
    shown: Performance

    @cached_property
    def space(self) -> tuple[View, Way] | None:
        """The relief as it is rendered, and the path; None where the view is flat."""
        space = self.shown.space()
        if space is None:
            return None
        return View(self.shown.shot.picture.pixels, *space), space[1]

    @cached_property
    def near(self) -> Floats:
        """Disparity ``[H, W]`` of the picture."""
        width, height = self.shown.shot.picture.size
        return self.shown.relief(self.looked).at((height, width))

    @cached_property
    def views(self) -> list[Floats]:
        """Flat views, none where the camera stands still."""
        shot = self.shown.shot
        return views_of(shot.controls.camera, shot.spec, shot.loop)

    @cached_property
    def bodies(self) -> list[Body]:
        """Things that travel."""
        shown = self.shown
        if shown.things is None:
            return []
        shot = shown.shot
        return find_bodies(shown.things, shot.picture.pixels, shot.spec, shot.loop, shown.rendering)

    @cached_property
    def mattes(self) -> dict[str, Plane]:
        """Kinds that are there, ``[H, W]``, at the size of the frames."""
        size = self.shown.shot.picture.size
        planes = {kind: fit_plane(alpha, size) for kind, alpha in self.looked.mattes.alpha.items()}
        return {k: plane for k, plane in planes.items() if (plane > 127).mean() > LEAST_KIND}

    @cached_property
    def things(self) -> NDArray[np.uint16]:
        """1 + the number of the thing at each pixel of the picture, 0 for none, ``[H, W]``."""
        size, scene = self.shown.shot.picture.size, self.looked.scene
        out = np.zeros(size[::-1], np.uint16)
        for number, one in enumerate(scene.instances):
            own = thing_matte(scene, number, self.looked.mattes.of(one.kind))
            out[fit_plane(own, size) > 127] = number + 1
        return out

    def seen(self, index: int) -> Seen:
        """One frame."""
        if self.space is not None:
            view, path = self.space
            return seen_through(view, path.poses[index])
        affine = self.views[index] if self.views and index else None
        return seen_flat(self.near, affine, Lens(self.shown.shot.controls.view))

    def white(self) -> float:
        """Inverse depth of the nearest that is ever seen."""
        step = max(1, self.shown.shot.spec.count // CHECKED)
        frames = range(0, self.shown.shot.spec.count, step)
        return max(1.0, *(float(self.seen(index).disparity.max()) for index in frames))

    def numbers(self, seen: Seen, index: int) -> NDArray[np.uint16]:
        """The things of one frame, those that travel where they are."""
        things = self.things
        for body in self.bodies:
            before, now = shifted_matte(body, 0) > 0.5, shifted_matte(body, index) > 0.5
            number = int(np.bincount(self.things[before]).argmax()) if before.any() else 0
            things = np.where(now, np.uint16(number), np.where(before, np.uint16(0), things))
        return np.asarray(kept_own(seen, things), np.uint16)

    def alphas(self, seen: Seen, index: int) -> dict[str, Plane]:
        """Mattes of the kinds in one frame."""
        planes = list(self.mattes.values())
        if self.space is not None:
            view, path = self.space
            planes = mattes_through(view, path.poses[index], planes)
        else:
            planes = mattes_flat(seen, planes)
        return dict(zip(self.mattes, planes, strict=True))

    def about(self) -> dict[str, Any]:
        """What files say in numbers."""
        rows = [to_data(one) for one in self.looked.scene.instances]
        return {"instances": rows, "kinds": list(self.mattes)}


@dataclass(frozen=True)
class _Writer:
    """Writes ``parts`` of a truth into a ``folder``."""

    truth: _Truth
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
