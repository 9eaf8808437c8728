"""What an edit answers: what will be made, and the frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from vivant.clip import Frame, Sound, VideoSpec
from vivant.motion.priors import Priors
from vivant.request import Generator, Runtime, SourceType
from vivant.scene.guests import Guests


@dataclass(frozen=True, eq=False)
class Piece:
    """``frames`` makes ``video.count`` frames anew at each call; ``made`` says how; ``sound`` gives
    what is heard with them."""

    video: VideoSpec
    frames: Callable[[], Iterator[Frame]]
    notes: tuple[str, ...] = ()
    made: SourceType = SourceType.ENHANCED
    sound: Callable[[], Sound | None] = lambda: None


@runtime_checkable
class Sampler(Protocol):
    """What a model knows by which layers are moved."""

    @property
    def runtime(self) -> Runtime:
        """How it runs, and with whose eyes."""
        ...

    @property
    def priors(self) -> Priors:
        """How each kind moves."""
        ...


@dataclass(frozen=True)
class Means:
    """What an edit may work with: the model that sees and moves pictures, and a user's own eyes."""

    builtin: Generator
    guests: Guests = Guests()  # noqa: RUF009 - frozen
