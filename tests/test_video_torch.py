"""The video family with PyTorch: causality, anchors, training, resume, two processes, sampling."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

from films import read_video  # noqa: E402
from test_cli import run  # noqa: E402
from test_footage import write_clip  # noqa: E402
from test_footage_extend import pan  # noqa: E402
from vivant.cli.checkpoints import add_checkpoint, check_model  # noqa: E402
from vivant.cli.training import load_recipe  # noqa: E402
from vivant.clip import Picture, VideoSpec  # noqa: E402
from vivant.controls.given import GivenField  # noqa: E402
from vivant.data.procedural import make_scene, scene_sample  # noqa: E402
from vivant.data.shards import write_sample  # noqa: E402
from vivant.errors import BundleError, UsageError  # noqa: E402
from vivant.field.file import save_field  # noqa: E402
from vivant.field.motion_field import still_field  # noqa: E402
from vivant.flow.path import interpolate  # noqa: E402
from vivant.media.assets import FileAssets, MemoryAssets  # noqa: E402
from vivant.media.formats import format_for  # noqa: E402
from vivant.media.write import write_video  # noqa: E402
from vivant.registry import added_models, load  # noqa: E402
from vivant.request import Hooks, Keyframe, Request, Target  # noqa: E402
from vivant.settings import Settings  # noqa: E402
from vivant.training.trainer import TrainOptions, train  # noqa: E402
from vivant.training.video.autoencoder import (  # noqa: E402
    AutoencoderOptions,
    AutoencoderTask,
    begin,
    psnr_of,
    scaled,
)
from vivant.training.video.consistency import flow_back, inconsistency  # noqa: E402
from vivant.training.video.corpus import Shape, Shot, draw_window, read_shots  # noqa: E402
from vivant.training.video.dry_run import dry_run  # noqa: E402
from vivant.training.video.run import VideoRecipe, train_video  # noqa: E402
from vivant.training.video.task import VideoOptions, VideoTask, measure_scales  # noqa: E402
from vivant.video.anchor import held, inertia_maps, known_latents  # noqa: E402
from vivant.video.autoencoder import (  # noqa: E402
    AutoencoderParams,
    VideoAutoencoder,
    clip_of,
    patches_of,
)
from vivant.video.conditions import words_of  # noqa: E402
from vivant.video.parameters import SAMPLING  # noqa: E402
from vivant.video.sampling import Asked, Networks, open_networks, sample  # noqa: E402
from vivant.video.transformer import (  # noqa: E402
    Conditions,
    TransformerParams,
    VideoTransformer,
    guess,
    latents_of,
    tokens_of,
)

CODER = AutoencoderParams(channels=8, width=8, depth=1)
NET = TransformerParams(channels=8, dim=32, depth=1, heads=2)
SHAPE = Shape(32, 32, 17, 2)


def shaken(network: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
    """Weights that are not zero anywhere."""
    torch.manual_seed(seed)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return network.eval().requires_grad_(False)


def conditions(b: int = 1, n: int = 5, side: int = 8) -> Conditions:
    return Conditions(
        torch.randn(b, 8, n, side, side),
        torch.tensor([[1.0] + [0.0] * (n - 1)] * b),
        torch.zeros(b, 9, n, side, side),
        torch.randn(b, 15, side, side),
        torch.zeros(b, 3, n, side, side),
        torch.zeros(b, 16, dtype=torch.int64),
    )


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shards")
    for number, kind in enumerate(("clouds", "thing")):
        name = f"procedural-{kind}-{number}"
        made = scene_sample(make_scene(kind, number, []), name, short=40)
        write_sample(folder / f"{name}.tar", made)
    return folder


@pytest.fixture(scope="module")
def shots(shards: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Shot]:
    return read_shots(shards, 17, tmp_path_factory.mktemp("seen"))


def test_patches_and_tokens_come_back() -> None:
    clip = torch.rand(2, 3, 9, 8, 12)
    patches = patches_of(clip, CODER)
    assert patches.shape == (2, CODER.patch, 3, 2, 3)
    assert torch.equal(clip_of(patches, CODER), clip)
    maps = torch.rand(2, 5, 3, 4, 6)
    assert tokens_of(maps, 2).shape == (2, 3, 6, 20)
    assert torch.equal(latents_of(tokens_of(maps, 2), 2, 2), maps)
    with pytest.raises(ValueError, match="not 8"):
        patches_of(clip[:, :, :8], CODER)


def test_latents_and_frames_are_blind_to_what_comes_later() -> None:
    coder = shaken(VideoAutoencoder(CODER))
    clip = torch.rand(1, 3, 17, 16, 16)
    other = clip.clone()
    other[:, :, 9:] = 0
    a, b = coder.encode(clip), coder.encode(other)
    torch.testing.assert_close(a[:, :, :3], b[:, :, :3], rtol=0, atol=1e-6)
    assert (a[:, :, 3] - b[:, :, 3]).abs().max() > 1e-3
    one = coder.decode(a)[:, :, :9]
    two = coder.decode(torch.cat([a[:, :, :3], torch.zeros_like(a[:, :, 3:])], dim=2))[:, :, :9]
    torch.testing.assert_close(one, two, rtol=0, atol=1e-5)
    # a picture is a clip of one frame
    torch.testing.assert_close(coder.encode(clip[:, :, :1]), a[:, :, :1], rtol=0, atol=1e-6)


def test_it_begins_as_principal_components(shots: list[Shot]) -> None:
    coder = VideoAutoencoder(replace(CODER, channels=16))
    begin(coder, shots, AutoencoderOptions(shapes=(SHAPE,), first=8))
    assert psnr_of(coder, shots, SHAPE)["psnr"] > 24
    clip = scaled(torch.from_numpy(shots[0].frames[:17, :32, :32].copy()))
    latents = coder.encode(clip.permute(3, 0, 1, 2)[None])
    assert 0.2 < float(latents.detach().pow(2).mean()) < 5


def test_the_anchor_knows_and_holds() -> None:
    coder = shaken(VideoAutoencoder(CODER))
    clip = torch.rand(2, 3, 17, 16, 16)
    frames = torch.tensor([1, 5])
    still = held(clip, frames)
    assert torch.equal(still[0, :, 16], clip[0, :, 0])
    assert torch.equal(still[1, :, 16], clip[1, :, 4])
    known = known_latents(frames, 5, CODER)
    assert known.tolist() == [[1, 0, 0, 0, 0], [1, 1, 0, 0, 0]]
    leaving = coder.encode(clip) - coder.encode(still)
    assert float((leaving * known[:, None, :, None, None]).abs().max()) < 1e-6
    assert float(leaving[1, :, 2].abs().max()) > 1e-3


def test_inertia_is_seen_only_where_nothing_is_known() -> None:
    known = torch.tensor([[1.0, 1, 0, 0, 0]])
    maps = inertia_maps(torch.ones(1, 8, 5, 8, 8), torch.full((1, 32, 32), 0.5), known, 4)
    assert maps.shape == (1, 9, 5, 8, 8)
    assert not maps[:, :, :2].any()
    assert maps[0, :8, 2:].unique().tolist() == [1.0]
    assert maps[0, 8, 2:].unique().tolist() == [0.5]


def test_gates_let_inertia_and_the_guess_through() -> None:
    """Both are shown whole where the network says so, finer than its tokens."""
    network = VideoTransformer(NET)
    given = replace(conditions(), inertia=torch.randn(1, 9, 5, 8, 8))
    x, t = torch.randn(1, 8, 5, 8, 8), torch.tensor([0.4])
    side = NET.patch**2
    for gate, shown in enumerate((given.inertia[:, :8], guess(x, t))):
        torch.nn.init.zeros_(network.out.bias)
        with torch.no_grad():
            network.out.bias[(8 + gate) * side : (9 + gate) * side] = 1
        end = x + 0.6 * network(x, t, given)
        torch.testing.assert_close(end[:, :, 1:].detach(), shown[:, :, 1:], rtol=0, atol=1e-5)


def test_the_transformer_sees_space_time_and_conditions() -> None:
    network = shaken(VideoTransformer(NET))
    given = conditions()
    x, t = torch.randn(1, 8, 5, 8, 8), torch.tensor([0.4])
    v = network(x, t, given)
    assert v.shape == x.shape
    assert not v[:, :, 0].any()  # known
    far = x.clone()
    far[..., 4, 0, 0] += 1
    assert (network(far, t, given) - v)[0, :, 1, -1, -1].abs().max() > 1e-6
    assert (network(x, torch.tensor([0.9]), given) - v).abs().max() > 1e-4
    for name in ("anchor", "inertia", "features", "motion"):
        other = replace(given, **{name: getattr(given, name) + 1})
        assert (network(x, t, other) - v).abs().max() > 1e-4, name
    words = replace(given, words=torch.tensor([[7] + [0] * 15]))
    assert (network(x, t, words) - v).abs().max() > 1e-5
    # not square, and longer than it was trained for
    assert network(torch.randn(1, 8, 5, 8, 12), t, replace_grid(given, 12)).shape[-1] == 12


def replace_grid(given: Conditions, width: int) -> Conditions:
    wide = {
        k: torch.randn(*getattr(given, k).shape[:-1], width)
        for k in ("anchor", "inertia", "features", "motion")
    }
    return replace(given, **wide)


def test_noise_alone_changes_nothing_of_where_the_flow_ends() -> None:
    network = shaken(VideoTransformer(NET))
    given = conditions()
    ends = []
    for t in (0.0, 0.5):
        pair = [torch.randn(1, 8, 5, 8, 8) for _ in range(2)]
        at = torch.tensor([t])
        ends.append([(x + (1 - t) * network(x, at, given))[:, :, 1:] for x in pair])
    torch.testing.assert_close(*ends[0], rtol=0, atol=1e-5)
    assert (ends[1][0] - ends[1][1]).abs().max() > 1e-3
    data, noise = torch.randn(2, 1000, 8, 1, 1, 1), torch.randn(2, 1000, 8, 1, 1, 1)
    for t in (0.2, 0.7):  # a regression of the end on where the flow is
        at = torch.full((1000,), t)
        x = (1 - t) * noise[0] + t * data[0]
        slope = float((x * data[0]).sum() / (x * x).sum())
        torch.testing.assert_close(guess(x, at), slope * x, rtol=0.1, atol=0.05)


def test_scales_go_by_distance_from_what_is_known() -> None:
    network = VideoTransformer(NET)
    network.scales.copy_(torch.arange(4.0).expand(8, 4) + 1)
    known = torch.tensor([[1.0, 0, 0, 0, 0, 0], [1.0, 1, 0, 0, 0, 0]])
    scale = network.scale_for(known)[:, 0, :, 0, 0]
    assert scale.tolist() == [[1, 1, 2, 3, 4, 4], [1, 1, 1, 2, 3, 4]]


def test_windows_carry_their_conditions(shots: list[Shot]) -> None:
    plain = draw_window(shots[0], SHAPE, CODER, np.random.default_rng(0), plain=True)
    assert plain.clip.shape == (17, 32, 32, 3)
    assert plain.features.shape == (15, 8, 8)
    assert plain.motion.shape == (3, 5, 8, 8)
    drawn = [draw_window(shots[1], SHAPE, CODER, np.random.default_rng(k)) for k in (1, 1, 2)]
    np.testing.assert_array_equal(drawn[0].clip, drawn[1].clip)
    assert not np.array_equal(drawn[0].clip, drawn[2].clip)


def test_a_condition_of_motion_agrees_with_the_frames(shots: list[Shot]) -> None:
    """Clouds that drift: the condition's direction is where the picture goes, mirrored or not."""
    for seed in range(4):
        window = draw_window(shots[0], Shape(40, 40, 17, 1), CODER, np.random.default_rng(seed))
        flow, trust = flow_back(window.clip)
        moved = -(flow[:, 0] * trust).sum() / trust.sum()
        assert np.sign(moved) == np.sign(window.motion[0].sum())


