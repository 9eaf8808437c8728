"""`vivant bench` on tiny clips: every stage is there, figures hang together, failures are said."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from conftest import photo_like
from vivant.bench import runs, stages
from vivant.bench.runs import SIZES, BenchError, growth, timed
from vivant.bench.stages import measure, there_and_back
from vivant.cli.bench import measure_speed
from vivant.errors import UsageError

STAGES = {
    "start", "import", "read", "load and plan", "policy", "sample", "render",
    "watermark", "encode", "sign",
}  # fmt: skip


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bench") / "photo.png"
    Image.fromarray(photo_like(320, 200)).save(path)
    return path


def test_every_stage_of_a_clip_is_measured(photo: Path) -> None:
    row = measure(photo, "160p", 0.5)
    assert set(row["stages"]) == STAGES
    assert (row["width"], row["height"], row["frames"]) == (256, 160, 12)
    assert all(cost["wall"] >= 0 and cost["cpu"] >= 0 for cost in row["stages"].values())
    assert row["stages"]["encode"]["wall"] > 0


def test_the_command_measures_whole_runs_in_fresh_processes(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SIZES, "480p", 144)
    monkeypatch.setattr(runs, "LONGER", (4,))
    measure_speed(photo, "480p", 0.25, tmp_path, False)
    results = json.loads((tmp_path / "bench.json").read_text())
    assert results["photo"] == "photo.png"
    assert [row["frames"] for row in results["runs"]] == [6, 24]
    for row in results["runs"]:
        assert row["whole"]["peak_mib"] > 50
        assert row["whole"]["cpu"] > row["stages"]["encode"]["cpu"]
        assert row["ratio_to_encoding"] > 1
    assert set(results["growth_with_frames"]) == STAGES | {"whole"}
    picture = (tmp_path / "bench.svg").read_text()
    assert picture.startswith("<svg")
    assert picture.count("230x144") == 2


def test_growth_is_the_exponent() -> None:
    def row(pixels: int, power: float) -> dict[str, Any]:
        stages = {"render": {"cpu": 1e-6 * pixels**power}, "load": {"cpu": 0.1}}
        return {"pixels": pixels, "stages": stages, "whole": {"cpu": 1e-6 * pixels**power + 0.1}}

    rows = [row(10**5, 1.5), row(10**6, 1.5)]
    found = growth(rows, "pixels")
    assert found["render"] == pytest.approx(1.5)
    assert found["load"] == 0
    assert 0 < found["whole"] < 1.6
    assert growth([rows[0], rows[0]], "pixels") == {}


def test_a_process_is_charged_for_what_it_used() -> None:
    work = "x = b'1' * (200 << 20)\nfor k in range(3 * 10**6): pass"
    cost = timed(["-c", work])
    idle = timed(["-c", "import time; time.sleep(0.4)"])
    assert cost.peak_mib > 200 > idle.peak_mib
    assert cost.cpu > 0.05
    assert idle.wall > 0.4 > idle.cpu
    assert math.isfinite(cost.wall)
    with pytest.raises(BenchError, match="no such thing"):
        timed(["-c", "raise SystemExit('no such thing')"])


def test_held_frames_fill_the_clip_without_a_jump() -> None:
    assert there_and_back(3, 8) == [0, 1, 2, 1, 0, 1, 2, 1]
    assert there_and_back(8, 5) == [0, 1, 2, 3, 4]
    assert there_and_back(1, 3) == [0, 0, 0]


def test_the_floor_is_a_whole_clip_even_where_few_frames_are_held(
    photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vivant.media import write

    encoded: list[int] = []
    real = write.write_video

    def counted(frames: Any, *args: Any, **options: Any) -> None:
        kept = list(frames)
        encoded.append(len(kept))
        real(iter(kept), *args, **options)

    monkeypatch.setattr(stages, "HELD_BYTES", 3 * 256 * 160 * 3)
    monkeypatch.setattr(write, "write_video", counted)
    row = measure(photo, "160p", 0.5)
    assert (row["frames"], row["frames_held"], encoded) == (12, 3, [12])


def test_a_refused_run_leaves_nothing(photo: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file"):
        measure_speed(tmp_path / "none.jpg", "480p", 1.0, tmp_path / "out", False)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("mine")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UsageError, match=r"is a file|cannot be made"):
            measure_speed(photo, "480p", 1.0, out, False)
    assert (tmp_path / "file").read_text() == "mine"


def test_nonsense_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--sizes"):
        measure_speed(None, "9000p", 1.0, tmp_path, False)
    with pytest.raises(UsageError, match="--seconds"):
        measure_speed(None, "480p", 0.0, tmp_path, False)
