"""What an edit answers: what will be made, and the frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vivant.clip import Frame, VideoSpec
from vivant.request import SourceType


@dataclass(frozen=True, eq=False)
class Piece:
    """``frames`` makes ``video.count`` frames anew at each call; ``made`` says how."""

    video: VideoSpec
    frames: Callable[[], Iterator[Frame]]
    notes: tuple[str, ...] = ()
    made: SourceType = SourceType.ENHANCED
