"""``vivant prepare``: clips and a manifest in, labelled shards out.

One process per core, one shard per shot; a shard that exists is kept, so an interrupted run
goes on where it stopped. A file that cannot be read is listed with its reason and passed over.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.data.labels import label, step_frames, working_size
from vivant.data.shards import Sample, write_sample
from vivant.data.shots import find_cuts
from vivant.errors import UsageError
from vivant.files import publish

MIN_SECONDS = 1.6
KEY_EVERY = 4
VIDEO_SUFFIXES = {".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".gif"}


@dataclass(frozen=True)
class Source:
    """One clip file with what the manifest says of it."""

    path: Path
    facts: dict[str, Any]


def read_sources(where: Path, splits: tuple[str, ...] = ()) -> list[Source]:
    """Clips of a manifest (.jsonl, paths beside it) or of a folder of videos.

    ``splits`` keeps only those splits of a manifest. Raises UsageError where nothing is found.
    """
    if where.is_dir() and (where / "manifest.jsonl").exists():
        where = where / "manifest.jsonl"
    if where.is_dir():
        files = sorted(p for p in where.rglob("*") if p.suffix.lower() in VIDEO_SUFFIXES)
        found = [Source(p, {"path": p.name, "split": "train", "licence": ""}) for p in files]
    elif where.is_file():
        rows = [json.loads(line) for line in where.read_text("utf-8").splitlines() if line.strip()]
        kept = [row for row in rows if not splits or row.get("split") in splits]
        found = [Source(where.parent / row["path"], row) for row in kept]
    else:
        raise UsageError(f"{where} is neither a manifest nor a folder of clips.")
    if not found:
        raise UsageError(f"{where} holds no clips for the splits {', '.join(splits) or 'all'}.")
    return found


def decode(path: Path) -> tuple[NDArray[np.uint8], float, float]:
    """Frames ``[T, H, W, 3]`` at the working size, their rate, and the true aspect."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        fps = float(stream.average_rate or 25)
        width, height = stream.codec_context.width, stream.codec_context.height
        size = working_size(width, height)
        frames = [
            cv2.resize(frame.to_ndarray(format="rgb24"), size, interpolation=cv2.INTER_AREA)
            for frame in container.decode(stream)
        ]
    return np.stack(frames), fps, width / height


def prepare_one(source: Source, out: Path) -> list[str]:
    """Label every shot of one clip; returns one line per shot kept or dropped."""
    cv2.setNumThreads(1)
    frames, fps, aspect = decode(source.path)
    edges = [0, *find_cuts(frames), len(frames)]
    lines = []
    for number, (start, stop) in enumerate(itertools.pairwise(edges)):
        name = f"{source.path.stem}-{number}"
        target = out / f"{name}.tar"
        if (stop - start - 1) / fps < MIN_SECONDS:
            lines.append(f"{name}: dropped, shorter than {MIN_SECONDS} s")
        elif not target.exists():
            write_sample(target, _sample(name, frames[start:stop], fps, aspect, source))
            lines.append(f"{name}: kept")
    return lines


def _sample(
    name: str, frames: NDArray[np.uint8], fps: float, aspect: float, source: Source
) -> Sample:
    labels = label(frames, fps, aspect)
    indices = step_frames(len(frames), fps)
    keys = {k: frames[indices[k]] for k in range(0, labels.steps, KEY_EVERY)}
    facts = dict(source.facts) | {"aspect": aspect, "shot": name, "source_fps": fps}
    return Sample(name, labels, keys, facts)


def prepare(
    sources: list[Source],
    out: Path,
    processes: int = 2,
    progress: Callable[[float], None] = lambda share: None,
) -> list[str]:
    """Label all sources into ``out``; returns the log lines, also kept in ``out/log.txt``."""
    out.mkdir(parents=True, exist_ok=True)
    lines: list[str] = []
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        jobs = {pool.submit(prepare_one, source, out): source for source in sources}
        for done, job in enumerate(as_completed(jobs), start=1):
            try:
                lines += job.result()
            except Exception as error:  # a decoder may raise anything: the file is passed over
                lines.append(f"{jobs[job].path.name}: dropped, {type(error).__name__}: {error}")
            progress(done / len(jobs))
    with publish(out / "log.txt") as temporary:
        temporary.write_text("\n".join(sorted(lines)) + "\n", "utf-8")
    return sorted(lines)
