"""Many clips from one file: what a line says, what is made once, what is reported."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from conftest import photo_like
from databases import wait_for
from vivant.batch.machine import OnMachine
from vivant.batch.manifest import Refused, Task, read_manifest
from vivant.batch.run import LOCK, Outcome, run_batch
from vivant.cli.main import command_line
from vivant.errors import UsageError
from vivant.files import locked
from vivant.provenance.keys import known_anchors
from vivant.provenance.verify import verify
from vivant.settings import read_settings

SMALL = {"seconds": 0.25, "size": "96x64"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    for seed in range(3):
        Image.fromarray(photo_like(96, 64, seed)).save(tmp_path / "in" / f"{seed}.png")
    mask = photo_like(96, 64)[..., 0]
    Image.fromarray(mask).save(tmp_path / "in" / "mask.png")
    return tmp_path


def write(folder: Path, *lines: Any) -> Path:
    path = folder / "in" / "manifest.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts) + "\n", "utf-8")
    return path


def quiet(stage: str, share: float) -> None:
    pass


def test_a_line_is_a_request_in_the_words_of_the_command_line(folder: Path) -> None:
    line = {
        "picture": "0.png", "seed": 7, "camera": "push-in 0.1", "stroke": ["0.1,0.5>0.9,0.5"],
        "still": "mask.png", "format": "webp", "name": "a b/../c", **SMALL,
    }  # fmt: skip
    (task,) = read_manifest(write(folder, line))
    assert isinstance(task, Task)
    names = {control["control"] for control in task.request["controls"]}
    assert names == {"camera", "stroke", "still"}
    assert task.request["seed"] == 7
    kinds = sorted((Path(path).name, kind) for path, kind in task.files.values())
    assert kinds == [("0.png", "picture"), ("mask.png", "mask")]
    assert task.name.startswith("a-b-..-c-")
    assert task.name.endswith(".webp")
    assert "/" not in task.name


def test_files_of_strokes_and_of_the_camera_lie_beside_the_manifest(folder: Path) -> None:
    (folder / "in" / "s.json").write_text('[{"points": [[0.2, 0.5], [0.6, 0.5]]}]')
    keys = '{"keys": [{"at": 0}, {"at": 1, "move": "truck-right 2%"}]}'
    (folder / "in" / "c.json").write_text(keys)
    line = {"picture": "0.png", "strokes": "s.json", "camera": "c.json", **SMALL}
    (task,) = read_manifest(write(folder, line))
    assert isinstance(task, Task), task
    names = {control["control"] for control in task.request["controls"]}
    assert names == {"stroke", "camera-path"}


def test_the_name_of_a_clip_is_made_of_what_is_asked_for(folder: Path) -> None:
    (folder / "in" / "copy.png").write_bytes((folder / "in" / "0.png").read_bytes())
    lines = [
        {"picture": "0.png"}, {"picture": "copy.png", "name": "0"}, {"picture": "0.png", "seed": 1},
        {"picture": "1.png", "name": "0"}, {"picture": "0.png", "strength": 0.5},
    ]  # fmt: skip
    names = [task.name for task in read_manifest(write(folder, *lines)) if isinstance(task, Task)]
    assert names[0] == names[1]
    assert len(set(names)) == 4


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "no JSON"), ("[1]", "JSON object"), ({}, "picture"), ({"picture": "no.png"}, "no file"),
        ({"picture": "0.png", "colour": 1}, "no input 'colour'"), ({"picture": 3}, "text"),
        ({"picture": "0.png", "model": 3}, "text"), ({"picture": "0.png", "seconds": -1}, "seconds"),
        ({"picture": "0.png", "format": "png"}, "format"), ({"picture": "0.png", "fps": True}, "fps"),
        ({"picture": "0.png", "image": "1.png"}, "leave one out"),
    ],
)  # fmt: skip
def test_a_wrong_line_is_refused_and_stops_nothing(folder: Path, line: Any, why: str) -> None:
    found = list(read_manifest(write(folder, line, "", {"picture": "0.png"})))
    assert isinstance(found[0], Refused)
    assert why in found[0].error
    assert found[0].line == 1
    assert isinstance(found[1], Task)
    assert found[1].line == 3


def test_a_manifest_that_is_not_there(folder: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        list(read_manifest(folder / "none.jsonl"))


def test_what_is_there_is_not_made_again_and_each_clip_once(folder: Path) -> None:
    asked: list[str] = []

    def executor(tasks: Sequence[Task], out: Path) -> Iterator[Outcome]:
        for task in tasks:
            asked.append(task.name)
            if task.request["seed"] == 2:
                yield Outcome(task, "It did not want to.")
            else:
                (out / task.name).write_bytes(b"clip")
                yield Outcome(task)

    lines: list[Any] = [{"picture": "0.png", "seed": seed} for seed in (0, 1, 1, 2)]
    manifest, out = write(folder, *lines, "{"), folder / "out"
    first = run_batch(manifest, out, executor, quiet)
    assert len(asked) == 3
    assert [clip.line for clip in first.made] == [1, 2, 3]
    assert [(one.line, one.error) for one in first.failed] == [
        (4, "It did not want to."), (5, "The line is no JSON.")
    ]  # fmt: skip
    assert json.loads((out / "report.json").read_text("utf-8"))["failed"][0]["line"] == 4
    second = run_batch(manifest, out, executor, quiet)
    assert len(asked) == 4  # only what failed
    assert [clip.line for clip in second.there] == [1, 2, 3]


def test_two_batches_do_not_work_in_one_folder(folder: Path) -> None:
    out = folder / "out"
    out.mkdir()
    (out / LOCK).touch()
    held = locked(out / LOCK, "")
    with held, pytest.raises(UsageError, match="Another batch"):
        run_batch(write(folder, {"picture": "0.png"}), out, OnMachine(), quiet)


@pytest.mark.parametrize("kept", ['{"mine": 1}', "no JSON", "[]"])
def test_a_report_replaces_a_report_and_nothing_else(folder: Path, kept: str) -> None:
    def nothing(tasks: Sequence[Task], out: Path) -> Iterator[Outcome]:
        yield from (Outcome(task) for task in tasks)

    manifest, report = write(folder, {"picture": "0.png"}), folder / "out" / "report.json"
    for _ in range(2):
        run_batch(manifest, folder / "out", nothing, quiet)
    report.write_text(kept)
    with pytest.raises(UsageError, match="no report of a batch"):
        run_batch(manifest, folder / "out", nothing, quiet)
    assert report.read_text() == kept
    report.write_bytes(manifest.read_bytes().replace(b"0.png", b"../in/0.png"))
    with pytest.raises(UsageError, match="is the input"):
        run_batch(report, folder / "out", nothing, quiet)


def test_clips_are_made_and_a_bad_picture_stops_none(folder: Path) -> None:
    (folder / "in" / "bad.png").write_bytes(b"no picture")
    lines: list[dict[str, Any]] = [
        {"picture": "0.png", **SMALL}, {"picture": "bad.png"}, {"picture": "1.png", **SMALL}
    ]  # fmt: skip
    manifest, out = write(folder, *lines), folder / "out"
    words = ["batch", str(manifest), "-o", str(out), "--processes", "2", "--json"]
    result = CliRunner().invoke(command_line(), words)
    assert result.exit_code == 1, result.output
    said = json.loads(result.stdout)
    assert [clip["line"] for clip in said["made"]] == [1, 3]
    assert said["failed"][0]["line"] == 2
    assert "bad.png" in said["failed"][0]["error"]
    for clip in said["made"]:
        assert verify(out / clip["file"], known_anchors(read_settings())).state == "trusted"
    assert sorted(p.suffix for p in out.iterdir() if not p.name.startswith(".")) == [
        ".json", ".mp4", ".mp4"
    ]  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_a_batch_that_was_killed_goes_on(folder: Path) -> None:
    lines = [{"picture": "0.png", "seed": seed, **SMALL} for seed in range(4)]
    manifest, out = write(folder, *lines), folder / "out"
    words = [sys.executable, "-m", "vivant", "batch", str(manifest), "-o", str(out)]
    with subprocess.Popen(words, env={**os.environ}) as run:
        try:
            wait_for(lambda: out.is_dir() and len(list(out.glob("[!.]*.mp4"))) >= 1)
        finally:
            run.send_signal(signal.SIGKILL)
    before = {path: path.stat().st_mtime_ns for path in out.glob("[!.]*.mp4")}
    assert 1 <= len(before) < 4
    report = run_batch(manifest, out, OnMachine(), quiet)
    assert not report.failed
    assert len(report.there) == len(before)
    assert all(path.stat().st_mtime_ns == at for path, at in before.items())
    assert len(list(out.glob("[!.]*.mp4"))) == 4
    assert not list(out.glob(".*.tmp*"))


def test_a_batch_on_the_queue_is_made_by_its_workers(folder: Path) -> None:
    pytest.importorskip("dbos", reason="needs the [serve] extra")
    (folder / "in" / "bad.png").write_bytes(b"no picture")
    manifest = write(folder, {"picture": "0.png", **SMALL}, {"picture": "bad.png", **SMALL})
    service, out = folder / "service", folder / "out"
    words = ["batch", str(manifest), "-o", str(out), "--queue", "folder", "--folder", str(service)]
    worker = [sys.executable, "-m", "vivant", "worker", "--folder", str(service)]
    with subprocess.Popen(worker, env={**os.environ}) as working:
        try:
            result = CliRunner().invoke(command_line(), [*words, "--json"])
        finally:
            working.kill()
    assert result.exit_code == 1, result.output
    said = json.loads(result.stdout)
    assert [clip["line"] for clip in said["made"]] == [1]
    assert said["failed"][0]["line"] == 2
    assert str(folder) not in said["failed"][0]["error"]
    assert verify(out / said["made"][0]["file"], known_anchors(read_settings())).state == "trusted"
    assert not list((service / "results").glob("*"))


def test_a_batch_on_ray(folder: Path) -> None:
    pytest.importorskip("ray", reason="needs the [ray] extra")
    (folder / "in" / "bad.png").write_bytes(b"no picture")
    lines = [{"picture": "0.png", **SMALL}, {"picture": "bad.png", **SMALL}]
    manifest, out = write(folder, *lines), folder / "out"
    words = [
        sys.executable,
        "-m",
        "vivant",
        "batch",
        str(manifest),
        "-o",
        str(out),
        "--ray",
        "--json",
    ]
    result = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)
    assert result.returncode == 1, result.stderr
    said = json.loads(result.stdout)
    assert [clip["line"] for clip in said["made"]] == [1]
    assert said["failed"][0]["line"] == 2
    assert verify(out / said["made"][0]["file"], known_anchors(read_settings())).state == "trusted"
