"""What a request asks of the layers: how strong, which way, under which wind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vivant.controls.stroke import Stroke


@dataclass(frozen=True)
class Asked:
    """``overall`` factor of all motion, and those of single kinds, ``strengths``, on top of it;
    ``flows`` degrees in the picture plane by kind (0 right, 90 up); ``wind`` degrees on the ground
    plane (0 right, 90 away from the viewer) and ``wind_speed`` metres a second, None = sampled;
    ``strokes`` as drawn; ``seconds`` the clip's duration, over which a stroke is travelled."""

    seed: int = 0
    overall: float = 1.0
    strengths: Mapping[str, float] = field(default_factory=dict)
    flows: Mapping[str, float] = field(default_factory=dict)
    wind: float | None = None
    wind_speed: float | None = None
    strokes: tuple[Stroke, ...] = ()
    seconds: float = 4.0

    def strength(self, kind: str) -> float:
        """The factor of a kind's motion."""
        return self.overall * self.strengths.get(kind, 1.0)
