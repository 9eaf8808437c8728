"""The Frechet video distance: closed form on Gaussians, and a tiny scripted extractor."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest

from vivant.errors import UsageError
from vivant.evaluation.fvd import Extractor, first_frames, video_distance
from vivant.evaluation.statistics import frechet
from vivant.media.decoder import Decoder


def _whitened(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    """Rows of exactly zero mean and unit covariance."""
    rows = rng.standard_normal((n, d))
    rows -= rows.mean(axis=0)
    q, _ = np.linalg.qr(rows)
    return q * np.sqrt(n - 1)


def test_gaussians_in_closed_form() -> None:
    rng = np.random.default_rng(0)
    a, b = _whitened(rng, 200, 3), _whitened(rng, 300, 3)
    spread_a, spread_b = np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 0.5])
    shift = np.array([1.0, -2.0, 0.0])
    # for diagonal covariances: |m|^2 + sum (s_a - s_b)^2
    wanted = (shift**2).sum() + ((spread_a - spread_b) ** 2).sum()
    found = frechet((a * spread_a).astype(np.float32), (b * spread_b + shift).astype(np.float32))
    assert found == pytest.approx(wanted, rel=1e-4)
    assert frechet(a.astype(np.float32), a.astype(np.float32)) == pytest.approx(0, abs=1e-4)


def _write(path: Path, level: int, count: int = 6) -> None:
    path.parent.mkdir(exist_ok=True)
    out = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 8, (64, 48))
    for _ in range(count):
        out.write(np.full((48, 64, 3), (level, level, 255 - level), np.uint8))
    out.release()


def test_frames_are_rgb_and_enough(tmp_path: Path) -> None:
    _write(tmp_path / "a.mp4", 40)
    with Decoder() as decoder:
        frames = first_frames(tmp_path / "a.mp4", 4, 32, decoder)
        assert frames.shape == (4, 32, 32, 3)
        assert frames[..., 0].mean() > 180
        with pytest.raises(UsageError, match="6 readable frames, 9 are needed"):
            first_frames(tmp_path / "a.mp4", 9, 32, decoder)


def test_missing_torch_and_file_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="no file of features"):
        Extractor(tmp_path / "i3d.pt")
    (tmp_path / "i3d.pt").write_bytes(b"weights")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UsageError, match=r"pip install 'vivant\[train\]'"):
        Extractor(tmp_path / "i3d.pt")


@pytest.mark.torch
def test_a_scripted_extractor(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")

    class Mean(torch.nn.Module):  # type: ignore[name-defined,misc]
        def forward(self, x):  # type: ignore[no-untyped-def]
            return x.mean(dim=[2, 3, 4])

    path = tmp_path / "mean.pt"
    with warnings.catch_warnings():  # making one is deprecated, reading one is what users do
        warnings.filterwarnings("ignore", message=".*torch.jit")
        torch.jit.trace(Mean(), torch.zeros(1, 3, 4, 16, 16)).save(str(path))
    for k, level in enumerate((60, 80, 100, 120)):
        _write(tmp_path / "made" / f"{k}.mp4", level)
        _write(tmp_path / "real" / f"{k}.mp4", level + 51)
    extractor = Extractor(path, frames=4, size=16)
    with Decoder() as decoder:
        row = extractor.features(tmp_path / "made" / "0.mp4", decoder)
    assert row == pytest.approx(np.array([195, 60, 60]) / 127.5 - 1, abs=0.05)
    same = video_distance(tmp_path / "made", tmp_path / "made", extractor)
    assert same.value == pytest.approx(0, abs=1e-4)
    apart = video_distance(tmp_path / "made", tmp_path / "real", extractor)
    assert apart.value == pytest.approx(3 * 0.4**2, rel=0.08)  # 51 levels are 0.4 in each colour
    assert (apart.extractor, apart.made, apart.frames, apart.size) == ("mean.pt", 4, 4, 16)
    assert len(apart.sha256) == 64
    (tmp_path / "no.pt").write_bytes(b"weights")
    with pytest.raises(UsageError, match="not a TorchScript"):
        Extractor(tmp_path / "no.pt")
