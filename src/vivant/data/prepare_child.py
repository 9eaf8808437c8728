"""The child's side of `vivant.data.prepare`: one clip is decoded, cut into shots and labelled."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.data.labels import SHORT, label, small_frames, step_frames, working_size
from vivant.data.quality import Thresholds, fault, measure, perceptual_hash
from vivant.data.shards import KEY_EVERY, Sample, write_sample
from vivant.data.shots import find_cuts
from vivant.errors import MediaError
from vivant.files import sha256_of
from vivant.media.video import check_frame, open_video
from vivant.wire import Answer

MOST_SECONDS = 120.0
"""Of a longer clip only the beginning is used."""

Row = dict[str, Any]
CARRIED = ("category", "licence", "origin", "split")


@dataclass(frozen=True)
class Film:
    """One clip to label into the folder ``out``: ``facts`` from its manifest, and the SHA-256
    ``digest`` of its file; ``short`` pixels of the short side of the small frames kept, 0: none."""

    path: Path
    facts: Row
    digest: str
    out: Path
    thresholds: Thresholds
    short: int = 0


def prepare_clip(
    path: str,
    facts: Row,
    out: str,
    thresholds: dict[str, float],
    refusal: str | None,
    short: int = 0,
) -> Iterator[Answer]:
    """Label every shot of one clip; answers ``rows``, one per shot.

    ``refusal`` ("module:name") says of a path why it may not be trained on, None where it may.
    Raises MediaError where the clip cannot be decoded.
    """
    cv2.setNumThreads(1)
    if not Path(path).is_file():
        raise MediaError("there is no such file")
    digest, wanted = sha256_of(Path(path)), Thresholds(**thresholds)  # type: ignore[arg-type]
    film = Film(Path(path), facts, digest, Path(out), wanted, short)
    reason = _refused(film.path, refusal)
    if reason is not None:
        row = {"clip": film.path.name, "sha256": film.digest, "dropped": reason}
        yield Answer({"rows": [row]})
        return
    yield Answer({"rows": list(_rows(film))})


def _refused(path: Path, refusal: str | None) -> str | None:
    if refusal is None:
        return None
    module, _, name = refusal.partition(":")
    found: str | None = getattr(import_module(module), name)(path)
    return found


def _rows(film: Film) -> Iterator[Row]:
    frames, fps, aspect = decode(film.path)
    bounds = [0, *find_cuts(frames), len(frames)]
    for number, (start, stop) in enumerate(itertools.pairwise(bounds)):
        name = f"{film.path.stem}-{film.digest[:8]}-{number}"
        row: Row = {"shot": name, "clip": film.path.name, "sha256": film.digest}
        row |= {k: film.facts.get(k, "") for k in CARRIED}
        seconds = (stop - start - 1) / fps
        if seconds < film.thresholds.min_seconds:
            row["dropped"] = f"shorter than {film.thresholds.min_seconds:g} s ({seconds:.1f} s)"
        else:
            row |= _prepare_shot(name, frames[start:stop], fps, aspect, film, start)
        yield row


def decode(path: Path) -> tuple[NDArray[np.uint8], float, float]:
    """Frames ``[T, H, W, 3]`` at the working size, their rate, and the true aspect.

    Raises MediaError where there are none.
    """
    with open_video(path) as container:
        stream = next(iter(container.streams.video), None)
        if stream is None:
            raise MediaError("it holds no frames")
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
        raise MediaError("it holds no frames")
    return np.stack(frames), fps, width / height


def _prepare_shot(
    name: str, frames: NDArray[np.uint8], fps: float, aspect: float, film: Film, start: int
) -> Row:
    labels = label(frames, fps, aspect)
    quality = measure(frames, fps, labels)
    reason = fault(quality, film.thresholds)
    hashes = [f"{perceptual_hash(frames[k]):016x}" for k in (0, len(frames) // 2)]
    row: Row = {"quality": asdict(quality), "hashes": hashes, "thumbnail": _thumbnail(frames)}
    if reason is not None:
        return row | {"dropped": reason}
    indices = step_frames(len(frames), fps)
    keys = {k: frames[indices[k]] for k in range(0, labels.steps, KEY_EVERY)}
    facts = film.facts | {"aspect": aspect, "shot": name, "source_fps": fps}
    facts |= {"sha256": film.digest, "quality": asdict(quality)}
    small = _kept_frames(film, frames, indices, start, aspect) if film.short else None
    write_sample(film.out / f"{name}.tar", Sample(name, labels, keys, facts, small))
    return row


def _kept_frames(
    film: Film, frames: NDArray[np.uint8], indices: NDArray[np.int64], start: int, aspect: float
) -> NDArray[np.uint8]:
    """The small frames of a shot that begins at frame ``start``; larger ones than those at hand
    are decoded again."""
    if film.short <= SHORT:
        return small_frames(frames[indices], film.short, aspect)
    wanted = {start + int(index) for index in indices}
    with open_video(film.path) as container:
        decoded = enumerate(container.decode(video=0))
        found = (f for k, f in itertools.takewhile(lambda row: row[0] <= max(wanted), decoded)
                 if k in wanted)  # fmt: skip
        one_by_one = (small_frames(f.to_ndarray(format="rgb24")[None], film.short, aspect)
                      for f in found)  # fmt: skip
        return np.concatenate(list(one_by_one))


def _thumbnail(frames: NDArray[np.uint8]) -> str:
    height = 90
    width = round(height * frames.shape[2] / frames.shape[1])
    small = cv2.resize(frames[len(frames) // 2], (width, height), interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 60])
    return bytes(data).hex()
