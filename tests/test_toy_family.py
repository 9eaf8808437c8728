"""A second family goes the whole way: `job.run`, command, release, record, `verify`, `evaluate`."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from conftest import EXAMPLES
from films import read_video
from publishing import key
from test_cli import report, run
from toy import VIDEO, open_toy, toy_bundle
from vivant import job, registry
from vivant.errors import BundleError
from vivant.media.assets import FileAssets
from vivant.media.formats import FORMATS
from vivant.provenance.release import Delivery
from vivant.request import Keyframe, Request

SOURCES = EXAMPLES.parent / "src" / "vivant"


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(registry.FAMILIES, "toy", open_toy)
    return toy_bundle(tmp_path / "toy")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return Path(shutil.copy(EXAMPLES / "china.jpg", tmp_path / "photo.jpg"))


def test_the_use_case_runs_it(tmp_path: Path, toy: Path, photo: Path) -> None:
    out = tmp_path / "a.mp4"
    with FileAssets() as assets:
        request = Request((Keyframe(assets.add(photo, "picture")),), model=str(toy))
        delivery = Delivery(out, FORMATS["mp4"])
        done = job.run(request, delivery, assets, registry.load(str(toy)), key())
    assert done.plan.video == VIDEO
    assert read_video(out).frames.shape == (5, 32, 48, 3)


def test_the_command_runs_and_verifies_it(
    tmp_path: Path, toy: Path, photo: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    out = tmp_path / "a.mp4"
    assert run(monkeypatch, "animate", photo, "-o", out, "--model", toy, "--seconds", 9) == 0
    said = capsys.readouterr().err
    assert "plan: 5 frames of 48x32 at 6 per second" in said
    assert "The model makes 5 frames" in said
    assert run(monkeypatch, "verify", out, "--json") == 0
    verdict = report(capsys)[0]  # type: ignore[index]
    assert verdict["source_types"] == ["trainedAlgorithmicMedia"]
    assert verdict["record"]["model"]["name"] == "toy"
    assert verdict["record"]["request"]["model"] == "toy"  # not a folder of this machine
    assert verdict["record"]["video"]["count"] == 5
    assert str(tmp_path) not in json.dumps(verdict["record"])
    words = ["verify", out, "--picture", photo]
    assert run(monkeypatch, *words) == 2
    assert "not installed; name its folder with --model" in capsys.readouterr().err
    assert run(monkeypatch, *words, "--model", toy) == 2
    assert "does not make the same clip twice" in capsys.readouterr().err


def test_it_refuses_by_name_before_any_work(
    tmp_path: Path, toy: Path, photo: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    before = set(tmp_path.iterdir())
    for words, says in (
        (["--loop"], "cannot honour the control loop"),
        (["--camera", "push-in"], "cannot honour the control camera"),
        (["--save-field", tmp_path / "f.vivant"], "cannot honour the export of field"),
        (["--export", "flow"], "cannot honour the export of truth"),
    ):
        command = ["animate", photo, "-o", tmp_path / "x.mp4", "--model", toy, *words]
        assert run(monkeypatch, *command) == 2
        assert says in capsys.readouterr().err
    assert run(monkeypatch, "render", photo, photo, "-o", tmp_path / "x.mp4", "--model", toy) == 2
    assert "the control field" in capsys.readouterr().err
    assert set(tmp_path.iterdir()) == before


def test_it_is_measured(
    tmp_path: Path, toy: Path, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    shutil.copy(photo, photos)
    out = tmp_path / "report"
    assert run(monkeypatch, "evaluate", photos, "--out", out, "--model", toy) == 0
    row = json.loads(next((out / "cases").glob("*.json")).read_text())
    assert "model" in row["frames"]


def test_an_unknown_family_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="family 'toy', which this version does not know"):
        registry.load(str(toy_bundle(tmp_path / "b")))


def test_the_model_s_class_is_named_in_its_family_only() -> None:
    named = [
        path.relative_to(SOURCES).as_posix()
        for path in SOURCES.rglob("*.py")
        if re.search(r"\bMotionModel\b", path.read_text("utf-8"))
    ]
    assert all(name.startswith(("motion/", "footage/")) for name in named), named
