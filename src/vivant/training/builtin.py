"""From labelled shards to a model bundle: the motion map's head, then the motion field."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from vivant.bundle import Bundle
from vivant.data.shards import read_facts, shard_paths
from vivant.field.operations import LOOPING
from vivant.files import make_folder, publish
from vivant.kept import find, fingerprint, keep
from vivant.metrics import centre_guess, moving_and_static, moving_area_auc
from vivant.motion.codec import Codec
from vivant.motion.encoder import Encoder, pretrained_encoder
from vivant.motion.export import EncoderGraph, round_weights, write_bundle
from vivant.motion.map_head import FEATURES, MapHead
from vivant.motion.rigid import pretrained_rigid
from vivant.motion.sampler import SamplerOptions
from vivant.motion.steering import FIRST
from vivant.motion.transformer import MotionTransformer, TransformerParams
from vivant.rendering.parameters import RENDERING
from vivant.training.corpus import Part, build, encode, mean_speed
from vivant.training.pictures import sampled_fields
from vivant.training.precision import MEASURE, fastest
from vivant.training.restore import restore
from vivant.training.state import MadeOf, check_state
from vivant.training.tasks import Batch, FieldOptions, FieldTask, MapTask, measure_scales
from vivant.training.trainer import TrainOptions, train
from vivant.training.world import World, join_world, leave

LEAST_VIEWS = 6


@dataclass(frozen=True)
class Recipe:
    """One complete run. ``squares`` crops of each window; the rest per stage. The field is first
    trained on procedural scenes, where ``field_pretraining`` says how and the data has any."""

    name: str = "builtin"
    version: str = "0.1.0"
    squares: int = 2
    map_batch: int = 32
    map_dropout: float = 0.4
    map_training: TrainOptions = field(
        default_factory=lambda: TrainOptions(
            300, rate=7e-4, warmup=50, weight_decay=0.1, ema=0.98, save_every=100
        )
    )
    codec: Codec = field(default_factory=lambda: Codec(16, 12, 4))
    dim: int = 256
    depth: int = 6
    heads: int = 4
    field_options: FieldOptions = field(default_factory=FieldOptions)
    field_pretraining: TrainOptions | None = None
    field_training: TrainOptions = field(
        default_factory=lambda: TrainOptions(
            3400, rate=1e-3, warmup=200, weight_decay=0.05, ema=0.998, save_every=100
        )
    )
    sampler: SamplerOptions = field(default_factory=SamplerOptions)


Say = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """What every stage of a run needs to know."""

    recipe: Recipe
    out: Path
    made_of: MadeOf
    say: Say
    world: World


def train_builtin(
    recipe: Recipe,
    data: Path,
    val: Path | None,
    out: Path,
    say: Say = lambda text: None,
    start: Bundle | None = None,
) -> Path:
    """Train both steps on the shards of ``data`` and write ``out/bundle``.

    ``start`` is a bundle whose weights (and codec) are trained further; the recipe's sizes do
    not count then. An interrupted run goes on where its last state was saved. Started by
    ``torchrun``, all processes train together. Raises UsageError where ``out`` holds a run of
    another recipe, seed, data or start.
    """
    world = join_world()
    made_of = identity(recipe, data, start)
    for stage in ("map", "procedural", "field"):
        check_state(out / stage / "state.safetensors", made_of)
    run = Run(recipe, out, made_of, say, world)
    torch.manual_seed(recipe.map_training.seed)
    head, network, codec = _begin(recipe, start)
    encoder = pretrained_encoder().to(memory_format=torch.channels_last)
    views = partial(build, encoder=encoder, precision=_encoding(run, encoder))
    parts = [p for p in views(data, squares=recipe.squares) if len(p) >= LEAST_VIEWS]
    held_out = views(val, squares=0) if val else []
    say(f"{sum(map(len, parts))} views of {len(shard_paths(data))} shots")
    head = _train_map(run, head, parts, held_out)
    codec = codec if codec.scales else _fitted(codec, parts)
    made = []
    if recipe.field_pretraining is not None:
        made = views(data, squares=1, procedural=True)
        say(f"{sum(map(len, made))} views of procedural scenes")
    network = _train_field(run, network, codec, made, parts, held_out)
    bundle = out / "bundle"
    if world.leads:
        export_bundle(recipe, encoder, head.cpu(), network.cpu(), codec, bundle)
        write_data_list(data, bundle)
    leave(world)
    return bundle


def identity(recipe: Recipe, data: Path, start: Bundle | None) -> MadeOf:
    """Fingerprints of what decides a run's weights: of the recipe all but its seeds and what
    only names or samples the result, of the data each shard's name, size and facts."""
    stages = {
        name: getattr(recipe, name)
        for name in ("map_training", "field_pretraining", "field_training")
    }
    seeds = {name: options.seed for name, options in stages.items() if options is not None}
    unseeded = {name: replace(stages[name], seed=0) for name in seeds}
    plain = replace(recipe, name="", version="", sampler=SamplerOptions(), **unseeded)
    shards = [[p.name, p.stat().st_size, read_facts(p)] for p in shard_paths(data)]
    return {
        "recipe": fingerprint(plain),
        "seed": fingerprint(seeds),
        "data": fingerprint(shards),
        "start": "" if start is None else start.identity.sha256,
    }


