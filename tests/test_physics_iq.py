"""Physics-IQ: masks, overlaps and the score by hand, and a made-up benchmark folder."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from vivant.errors import UsageError
from vivant.evaluation import physics_iq as iq
from vivant.evaluation.physics_iq_run import read_frames, resample, run_physics_iq
from vivant.media.decoder import Decoder
from vivant.metrics import Bools

VIEWS = ("perspective-left", "perspective-center", "perspective-right")


def _mask(*frames: str) -> Bools:
    """Frames of one row of cells, '#' moving."""
    return np.array([[[c == "#" for c in row]] for row in frames])


A = _mask("##..", ".##.")
B = _mask(".##.", "....")


def test_overlaps_by_hand() -> None:
    assert iq.spatiotemporal_ious(A, B) == [1 / 3, 0.0]
    assert iq.spatial_iou(A, B) == 2 / 3
    # A moved (1/2, 1, 1/2, 0) of the time, B (0, 1/2, 1/2, 0): minima 1, maxima 2
    assert iq.weighted_spatial_iou(A, B) == 0.5
    empty = np.zeros_like(A)
    assert iq.spatial_iou(empty, empty) == iq.weighted_spatial_iou(empty, empty) == 1
    assert iq.weighted_spatial_iou(A, empty) == 0


def test_mse_by_hand() -> None:
    a = np.zeros((2, 2, 2, 3), np.uint8)
    b = a.copy()
    b[0, 0, 0] = 255
    assert iq.mses(a, b) == [0.25, 0.0]
    assert iq.agreement(iq.Footage(a, A), iq.Footage(b, B)).mse == 0.125
    assert iq.agreement(iq.Footage(a, A), iq.Footage(b, B)).spatiotemporal == 0.3333 / 2


def test_score_by_hand() -> None:
    clip = iq.Agreement(spatial=0.2, weighted=0.1, spatiotemporal=0.3, mse=0.05)
    takes = iq.Agreement(spatial=0.4, weighted=0.5, spatiotemporal=0.6, mse=0.02)
    # (0.5 + 0.2 + 0.5) / 3 - (0.05 - 0.02)
    assert iq.score([iq.View(clip, takes)]) == pytest.approx(37.0)
    assert iq.score([iq.View(takes, takes)]) == 100
    # (0.5 + 0.2 + 0.5 + 0.4) / 4
    assert iq.score_verified([iq.View(clip, takes)]) == pytest.approx(40, abs=1e-3)
    # the means go into the ratio of one score, the ratios into the mean of the other
    views = [iq.View(clip, takes), iq.View(takes, clip)]
    assert iq.score(views) == 100
    assert iq.score_verified(views) == pytest.approx(70, abs=1e-3)
    apart = iq.Agreement(0, 0, 0, 0.02)
    assert np.isnan(iq.score([iq.View(clip, apart)]))


def test_mask_finds_what_moves_and_nothing_else() -> None:
    frames = [np.full((60, 80, 3), 40, np.uint8) for _ in range(4)]
    for k, frame in enumerate(frames):
        frame[20:40, 10 + 15 * k : 30 + 15 * k] = 220
    masks = iq.motion_masks(frames)
    assert not masks[0].any()
    for k in (1, 2, 3):
        assert masks[k][30, 10 + 15 * k + 17] == 255
        assert not masks[k][:12].any()
        assert not masks[k][48:].any()
    # 14 levels leave 0.7 x 14 < 10 against the background that has taken the frame in
    faint = [np.full((20, 20, 3), v, np.uint8) for v in (100, 114)]
    assert not iq.motion_masks(faint)[1].any()
    clear = [np.full((20, 20, 3), v, np.uint8) for v in (100, 116)]
    assert iq.motion_masks(clear)[1].all()


def test_resampling_keeps_both_ends_and_blends() -> None:
    frames = [np.full((2, 2, 3), v, np.uint8) for v in (0, 100, 200)]
    assert [int(f[0, 0, 0]) for f in resample(frames, 5)] == [0, 50, 100, 150, 200]


def _write(path: Path, start: int, fps: int = 10, seconds: float = 5) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    out = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, (128, 96))
    count = round(fps * seconds)
    for k in range(count):
        frame = np.full((96, 128, 3), 50, np.uint8)
        x = start + round(60 * k / count)
        frame[30:60, x : x + 30] = 230
        out.write(frame)
    out.release()


def _benchmark(root: Path, fps: int = 10) -> tuple[Path, Path]:
    number = 0
    for take, start in ((1, 5), (2, 8)):
        for view in VIEWS:
            number += 1
            name = f"{number:04d}_testing-videos_{fps}FPS_{view}_take-{take}_trimmed-fall.mp4"
            _write(root / "truth/split-videos/testing" / f"{fps}FPS" / name, start, fps)
            if take == 1:
                _write(root / "clips" / f"{number:04d}_{view}_trimmed-fall.mp4", 20)
    return root / "clips", root / "truth"


def test_a_folder_in_the_benchmarks_layout(tmp_path: Path) -> None:
    clips, truth = _benchmark(tmp_path)
    results = run_physics_iq(clips, truth, tmp_path / "out")
    assert results["complete"]
    assert results["views"] == 3
    found = results["subjects"]
    assert found["take 2"]["score"] == pytest.approx(100, abs=0.02)  # the protocol rounds
    assert 0 <= found["still picture"]["score"] < found["clips"]["score"] < 100
    assert found["still picture"]["spatial"] == 0
    assert "still picture" in (tmp_path / "out/report.html").read_text("utf-8")
    kept = tmp_path / "out/cases/0001.json"
    before = kept.stat().st_mtime_ns
    assert run_physics_iq(clips, truth, tmp_path / "out") == results
    assert kept.stat().st_mtime_ns == before


def test_takes_are_resampled_to_the_clips_rate(tmp_path: Path) -> None:
    clips, truth = _benchmark(tmp_path, fps=30)
    next(clips.glob("0003*")).unlink()
    results = run_physics_iq(clips, truth, tmp_path / "out")
    assert not results["complete"]
    assert results["views"] == 2
    assert results["subjects"]["take 2"]["score"] == pytest.approx(100, abs=0.02)


def test_what_does_not_fit_is_refused_by_name(tmp_path: Path) -> None:
    clips, truth = _benchmark(tmp_path)
    with pytest.raises(UsageError, match="not the benchmark"):
        run_physics_iq(clips, clips, tmp_path / "out")
    short = next(clips.glob("0002*"))
    _write(short, 20, seconds=3)
    with pytest.raises(UsageError, match=r"0002_.* is 3.00 s long"):
        run_physics_iq(clips, truth, tmp_path / "out")
    _write(short, 20, fps=12)
    with pytest.raises(UsageError, match="one rate"):
        run_physics_iq(clips, truth, tmp_path / "out")
    with Decoder() as decoder:
        assert len(read_frames(short, 7, decoder)) == 7
