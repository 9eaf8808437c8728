"""`vivant evaluate` as a user runs it: a clip with known motion, photographs, anyone's clips."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from conftest import EXAMPLES, photo_like
from vivant.cli.evaluate import evaluate_suite
from vivant.clip import VideoSpec
from vivant.data.windows import Window
from vivant.errors import UsageError
from vivant.evaluation.motion_scores import Truth, score
from vivant.evaluation.suites import read_suite
from vivant.evaluation.tables import beaten, frames_table, motion_table
from vivant.media.formats import FORMATS
from vivant.media.write import write_video

W, H, COUNT = 384, 256, 60


def film(path: Path, speed: float, sway: float = 0.0) -> None:
    """The left half slides right behind the other, which holds: pixels a second."""
    wide = photo_like(W + 200, H, 3)
    frames = []
    for k in range(COUNT):
        frame = photo_like(W, H, 4)
        by = 100 - speed * k / 24 - sway * np.sin(k / 2)
        turn = np.array([[1, 0, -by], [0, 1, 0]], np.float32)
        frame[:, : W // 2] = cv2.warpAffine(wide, turn, (W // 2, H))
        frames.append(frame)
    write_video(iter(frames), VideoSpec(W, H, 24.0, COUNT), path, FORMATS["mp4"])


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("suite")
    film(folder / "slide.mp4", 30)
    row = {"path": "slide.mp4", "split": "test", "category": "street", "licence": "CC0-1.0"}
    (folder / "manifest.jsonl").write_text(json.dumps(row) + "\n")
    return folder


def measured(suite: Path, out: Path, clips: Path | None = None, **more: Any) -> dict[str, Any]:
    evaluate_suite(suite, out, "builtin", clips, "test", more.get("samples", 1), True)
    results: dict[str, Any] = json.loads((out / "results.json").read_text())
    return results


def test_the_model_and_the_baselines_in_one_table(suite: Path, tmp_path: Path) -> None:
    results = measured(suite, tmp_path)
    assert results["cases_with_truth"] == 1
    assert {"model", "rendered", "centre", "slow zoom", "random smooth field"} < set(
        results["motion"]
    )
    assert results["frames"]["model"]["first_frame"]["value"] == 99.0
    # flames lick higher, not faster in proportion, and are part of what is seen in noise
    assert results["control"]["speed at strength 2"]["value"] == pytest.approx(2, rel=0.2)
    assert results["control"]["camera error: pan"]["value"] < 0.02
    assert results["control"]["camera error: roll"]["value"] < 0.5
    seam = results["control"].get("seam of a loop")  # there is none where nothing moves
    assert seam is None or seam["value"] < 4
    page = (tmp_path / "report.html").read_text()
    assert "data:image/webp" in page
    assert "http" not in page
    # a second run measures nothing again
    case = next((tmp_path / "cases").iterdir())
    before = case.stat().st_mtime_ns
    measured(suite, tmp_path)
    assert case.stat().st_mtime_ns == before
    measured(suite, tmp_path, samples=2)
    assert case.stat().st_mtime_ns > before


def test_clips_of_another_system_are_judged_by_what_they_show(suite: Path, tmp_path: Path) -> None:
    case = read_suite(suite, "test", tmp_path / "labels")[0]
    clips = tmp_path / "clips"
    clips.mkdir()
    shutil.copy(suite / "slide.mp4", clips / f"{case.name}.mp4")
    good = measured(suite, tmp_path / "good", clips)["motion"]["as filmed"]
    assert good["where"]["value"] > 0.95
    assert good["direction_best"]["value"] > 0.95
    assert good["endpoint_best"]["value"] < 0.4
    assert good["leakage"]["value"] < 0.1

    film(clips / f"{case.name}.mp4", 0)
    frozen = measured(suite, tmp_path / "frozen", clips)
    assert "as filmed: where" in frozen["beaten"]
    assert "model: dynamic" in frozen["beaten"]
    assert "class=beaten" in (tmp_path / "frozen" / "report.html").read_text()
    assert "model" not in frozen["motion"]


def test_a_model_that_ignores_the_picture_is_red(suite: Path, tmp_path: Path) -> None:
    from vivant.evaluation.baselines import centre

    truth = read_suite(suite, "test", tmp_path)[0].truth
    assert truth is not None
    true = truth.window.velocity
    deaf = {
        "model": score(truth, centre(truth, 0)[None]),
        "centre": score(truth, centre(truth, 0)[None]),
    }
    seeing = {"model": score(truth, true[None]), "centre": deaf["centre"]}

    def red(scores: dict[str, Any]) -> bool:
        rows = [{"motion": {k: vars(v) for k, v in scores.items()}, "frames": {}}] * 2
        return beaten(motion_table(rows), "model", "where")

    assert red(deaf)
    assert not red(seeing)


def test_perfect_figures_and_still_pictures_are_no_defeat() -> None:
    def row(**figures: dict[str, float]) -> dict[str, Any]:
        return {"frames": {name.replace("_", " "): values for name, values in figures.items()}}

    mine = {"first_frame": 99.0, "flicker": 0.1, "dynamic": 0.2}
    still = {"first_frame": 99.0, "flicker": 0.0, "dynamic": 0.0}
    zoom = {"first_frame": 99.0, "flicker": 0.2, "dynamic": 0.3}
    table = frames_table([row(model=mine, still_picture=still, slow_zoom=zoom)] * 2)
    assert not beaten(table, "model", "first_frame")
    assert not beaten(table, "model", "flicker")
    assert beaten(table, "model", "dynamic")


def test_kinds_have_tables_of_their_own() -> None:
    from vivant.evaluation.baselines import centre
    from vivant.evaluation.tables import kind_tables

    def row(*kinds: str, holds: bool = True) -> dict[str, Any]:
        moving, static = np.zeros((2, 8, 8), bool)
        moving[:4] = True
        static[4:] = holds
        image = np.zeros((64, 64, 3), np.uint8)
        velocity = np.zeros((16, 2, 8, 8), np.float32)
        velocity[:, 0, :4] = 0.1
        plain = np.ones((8, 8), np.float32)
        window = Window(image, velocity, velocity[:, 0], plain, plain, plain, False)
        truth = Truth("clip", "sky", window, moving, static)
        made = {"rendered": vars(score(truth, velocity[None])),
                "centre": vars(score(truth, centre(truth, 0)[None]))}  # fmt: skip
        return {"motion": {}, "kinds": dict.fromkeys(kinds, made), "frames": {}}

    tables = kind_tables([row("sky", "water"), row("sky", holds=False)])
    assert list(tables) == ["sky", "water"]
    assert tables["sky"]["rendered"]["clips"].value == 2
    assert tables["sky"]["rendered"]["direction_best"].value == pytest.approx(1)
    assert tables["sky"]["rendered"]["where"].value == 1  # of the clip in which something holds
    assert "leakage" not in kind_tables([row("sky", holds=False)])["sky"]["rendered"]


def test_photographs_need_no_truth(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    shutil.copy(next(EXAMPLES.glob("*.jpg")), photos / "one.jpg")
    results = measured(photos, tmp_path / "report")
    assert results["cases"] == 1
    assert results["motion"] == {}
    assert results["frames"]["model"]["first_frame"]["value"] == 99.0


def test_what_cannot_be_measured_is_said(suite: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no suite at"):
        measured(tmp_path / "missing", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no photographs"):
        measured(tmp_path / "empty", tmp_path / "out")
    with pytest.raises(UsageError, match="--samples"):
        measured(suite, tmp_path / "out", samples=0)
    with pytest.raises(UsageError, match="no clip called like"):
        measured(suite, tmp_path / "out", tmp_path / "empty")
    with pytest.raises(UsageError, match="no folder of clips"):
        measured(suite, tmp_path / "out", tmp_path / "missing")


def test_a_folder_of_plain_clips_is_a_suite(tmp_path: Path) -> None:
    from test_data_engine import video
    from vivant.evaluation.suites import read_suite

    clips = tmp_path / "clips"
    clips.mkdir()
    video(clips / "boat.mp4", 1)
    cases = read_suite(clips, "test", tmp_path / "out")
    assert [case.name.split("-")[0] for case in cases] == ["boat"]
