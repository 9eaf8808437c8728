"""``vivant prepare``: clips in, labelled shards out.

Each clip is decoded and labelled in a disposable child process; a file that crashes, hangs or
cannot be read is quarantined with its reason. What became of a clip is written to
``clips/ID.json`` when all its shards are there, so that an interrupted run, killed or not, goes
on where it stopped. At the end near-duplicates across the whole set are dropped, and
``report.html`` and ``log.txt`` say what was kept and why the rest was not.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.child import Limits, each_in_child
from vivant.data.labels import label, step_frames, working_size
from vivant.data.quality import Thresholds, fault, hamming, measure, perceptual_hash
from vivant.data.report import write_report
from vivant.data.shards import Sample, write_sample
from vivant.data.shots import find_cuts
from vivant.data.sources import Source
from vivant.files import publish, sha256_of
from vivant.media.video import check_frame, open_video

KEY_EVERY = 4
MOST_SECONDS = 120.0
"""Of a longer clip only the beginning is used."""

Row = dict[str, Any]
Refusal = Callable[[Path], "str | None"]
"""Says why a file may not be trained on, None where it may; asked in the child."""


@dataclass(frozen=True)
class ClipJob:
    """One clip to label into the folder ``out``."""

    source: Source
    out: Path
    thresholds: Thresholds
    refusal: Refusal | None = None


def decode(path: Path) -> tuple[NDArray[np.uint8], float, float]:
    """Frames ``[T, H, W, 3]`` at the working size, their rate, and the true aspect."""
    with open_video(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        fps = float(stream.average_rate or 25)
        width, height = stream.codec_context.width, stream.codec_context.height
        check_frame(path, width, height)
        size = working_size(width, height)
        most = round(MOST_SECONDS * fps)
        frames = [
            cv2.resize(frame.to_ndarray(format="rgb24"), size, interpolation=cv2.INTER_AREA)
            for frame in itertools.islice(container.decode(stream), most)
        ]
    if not frames:
        raise ValueError("it holds no frames")
    return np.stack(frames), fps, width / height


def prepare_clip(job: ClipJob) -> list[Row]:
    """Label every shot of one clip; returns one row per shot, also written to ``clips/``."""
    cv2.setNumThreads(1)
    source, digest = job.source, sha256_of(job.source.path)
    if job.refusal is not None and (reason := job.refusal(source.path)) is not None:
        refused: list[Row] = [{"clip": source.path.name, "sha256": digest, "dropped": reason}]
        _write_rows(_rows_path(job), refused)
        return refused
    frames, fps, aspect = decode(source.path)
    rows = []
    for number, (start, stop) in enumerate(
        itertools.pairwise([0, *find_cuts(frames), len(frames)])
    ):
        name = f"{source.path.stem}-{digest[:8]}-{number}"
        row: Row = {"shot": name, "clip": source.path.name, "sha256": digest}
        row |= {k: source.facts.get(k, "") for k in ("category", "licence", "origin", "split")}
        seconds = (stop - start - 1) / fps
        if seconds < job.thresholds.min_seconds:
            row["dropped"] = f"shorter than {job.thresholds.min_seconds:g} s ({seconds:.1f} s)"
        else:
            row |= _prepare_shot(name, frames[start:stop], fps, aspect, job, digest)
        rows.append(row)
    _write_rows(_rows_path(job), rows)
    return rows


def _prepare_shot(
    name: str, frames: NDArray[np.uint8], fps: float, aspect: float, job: ClipJob, digest: str
) -> Row:
    labels = label(frames, fps, aspect)
    quality = measure(frames, fps, labels)
    reason = fault(quality, job.thresholds)
    hashes = [f"{perceptual_hash(frames[k]):016x}" for k in (0, len(frames) // 2)]
    row: Row = {"quality": asdict(quality), "hashes": hashes, "thumbnail": _thumbnail(frames)}
    if reason is not None:
        return row | {"dropped": reason}
    indices = step_frames(len(frames), fps)
    keys = {k: frames[indices[k]] for k in range(0, labels.steps, KEY_EVERY)}
    facts = dict(job.source.facts) | {"aspect": aspect, "shot": name, "source_fps": fps}
    facts |= {"sha256": digest, "quality": asdict(quality)}
    write_sample(job.out / f"{name}.tar", Sample(name, labels, keys, facts))
    return row


def _thumbnail(frames: NDArray[np.uint8]) -> str:
    height = 90
    width = round(height * frames.shape[2] / frames.shape[1])
    small = cv2.resize(frames[len(frames) // 2], (width, height), interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 60])
    return bytes(data).hex()


def _rows_path(job: ClipJob) -> Path:
    # place, size and date, not the content: a broken file may not even be readable
    path = job.source.path.resolve()
    state = path.stat()
    made_of = (str(path), state.st_size, state.st_mtime_ns, job.thresholds)
    return job.out / "clips" / f"{path.stem}-{_short_hash(repr(made_of).encode())}.json"


def _short_hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:10]


def _write_rows(path: Path, rows: list[Row]) -> None:
    with publish(path) as temporary:
        temporary.write_text(json.dumps(rows), "utf-8")


def prepare(
    sources: list[Source],
    out: Path,
    processes: int = 2,
    *,
    thresholds: Thresholds = Thresholds(),  # noqa: B008 - frozen
    limits: Limits = Limits(),  # noqa: B008 - frozen
    refusal: Refusal | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> list[Row]:
    """Label all sources into ``out``; returns one row per shot or unreadable clip.

    A row has ``shot`` or ``clip``, what the manifest says, the quality, and ``dropped`` with
    the reason where it was not kept.
    """
    (out / "clips").mkdir(parents=True, exist_ok=True)
    for leftover in [*out.glob(".*.tmp.tar"), *(out / "clips").glob(".*.tmp.json")]:
        leftover.unlink()  # of a run that was killed
    removed = _removed(out)
    jobs = [ClipJob(source, out, thresholds, refusal) for source in sources]
    todo = [job for job in jobs if not _rows_path(job).is_file()]
    for done, outcome in enumerate(each_in_child(prepare_clip, todo, processes, limits), start=1):
        if outcome.failure is not None:
            name = outcome.job.source.path.name
            _write_rows(_rows_path(outcome.job), [{"clip": name, "dropped": outcome.failure}])
        progress(done / len(todo))
    rows = [row for job in jobs for row in json.loads(_rows_path(job).read_text("utf-8"))]
    for row in rows:
        if row.get("sha256") in removed:
            row["dropped"] = "removed on request"
    _drop_duplicates(rows, thresholds.duplicate_bits)
    for row in rows:
        if "dropped" in row and "shot" in row:
            (out / f"{row['shot']}.tar").unlink(missing_ok=True)
    _conclude(rows, out)
    return rows


def _removed(out: Path) -> set[str]:
    path = out / "removed.jsonl"
    if not path.is_file():
        return set()
    return {json.loads(line)["sha256"] for line in path.read_text("utf-8").splitlines()}


def _drop_duplicates(rows: list[Row], bits: int) -> None:
    """Of shots whose first and middle frames both look the same, keep the longest."""
    kept: list[Row] = []
    able = [row for row in rows if "dropped" not in row]
    for row in sorted(able, key=lambda r: (-r["quality"]["seconds"], r["shot"])):
        mine = [int(h, 16) for h in row["hashes"]]
        for other in kept:
            pairs = zip(mine, (int(h, 16) for h in other["hashes"]), strict=True)
            if all(hamming(a, b) <= bits for a, b in pairs):
                row["dropped"] = f"duplicate of {other['shot']}"
                break
        else:
            kept.append(row)


def _conclude(rows: list[Row], out: Path) -> None:
    lines = [f"{r.get('shot', r['clip'])}: {_fate(r)}" for r in rows]
    with publish(out / "log.txt") as temporary:
        temporary.write_text("\n".join(sorted(lines)) + "\n", "utf-8")
    with publish(out / "report.html") as temporary:
        temporary.write_text(write_report(rows), "utf-8")


def _fate(row: Row) -> str:
    return f"dropped, {row['dropped']}" if "dropped" in row else "kept"
