"""How fast and how far each kind moves, fitted to clips, about 40 minutes on two CPU cores.

vivant train recipes/manners.py --data CLIPS --out runs/manners

The section ``manners`` of ``runs/manners/manners.json`` goes into a bundle's ``config.json``.
"""

from __future__ import annotations

from vivant.motion.trial import MANNERS
from vivant.training.manners import MannersRecipe


def recipe() -> MannersRecipe:
    return MannersRecipe(manners=MANNERS, by_flow=True)
