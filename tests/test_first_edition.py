"""What the first edition made still opens: its fields, its signed clips, its records."""

from __future__ import annotations

from pathlib import Path

import pytest

from test_cli import run
from vivant.controls.camera import Camera
from vivant.controls.loop import Loop
from vivant.controls.mask import Still
from vivant.controls.strength import Strength
from vivant.controls.stroke import Stroke
from vivant.field.file import load_field
from vivant.provenance.record import read_record
from vivant.provenance.verify import verify

HERE = Path(__file__).parent / "first_edition"


@pytest.mark.parametrize("name", ["sampled.mp4", "still.webp"])
def test_signed_clips_verify(name: str) -> None:
    verdict = verify(HERE / name)
    assert verdict.state == "valid"  # intact; signed by another installation
    assert verdict.record is not None
    assert verdict.ingredients == ("picture.png",)


def test_records_become_requests() -> None:
    record = verify(HERE / "sampled.mp4").record
    assert record is not None
    known = read_record(record)
    request = known.request
    assert (request.seconds, request.fps, request.size, request.seed) == (0.25, 24.0, "192x128", 7)
    assert request.one(Loop) is not None
    assert request.one(Strength) == Strength(0.5)
    assert request.all(Stroke) == (Stroke(((0.5, 0.5), (0.8, 0.5)), 1.0),)
    assert request.all(Camera) == (Camera(zoom=0.1),)
    assert known.masks[0][0] == request.all(Still)[0].mask
    assert known.model.name == "builtin"


def test_verifying_ends_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = HERE / "sampled.mp4"
    assert run(monkeypatch, "verify", clip) == 0
    said = capsys.readouterr().err
    assert "make it again with: vivant animate picture.png" in said
    assert "--camera 'push-in 0.1' --strength 0.5 --loop" in said
    code = run(monkeypatch, "verify", clip, "--picture", HERE / "picture.png")
    said = capsys.readouterr().err
    assert code in (0, 2)
    assert ("the same clip" if code == 0 else "other weights") in said


def test_fields_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    field = load_field(HERE / "sampled.vivant")
    assert field.grid == (32, 48)
    assert field.loop_seconds == 0.25
    words = ["render", HERE / "picture.png", HERE / "sampled.vivant", "-o", tmp_path / "a.mp4"]
    assert run(monkeypatch, *words, "--seconds", "0.25") == 0