def _encoding(run: Run, encoder: Encoder) -> str:
    """The format in which pictures are encoded: the fastest here, or an earlier run's, so that
    a resumed run sees the same features."""
    forced = run.recipe.map_training.precision
    if forced != MEASURE:
        return forced
    path, made_of = run.out / "encoding.json", fingerprint(run.made_of)
    found: str | None = find(path, made_of)
    if found is None:
        grey = np.full((256, 448, 3), 128, np.uint8)
        found = fastest(lambda name: encode(encoder, grey, name), run.world)
        if run.world.leads:
            make_folder(run.out)
            keep(path, made_of, found)
    return found


def _begin(recipe: Recipe, start: Bundle | None) -> tuple[MapHead, MotionTransformer, Codec]:
    """Networks to train: new ones, or a bundle's."""
    if start is not None:
        head, network, codec = restore(start)
        head.drop.p = recipe.map_dropout
        return head, network, codec
    codec = recipe.codec
    params = TransformerParams(codec.channels, FEATURES, recipe.dim, recipe.depth, recipe.heads)
    return MapHead(dropout=recipe.map_dropout), MotionTransformer(params), codec


def export_bundle(
    recipe: Recipe,
    encoder: Encoder,
    head: nn.Module,
    network: nn.Module,
    codec: Codec,
    folder: Path,
) -> Path:
    """Round the weights to what is stored and write the bundle."""
    graph = EncoderGraph(encoder, head, pretrained_rigid())
    for module in (graph, network):
        round_weights(module.eval())
    about = {
        "name": recipe.name,
        "version": recipe.version,
        "licence": "Apache-2.0",
        "family": "motion",
        "summary": "samples a motion field, renders at any resolution",
        "sampler": asdict(recipe.sampler),
        "steering": asdict(FIRST),
        "looping": asdict(LOOPING),
        "rendering": asdict(RENDERING),
    }
    write_bundle(folder, graph, network, codec, about)
    return folder


def write_data_list(data: Path, bundle: Path) -> None:
    """List in ``bundle/data.json`` every clip the weights were trained on."""
    names = ("shot", "path", "category", "licence", "origin", "sha256")
    filmed = [f for f in map(read_facts, shard_paths(data)) if f.get("origin") != "procedural"]
    rows = [{name: str(facts.get(name, "")) for name in names} for facts in filmed]
    with publish(bundle / "data.json") as temporary:
        temporary.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")


def _fitted(codec: Codec, parts: list[Part]) -> Codec:
    plain = Codec(codec.steps, codec.terms, codec.light_terms)
    return Codec(codec.steps, codec.terms, codec.light_terms, measure_scales(parts, plain))


