"""A small video diffusion model: 64 pixels, 17 frames at 8 a second, half an hour on two cores.

vivant prepare CLIPS --split train --frames 96 --procedural 240 --out shards/train \\
    --max-text 1 --min-speed 0 --min-confidence 0 --max-jump 1000
vivant prepare CLIPS --split val --frames 96 --out shards/val \\
    --max-text 1 --min-speed 0 --min-confidence 0 --max-jump 1000
vivant train recipes/video_tiny.py --data shards/train --val shards/val --out runs/tiny
vivant models add tiny runs/tiny
vivant animate photo.jpg --model tiny
"""

from __future__ import annotations

from vivant.training.trainer import TrainOptions
from vivant.training.video.autoencoder import AutoencoderOptions
from vivant.training.video.corpus import Shape
from vivant.training.video.run import VideoRecipe
from vivant.training.video.task import VideoOptions
from vivant.video.autoencoder import AutoencoderParams
from vivant.video.parameters import Sampling
from vivant.video.transformer import TransformerParams

SQUARE, WIDE = Shape(64, 64, 17, 6), Shape(64, 96, 17, 4)


def recipe() -> VideoRecipe:
    return VideoRecipe(
        name="tiny",
        autoencoder=AutoencoderParams(channels=16, width=16, depth=1),
        autoencoder_options=AutoencoderOptions(shapes=(Shape(64, 64, 17, 2),)),
        autoencoder_training=TrainOptions(
            60, rate=1e-3, warmup=10, weight_decay=0.0, ema=0.95, save_every=60
        ),
        transformer=TransformerParams(channels=16, dim=128, depth=4, heads=4),
        video_options=VideoOptions(shapes=(SQUARE, WIDE)),
        video_training=TrainOptions(
            2800, rate=1.5e-3, warmup=100, weight_decay=0.02, ema=0.99, save_every=50
        ),
        sampling=Sampling(steps=4, temperature=0.3),
    )
