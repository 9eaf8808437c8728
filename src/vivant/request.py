"""The one seam: every model family implements ``generate(Request) -> Result``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from dataclasses import field as default
from typing import Protocol

from vivant.clip import Frame, Picture, VideoSpec
from vivant.controls.types import Controls
from vivant.errors import UnsupportedControl, UsageError
from vivant.field.motion_field import MotionField

MAX_SECONDS = 600.0
MAX_FPS = 240.0
MAX_STRENGTH = 10.0

Progress = Callable[[str, float], None]
"""Called with a stage name and the share done (0..1)."""


def no_progress(stage: str, share: float) -> None:
    """The progress callback that says nothing."""


@dataclass(frozen=True)
class Request:
    """What a user asks for.

    ``size`` is (width, height) of the frames, None = the picture's own. ``strength`` scales
    the motion (0 = a still clip, 1 = as sampled). ``seed``: the same integer gives the same
    motion. Raises UsageError naming the value and its range.
    """

    picture: Picture
    seconds: float = 4.0
    fps: float = 24.0
    size: tuple[int, int] | None = None
    loop: bool = False
    strength: float = 1.0
    seed: int = 0
    controls: Controls = default(default_factory=Controls)

    def __post_init__(self) -> None:
        _check_range("seconds", self.seconds, 0.0, MAX_SECONDS, exclusive=True)
        _check_range("fps", self.fps, 0.0, MAX_FPS, exclusive=True)
        _check_range("strength", self.strength, 0.0, MAX_STRENGTH)
        if not 0 <= self.seed < 2**63:
            raise UsageError(f"seed must be a whole number from 0 to 2^63 - 1, not {self.seed}.")
        if self.size is not None and min(self.size) < 16:
            raise UsageError(f"size must be at least 16x16, not {self.size[0]}x{self.size[1]}.")
        for name in ("still", "move"):
            self._check_mask(name)

    def _check_mask(self, name: str) -> None:
        mask = getattr(self.controls, name)
        width, height = self.picture.size
        if mask is not None and mask.shape != (height, width):
            raise UsageError(
                f"The --{name} mask is {mask.shape[1]}x{mask.shape[0]} but the picture is"
                f" {width}x{height}; make them the same size."
            )

    @property
    def spec(self) -> VideoSpec:
        """Size, rate and number of the frames that answer this request (at least 1)."""
        width, height = self.size or self.picture.size
        return VideoSpec(width, height, self.fps, max(1, round(self.seconds * self.fps)))


def _check_range(name: str, value: float, low: float, high: float, exclusive: bool = False) -> None:
    inside = (low < value if exclusive else low <= value) and value <= high
    if not (math.isfinite(value) and inside):
        above = "above" if exclusive else "from"
        raise UsageError(f"{name} must be a number {above} {low:g} up to {high:g}, not {value:g}.")


@dataclass(frozen=True)
class ModelIdentity:
    """Which weights answered: ``sha256`` is the hash over the bundle's files."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True)
class Result:
    """The answer: a stream of frames and what made it.

    ``frames()`` starts the rendering anew at each call and yields ``spec.count`` frames of
    ``[spec.height, spec.width, 3]`` uint8. ``field`` is the motion field *as rendered*
    (strength, masks and strokes applied), None for families without one. ``timings`` are
    seconds by stage.
    """

    spec: VideoSpec
    frames: Callable[[], Iterator[Frame]]
    model: ModelIdentity
    seed: int
    field: MotionField | None = None
    timings: dict[str, float] = default(default_factory=dict)


class Generator(Protocol):
    """A model of any family."""

    @property
    def identity(self) -> ModelIdentity:
        """Which weights answer."""
        ...

    def generate(self, request: Request, progress: Progress = no_progress) -> Result:
        """Answer one request. Raises UnsupportedControl for what it cannot honour."""
        ...


def refuse(control: str, model: str, able: tuple[str, ...]) -> UnsupportedControl:
    """The error for a control that ``model`` cannot honour, naming the models that can."""
    others = ", ".join(able) if able else "no model of this version"
    return UnsupportedControl(f"The model {model} cannot honour {control}; {others} can.")
