"""The recipe of the shipped weights: both steps, about 75 minutes on two CPU cores.

vivant prepare CLIPS --split train --out shards/train
vivant prepare CLIPS --split val --out shards/val
vivant train recipes/builtin.py --data shards/train --val shards/val --out runs/builtin
"""

from __future__ import annotations

from vivant.training.builtin import Recipe
from vivant.training.tasks import FieldOptions


def recipe() -> Recipe:
    return Recipe(field_options=FieldOptions(tokens_per_batch=6144))
