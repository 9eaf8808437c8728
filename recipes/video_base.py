"""Video diffusion at 512 pixels for GPUs: weights shared out (FSDP2), bfloat16. Never run in full.

vivant prepare CLIPS --split train --frames 512 --out shards/train
torchrun --nproc-per-node=8 -m vivant train recipes/video_base.py \\
    --data shards/train --out runs/base

    python recipes/video_base.py 8    # try it on the meta device, for 8 processes

The shapes, the parameters and the sharding are checked without a GPU; how long it takes, and how
good it becomes, nobody has measured.
"""

from __future__ import annotations

import sys
from dataclasses import asdict

from vivant.training.trainer import TrainOptions
from vivant.training.video.autoencoder import AutoencoderOptions
from vivant.training.video.corpus import Shape
from vivant.training.video.dry_run import dry_run
from vivant.training.video.run import VideoRecipe
from vivant.training.video.task import VideoOptions
from vivant.video.autoencoder import AutoencoderParams
from vivant.video.parameters import Sampling
from vivant.video.transformer import TransformerParams

SQUARE, WIDE = Shape(512, 512, 33, 2), Shape(512, 768, 33, 1)


def recipe() -> VideoRecipe:
    return VideoRecipe(
        name="base",
        autoencoder=AutoencoderParams(channels=32, width=384, depth=6, space=8),
        autoencoder_options=AutoencoderOptions(shapes=(Shape(256, 256, 17, 4),)),
        autoencoder_training=TrainOptions(
            100_000, rate=2e-4, warmup=1000, weight_decay=0.0, ema=0.999, save_every=1000,
            precision="bfloat16",
        ),
        transformer=TransformerParams(channels=32, dim=1152, depth=28, heads=16, horizon=8),
        video_options=VideoOptions(shapes=(SQUARE, WIDE)),
        video_training=TrainOptions(
            400_000, rate=1e-4, warmup=5000, weight_decay=0.01, ema=0.9999, save_every=1000,
            precision="bfloat16", accumulate=4,
        ),
        sampling=Sampling(short=512, frames=33, space=8, steps=25, shift=3.0, guidance=2.0),
        sharded=True,
    )  # fmt: skip


if __name__ == "__main__":
    print(asdict(dry_run(recipe(), int(sys.argv[1]) if len(sys.argv) > 1 else 1)))
