"""The one seam: plain data in, a plan, a result; every model family answers `Generator`."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from dataclasses import field as default
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol, TypeVar

from vivant.asset import Asset, Assets
from vivant.clip import Frame, Sound, VideoSpec
from vivant.controls.entry import Control
from vivant.controls.table import check_together, control_data, control_from, entry_of
from vivant.errors import Cancelled, UnsupportedControl, UsageError, VivantError
from vivant.records import check_members, from_data, to_data

MAX_SECONDS = 600.0
POLL_SECONDS = 0.1
MIN_FPS, MAX_FPS = 0.01, 240.0
C = TypeVar("C")


@dataclass(frozen=True)
class Keyframe:
    """A picture that the clip shows ``at`` seconds; negative = it went before. Footage (an asset
    of the kind clip) begins there."""

    image: Asset
    at: float = 0.0

    def __post_init__(self) -> None:
        if self.image.kind not in ("picture", "clip"):
            raise UsageError(f"A key frame is a picture or a clip, not a {self.image.kind}.")
        if not math.isfinite(self.at) or abs(self.at) > MAX_SECONDS:
            raise UsageError(f"A key frame cannot be at {self.at:g} s.")


@dataclass(frozen=True)
class Request:
    """What a user asks for, as plain data.

    ``fps`` None leaves the rate to the model and the output; ``size`` is "1280x720", "720p"
    (short side) or "source", None leaves it to them too. ``seed``: the same whole number gives
    the same motion. ``model`` is a name of the registry. Raises UsageError naming the value and
    its range.
    """

    keyframes: tuple[Keyframe, ...]
    controls: tuple[Control, ...] = ()
    seconds: float = 4.0
    fps: float | None = None
    size: str | None = None
    seed: int = 0
    model: str = "builtin"

    def __post_init__(self) -> None:
        if not self.keyframes:
            raise UsageError("A request needs at least one picture.")
        _check_range("seconds", self.seconds, 0.0, MAX_SECONDS)
        if self.fps is not None:
            _check_range("fps", self.fps, MIN_FPS, MAX_FPS)
        if not 0 <= self.seed < 2**63:
            raise UsageError(f"seed must be a whole number from 0 to 2^63 - 1, not {self.seed}.")
        check_together(self.controls)

    def all(self, kind: type[C]) -> tuple[C, ...]:
        """The controls of one kind, in order."""
        return tuple(control for control in self.controls if isinstance(control, kind))

    def one(self, kind: type[C]) -> C | None:
        """The only control of one kind, None where there is none."""
        found = self.all(kind)
        return found[0] if found else None

    def to_data(self) -> dict[str, Any]:
        """As JSON-able data; `from_data` gives an equal request back."""
        return {
            "keyframes": [to_data(keyframe) for keyframe in self.keyframes],
            "controls": [control_data(control) for control in self.controls],
            **{name: getattr(self, name) for name in _PLAIN},
        }

    @staticmethod
    def from_data(data: Any) -> Request:
        """A request from JSON data; what is left out has its default, what is unknown is
        refused. Raises UsageError."""
        check_members(data, {"keyframes", "controls", *_PLAIN}, "request")
        frames, controls = (data.get(name, []) for name in ("keyframes", "controls"))
        if not (isinstance(frames, list) and isinstance(controls, list)):
            raise UsageError("The keyframes and controls of a request must be lists.")
        keyframes = tuple(_keyframe(frame) for frame in frames)
        chosen = tuple(control_from(control) for control in controls)
        plain = from_data(_Plain, {k: data[k] for k in _PLAIN if k in data}, "request")
        return Request(keyframes, chosen, **{name: getattr(plain, name) for name in _PLAIN})

    def with_seed(self, seed: int) -> Request:
        """The same request with another seed."""
        return replace(self, seed=seed)


@dataclass(frozen=True)
class _Plain:
    seconds: float = 4.0
    fps: float | None = None
    size: str | None = None
    seed: int = 0
    model: str = "builtin"


_PLAIN = tuple(_Plain.__dataclass_fields__)


def _keyframe(data: Any) -> Keyframe:
    check_members(data, {"image", "at"}, "keyframe")
    check_members(data.get("image"), {"sha256", "kind", "name"}, "asset")
    return from_data(Keyframe, data, "keyframe")


def _check_range(name: str, value: float, low: float, high: float) -> None:
    inside = (low < value if low == 0 else low <= value) and value <= high
    if not (math.isfinite(value) and inside):
        above = "above" if low == 0 else "from"
        raise UsageError(f"{name} must be a number {above} {low:g} up to {high:g}, not {value:g}.")


@dataclass(frozen=True)
class Target:
    """What the output can hold, and what it would like where the request leaves it open.

    ``fps`` and ``short`` (side, pixels; None = the picture's own) are wishes; ``even``: both
    sides must be; ``longest`` side and ``most_pixels`` of a frame; ``most_fps`` that can be shown;
    ``sound``: whether it can be heard; ``artefacts`` besides the frames that are wanted, each with
    its parts.
    """

    fps: float | None = None
    short: int | None = None
    even: bool = False
    longest: int = 8192
    most_pixels: int = 8192 * 8192
    most_fps: float = 240.0
    alpha: bool = False
    sound: bool = False
    artefacts: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class Plan:
    """What will be made, known before any work: the ``video``; the size (width, height) the
    picture is ``fitted`` to; ``notes``, sentences on what is cropped, resampled, enlarged, slow."""

    video: VideoSpec
    fitted: tuple[int, int]
    notes: tuple[str, ...] = ()


class SourceType(str, Enum):
    """How the pixels came about: terms of IPTC's digital source types."""

    SYNTHETIC = "trainedAlgorithmicMedia"
    COMPOSITE = "compositeWithTrainedAlgorithmicMedia"
    ALGORITHMIC = "algorithmicMedia"
    ENHANCED = "algorithmicallyEnhanced"


@dataclass(frozen=True)
class ModelIdentity:
    """Which weights answered: ``sha256`` is the hash over the bundle's files."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True)
class Artefact:
    """Something made besides the frames: ``read`` gives it in memory, ``write`` puts ``parts``
    of it at a path (a file, or into a ``folder`` that is there)."""

    read: Callable[[], Any]
    write: Callable[[Path, tuple[str, ...]], None]
    folder: bool = False


class FrameStream:
    """Frames ``[H, W, 3]`` uint8, one after the other; closing it frees what makes them.

    with result.open() as frames:
        for frame in frames:
            ...
    """

    def __init__(self, frames: Iterator[Frame]) -> None:
        self._frames = frames

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        return next(self._frames)

    def __enter__(self) -> FrameStream:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """No more frames are wanted."""
        close = getattr(self._frames, "close", None)
        if close is not None:
            close()


@dataclass(frozen=True)
class Result:
    """The answer to a request.

    ``open()`` starts the frames anew at each call, ``plan.video.count`` of the planned size.
    ``made`` says how the pixels came about; ``artefacts`` what else there is, by name; ``sound``
    gives what is heard with the frames; ``timings`` are seconds by stage.
    """

    plan: Plan
    open: Callable[[], FrameStream]
    model: ModelIdentity
    made: SourceType
    artefacts: Mapping[str, Artefact] = default(default_factory=dict)
    timings: Mapping[str, float] = default(default_factory=dict)
    sound: Callable[[], Sound | None] = lambda: None


Progress = Callable[[str, float], None]
"""Called with a stage name and the share done (0..1)."""


def no_progress(stage: str, share: float) -> None:
    """The progress callback that says nothing."""


@dataclass(frozen=True)
class Hooks:
    """How the outside takes part: ``progress``, ``cancelled`` (asked often, from the working
    thread), and ``planned``, which hears the plan before any work."""

    progress: Progress = no_progress
    cancelled: Callable[[], bool] = lambda: False
    planned: Callable[[Plan], None] = lambda plan: None

    def report(self, stage: str, share: float) -> None:
        """Say how far a stage is. Raises Cancelled where the work is no longer wanted."""
        if self.cancelled():
            raise Cancelled("The work was cancelled; nothing was left behind.")
        self.progress(stage, share)

    @contextmanager
    def breaking_off(self, stop: Callable[[], None]) -> Iterator[None]:
        """While the body runs, call ``stop`` once the work is no longer wanted: for what cannot
        ask. The failure that follows becomes Cancelled."""
        over = threading.Event()

        def watch() -> None:
            while not over.wait(POLL_SECONDS):
                if self.cancelled():
                    stop()
                    return

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        except VivantError as error:
            if self.cancelled() and not isinstance(error, Cancelled):
                raise Cancelled("The work was cancelled; nothing was left behind.") from error
            raise
        finally:
            over.set()
            watcher.join()


@dataclass(frozen=True)
class Capabilities:
    """What a model honours: names of ``controls``; how many ``keyframes``; the frame ``sizes``
    and number of ``frames`` in words; ``reproducible``: the same request gives the same frames
    exactly, on the same device only, or not; ``artefacts`` by name, each with its parts;
    ``footage``: whether a key frame may be a clip."""

    controls: tuple[str, ...] = ()
    keyframes: int = 1
    sizes: str = "any"
    frames: str = "any"
    reproducible: Literal["exact", "device", "no"] = "device"
    artefacts: Mapping[str, tuple[str, ...]] = default(default_factory=dict)
    footage: bool = False


@dataclass(frozen=True)
class Runtime:
    """Where and how a model runs; 0 leaves a number to the runtime. ``depth`` and ``kinds`` are
    networks of the user's own that look at pictures (`vivant.scene.guests`)."""

    device: str = "cpu"
    dtype: str = "auto"
    threads: int = 0
    memory_mib: int = 0
    depth: Path | None = None
    kinds: Path | None = None


class Generator(Protocol):
    """A model of any family."""

    @property
    def identity(self) -> ModelIdentity:
        """Which weights answer."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What it honours."""
        ...

    def plan(self, request: Request, assets: Assets, target: Target) -> Plan:
        """Say what will be made. The only place that refuses: raises UnsupportedControl by name
        for what cannot be honoured, UsageError for what does not fit together."""
        ...

    def generate(self, request: Request, plan: Plan, assets: Assets, hooks: Hooks) -> Result:
        """Answer a request that was planned. Raises Cancelled where the hooks say so."""
        ...


def refuse_unknown(
    request: Request, target: Target, capabilities: Capabilities, model: str
) -> None:
    """Refuse by name what ``model`` cannot honour; for `Generator.plan`."""
    for control in request.controls:
        name = entry_of(control).name
        if control.asks and name not in capabilities.controls:
            raise _refusal(model, f"the control {name}")
    if not capabilities.footage and any(k.image.kind == "clip" for k in request.keyframes):
        raise _refusal(model, "footage")
    if len(request.keyframes) > capabilities.keyframes:
        raise _refusal(model, f"{len(request.keyframes)} key frames")
    if any(keyframe.at != 0 for keyframe in request.keyframes[:1]):
        raise _refusal(model, "a first key frame that is not at 0 s")
    for name, parts in target.artefacts:
        known = capabilities.artefacts.get(name)
        if known is None:
            raise _refusal(model, f"the export of {name}")
        if missing := [part for part in parts if part.partition("=")[0] not in known]:
            raise UsageError(
                f"There is no export {missing[0]!r} of {name}; choose from {', '.join(known)}."
            )


def _refusal(model: str, what: str) -> UnsupportedControl:
    return UnsupportedControl(
        f"The model {model} cannot honour {what}; `vivant models` lists what each can."
    )


def idle_notes(request: Request) -> tuple[str, ...]:
    """A sentence for each control that changes nothing."""
    idle = (control for control in request.controls if not control.asks)
    return tuple(f"The control {entry_of(c).name} changes nothing as it is given." for c in idle)