def test_what_follows_the_flow_is_consistent(shots: list[Shot]) -> None:
    clip = draw_window(shots[0], SHAPE, CODER, np.random.default_rng(0), plain=True).clip
    flow, trust = (torch.from_numpy(a) for a in flow_back(clip))
    true = scaled(torch.from_numpy(clip)).permute(3, 0, 1, 2)
    flicker = true + 0.3 * torch.tensor([-1.0, 1.0]).repeat(9)[:17, None, None]
    good, bad = (float(inconsistency(one, flow, trust)) for one in (true, flicker))
    assert good < 0.05
    assert bad > 5 * good


def task_of(shots: list[Shot], **others: float) -> VideoTask:
    coder = VideoAutoencoder(CODER)
    begin(coder, shots, AutoencoderOptions(shapes=(SHAPE,), first=4))
    torch.manual_seed(0)
    options = VideoOptions(shapes=(SHAPE,), **others)  # type: ignore[arg-type]
    task = VideoTask(VideoTransformer(NET), coder, shots, options)
    task.network.scales.copy_(measure_scales(task))
    return task


def test_the_velocity_of_the_data_costs_nothing(shots: list[Shot]) -> None:
    """A network that knows the answer has no loss; one that says nothing has about 1 + variance."""
    task = task_of(shots, consistent=0.0)
    batch = task.batch(np.random.default_rng(0))
    data, _ = task.prepared(batch)
    t = batch["t"][:, None, None, None, None]

    class Oracle(torch.nn.Module):
        def forward(self, x: torch.Tensor, at: torch.Tensor, seen: Conditions) -> torch.Tensor:
            free = (1 - seen.known)[:, None, :, None, None]
            noise = (x - t * data) / (1 - t)
            torch.testing.assert_close(x, interpolate(noise, data, t) * free)
            return (data - noise) * free

    silent = float(task.loss(batch).detach())
    task.network = Oracle()
    assert float(task.loss(batch)) < 1e-6
    assert silent > 0.1


