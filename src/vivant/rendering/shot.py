"""What is rendered: one picture at the size of the frames, with everything drawn on it."""

from __future__ import annotations

from dataclasses import dataclass, field

from vivant.clip import Picture, VideoSpec
from vivant.controls.drawn import Drawn


@dataclass(frozen=True)
class Shot:
    """A request for the built-in family with its files read.

    ``picture`` has the size of the frames, and so have the masks of ``controls``; ``photograph``
    is the picture at its own size, which a camera sees, None where that is the same. Raises
    ValueError where a mask has another size.
    """

    picture: Picture
    seconds: float = 4.0
    fps: float = 24.0
    loop: bool = False
    strength: float = 1.0
    seed: int = 0
    controls: Drawn = field(default_factory=Drawn)
    photograph: Picture | None = None

    def __post_init__(self) -> None:
        drawn = self.controls
        for mask in (drawn.still, drawn.move, drawn.things, drawn.held):
            if mask is not None and mask.shape != self.picture.pixels.shape[:2]:
                raise ValueError(f"the picture is {self.picture.size}, a mask {mask.shape[::-1]}")

    @property
    def spec(self) -> VideoSpec:
        """Size, rate and number of the frames (at least 1)."""
        width, height = self.picture.size
        return VideoSpec(width, height, self.fps, max(1, round(self.seconds * self.fps)))
