"""The network that finds lettering: what it is taught on, that it learns, that it is exported."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

import torch

from conftest import photo_like
from vivant.scene.network import open_graph
from vivant.training.scene.lettered import SCRIPTS, Typeface, lettered, typefaces
from vivant.training.scene.lettering import LetteringNetwork, LetteringTask, write_lettering

pytestmark = pytest.mark.torch
FONTS = Path("/usr/share/fonts/truetype/dejavu")


@pytest.fixture(scope="module")
def faces() -> list[Typeface]:
    found = typefaces(FONTS)
    if not found:
        pytest.skip("there are no fonts here")
    return found


def test_fonts_are_asked_for_what_they_can_write(faces: list[Typeface]) -> None:
    assert {"latin", "cyrillic"} <= {face.script for face in faces} <= set(SCRIPTS)
    assert not any(face.script == "han" for face in faces if "DejaVuSans." in face.path)


def test_what_is_drawn_is_where_it_is_said_to_be(faces: list[Typeface]) -> None:
    plain, found = np.full((160, 160, 3), 90, np.uint8), 0
    for seed in range(24):
        one = lettered(np.random.default_rng(seed), [plain], faces, 96)
        assert one.image.shape == (96, 96, 3)
        assert one.laid.shape == one.trust.shape == (24, 24)
        cells = one.image.reshape(24, 4, 24, 4, 3)
        contrast = np.ptp(cells, axis=(1, 3)).max(axis=2)
        bare = (one.laid == 0) & (one.trust == 1)
        assert not bare.any() or np.median(contrast[bare]) < 0.05
        found += int(one.laid.sum() > 4)
    assert 8 < found < 24


def test_it_learns_and_is_exported(tmp_path: Path, faces: list[Typeface]) -> None:
    torch.manual_seed(0)
    network = LetteringNetwork()
    task = LetteringTask(network, [photo_like(160, 160)], faces, batch_size=4, side=64)
    optimizer = torch.optim.AdamW(network.parameters(), 4e-3)
    losses, batch = [], task.batch(np.random.default_rng(0))
    for _ in range(20):
        loss = task.loss(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.6 * losses[0]
    network.eval()
    write_lettering(network, tmp_path / "l.onnx")
    image = torch.rand(1, 3, 48, 80)
    (answer,) = open_graph(str(tmp_path / "l.onnx")).run(None, {"image": image.numpy()})
    with torch.no_grad():
        wanted = torch.sigmoid(network(image)).numpy()
    np.testing.assert_allclose(answer, wanted, atol=0.01)
