"""Train the shipped weights further on your own clips, about 15 minutes on two CPU cores.

vivant train recipes/finetune.py --data shards/mine --out runs/mine --from builtin
"""

from __future__ import annotations

from vivant.training.builtin import Recipe
from vivant.training.tasks import FieldOptions
from vivant.training.trainer import TrainOptions


def recipe() -> Recipe:
    return Recipe(
        name="finetuned",
        map_training=TrainOptions(
            100, rate=1e-4, warmup=20, weight_decay=0.1, ema=0.98, save_every=50
        ),
        field_options=FieldOptions(tokens_per_batch=6144),
        field_training=TrainOptions(
            600, rate=2e-4, warmup=50, weight_decay=0.05, ema=0.99, save_every=100
        ),
    )
