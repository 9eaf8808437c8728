"""``import vivant``: pictures to clips in one line of Python."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivant import job
from vivant.asset import Asset
from vivant.clip import Floats, Frame
from vivant.controls.entry import Control, Option
from vivant.controls.layer import Layer
from vivant.controls.prompt import read_option
from vivant.controls.table import options
from vivant.errors import UsageError
from vivant.field.motion_field import MotionField
from vivant.media.assets import FileAssets
from vivant.media.formats import LAYERS, format_for
from vivant.media.framing import target_of
from vivant.motion.layered import Motion
from vivant.preview import preview_of, shown
from vivant.provenance.keys import known_anchors, signing_key
from vivant.provenance.policy import Policy, policy_of
from vivant.provenance.release import Delivery
from vivant.provenance.verify import Verdict
from vivant.provenance.verify import verify as _verify
from vivant.provenance.watermark.stamp import examine
from vivant.registry import load, runtime_of
from vivant.request import Generator, Hooks, Keyframe, Plan, Request, Result, Target
from vivant.settings import read_settings

Image = str | Path | NDArray[np.uint8]
"""A file, or pixels ``[H, W, 3]`` uint8 sRGB (a mask: ``[H, W]``)."""
Value = str | float | bool | Path | NDArray[np.uint8] | Floats | Control
"""Of a control: as on the command line, or typed."""


@dataclass(frozen=True)
class Animation:
    """A clip that is planned but not made yet: `save` it, or go through its `frames`."""

    request: Request
    assets: FileAssets
    generator: Generator
    policy: Policy

    @property
    def _target(self) -> Target:
        """What frames in memory can hold."""
        alpha = self.request.one(Layer) is not None
        return target_of(format_for(None, LAYERS if alpha else None))

    @cached_property
    def plan(self) -> Plan:
        """What will be made. Raises what `vivant.request.Generator.plan` does."""
        return self.generator.plan(self.request, self.assets, self._target)

    @cached_property
    def _made(self) -> Result:
        try:
            made = job.make(
                self.request, self._target, self.assets, self.generator, policy=self.policy
            )
            return made.result
        finally:
            self.assets.rest()

    def frames(self) -> Iterator[Frame]:
        """The frames ``[H, W, 3]`` uint8 sRGB (of a layer ``[H, W, 4]``), without watermark, made
        anew at each call."""
        try:
            with self._made.open() as stream:
                yield from stream
        finally:
            self.assets.rest()

    @property
    def field(self) -> MotionField:
        """The motion field. Raises UsageError where the model has none."""
        artefact = self._made.artefacts.get("field")
        if artefact is None:
            raise UsageError(f"The model {self.request.model} states no motion field.")
        found: MotionField = artefact.read()
        return found

    @property
    def motion(self) -> Motion:
        """What each layer does (`docs/layers.md`). Raises UsageError where the model has none."""
        artefact = self._made.artefacts.get("motion")
        if artefact is None:
            raise UsageError(f"The model {self.request.model} states no motion of layers.")
        found: Motion = artefact.read()
        return found

    def save(
        self,
        path: str | Path,
        *,
        format: str | None = None,  # noqa: A002 - the word users know
        lossless: bool = False,
        watermark: bool = True,
        overwrite: bool = False,
        hooks: Hooks = Hooks(),  # noqa: B008 - frozen
    ) -> job.Done:
        """Render, mark, sign and write the clip; the ending of ``path`` names the format.

        Raises UsageError where the output exists and ``overwrite`` is false.
        """
        out = Path(path)
        chosen = format_for(out, format, lossless)
        return job.run(
            self.request,
            Delivery(out, chosen, lossless, overwrite, watermark),
            self.assets,
            self.generator,
            signing_key(read_settings()),
            policy=self.policy,
            hooks=hooks,
        )

    def preview(self, side: int = 256) -> bytes:
        """An animated WebP of few and small frames, marked and signed: seconds of work. Raises as
        `save`."""
        return preview_of(
            self.request, self.plan, side, self.assets, self.generator, self.policy,
            read_settings(),
        )  # fmt: skip

    def _repr_html_(self) -> str:
        """How a notebook shows it."""
        return shown(self.request, self.plan, self.preview())

    def with_seed(self, seed: int) -> Animation:
        """Another plausible future of the same picture."""
        return replace(self, request=self.request.with_seed(seed))


def animate(
    picture: Image,
    *,
    seconds: float = 4.0,
    fps: float | None = None,
    size: str | int | tuple[int, int] | None = None,
    seed: int = 0,
    model: str = "builtin",
    last: Image | None = None,
    consent: bool = False,
    keyframes: Iterable[tuple[Image, float]] = (),
    **controls: Value | Iterable[Value],
) -> Animation:
    """Plan a clip of a picture; ``keyframes`` are other pictures, met after so many seconds.

    ``size`` is as on the command line, (width, height), or the short side in pixels.
    ``controls`` are those of the command line by their names: ``camera="push-in 0.1"``,
    ``loop=True``, ``strength=0.5``, ``stroke=["0.2,0.5>0.6,0.5"]``, ``still="people.png"`` or a
    mask ``[H, W]`` uint8; ``last`` is the picture at the end, for models that take one. Raises
    UsageError naming what is not understood, UnsupportedControl
    for what the model cannot honour; PolicyError comes when frames are made.
    """
    assets = FileAssets()
    try:
        settings = read_settings()
        generator = load(model, runtime_of(settings))
        request = request_of(
            picture, assets, controls, seconds=seconds, fps=fps, size=size, seed=seed, model=model,
            last=last, keyframes=keyframes, honoured=generator.capabilities.controls,
        )  # fmt: skip
        animation = Animation(request, assets, generator, policy_of(settings, consent))
        _ = animation.plan  # refuse now, not when it is saved
        return animation
    finally:
        assets.rest()


def request_of(
    picture: Image,
    assets: FileAssets,
    controls: dict[str, Value | Iterable[Value]],
    *,
    seconds: float,
    fps: float | None,
    size: str | int | tuple[int, int] | None,
    seed: int,
    model: str,
    last: Image | None = None,
    keyframes: Iterable[tuple[Image, float]] = (),
    honoured: tuple[str, ...] = (),
) -> Request:
    """The request that the words of `animate` ask for, of a model that honours the controls
    ``honoured``; what it names is taken in. Raises UsageError."""
    met = [Keyframe(taken_in(picture, assets))]
    met += [Keyframe(taken_in(image, assets), at) for image, at in keyframes]
    if last is not None:
        met.append(Keyframe(taken_in(last, assets), seconds))
    chosen = _read_controls(controls, assets, honoured)
    return Request(tuple(met), chosen, seconds, fps, size_named(size), seed, model)


def size_named(size: str | int | tuple[int, int] | None) -> str | None:
    """A size as the command line says it: 720 is "720p". Raises UsageError for anything else."""
    match size:
        case None | str():
            return size
        case bool():
            pass
        case int():
            return f"{size}p"
        case [int(), int()]:
            return f"{size[0]}x{size[1]}"
    raise UsageError(f"The size {size!r} is not understood; write (1280, 720), 720 or '720p'.")


def taken_in(picture: Image, assets: FileAssets) -> Asset:
    """A picture among the inputs. Raises UsageError where there is no such file."""
    if isinstance(picture, np.ndarray):
        return assets.add_pixels(picture, "picture")
    return assets.add(Path(picture), "picture")


def render(picture: Image, field: str | Path, **options_: Value | Iterable[Value]) -> Animation:
    """Plan a clip of a picture under the motion field of a file; the rest as `animate`."""
    return animate(picture, field=field, **options_)  # type: ignore[arg-type] # checked there


def verify(path: str | Path) -> Verdict:
    """What the credentials and the frames of a file say."""
    anchors = known_anchors(read_settings())
    verdict = _verify(Path(path), anchors)
    return replace(verdict, watermark=examine(Path(path), verdict.record))


def _read_controls(
    given: dict[str, Value | Iterable[Value]], assets: FileAssets, honoured: tuple[str, ...]
) -> tuple[Control, ...]:
    known = {option.keyword: option for option in options()}
    chosen: list[Control] = []
    for name, values in given.items():
        if name not in known:
            raise UsageError(f"There is no control {name!r}; known are {', '.join(known)}.")
        several = values if isinstance(values, list | tuple) else [values]
        for value in several:
            chosen += _read_control(known[name], value, assets, honoured)
    return tuple(chosen)


def _taken_in(keyword: str, value: NDArray[Any], assets: FileAssets) -> Asset:
    """A mask ``[H, W]`` uint8, or a depth map of any kind of numbers."""
    if keyword != "depth" or value.dtype.kind != "f":
        return assets.add_pixels(value, "mask", f"{keyword}.png")
    buffer = io.BytesIO()
    np.save(buffer, value)
    return assets.add_bytes(buffer.getvalue(), "depth", "depth.npy")


def _read_control(
    option: Option, value: object, assets: FileAssets, honoured: tuple[str, ...]
) -> tuple[Control, ...]:
    if value is None or value is False:
        return ()
    if isinstance(value, np.ndarray):
        value = assets.path(_taken_in(option.keyword, value, assets))
    if isinstance(value, Control):
        return (value,)
    return read_option(option, "" if value is True else str(value), assets, honoured)
