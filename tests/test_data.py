from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from conftest import photo_like
from vivant.clip import VideoSpec
from vivant.data.camera_fit import camera_velocity, fit_camera
from vivant.data.labels import label, working_size
from vivant.data.prepare import prepare
from vivant.data.shards import read_samples
from vivant.data.shots import find_cuts
from vivant.data.sources import read_sources
from vivant.data.windows import STEPS, view, windows_of
from vivant.errors import UsageError
from vivant.media.formats import FORMATS
from vivant.media.write import write_video


def sliding_clip(count: int = 60, pixels_per_frame: float = 1.0, seed: int = 0) -> np.ndarray:  # type: ignore[type-arg]
    """The left half slides to the right, the right half holds."""
    base = cv2.GaussianBlur(photo_like(320, 256, seed), (0, 0), 1.5)
    frames = []
    for k in range(count):
        shift = np.array([[1, 0, k * pixels_per_frame], [0, 1, 0]], np.float32)
        moved = cv2.warpAffine(base, shift, (320, 256), borderMode=cv2.BORDER_REFLECT)
        frame = base.copy()
        frame[:, :160] = moved[:, :160]
        frames.append(frame)
    return np.stack(frames)


def test_labels_measure_the_motion() -> None:
    labels = label(sliding_clip(), 24.0, 320 / 256)
    mean = labels.velocity.mean(axis=0)
    true = 24 / 256
    assert np.median(mean[0, :, 3:17]) == pytest.approx(true, rel=0.05)
    assert np.abs(np.median(mean[0, :, 24:38])) < 0.02 * true
    assert np.abs(np.median(mean[1])) < 0.02 * true
    assert labels.steps == int(59 / 24 * 8)


def test_lengths_are_in_short_sides_whatever_the_rounding() -> None:
    assert working_size(568, 320) == (448, 256)
    assert working_size(320, 568) == (256, 448)
    assert working_size(400, 300) == (352, 256)


@pytest.mark.parametrize(
    "motion", [(0.1, 0, 0, 0), (0, -0.05, 0, 0), (0, 0, 0.2, 0), (0.05, 0.02, -0.1, 0.1)]
)
def test_the_camera_fit_ignores_a_moving_minority(motion: tuple[float, ...]) -> None:
    velocity = camera_velocity(np.array(motion, np.float32), 32, 56)
    velocity[:, 5:15, 10:25] += 0.3
    fit = fit_camera(velocity, np.ones((32, 56), np.float32))
    np.testing.assert_allclose(fit.motion, motion, atol=0.003)
    assert fit.share > 0.85


def test_cuts_are_found_and_motion_is_not_a_cut() -> None:
    a, b = sliding_clip(20), 255 - sliding_clip(20, seed=3)
    assert find_cuts(np.concatenate([a, b])) == [20]
    assert find_cuts(sliding_clip(40, 3.0)) == []


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    rows = []
    for k in range(2):
        spec = VideoSpec(320, 256, 24.0, 72)
        write_video(iter(sliding_clip(72, 0.5 + k, k)), spec, folder / f"{k}.mp4", FORMATS["mp4"])
        rows.append(
            {
                "path": f"{k}.mp4",
                "split": "train",
                "licence": "CC0",
                "category": "water" if k else "animals",
            }
        )
    (folder / "broken.mp4").write_bytes(b"no video" * 20)
    rows.append({"path": "broken.mp4", "split": "train", "licence": "CC0"})
    rows.append({"path": "0.mp4", "split": "val", "licence": "CC0"})
    (folder / "manifest.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder


@pytest.fixture(scope="session")
def shards(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("shards")
    rows = prepare(read_sources(clips, ("train",)), out, processes=2)
    assert sum("dropped" not in row for row in rows) == 2
    assert [row["clip"] for row in rows if "dropped" in row] == ["broken.mp4"]
    return out


def test_prepare_carries_facts_and_can_go_on(clips: Path, shards: Path) -> None:
    samples = list(read_samples(shards))
    assert [s.facts["licence"] for s in samples] == ["CC0", "CC0"]
    assert samples[0].keys[0].shape == (256, 320, 3)
    stamps = {p: p.stat().st_mtime_ns for p in shards.glob("*.tar")}
    prepare(read_sources(clips, ("train",)), shards, processes=1)
    assert stamps == {p: p.stat().st_mtime_ns for p in shards.glob("*.tar")}


def test_windows_and_their_views(shards: Path) -> None:
    sample = next(read_samples(shards))
    windows = list(windows_of(sample))
    assert len(windows) == 2
    window = windows[0]
    assert window.velocity.shape == (STEPS, 2, 32, 40)
    assert not window.camera_moves
    rng = np.random.default_rng(0)
    mirrored = view(window, rng, mirror=True, square=False, recolour=False)
    np.testing.assert_array_equal(mirrored.velocity[:, 0], -window.velocity[:, 0, :, ::-1])
    square = view(window, rng, mirror=False, square=True, recolour=True)
    assert square.image.shape == (256, 256, 3)
    assert square.velocity.shape == (STEPS, 2, 32, 32)


def test_sources_are_named_when_missing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neither a manifest nor a folder"):
        read_sources(tmp_path / "none")
    with pytest.raises(UsageError, match="holds no clips"):
        read_sources(tmp_path)