def test_it_learns_and_resumes_exactly(shots: list[Shot], tmp_path: Path) -> None:
    options = TrainOptions(4, rate=3e-3, warmup=1, save_every=2, precision="float32")
    whole = train(task_of(shots), options, tmp_path / "whole")
    train(task_of(shots), options, tmp_path / "halves", stop_after=2)
    halves = train(task_of(shots), options, tmp_path / "halves")
    for a, b in zip(whole.parameters(), halves.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    task = task_of(shots)
    batch = task.batch(np.random.default_rng(5))
    before = float(task.loss(batch).detach())
    many = TrainOptions(40, rate=3e-3, warmup=2, ema=0.9, save_every=40, precision="float32")
    task.network = train(task, many, tmp_path / "many")
    assert float(task.loss(batch).detach()) < 0.95 * before


def test_convolutions_add_to_the_components(shots: list[Shot], tmp_path: Path) -> None:
    torch.manual_seed(0)
    coder = VideoAutoencoder(replace(CODER, width=16))
    options = AutoencoderOptions(shapes=(SHAPE,), first=16)
    begin(coder, shots, options)
    task = AutoencoderTask(coder, shots, options)
    batches = [task.batch(np.random.default_rng((9, k))) for k in range(3)]

    def loss() -> float:
        with torch.no_grad():
            return float(np.mean([float(task.loss(batch)) for batch in batches]))

    before = loss()
    training = TrainOptions(60, rate=1e-3, warmup=5, ema=0.9, save_every=60, precision="float32")
    task.network = train(task, training, tmp_path)
    assert loss() < 0.97 * before


PARALLEL = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
import torch
from test_video_torch import TrainOptions, read_shots, task_of, train
from vivant.training.sharding import whole
from vivant.training.world import join_world, leave
torch.set_num_threads(1)
world = join_world()
shots = read_shots(Path(sys.argv[2]), 17, Path(sys.argv[1]) / "seen")
options = TrainOptions(2, rate=1e-3, warmup=1, save_every=2, precision="float32")
out = Path(sys.argv[1])
networks = [train(task_of(shots), options, out / "run", world=world)]
train(task_of(shots), options, out / "shared", world=world, sharded=True, stop_after=1)
networks.append(train(task_of(shots), options, out / "shared", world=world, sharded=True))
totals = [sum(float(whole(p).double().abs().sum()) for p in n.parameters()) for n in networks]
weight = networks[1].embed.weight
halved = weight.to_local().numel() * 2 - weight.numel()
(out / f"rank-{world.rank}.txt").write_text(f"{totals[0]!r} {totals[1]!r} {halved}")
leave(world)
"""


def test_two_processes_are_one_within_rounding(
    shards: Path, shots: list[Shot], tmp_path: Path
) -> None:
    (tmp_path / "parallel.py").write_text(PARALLEL)
    words = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    words += [str(tmp_path / "parallel.py"), str(tmp_path), str(shards), str(Path(__file__).parent)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=600)
    two = [path.read_text() for path in sorted(tmp_path.glob("rank-*.txt"))]
    # gloo may abort a process whose peer is gone a moment earlier; what counts is written by then
    assert len(two) == 2, done.stderr
    assert two[0] == two[1]
    plain, shared, halved = (float(value) for value in two[0].split())
    assert halved == 0  # each process keeps half of the weights
    options = TrainOptions(2, rate=1e-3, warmup=1, save_every=2, accumulate=2, precision="float32")
    one = train(task_of(shots), options, tmp_path / "one")
    total = sum(float(p.double().abs().sum()) for p in one.parameters())
    assert plain == pytest.approx(total, rel=1e-6)
    assert shared == pytest.approx(total, rel=1e-6)
    for name in ("run", "shared"):  # states are the same, however they were made
        again = train(task_of(shots), replace(options, accumulate=1), tmp_path / name)
        assert sum(float(p.double().abs().sum()) for p in again.parameters()) == pytest.approx(
            total, rel=1e-6
        )


def recipe() -> VideoRecipe:
    short = TrainOptions(2, warmup=1, save_every=1, precision="float32")
    return VideoRecipe(
        name="smoke",
        autoencoder=CODER,
        autoencoder_options=AutoencoderOptions(shapes=(SHAPE,), first=4),
        autoencoder_training=short,
        transformer=NET,
        video_options=VideoOptions(shapes=(SHAPE,), measured=2),
        video_training=short,
        sampling=replace(SAMPLING, short=32, steps=2),
    )


@pytest.fixture(scope="module")
def bundle(shards: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run")
    return train_video(recipe(), shards, shards, out)


def test_both_recipes_fit_together_on_the_meta_device() -> None:
    recipes = Path(__file__).parent.parent / "recipes"
    tiny = dry_run(load_recipe(recipes / "video_tiny.py"))
    assert tiny.tokens == 5 * 8 * 12  # the wide windows
    assert tiny.transformer < 5e6
    base = load_recipe(recipes / "video_base.py")
    assert base.sampling.short == 512
    assert base.sharded
    alone, eight = dry_run(base), dry_run(base, 8)
    assert alone.transformer == eight.transformer > 5e8
    assert eight.state < 0.3 * alone.state
    assert eight.state + eight.activations < 80  # GiB, of one GPU
    with pytest.raises(RuntimeError, match=r"dim|shape"):
        dry_run(replace(base, transformer=replace(base.transformer, channels=16)))


def test_from_shards_to_a_model(bundle: Path, shards: Path) -> None:
    rows = [
        json.loads(row) for row in (bundle.parent / "video" / "log.jsonl").read_text().splitlines()
    ]
    assert [row["step"] for row in rows] == [1, 2]
    assert all(np.isfinite(row["held_out"]) for row in rows)
    assert json.loads((bundle / "data.json").read_text()) == []  # nothing filmed
    for name, other in {
        "recipe": replace(recipe(), transformer=replace(NET, depth=2)),
        "seed": replace(recipe(), video_training=replace(recipe().video_training, seed=3)),
    }.items():
        with pytest.raises(UsageError, match=f"another {name}: choose"):
            train_video(other, shards, None, bundle.parent)


def test_frames_are_needed(shards: Path, tmp_path: Path) -> None:
    name = "procedural-sway-0"
    write_sample(tmp_path / f"{name}.tar", scene_sample(make_scene("sway", 0, []), name))
    with pytest.raises(UsageError, match="vivant prepare --frames"):
        read_shots(tmp_path, 17, tmp_path / "seen")


@pytest.fixture(scope="module")
def networks(bundle: Path) -> Networks:
    found = open_networks(bundle)
    torch.nn.init.normal_(found.transformer.out.weight, std=0.05)
    return found


def test_a_seed_is_a_future(networks: Networks) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (1, 32, 48, 3), np.uint8)
    one, again, other = (sample(networks, picture, 17, Asked(), s) for s in (1, 1, 2))
    assert one.shape == (17, 32, 48, 3)
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)
    certain = replace(networks, sampling=replace(networks.sampling, temperature=0.0))
    likeliest = [sample(certain, picture, 17, Asked(), s) for s in (1, 2)]
    np.testing.assert_array_equal(*likeliest)
    np.testing.assert_array_equal(one[0], other[0])  # the anchor's own
    still = sample(networks, picture, 17, Asked(strength=0.0), 1)
    assert (
        np.abs(still[1:].astype(int) - still[16]).max()
        <= np.abs(one[1:].astype(int) - one[16]).max()
    )


def test_words_and_a_field_steer_what_is_sampled(bundle: Path) -> None:
    found = open_networks(bundle)
    shaken(found.transformer)
    decoded = replace(found.sampling, guidance=2.0, steps=1)
    networks = replace(found, sampling=decoded)
    picture = np.random.default_rng(0).integers(0, 256, (1, 32, 48, 3), np.uint8)
    field = np.full((16, 2, 8, 12), 0.5, np.float32)
    plain, said, driven = (
        sample(networks, picture, 17, replace(asked, strength=20.0, decoded=True), 1)
        for asked in (Asked(), Asked(words=words_of("waves roll in")), Asked(velocity=field))
    )
    assert not np.array_equal(plain, said)
    assert not np.array_equal(plain, driven)


def test_weights_that_give_no_numbers_are_named(bundle: Path) -> None:
    broken = open_networks(bundle)
    broken.transformer.out.bias.fill_(float("nan"))
    picture = np.zeros((1, 32, 32, 3), np.uint8)
    with pytest.raises(BundleError, match="no numbers"):
        sample(broken, picture, 17, Asked(), 0)


def test_longer_clips_go_on_from_their_last_frames(networks: Networks) -> None:
    known = np.random.default_rng(0).integers(0, 256, (7, 32, 32, 3), np.uint8)
    heard: list[float] = []
    clip = sample(
        networks, known, 30, Asked(velocity=np.ones((29, 2, 8, 8), np.float32)), 3, heard.append
    )
    assert clip.shape == (30, 32, 32, 3)
    assert heard == sorted(heard)
    assert heard[-1] == pytest.approx(1.0)
    short = sample(networks, known, 12, Asked(velocity=np.ones((29, 2, 8, 8), np.float32)), 3)
    np.testing.assert_array_equal(short, clip[:12])


def test_a_picture_becomes_a_clip_that_begins_with_it(bundle: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8)
    assets = MemoryAssets(Picture(pixels))
    request = Request((Keyframe(assets.asset),), seconds=1.0, model=str(bundle))
    generator = load(str(bundle))
    plan = generator.plan(request, assets, Target())
    shares: list[float] = []
    result = generator.generate(
        request, plan, assets, Hooks(lambda stage, share: shares.append(share))
    )
    with result.open() as stream:
        frames = list(stream)
    assert len(frames) == plan.video.count == 9
    np.testing.assert_array_equal(frames[0], pixels)
    assert {frame.shape for frame in frames} == {(60, 90, 3)}
    assert shares[-1] == pytest.approx(1.0)


def test_a_field_and_footage_are_honoured(bundle: Path, tmp_path: Path) -> None:
    """A field changes what is sampled; a clip of footage goes on from its last frame."""
    drifting = replace(still_field(32, 48), velocity=np.full((16, 2, 32, 48), 0.2, np.float32))
    save_field(tmp_path / "f.vivant", drifting)
    film = np.random.default_rng(0).integers(0, 256, (24, 48, 64, 3), np.uint8)
    mkv = format_for(None, "mkv", lossless=True)
    write_video(iter(film), VideoSpec(64, 48, 24.0, 24), tmp_path / "film.mkv", mkv)
    with FileAssets() as assets:
        picture = Keyframe(assets.add_pixels(film[0], "picture"))
        field = GivenField(assets.add(tmp_path / "f.vivant", "field"))
        footage = Keyframe(assets.add(tmp_path / "film.mkv", "clip"))
        plain = frames_of(bundle, Request((picture,), seconds=0.5), assets)
        driven = frames_of(bundle, Request((picture,), (field,), seconds=0.5), assets)
        assert not np.array_equal(plain, driven)
        further = frames_of(bundle, Request((footage,), seconds=0.5), assets)
        np.testing.assert_array_equal(further[0], list(assets.frames(footage.image))[-1])


def frames_of(bundle: Path, request: Request, assets: FileAssets) -> np.ndarray:
    """All frames of a request."""
    generator = load(str(bundle))
    plan = generator.plan(request, assets, Target())
    with generator.generate(request, plan, assets, Hooks()).open() as stream:
        return np.stack(list(stream))


def test_an_added_model_is_checked_by_loading_it(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(tmp_path / "home")
    add_checkpoint("mine", bundle.parent, settings)
    check_model("mine", settings)
    own = open_networks(bundle)
    parts = (own.autoencoder, own.transformer)
    count = sum(p.numel() for part in parts for p in part.parameters())
    assert f"{count:,} parameters" in capsys.readouterr().err
    (added_models(settings)["mine"] / "weights.safetensors").write_bytes(b"short")
    with pytest.raises(BundleError, match="damaged"):
        check_model("mine", settings)


def test_damaged_weights_are_named(bundle: Path, tmp_path: Path) -> None:
    for name in ("config.json", "weights.safetensors"):
        (tmp_path / name).write_bytes((bundle / name).read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    config["transformer"]["dim"] = 64
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(BundleError, match="do not fit"):
        open_networks(tmp_path)
    (tmp_path / "weights.safetensors").write_bytes(b"short")
    with pytest.raises(BundleError, match="damaged"):
        open_networks(tmp_path)


def test_footage_is_gone_on_with_by_a_model(
    bundle: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    frames = pan(12)
    clip = write_clip(tmp_path / "a.mp4", frames, 8)
    out = tmp_path / "b.mkv"
    words = ["--model", str(bundle), "--seconds", 0.5, "--no-watermark"]
    assert run(monkeypatch, "extend", clip, "-o", out, *words) == 0
    own, made = read_video(clip).frames, read_video(out).frames
    assert len(made) == 16
    assert np.array_equal(made[:12], own)
    assert not np.array_equal(made[12], own[-1])
    assert run(monkeypatch, "verify", out) == 0
    assert "vivant extend a.mp4 --model" in capsys.readouterr().err
    assert run(monkeypatch, "extend", clip, "-o", tmp_path / "c.mkv", "--before", *words) == 2
    assert "leave out --before" in capsys.readouterr().err
