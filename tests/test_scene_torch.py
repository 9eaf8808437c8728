"""The network that sees, in PyTorch: shapes, losses, a few steps that learn."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

import torch  # noqa: E402

from conftest import photo_like  # noqa: E402
from vivant.kinds import INDEX, KINDS  # noqa: E402
from vivant.motion.encoder import Encoder  # noqa: E402
from vivant.training.scene.checks import agreement, confusion, rank_correlation  # noqa: E402
from vivant.training.scene.corpus import Example, chances, cut  # noqa: E402
from vivant.training.scene.network import SceneNetwork  # noqa: E402
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


def test_figures() -> None:
    true = np.array([[0, 1, 2, -1]])
    table = confusion([(true, np.array([[0, 1, 1, 5]]))])
    right, mean, each = agreement(table)
    assert right == pytest.approx(2 / 3)
    assert each["sky"] == 1.0
    assert mean == pytest.approx(np.mean([1, 0.5, 0]))
    assert rank_correlation(np.arange(9.0), np.exp(np.arange(9.0))) == pytest.approx(1)
