from __future__ import annotations

import errno
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from conftest import EXAMPLES, simple_field
from films import read_video
from vivant.cli import models
from vivant.cli.main import main
from vivant.field.file import load_field, save_field
from vivant.media.read import read_picture

SHORT = ["--seconds", "0.5", "--size", "240x160"]


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["vivant", *map(str, words)])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return Path(shutil.copy(EXAMPLES / "china.jpg", tmp_path / "photo.jpg"))


def report(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(capsys.readouterr().out)
    return facts


def test_animate_field_render_verify(
    tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clip, field, motion = (tmp_path / f"a.{name}" for name in ("mkv", "vivant", "motion"))
    code = run(
        monkeypatch,
        "animate",
        photo,
        "-o",
        clip,
        *SHORT,
        "--no-watermark",  # another recipe, another mark: the frames are compared below
        "--save-field",
        field,
        "--save-motion",
        motion,
        "--export",
        "flow,mask",
        "--json",
    )
    assert code == 0
    facts = report(capsys)
    assert (facts["width"], facts["height"], facts["frames"]) == (240, 160, 12)
    assert facts["outputs"][0]["path"] == str(clip)
    assert len(facts["model"]["sha256"]) == 64
    assert {"sample", "render_encode", "sign"} <= set(facts["outputs"][0]["timings"])
    assert len(list((tmp_path / "a-export").glob("forward_*.flo"))) == 11
    assert load_field(field).grid == (32, 48)

    assert run(monkeypatch, "verify", clip, "--picture", photo, "--json") == 0
    verdict = report(capsys)[0]  # type: ignore[index]
    assert verdict["state"] == "trusted"
    assert verdict["rerendered"]["matches"]
    assert verdict["record"]["watermark"] == {"left_out": "asked for"}
    assert verdict["watermark"]["state"] == "not found"

    again = tmp_path / "b.mkv"
    assert run(monkeypatch, "render", photo, motion, "-o", again, *SHORT, "--no-watermark") == 0
    difference = read_video(clip).frames.astype(int) - read_video(again).frames
    assert np.abs(difference).max() == 0
    assert run(monkeypatch, "verify", again, "--picture", photo, "--field", motion) == 0
    assert run(monkeypatch, "verify", again, "--picture", photo) == 2

    capsys.readouterr()
    wheel, preview = tmp_path / "w.png", tmp_path / "p.gif"
    assert run(monkeypatch, "field", field, "--picture", wheel, "--preview", preview, "--json") == 0
    assert report(capsys)["grid"] == [32, 48]
    assert read_picture(wheel).size[0] == 1280
    assert len(read_video(preview).frames) > 5


def test_the_lossless_master_begins_with_the_picture(
    tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "m.mkv"
    assert run(monkeypatch, "animate", photo, "-o", out, "--seconds", "0.2", "--lossless") == 0
    np.testing.assert_array_equal(read_video(out).frames[0], read_picture(photo).pixels)


def test_strength_zero_is_the_picture_throughout(
    tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "z.mkv"
    words = ["animate", photo, "-o", out, "--seconds", "0.3", "--lossless", "--strength", "0"]
    assert run(monkeypatch, *words, "--no-watermark") == 0
    assert (read_video(out).frames == read_picture(photo).pixels).all()
    assert run(monkeypatch, *words, "--overwrite") == 0
    change = np.abs(read_video(out).frames.astype(int) - read_picture(photo).pixels)
    assert change[0].max() == 0
    assert 0 < change[1:].mean() < 2.5
    assert change.max() <= 8


def test_masks_and_strokes_are_obeyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = tmp_path / "stream.png"
    Image.open(EXAMPLES / "stream.jpg").resize((480, 320)).save(photo)
    size = read_picture(photo).size
    mask = np.zeros(size[::-1], np.uint8)
    mask[:, : size[0] // 2] = 255
    Image.fromarray(mask).save(tmp_path / "still.png")
    out = tmp_path / "s.mkv"
    code = run(
        monkeypatch, "animate", photo, "-o", out, "--seconds", "0.5", "--lossless", "--still", tmp_path / "still.png",
        "--stroke", "0.6,0.6>0.9,0.6@1", "--save-field", tmp_path / "s.vivant", "--no-watermark",
    )  # fmt: skip
    assert code == 0
    frames = read_video(out).frames
    assert (frames[:, mask > 0] == frames[0][mask > 0]).all()
    assert (frames[-1] != frames[0]).any()
    v = load_field(tmp_path / "s.vivant").velocity.mean(axis=0)
    row, column = round(0.6 * v.shape[1]), round(0.75 * v.shape[2])
    assert v[0, row, column] == pytest.approx(0.3 * 1.5, rel=0.15)
    assert abs(v[1, row, column]) < 0.05


def test_samples_differ_and_seeds_repeat(
    tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["animate", photo, "-o", tmp_path / "c.gif", "--seconds", "0.3", "--size", "120x80"]
    assert run(monkeypatch, *words, "--samples", 2, "--save-field", tmp_path / "c.vivant") == 0
    one, two = (load_field(tmp_path / f"c-seed{k}.vivant").velocity for k in (0, 1))
    assert np.abs(one - two).mean() > 0.1 * np.abs(one).mean()
    assert run(monkeypatch, *words, "--seed", 1, "--save-field", tmp_path / "d.vivant") == 0
    np.testing.assert_allclose(load_field(tmp_path / "d.vivant").velocity, two, atol=1e-5)


BAD: list[tuple[list[str], int, str]] = [
    (["--seconds", "nan"], 2, "seconds must be"),
    (["--seconds", "-1"], 2, "seconds must be"),
    (["--fps", "0"], 2, "fps must be"),
    (["--strength", "-0.5"], 2, "strength must be"),
    (["--strength", "inf"], 2, "strength must be"),
    (["--seed", "-1"], 2, "seed must be"),
    (["--samples", "0"], 2, "--samples"),
    (["--size", "huge"], 2, "not understood"),
    (["--model", "sora"], 2, "no model"),
    (["--format", "mpeg2"], 2, "no format"),
    (["--lossless"], 2, "cannot hold the exact"),
    (["--stroke", "0.1,0.1>1.5,0.2"], 2, "outside the picture"),
    (["--camera", "pull-out 0.3"], 2, "at most 10%"),
    (["--still", "none.png"], 2, "no file"),
    (["--still", "small.png"], 2, "same size"),
    (["--export", "colours"], 2, "no export"),
    (["--nonsense"], 2, ""),
]


@pytest.mark.parametrize(("words", "code", "says"), BAD)
def test_bad_options_are_one_sentence(
    tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    words: list[str], code: int, says: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Image.new("L", (64, 64), 255).save(tmp_path / "small.png")
    before = set(tmp_path.iterdir())
    assert run(monkeypatch, "animate", photo, "-o", tmp_path / "x.mp4", *words) == code
    said = capsys.readouterr().err
    assert says in said
    assert "Traceback" not in said
    assert set(tmp_path.iterdir()) == before


def test_bad_files_are_one_sentence(
    tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "x.mp4"
    cases = {"empty.jpg": b"", "text.png": b"words" * 99, "cut.jpg": photo.read_bytes()[:5000]}
    for name, data in cases.items():
        (tmp_path / name).write_bytes(data)
        assert run(monkeypatch, "animate", tmp_path / name, "-o", out) == 1
    assert run(monkeypatch, "animate", tmp_path / "none.jpg", "-o", out) == 2
    assert run(monkeypatch, "animate", photo, "-o", tmp_path / "no" / "x.mp4") == 2
    out.write_bytes(b"mine")
    assert run(monkeypatch, "animate", photo, "-o", out) == 2
    assert out.read_bytes() == b"mine"
    assert run(monkeypatch, "verify", photo) == 1
    assert "Traceback" not in capsys.readouterr().err


def test_a_field_of_another_picture_is_refused(
    tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from conftest import simple_field
    from vivant.field.file import save_field

    save_field(tmp_path / "tall.vivant", simple_field(90, 160))
    assert (
        run(monkeypatch, "render", photo, tmp_path / "tall.vivant", "-o", tmp_path / "x.mp4") == 2
    )
    assert "aspect" in capsys.readouterr().err


def test_a_model_that_cannot_be_opened_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VIVANT_HOME", str(tmp_path))
    (tmp_path / "models" / "mine").mkdir(parents=True)
    (tmp_path / "models" / "mine" / "config.json").write_text("{")
    assert run(monkeypatch, "models") == 0
    said = capsys.readouterr().out
    assert "builtin  (motion" in said
    assert "mine  (cannot be opened)" in said


def test_models_lists_licence_and_controls(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "models", "--json") == 0
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert rows[0]["name"] == "builtin"
    assert rows[0]["licence"] == "Apache-2.0"
    assert set(rows[0]["controls"]) == {
        "still",
        "move",
        "hold",
        "move-kind",
        "camera-path",
        "fov",
        "depth",
        "layer",
        "light",
        "aspect",
        "stroke",
        "camera",
        "loop",
        "strength",
        "flow",
        "wind",
        "field",
        "like",
        "transition",
    }


def test_data_list_and_remove(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from test_data_engine import video

    video(tmp_path / "boat.mp4", 1)
    out = tmp_path / "shards"
    assert run(monkeypatch, "prepare", tmp_path, "--out", out) == 0
    capsys.readouterr()
    assert run(monkeypatch, "data", "list", out, "--json") == 0
    row = json.loads(capsys.readouterr().out)
    assert row["shot"].startswith("boat-")
    assert run(monkeypatch, "data", "remove", out, "--match", "boat") == 0
    assert "builtin was not trained" in "".join(capsys.readouterr())
    assert run(monkeypatch, "data", "list", out) == 2
    assert "holds no shards" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="POSIX devices")
def test_a_missing_file_does_not_stop_the_rest_of_a_verification(
    tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "verify", tmp_path / "none.mp4", photo, "--json") == 1
    said = capsys.readouterr()
    lost, there = json.loads(said.out)
    assert "no file" in lost["error"]
    assert there["state"] == "none"
    assert said.err.startswith("vivant: There is no file")
    for stream in ("/dev/null", "-"):
        assert run(monkeypatch, "verify", stream) == 2
        assert "is no file" in capsys.readouterr().err


def test_made_up_scenes_need_no_clips(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "shards"
    assert run(monkeypatch, "prepare", "--procedural", "1", "--out", out, "--processes", "1") == 0
    assert len(list(out.glob("*.tar"))) == 1
    assert run(monkeypatch, "prepare", "--out", out) == 2
    assert "ask for --procedural" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert run(monkeypatch, "prepare", "--procedural", "1", "--out", tmp_path / "file") == 2
    assert "cannot be made" in capsys.readouterr().err


def test_what_the_disk_says_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*words: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/disk/a.json")

    monkeypatch.setattr(models, "show_models", full)
    assert run(monkeypatch, "models") == 1
    assert capsys.readouterr().err == "vivant: /disk/a.json: No space left on device.\n"


def test_what_is_read_or_written_once_is_not_written_over(
    tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    strokes, sidecar = tmp_path / "s.json", tmp_path / "a.mkv.c2pa"
    for path in (strokes, sidecar):
        path.write_text('[{"points": [[0.2, 0.5], [0.6, 0.5]]}]')
    field, scene = tmp_path / "a.vivant", tmp_path / "a-export" / "x.scene"
    save_field(field, simple_field(240, 160, drift=(0.1, 0.0)))
    animate = ["animate", photo, "--overwrite", "-o"]
    for words, why in (
        (
            [*animate, tmp_path / "a.mp4", "--strokes", strokes, "--save-field", strokes],
            "the input",
        ),
        ([*animate, tmp_path / "a.mkv", "--strokes", sidecar], "the input"),
        ([*animate, tmp_path / "a.mp4", "--save-field", tmp_path / "a.mp4"], "two outputs"),
        ([*animate, tmp_path / "a.mp4", "--export", "flow", "--save-scene", scene], "lies in"),
        (["field", field, "--picture", field, "--overwrite"], "the input"),
        (["see", photo, "-o", tmp_path / "x.png", "--depth", tmp_path / "x.png"], "two outputs"),
        (["see", photo, "-o", tmp_path / "x.jpg"], "written as PNG"),
        (["mask", photo, "--kind", "sky", "-o", tmp_path / "x.tif"], "written as PNG"),
        (["field", field, "--picture", tmp_path / "x.webp"], "written as PNG"),
        ([*animate, tmp_path / "a.mp4", "--transition"], "with --keyframe"),
    ):
        before = {path: path.read_bytes() for path in tmp_path.iterdir()}
        assert run(monkeypatch, *words) == 2
        assert why in capsys.readouterr().err
        assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_defaults_of_prepare_are_the_library_s() -> None:
    import typer

    from vivant.child import Limits
    from vivant.cli.main import command_line
    from vivant.data.quality import Thresholds

    command = typer.main.get_command(command_line()).commands["prepare"]  # type: ignore[attr-defined]
    given = {p.name: p.default for p in command.params}
    for name, value in vars(Thresholds()).items():
        assert given[name] == value
    assert (given["clip_seconds"], given["clip_memory"]) == tuple(vars(Limits()).values())