def _reporter(say: Say, stage: str, every: int) -> Callable[[int, float], None]:
    def report(step: int, loss: float) -> None:
        if step % every == 0:
            say(f"{stage} step {step}: loss {loss:.3f}")

    return report


def _train_map(run: Run, head: MapHead, parts: list[Part], held_out: list[Part]) -> nn.Module:
    options = run.recipe.map_training
    return train(
        MapTask(parts, run.recipe.map_batch, head),
        options,
        run.out / "map",
        made_of=run.made_of,
        progress=_reporter(run.say, "map", options.save_every),
        check=(lambda net: where_it_moves(net, held_out)) if held_out else None,
        world=run.world,
    )


def _train_field(
    run: Run,
    network: nn.Module,
    codec: Codec,
    made: list[Part],
    parts: list[Part],
    held_out: list[Part],
) -> nn.Module:
    """Train on what was made up, if anything, then on what was filmed."""
    recipe, unseen = run.recipe, None
    if held_out:
        plain = FieldOptions(drop_image=0.0, give_hints=0.0)
        unseen = FieldTask(held_out, network, codec, plain)
    stages = [("field", parts, recipe.field_training)]
    if made and recipe.field_pretraining is not None:
        stages.insert(0, ("procedural", made, recipe.field_pretraining))
    for name, views, options in stages:
        network = train(
            FieldTask(views, network.requires_grad_(True), codec, recipe.field_options),
            options,
            run.out / name,
            made_of=run.made_of,
            progress=_reporter(run.say, name, options.save_every),
            check=_field_check(unseen) if unseen else None,
            draw=(lambda average: sampled_fields(unseen, average)) if unseen else None,
            world=run.world,
        )
    return network


def _field_check(task: FieldTask) -> Callable[[nn.Module], dict[str, float]]:
    """Loss of the averaged network on fixed batches of ``task``, in float32 everywhere."""
    batches = [task.batch(np.random.default_rng((7, k))) for k in range(6)]

    def on(average: nn.Module) -> list[Batch]:
        device = next(average.parameters()).device
        return [{k: v.to(device) for k, v in batch.items()} for batch in batches]

    def check(average: nn.Module) -> dict[str, float]:
        task.network = average
        with torch.no_grad():
            return {"val_loss": float(np.mean([float(task.loss(b)) for b in on(average)]))}

    return check


def where_it_moves(head: nn.Module, parts: list[Part]) -> dict[str, float]:
    """Mean and median over shots of the moving-area AUC, with the centre guess beside it."""
    model: list[float] = []
    centre: list[float] = []
    for part in parts:
        for shot in np.unique(part.source):
            rows = [_auc_pair(head, part, k) for k in np.flatnonzero(part.source == shot)[::2]]
            scored = [row for row in rows if row is not None]
            if scored:
                model.append(float(np.mean([m for m, _ in scored])))
                centre.append(float(np.mean([c for _, c in scored])))
    if not model:
        return {}
    return {
        "auc": float(np.mean(model)),
        "auc_median": float(np.median(model)),
        "auc_centre": float(np.mean(centre)),
        "clips": float(len(model)),
    }


def _auc_pair(head: nn.Module, part: Part, index: int) -> tuple[float, float] | None:
    if part.camera_moves[index]:
        return None
    speed = mean_speed(part.velocity[index])
    classes = moving_and_static(speed, part.gradient[index].astype(np.float32))
    if classes is None:
        return None
    device = next(head.parameters()).device
    with torch.no_grad():
        log_speed, odds, _ = head(torch.from_numpy(part.features[index][None]).float().to(device))
    score = (log_speed + 0.5 * nn.functional.logsigmoid(odds))[0].cpu().numpy()
    centre = centre_guess(*speed.shape)
    return moving_area_auc(score, *classes), moving_area_auc(centre, *classes)
