"""``vivant see`` and ``vivant mask``: what is in a photograph, for people and other programs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vivant.cli.outputs import free_name
from vivant.cli.png import check_png, write_png
from vivant.cli.show import print_json, say
from vivant.clip import Picture, Plane
from vivant.errors import UsageError, VivantError
from vivant.files import (
    check_apart,
    check_not_input,
    check_output,
    check_output_folder,
    publish,
    publish_folder,
    sha256_of,
)
from vivant.kinds import KINDS, kind_named
from vivant.media.assets import STDIN, FileAssets
from vivant.media.decoder import Decoder
from vivant.motion.depth import check_fits, kept, scene_with
from vivant.scene import eyes
from vivant.scene.cutout import cut_out
from vivant.scene.file import write_scene
from vivant.scene.guests import Guests
from vivant.scene.mattes import Mattes, thing_matte
from vivant.scene.record import Scene
from vivant.scene.sheet import sheet

MOST_THINGS = 64
LEAST_SHOWN = 0.005


def see_photo(
    photo: Path,
    out: Path | None,
    masks: Path | None,
    depth: Path | None,
    save_scene: Path | None,
    overwrite: bool,
    as_json: bool,
    guests: Guests,
    own_depth: Path | None = None,
) -> None:
    """Say what a photograph shows; write a sheet, masks and cut-outs, depth, the scene where
    asked. ``own_depth`` takes the place of the network's."""
    inputs = (photo,) if own_depth is None else (photo, own_depth)
    _check_places(inputs, out, masks, depth, save_scene, overwrite)
    picture = _read(photo)
    scene = eyes.see(picture.pixels, guests=guests)
    if own_depth is not None:
        scene = _with_depth(scene, picture, own_depth)
    found = eyes.mattes(scene, picture.pixels) if out is not None or masks is not None else None
    if out is not None:
        assert found is not None
        write_png(out, sheet(scene, found, picture.pixels))
    if masks is not None:
        assert found is not None
        with publish_folder(masks, overwrite) as folder:
            write_masks(folder, scene, found, picture)
    if depth is not None:
        write_png(depth, scene.depth_at(picture.size))
    if save_scene is not None:
        with publish(save_scene, overwrite) as temporary:
            write_scene(temporary, scene)
    written = {"sheet": out, "masks": masks, "depth": depth, "scene": save_scene}
    _tell(photo, scene, as_json, {name: path for name, path in written.items() if path})


def _check_places(
    inputs: tuple[Path, ...],
    out: Path | None,
    masks: Path | None,
    depth: Path | None,
    save_scene: Path | None,
    overwrite: bool,
) -> None:
    """Raises UsageError where something cannot or must not be written."""
    check_apart(path for path in (out, depth, save_scene, masks) if path is not None)
    for path in (out, depth, save_scene):
        if path is not None:
            check_not_input(path, inputs)
            check_output(path, overwrite)
    for path in (out, depth):
        if path is not None:
            check_png(path)
    if masks is not None:
        check_not_input(masks, inputs)
        check_output_folder(masks, overwrite)


def _with_depth(scene: Scene, picture: Picture, path: Path) -> Scene:
    """The scene with a depth map of the user's. Raises UsageError where it does not fit."""
    with Decoder() as decoder:
        depth = decoder.depth(path)
    check_fits(depth, picture, "--with-depth")
    return scene_with(scene, kept(depth), {path.name: sha256_of(path)})


def _tell(photo: Path, scene: Scene, as_json: bool, written: dict[str, Path]) -> None:
    facts = scene.describe()
    if as_json:
        print_json({"photo": str(photo), **facts, "files": written})
        return
    for kind, share in facts["kinds"].items():
        if share >= LEAST_SHOWN:
            print(f"{kind:>8} {share:6.1%}")
    for number, one in enumerate(scene.instances):
        x, y = one.centre
        print(f"{number:>8} {one.kind} at {x:.2f},{y:.2f}, {one.area:.1%} of the picture")
    for body in scene.bodies:
        print(f"{body.instance:>8} is {body.name} water ({max(body.character):.0%} sure)")
    for path in written.values():
        say(f"{path}")


def write_masks(folder: Path, scene: Scene, found: Mattes, picture: Picture) -> None:
    """``KIND.png`` mattes, ``NUMBER-KIND.png`` of each thing, and ``NUMBER-KIND-cutout.png``
    with alpha."""
    for kind, alpha in found.alpha.items():
        write_png(folder / f"{kind}.png", alpha)
    for number, one in enumerate(scene.instances[:MOST_THINGS]):
        if one.kind in found.alpha:
            alpha = thing_matte(scene, number, found.of(one.kind))
            write_png(folder / f"{number:02d}-{one.kind}.png", alpha)
            write_png(
                folder / f"{number:02d}-{one.kind}-cutout.png", cut_out(picture.pixels, alpha)
            )


def mask_photo(
    photo: Path,
    kinds: tuple[str, ...],
    at: str | None,
    out: Path | None,
    overwrite: bool,
    guests: Guests,
) -> None:
    """Write the matte of kinds, or of the thing under a point, as a mask."""
    if bool(kinds) == (at is not None):
        raise UsageError("Say what the mask shall cover: --kind water, or --at 0.4,0.7.")
    chosen = tuple(_kind(word) for word in kinds)
    place = None if at is None else _place(at)
    if out is None:
        stem = "picture" if str(photo) in STDIN else photo.stem
        wished = Path(f"{stem}-{'-'.join(chosen) or 'thing'}.png")
        out = wished if overwrite else free_name(wished, ".png")
    check_not_input(out, (photo,))
    check_output(out, overwrite)
    check_png(out)
    picture = _read(photo)
    scene = eyes.see(picture.pixels, guests=guests)
    alpha = (
        _kinds_mask(photo, scene, chosen, picture)
        if place is None
        else _thing_mask(photo, scene, place, picture)
    )
    write_png(out, alpha)
    say(f"{out}  {float(alpha.mean()) / 255:.1%} of the picture")


def _kinds_mask(photo: Path, scene: Scene, kinds: tuple[str, ...], picture: Picture) -> Plane:
    found = eyes.mattes(scene, picture.pixels, kinds)
    total = np.sum([found.of(kind).astype(np.uint16) for kind in kinds], axis=0)
    if not total.any():
        there = [kind for kind, share in scene.shares().items() if share > LEAST_SHOWN]
        raise VivantError(f"{photo} shows no {' or '.join(kinds)}; it shows {', '.join(there)}.")
    return np.asarray(np.minimum(total, 255), np.uint8)


def _thing_mask(photo: Path, scene: Scene, place: tuple[float, float], picture: Picture) -> Plane:
    number = scene.at(*place)
    if number is None:
        raise VivantError(f"There is no thing at {place[0]:g},{place[1]:g} in {photo}.")
    kind = scene.instances[number].kind
    return thing_matte(scene, number, eyes.mattes(scene, picture.pixels, (kind,)).of(kind))


def _kind(word: str) -> str:
    kind = kind_named(word)
    if kind is None:
        raise UsageError(f"There is no kind {word!r}; known are {', '.join(KINDS)}.")
    return kind


def _place(text: str) -> tuple[float, float]:
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(f"--at takes a point like 0.4,0.7, not {text!r}.") from error
    if not (0 <= x <= 1 and 0 <= y <= 1):
        raise UsageError(f"The point {text} lies outside the picture; use values 0 to 1.")
    return x, y


def _read(photo: Path) -> Picture:
    with FileAssets() as assets:
        return assets.picture(assets.add(photo, "picture"))
