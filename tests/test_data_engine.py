"""Preparation as a user meets it: quality, duplicates, crashes, resumption, removal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from conftest import photo_like
from test_data import clips, sliding_clip  # noqa: F401
from vivant.child import Limits
from vivant.children import each_in_child
from vivant.clip import VideoSpec
from vivant.data.labels import label
from vivant.data.prepare import prepare
from vivant.data.quality import (
    Thresholds,
    fault,
    hamming,
    largest_jump,
    measure,
    overlay_share,
    perceptual_hash,
)
from vivant.data.removal import entries, remove, seen_by
from vivant.data.sources import Source, read_sources
from vivant.errors import UsageError
from vivant.media.formats import FORMATS
from vivant.media.write import write_video
from vivant.wire import Answer


def work(job: str) -> Iterator[Answer]:
    """What a child is asked to do; crashes, hangs and hunger on demand."""
    if job == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if job == "hang":
        time.sleep(60)
    if job == "hunger":
        yield Answer({"length": len(bytearray(8 << 30))})
    if job == "raise":
        raise ValueError("no such thing")
    if job == "refuse":
        raise UsageError("Name another.")
    yield Answer({"length": len(job)})


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX limits")
def test_children_fail_alone() -> None:
    names = ["crash", "hang", "hunger", "raise", "refuse", "fine"]
    limits = Limits(seconds=5, memory_mib=4096)
    jobs = [{"job": name} for name in names]
    found = {names[o.index]: o for o in each_in_child(f"{__name__}:work", jobs, 3, limits)}
    assert found["fine"].facts == ({"length": 4},)
    assert found["crash"].failure == "it crashed its process"
    assert found["hang"].failure == "it took longer than 5 s"
    assert "4096 MiB" in str(found["hunger"].failure)
    assert found["raise"].failure == "it failed (ValueError: no such thing)"
    assert found["refuse"].failure == "Name another."


def test_quality_measures_what_it_says() -> None:
    moving = sliding_clip(40)
    good = measure(moving, 24.0, label(moving, 24.0, 1.25))
    assert fault(good, Thresholds()) is None
    assert good.seconds == pytest.approx(39 / 24)
    assert good.confidence > 0.7
    still = np.repeat(moving[:1], 40, axis=0)
    frozen = measure(still, 24.0, label(still, 24.0, 1.25))
    assert "nothing moves" in str(fault(frozen, Thresholds()))
    noise = np.random.default_rng(0).integers(0, 255, moving.shape, np.uint8)
    chaos = measure(noise, 24.0, label(noise, 24.0, 1.25))
    assert "not consistent" in str(fault(chaos, Thresholds()))
    cut = np.concatenate([moving[:20], 255 - moving[20:]])
    assert largest_jump(cut) > 12 > largest_jump(moving)


def test_writing_is_found_on_a_moving_picture() -> None:
    frames = [np.roll(photo_like(448, 256), 3 * k, axis=1) for k in range(12)]
    assert overlay_share(np.stack(frames)) < 0.02
    for frame in frames:
        for row in range(40, 256, 24):
            cv2.putText(frame, "SUBSCRIBE NOW " * 3, (4, row), 0, 0.6, (255, 255, 255), 2)
    assert overlay_share(np.stack(frames)) > 0.1


def test_perceptual_hashes_tell_copies_from_others() -> None:
    a, b = photo_like(320, 180, 1), photo_like(320, 180, 2)
    copy = cv2.resize(a, (200, 112), interpolation=cv2.INTER_AREA)
    brighter = np.clip(copy.astype(int) + 12, 0, 255).astype(np.uint8)
    assert hamming(perceptual_hash(a), perceptual_hash(brighter)) <= 4
    assert hamming(perceptual_hash(a), perceptual_hash(b)) > 10


def video(path: Path, seed: int, count: int = 48) -> None:
    spec = VideoSpec(320, 256, 24.0, count)
    write_video(iter(sliding_clip(count, 1.0, seed)), spec, path, FORMATS["mp4"])


def test_duplicates_captions_and_the_report(tmp_path: Path) -> None:
    for name, seed, count in (("a", 1, 60), ("b", 2, 48), ("copy-of-a", 1, 48)):
        video(tmp_path / f"{name}.mp4", seed, count)
    (tmp_path / "a.txt").write_text("a thing slides\n")
    out = tmp_path / "out"
    rows = prepare(read_sources(tmp_path), out)
    dropped = [r for r in rows if "dropped" in r]
    assert [r["clip"] for r in dropped] == ["copy-of-a.mp4"]
    assert "duplicate of a-" in dropped[0]["dropped"]
    assert len(list(out.glob("*.tar"))) == 2
    assert entries(out)[0].facts["caption"] == "a thing slides"
    page = (out / "report.html").read_text()
    assert "2 shots kept, 1 dropped" in page
    assert page.count("data:image/jpeg") == 3
    assert "duplicate of a-" in (out / "log.txt").read_text()


def test_other_thresholds_judge_anew(tmp_path: Path) -> None:
    video(tmp_path / "a.mp4", 1)
    out = tmp_path / "out"
    sources = read_sources(tmp_path)
    strict = prepare(sources, out, thresholds=Thresholds(min_speed=9.0))
    assert "nothing moves" in strict[0]["dropped"]
    assert not list(out.glob("*.tar"))
    assert "dropped" not in prepare(sources, out)[0]
    assert len(list(out.glob("*.tar"))) == 1


def test_a_removal_is_honoured_and_stays(tmp_path: Path) -> None:
    video(tmp_path / "a.mp4", 1)
    video(tmp_path / "b.mp4", 2)
    out = tmp_path / "out"
    sources = [
        Source(p, {"path": p.name, "origin": f"example.org/{p.stem}-origin"})
        for p in sorted(tmp_path.glob("*.mp4"))
    ]
    prepare(sources, out)
    kept = entries(out)
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "data.json").write_text(json.dumps([{"sha256": kept[0].facts["sha256"]}]))
    with pytest.raises(UsageError, match="No shard"):
        remove(out, "example.com", "a typo")
    gone = remove(out, "a-origin", "the author asked")
    assert [e.path.stem for e in gone] == [kept[0].path.stem]
    assert seen_by(bundle, gone) == [kept[0].path.stem]
    assert seen_by(tmp_path, gone) == []
    rows = prepare(sources, out)
    assert [r["clip"] for r in rows if r.get("dropped") == "removed on request"] == ["a.mp4"]
    assert len(list(out.glob("*.tar"))) == 1


DEADLY = [
    sys.executable,
    "-c",
    f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
    "from killing import arm; from vivant.cli.main import main\n"
    "arm('vivant.data.prepare:keep', 'after', 2); main()",
]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_preparation_goes_on_after_kill_9(tmp_path: Path) -> None:
    for k in range(4):
        video(tmp_path / f"{k}.mp4", k)
    out = tmp_path / "out"
    words = [sys.executable, "-m", "vivant", "prepare", str(tmp_path), "--out", str(out)]
    killed = subprocess.run([*DEADLY, *words[3:], "--processes", "1"], check=False)
    assert killed.returncode == -signal.SIGKILL
    done = {p: p.stat().st_mtime_ns for p in out.glob("clips/[!.]*.json")}
    assert len(done) == 2
    result = subprocess.run(words, capture_output=True, text=True, check=True)
    assert "4 shots" in result.stdout + result.stderr
    assert all(p.stat().st_mtime_ns == stamp for p, stamp in done.items())
    assert len(list(out.glob("*.tar"))) == 4


def test_manifests_are_checked(tmp_path: Path) -> None:
    (tmp_path / "manifest.jsonl").write_text('{"path": "a.mp4"}\n{"way": 1}\n')
    with pytest.raises(UsageError, match="line 2, is no clip"):
        read_sources(tmp_path)
    for line in (b'{"path": "\xcf.mp4"}', b'{"path": "a\\u0000.mp4"}', b"[" * 100_000):
        (tmp_path / "manifest.jsonl").write_bytes(line)
        with pytest.raises(UsageError, match="line 1, is no clip"):
            read_sources(tmp_path)
