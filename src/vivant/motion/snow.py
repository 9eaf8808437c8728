"""What to say of snow or rain that is seen to fall."""

from __future__ import annotations

from vivant.asset import Assets
from vivant.controls.given import GivenField
from vivant.controls.strength import Strength, overall, strengths
from vivant.request import Request
from vivant.scene.falling import falling


def snow_notes(request: Request, assets: Assets) -> list[str]:
    """That it snows or rains, and what holds it, unless it is held."""
    asked = request.all(Strength)
    if request.one(GivenField) is not None or overall(asked) * strengths(asked).get("sky", 1) == 0:
        return []
    found = falling(assets.picture(request.keyframes[0].image))
    if found is None:
        return []
    what, each = ("Rain", "streaks") if found.rains else ("Snow", "flakes")
    return [f"{what} is seen to fall ({found.flakes} {each}); --strength sky=0 lets it hang."]
