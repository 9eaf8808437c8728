"""A few steps of everything, to see that training works end to end; the result is useless."""

from __future__ import annotations

from vivant.motion.codec import Codec
from vivant.training.builtin import Recipe
from vivant.training.tasks import FieldOptions
from vivant.training.trainer import TrainOptions


def recipe() -> Recipe:
    return Recipe(
        name="smoke",
        squares=1,
        map_batch=4,
        map_training=TrainOptions(2, save_every=1, warmup=1),
        codec=Codec(16, 4, 2),
        dim=32,
        depth=1,
        heads=2,
        field_options=FieldOptions(tokens_per_batch=1024),
        field_training=TrainOptions(2, save_every=1, warmup=1),
    )
