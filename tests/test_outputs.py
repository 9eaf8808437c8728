"""Where the files of a run go: numbers, folders, endings, several pictures, pipes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from conftest import EXAMPLES
from test_cli import run
from vivant.cli.outputs import OutputOptions, format_of, place_for
from vivant.cli.show import one_line
from vivant.errors import UsageError
from vivant.media.formats import FORMATS

MP4 = FORMATS["mp4"]
SHORT = ["--seconds", "0.15", "--size", "96x64"]


def test_names_are_numbered_where_they_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    photo = Path("some/photo.jpg")
    for taken, expected in (
        (None, "photo.mp4"),
        ("photo.mp4", "photo-2.mp4"),
        ("photo-2.mp4", "photo-3.mp4"),
    ):
        if taken:
            (tmp_path / taken).touch()
        assert place_for(photo, OutputOptions(), MP4, None).delivery.out == Path(expected)
    over = place_for(photo, OutputOptions(overwrite=True), MP4, None)
    assert over.delivery.out == Path("photo.mp4")
    assert place_for(photo, OutputOptions(), MP4, 7).delivery.out == Path("photo-seed7.mp4")
    (tmp_path / "photo-frames").mkdir()
    frames = place_for(photo, OutputOptions(), FORMATS["png"], None).delivery.out
    assert frames == Path("photo-frames-2")


def test_a_folder_takes_clips_by_their_names(tmp_path: Path) -> None:
    place = place_for(Path("a.jpg"), OutputOptions(out=tmp_path), MP4, None)
    assert place.delivery.out == tmp_path / "a.mp4"


def test_very_long_names_leave_room(tmp_path: Path) -> None:
    name = "\u96ea" * 75 + ".jpg"
    out = place_for(Path(name), OutputOptions(out=tmp_path), MP4, None).delivery.out
    assert len(out.name.encode()) < 255
    out.touch()


@pytest.mark.parametrize(
    ("out", "name", "chosen"),
    [("a.mp4", None, "mp4"), ("a.mp4", "av1", "av1"), ("a", "mp4", "mp4"), ("a.b", "gif", "gif"),
     (None, "webm", "webm"), ("frames", "png", "png"), ("shots.v2", "png", "png")],
)  # fmt: skip
def test_the_ending_or_the_option_decides(out: str | None, name: str | None, chosen: str) -> None:
    options = OutputOptions(out=None if out is None else Path(out), format=name)
    fmt = format_of(options)
    assert fmt.name == chosen
    if out is not None:
        path = place_for(Path("p.jpg"), options, fmt, None).delivery.out
        assert path.suffix == fmt.suffix or not fmt.suffix


@pytest.mark.parametrize(("out", "name"), [("a.mp4", "png"), ("x.gif", "mp4"), ("x.mp4", "webm")])
def test_contradictions_are_refused(out: str, name: str) -> None:
    with pytest.raises(UsageError, match="contradict"):
        format_of(OutputOptions(out=Path(out), format=name))


@pytest.mark.parametrize("out", ["-", "/dev/stdout", "/dev/null"])
def test_a_clip_is_not_named_after_a_device(out: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name a file"):
        place_for(tmp_path / "p.png", OutputOptions(Path(out)), FORMATS["mp4"], None)


def test_names_cannot_break_a_line_or_move_the_cursor() -> None:
    assert one_line("a\nb\x1b[31m\u202e.png é 雪") == "a\\nb\\x1b[31m\\u202e.png é 雪"


def test_a_flow_format_without_flow_is_refused() -> None:
    options = OutputOptions(out=Path("a.mp4"), flow_format="npz")
    with pytest.raises(UsageError, match="--export flow"):
        place_for(Path("p.jpg"), options, MP4, None)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (["--overwrite"], "are called china"), (["--save-scene", "a.scene"], "leave --save-field"),
        (["--save-motion", "a.motion"], "leave --save-field"), (["-o", "one.mp4"], "existing folder"),
    ],
)  # fmt: skip
def test_no_clip_of_several_replaces_another(
    more: list[str], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (tmp_path / "b").mkdir()
    pair = [shutil.copy(EXAMPLES / "china.jpg", tmp_path / name) for name in ("china.jpg", "b")]
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, "animate", *pair, *SHORT, *more) == 2
    assert why in capsys.readouterr().err


def test_no_clip_replaces_a_picture_that_comes_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, later = tmp_path / "a.jpg", tmp_path / "out" / "a.gif"
    later.parent.mkdir()
    shutil.copy(EXAMPLES / "china.jpg", first)
    Image.open(EXAMPLES / "flower.jpg").resize((96, 64)).save(later)
    kept, where = later.read_bytes(), ["--format", "gif", "-o", later.parent]
    assert run(monkeypatch, "animate", first, later, *SHORT, *where) == 0
    assert later.read_bytes() == kept
    renamed = later.rename(later.with_name("b.gif"))
    renamed.with_name("a.gif").symlink_to(renamed)
    words = ["animate", first, renamed, *SHORT, *where, "--overwrite"]
    assert run(monkeypatch, *words) == 2
    assert capsys.readouterr().err.count("is the input") == 2
    assert renamed.read_bytes() == kept


def test_one_bad_picture_does_not_stop_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good = [shutil.copy(EXAMPLES / n, tmp_path / n) for n in ("china.jpg", "flower.jpg")]
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no picture")
    clips = tmp_path / "clips"
    clips.mkdir()
    words = ["animate", good[0], bad, good[1], "-o", clips, *SHORT]
    assert run(monkeypatch, *words, "--json") == 1
    rows = json.loads(capsys.readouterr().out)
    assert ["error" in row for row in rows] == [False, True, False]
    assert sorted(p.name for p in clips.iterdir()) == ["china.mp4", "flower.mp4"]
    assert run(monkeypatch, "animate", *good, "-o", tmp_path / "one.mp4", *SHORT) == 2
    assert "existing folder" in capsys.readouterr().err


def test_no_escape_codes_and_no_console(tmp_path: Path) -> None:
    photo = shutil.copy(EXAMPLES / "flower.jpg", tmp_path / "p.jpg")
    command = [sys.executable, "-m", "vivant", "animate", photo, "-o", tmp_path / "a.mp4", *SHORT]
    done = subprocess.run(command, capture_output=True, check=True)
    assert b"\x1b" not in done.stdout + done.stderr
    words = " ".join(f"'{w}'" for w in map(str, command)).replace("a.mp4", "b.mp4")
    closed = subprocess.run(["/bin/sh", "-c", f"{words} 2>&- >&-"], check=False)
    assert closed.returncode == 0
    assert (tmp_path / "b.mp4").is_file()


def test_a_clip_into_a_pipe(tmp_path: Path) -> None:
    photo = shutil.copy(EXAMPLES / "flower.jpg", tmp_path / "p.jpg")
    command = [sys.executable, "-m", "vivant", "animate", photo, "-o", "-", *SHORT]
    done = subprocess.run(command, capture_output=True, check=True, cwd=tmp_path)
    assert done.stdout[4:8] == b"ftyp"
    assert [p.name for p in tmp_path.iterdir()] == ["p.jpg"]
    refused = subprocess.run([*command, "--format", "mkv"], capture_output=True, check=False)
    assert refused.returncode == 2
    assert b"beside it" in refused.stderr
