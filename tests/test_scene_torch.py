"""The network that sees, in PyTorch: shapes, losses, a few steps that learn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

import torch  # noqa: E402

from conftest import photo_like  # noqa: E402
from vivant.bundle import open_bundle  # noqa: E402
from vivant.errors import BundleError  # noqa: E402
from vivant.kinds import INDEX, KINDS  # noqa: E402
from vivant.motion.encoder import Encoder  # noqa: E402
from vivant.scene.eyes import FOLDER, builtin_eyes  # noqa: E402
from vivant.training.scene.checks import agreement, confusion, rank_correlation  # noqa: E402
from vivant.training.scene.corpus import Example, chances, cut  # noqa: E402
from vivant.training.scene.export import SceneGraph  # noqa: E402
from vivant.training.scene.mixed import mix  # noqa: E402
from vivant.training.scene.network import SceneNetwork  # noqa: E402
from vivant.training.scene.restore import (  # noqa: E402
    _refill,
    released_head,
    released_network,
    released_refiner,
)
from vivant.training.scene.task import SeeTask, depth_loss  # noqa: E402


def example(kind: str, seed: int) -> Example:
    kinds = np.zeros((len(KINDS), 48, 64), np.uint8)
    kinds[INDEX["sky"], :20] = 255
    kinds[INDEX[kind], 20:] = 255
    image = photo_like(128, 96, seed)
    image[:40] = (90, 150, 240)
    depth = np.repeat(np.linspace(0, 1, 48)[:, None], 64, 1).astype(np.float16)
    sure = np.full((48, 64), 255, np.uint8)
    return Example(image, kinds, sure, depth, sure, water=2 if kind == "water" else -1)


def test_a_few_steps_learn() -> None:
    torch.manual_seed(0)
    examples = [example("water", 0), example("plant", 1)]
    network = SceneNetwork(Encoder(), width=16)
    task = SeeTask(network, examples, [], examples, per_batch=(2, 1, 1))
    out = network(torch.zeros(1, 3, 64, 96))
    assert out["kinds"].shape == (1, len(KINDS), 16, 24)
    assert out["depth"].shape == (1, 16, 24)
    assert float(out["depth"].detach().min()) >= 0
    batch = task.batch(np.random.default_rng(0))
    steps = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], 3e-3)
    losses = []
    for _ in range(8):
        loss = task.loss(batch)
        steps.zero_grad()
        loss.backward()
        steps.step()
        losses.append(float(loss.detach()))
    assert np.isfinite(losses).all()
    assert losses[-1] < 0.9 * losses[0]


def test_depth_is_blind_to_scale_and_shift() -> None:
    target = torch.rand(2, 16, 16)
    trust = torch.ones_like(target)
    same = depth_loss(3 * target + 2, target, trust)
    other = depth_loss(torch.rand(2, 16, 16), target, trust)
    assert float(same) < 0.02
    assert float(other) > 0.3


def test_crops_keep_pictures_and_targets_together() -> None:
    crop = cut(example("water", 0), np.random.default_rng(4), side=64)
    assert crop.image.shape == (3, 64, 64)
    assert crop.kinds.shape == (len(KINDS), 16, 16)
    np.testing.assert_allclose(crop.kinds.sum(0), 1, atol=0.02)
    rows = crop.image[2].mean(axis=1)  # the sky is blue
    assert rows[:4].mean() > rows[-4:].mean()
    assert chances([example("water", 0), example("fire", 1)]).sum() == pytest.approx(1)


def test_a_thing_of_another_picture_comes_with_its_kind() -> None:
    rng = np.random.default_rng(4)
    crop, other = (cut(example(kind, k), rng, side=64) for k, kind in enumerate(("plant", "fire")))
    kinds = other.kinds.copy()
    kinds[:, :, :8] = crop.kinds[:, :, :8]
    other = replace(other, kinds=kinds)
    mixed = mix(crop, other)
    assert float(mixed.kinds[INDEX["fire"], -2:, 10:].min()) > 0.95
    np.testing.assert_allclose(mixed.image[:, -8:, 48:], other.image[:, -8:, 48:], atol=1e-6)
    np.testing.assert_array_equal(mixed.image[:, :, :16], crop.image[:, :, :16])
    assert mixed.depth_trust[-2:, 10:].max() == 0
    nothing = replace(other, trust=np.zeros_like(other.trust))
    assert mix(crop, nothing) is crop


def test_figures() -> None:
    true = np.array([[0, 1, 2, -1]])
    table = confusion([(true, np.array([[0, 1, 1, 5]]))])
    right, mean, each = agreement(table)
    assert right == pytest.approx(2 / 3)
    assert each["sky"] == 1.0
    assert mean == pytest.approx(np.mean([1, 0.5, 0]))
    assert rank_correlation(np.arange(9.0), np.exp(np.arange(9.0))) == pytest.approx(1)


class Depth(torch.nn.Module):
    def forward(self, image: torch.Tensor) -> torch.Tensor:
        rows = torch.ones_like(image[:, 0]).cumsum(1)
        return rows + 0 * image.mean()


class Segmenter(torch.nn.Module):
    def forward(self, image: torch.Tensor) -> torch.Tensor:
        out = torch.zeros(1, 150, 16, 16) + 0 * image.mean()
        out[:, 2] = 9.0  # sky, class 3 of 150
        return out


def test_networks_of_the_users_own(tmp_path: Path) -> None:
    from vivant.errors import BundleError
    from vivant.motion.export import export_graph
    from vivant.scene.eyes import see
    from vivant.scene.guests import Guests, check_guest

    paths = {}
    for name, net in (("depth", Depth()), ("kinds", Segmenter())):
        paths[name] = tmp_path / f"{name}.onnx"
        export_graph(
            net, (torch.rand(1, 3, 32, 32),), paths[name], ("image",), ("out",), {"image": {}}
        )
        check_guest(paths[name], name)
    picture = photo_like(96, 64)
    scene = see(picture, guests=Guests(**paths))
    assert scene.share("sky") > 0.9
    assert scene.depth[0].mean() < 0.1
    assert scene.depth[-1].mean() > 0.9
    assert {"depth.onnx", "kinds.onnx"} < set(scene.seen_by)
    with pytest.raises(BundleError, match="not \\[1, 150"):
        check_guest(paths["depth"], "kinds")


def test_the_moving_head_learns_and_is_exported(tmp_path: Path) -> None:
    from vivant.metrics import auc
    from vivant.scene.network import open_eyes, see
    from vivant.training.scene.export import SceneGraph, write_scene_bundle
    from vivant.training.scene.moving import (
        INPUTS,
        SHARES,
        MovingHead,
        Seen,
        chances_of,
        learn_moving,
    )
    from vivant.training.scene.refiner import MatteRefiner
    from vivant.training.trainer import TrainOptions

    rng = np.random.default_rng(0)
    seen = []
    for k in range(4):
        inputs = rng.normal(0, 1, (INPUTS, 32, 40)).astype(np.float16)
        inputs[SHARES] = 1 / len(KINDS)
        speed = np.where(inputs[0] > 0, 0.1, 0.0).astype(np.float32)
        seen.append(Seen(inputs, speed, np.ones_like(speed), None, str(k), "", "train"))
    head = learn_moving(seen, tmp_path / "run", TrainOptions(60, rate=5e-3, warmup=2, ema=0.5))
    assert auc(chances_of(head, seen[0]), seen[0].speed > 0) > 0.8
    network = SceneNetwork(Encoder()).eval()
    about = {"name": "scene", "version": "0", "licence": "Apache-2.0"}
    write_scene_bundle(tmp_path / "b", SceneGraph(network, MovingHead()), MatteRefiner(), about)
    scene = see(open_eyes(open_bundle(tmp_path / "b"), 1), photo_like(96, 64))
    assert scene.grid == (64, 96)


def test_the_released_networks_come_back() -> None:
    bundle = open_bundle(FOLDER)
    graph = SceneGraph(released_network(bundle), released_head(bundle)).eval()
    image = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        found = [values.numpy() for values in graph(image)]
    said = builtin_eyes().see.run(None, {"image": image.numpy()})
    for mine, theirs in zip(found, said, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-3)
    coarse = torch.rand(1, 1, 64, 96)
    with torch.no_grad():
        alpha = torch.sigmoid(released_refiner(bundle)(image, coarse)).numpy()
    fed = {"image": image.numpy(), "coarse": coarse.numpy()}
    np.testing.assert_allclose(alpha, builtin_eyes().refine.run(None, fed)[0], atol=1e-3)


def test_a_bundle_that_holds_something_else_is_refused() -> None:
    with pytest.raises(BundleError, match="does not hold the weight"):
        _refill(released_head(open_bundle(FOLDER)), open_bundle(FOLDER), "matte.onnx", "head.")


def test_kinds_that_move_more_often_are_likelier_to_move() -> None:
    from vivant.training.scene.moving import INPUTS, SHARES, MovingHead, Seen, rates_of

    inputs = np.zeros((INPUTS, 16, 16), np.float16)
    inputs[SHARES.start + INDEX["water"], :8] = 1
    inputs[SHARES.start + INDEX["built"], 8:] = 1
    speed = np.zeros((16, 16), np.float32)
    speed[:8] = 0.1
    seen = [Seen(inputs, speed, np.ones((16, 16), np.float32), None, "a", "water", "train")]
    rates = rates_of(seen)
    assert rates[INDEX["water"]] > 0.6
    assert rates[INDEX["built"]] < 0.4
    assert rates[INDEX["fire"]] == 0.5, "never seen"
    head = MovingHead()
    head.standardise(seen)
    with torch.no_grad():
        head.out.weight.zero_()
        head.out.bias.zero_()
        odds = head.answer(torch.from_numpy(inputs.astype(np.float32))[None])[0, 0]
    assert float(odds[:8].min()) > 0.4
    assert float(odds[8:].max()) < -0.4
