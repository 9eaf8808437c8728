"""From shards with small frames to a video bundle: the autoencoder, then the transformer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from vivant.bundle import FORMAT
from vivant.data.shards import read_facts, shard_paths
from vivant.files import publish
from vivant.kept import fingerprint
from vivant.training.builtin import write_data_list
from vivant.training.sharding import whole
from vivant.training.state import MadeOf, check_state
from vivant.training.trainer import TrainOptions, train
from vivant.training.video.autoencoder import AutoencoderOptions, AutoencoderTask, begin, psnr_of
from vivant.training.video.corpus import Shot, read_shots
from vivant.training.video.task import VideoOptions, VideoTask, held_out_loss, measure_scales
from vivant.training.world import World, join_world, leave, meet
from vivant.video.autoencoder import AutoencoderParams, VideoAutoencoder
from vivant.video.parameters import SAMPLING, WEIGHTS, Sampling
from vivant.video.transformer import TransformerParams, VideoTransformer

Say = Callable[[str], None]


@dataclass(frozen=True)
class VideoRecipe:
    """One complete run of the video family; the transformer is shared out among the processes where
    it is ``sharded``."""

    name: str = "video"
    version: str = "0.1.0"
    autoencoder: AutoencoderParams = field(default_factory=AutoencoderParams)
    autoencoder_options: AutoencoderOptions = field(default_factory=AutoencoderOptions)
    autoencoder_training: TrainOptions = field(default_factory=lambda: TrainOptions(400))
    transformer: TransformerParams = field(default_factory=TransformerParams)
    video_options: VideoOptions = field(default_factory=VideoOptions)
    video_training: TrainOptions = field(default_factory=lambda: TrainOptions(1500))
    sampling: Sampling = SAMPLING
    sharded: bool = False


def train_video(
    recipe: VideoRecipe,
    data: Path,
    val: Path | None,
    out: Path,
    say: Say = lambda text: None,
) -> Path:
    """Train both networks on the shards of ``data`` and write ``out/bundle``.

    An interrupted run goes on where its last state was saved. Started by ``torchrun``, all
    processes train together. Raises UsageError where ``out`` holds a run of another recipe, seed
    or data, or where ``data`` holds no small frames.
    """
    world = join_world()
    made_of = identity(recipe, data)
    for stage in ("autoencoder", "video"):
        check_state(out / stage / "state.safetensors", made_of)
    if not world.leads:
        meet(world)  # the first process sees the scenes, the others read what it kept
    shots = read_shots(data, recipe.sampling.frames, out / "seen")
    held_out = read_shots(val, recipe.sampling.frames, out / "seen") if val else []
    if world.leads:
        meet(world)
    say(f"{len(shots)} shots, {sum(shot.made for shot in shots)} of them procedural")
    torch.manual_seed(recipe.autoencoder_training.seed)
    autoencoder = VideoAutoencoder(recipe.autoencoder)
    transformer = VideoTransformer(recipe.transformer)
    coder = _train_autoencoder(recipe, autoencoder, shots, held_out, out, made_of, say, world)
    network = _train_transformer(
        recipe, transformer, coder, shots, held_out, out, made_of, say, world
    )
    weights = weights_of(coder, network)
    if world.leads:
        write_video_bundle(recipe, weights, out / "bundle")
        write_data_list(data, out / "bundle")
    leave(world)
    return out / "bundle"


def identity(recipe: VideoRecipe, data: Path) -> MadeOf:
    """Fingerprints of what decides a run's weights: of the recipe all but its seeds and what only
    names or samples the result, of the data each shard's name, size and facts."""
    stages = (recipe.autoencoder_training, recipe.video_training)
    plain = replace(
        recipe,
        name="",
        version="",
        sampling=SAMPLING,
        sharded=False,
        autoencoder_training=replace(stages[0], seed=0),
        video_training=replace(stages[1], seed=0),
    )
    shards = [[p.name, p.stat().st_size, read_facts(p)] for p in shard_paths(data)]
    return {
        "recipe": fingerprint(plain),
        "seed": fingerprint([stage.seed for stage in stages]),
        "data": fingerprint(shards),
    }


def _train_autoencoder(
    recipe: VideoRecipe,
    network: VideoAutoencoder,
    shots: list[Shot],
    held_out: list[Shot],
    out: Path,
    made_of: MadeOf,
    say: Say,
    world: World,
) -> VideoAutoencoder:
    options, training = recipe.autoencoder_options, recipe.autoencoder_training
    begin(network, shots, options)
    shape = options.shapes[0]
    if held_out:
        say(f"principal components alone: {psnr_of(network, held_out, shape)['psnr']:.2f} dB")
    found = train(
        AutoencoderTask(network, shots, options),
        training,
        out / "autoencoder",
        made_of=made_of,
        progress=_reporter(say, "autoencoder", training.save_every),
        check=(lambda net: psnr_of(_coder(net), held_out, shape)) if held_out else None,
        world=world,
    )
    return _coder(found)


def _coder(network: nn.Module) -> VideoAutoencoder:
    if not isinstance(network, VideoAutoencoder):
        raise TypeError("the autoencoder's task trains autoencoders")
    return network


def _train_transformer(
    recipe: VideoRecipe,
    network: VideoTransformer,
    coder: VideoAutoencoder,
    shots: list[Shot],
    held_out: list[Shot],
    out: Path,
    made_of: MadeOf,
    say: Say,
    world: World,
) -> nn.Module:
    options, training = recipe.video_options, recipe.video_training
    coder = coder.cpu()
    network.scales.copy_(measure_scales(VideoTask(network, coder, shots, options)))  # a buffer
    task = VideoTask(network, coder, shots, options, world.device)
    watched = VideoTask(network, coder, held_out, options, world.device) if held_out else None
    return train(
        task,
        training,
        out / "video",
        made_of=made_of,
        progress=_reporter(say, "video", training.save_every),
        check=(lambda net: held_out_loss(watched, net)) if watched else None,
        world=world,
        sharded=recipe.sharded,
    )


def _reporter(say: Say, stage: str, every: int) -> Callable[[int, float], None]:
    def report(step: int, loss: float) -> None:
        if step % every == 0:
            say(f"{stage} step {step}: loss {loss:.4f}")

    return report


def weights_of(autoencoder: nn.Module, transformer: nn.Module) -> dict[str, Tensor]:
    """Both networks' tensors by the names of a bundle, in half precision; what is shared out is
    gathered, for which every process must call this."""
    parts = {"autoencoder": autoencoder, "transformer": transformer}
    return {
        f"{part}.{name}": whole(value.detach()).cpu().half().contiguous()
        for part, network in parts.items()
        for name, value in network.state_dict().items()
    }


def write_video_bundle(recipe: VideoRecipe, weights: dict[str, Tensor], folder: Path) -> None:
    """Write the weights of `weights_of` and the configuration as a bundle of the family video."""
    folder.mkdir(parents=True, exist_ok=True)
    with publish(folder / WEIGHTS) as temporary:
        save_file(weights, temporary)
    config = {
        "format": FORMAT,
        "name": recipe.name,
        "version": recipe.version,
        "family": "video",
        "licence": "Apache-2.0",
        "runs_on": "any CPU with PyTorch",
        "summary": f"latent video diffusion at {recipe.sampling.short} pixels",
        "members": [WEIGHTS],
        "autoencoder": asdict(recipe.autoencoder),
        "transformer": asdict(recipe.transformer),
        "sampling": asdict(recipe.sampling),
    }
    with publish(folder / "config.json") as temporary:
        temporary.write_text(json.dumps(config, indent=1) + "\n", "utf-8")
