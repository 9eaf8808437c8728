"""The recipe of the shipped weights, about 60 minutes on two CPU cores.

vivant prepare CLIPS --split train --procedural 240 --out shards/train
vivant prepare CLIPS --split val --max-text 1 --out shards/val
vivant train recipes/builtin.py --data shards/train --val shards/val --out runs/builtin
"""

from __future__ import annotations

import shutil

from vivant.motion.codec import Codec
from vivant.motion.sampler import SamplerOptions
from vivant.training.builtin import Recipe
from vivant.training.tasks import FieldOptions
from vivant.training.trainer import TrainOptions

COMPILED = shutil.which("c++") is not None


def recipe() -> Recipe:
    return Recipe(
        codec=Codec(16, 16, 4),
        field_options=FieldOptions(tokens_per_batch=6144),
        field_pretraining=TrainOptions(
            600, rate=1e-3, warmup=100, weight_decay=0.05, save_every=200, compiled=COMPILED
        ),
        field_training=TrainOptions(
            2400, rate=8e-4, warmup=100, weight_decay=0.05, ema=0.998, save_every=200,
            compiled=COMPILED,
        ),
        sampler=SamplerOptions("euler", 6, shift=3.0, guidance=1.0, light=0.6),
    )  # fmt: skip
