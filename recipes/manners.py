"""How fast and how far each kind moves, fitted to clips, about 40 minutes on two CPU cores.

vivant train recipes/manners.py --data CLIPS --out runs/manners

The section ``manners`` of ``runs/manners/manners.json`` goes into a bundle's ``config.json``.
"""

from __future__ import annotations

from vivant.training.manner_clips import Axis, Manner
from vivant.training.manners import MannersRecipe

COARSE = (0.35, 0.7, 1.4, 2.8)


def water(name: str, character: str, speed: str, shift: str) -> Manner:
    axes = (Axis((speed,), COARSE), Axis((shift,), COARSE))
    return Manner(name, "water", axes, character)


def recipe() -> MannersRecipe:
    return MannersRecipe(
        manners=(
            Manner("sky", "sky", (Axis(("sky_speed",)),)),
            water("river", "river", "river_speed", "river_shift"),
            water("sea", "sea", "sea_speed", "sea_shift"),
            water("surf", "surf", "surf_speed", "sea_shift"),
            Manner("lake", "water", (Axis(("lake_shift",)),), "still"),
            Manner("fall", "fall", (Axis(("fall_speed",)),)),
            Manner("smoke", "smoke", (Axis(("smoke_speed",)),)),
            Manner("fire", "fire", (Axis(("flame_speed",)),)),
            Manner("plant", "plant", (Axis(("sway",), COARSE), Axis(("sway_rate",), COARSE))),
        )
    )
