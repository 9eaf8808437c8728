"""Files of soft labels: one ``.npz`` a picture, with the picture itself at a working size.

Photographs come from a manifest (``photos/manifest.jsonl``), key frames of clips from the shards
that ``vivant prepare`` wrote. A picture that has its file is not asked about again, so an
interrupted run goes on where it stopped.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from vivant.clip import Frame
from vivant.data.shards import read_sample, shard_paths
from vivant.data.teachers import SoftLabels, ask, open_teachers
from vivant.data.windows import STEPS
from vivant.errors import UsageError
from vivant.files import publish
from vivant.media.decoder import Decoder

SHORT = 320
"""Short side, in pixels, at which a picture is kept for training (never enlarged)."""


@dataclass(frozen=True)
class Picture:
    """One picture to ask about: ``path`` of a photograph or a shard, ``step`` of the shard's key
    frame (-1 for a photograph), ``name`` of its file of labels, ``facts`` from the manifest."""

    path: Path
    name: str
    facts: dict[str, Any]
    step: int = -1


@dataclass(frozen=True)
class Taught:
    """A picture ``[H, W, 3]``, what the teachers said of it, and its facts."""

    pixels: Frame
    labels: SoftLabels
    facts: dict[str, Any]


def photographs(manifest: Path) -> list[Picture]:
    """The photographs of a manifest; raises UsageError where it is missing or damaged."""
    try:
        rows = [json.loads(line) for line in manifest.read_text("utf-8").splitlines()]
        return [
            Picture(manifest.parent / row["path"], f"photo-{Path(row['path']).stem}", row)
            for row in rows
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{manifest} is no manifest of photographs ({error}).") from error


def key_frames(shards: Path, most: int = 2) -> Iterator[Picture]:
    """Up to ``most`` key frames of every shard that have a whole window after them, spread."""
    for path in shard_paths(shards):
        sample = read_sample(path)
        steps = [k for k in sorted(sample.keys) if k <= max(0, sample.labels.steps - STEPS)]
        chosen = sorted({steps[round(i)] for i in np.linspace(0, len(steps) - 1, most)})
        for step in chosen:
            yield Picture(path, f"clip-{path.stem}-{step:03d}", sample.facts | {"step": step}, step)


def label_pictures(
    pictures: list[Picture],
    teachers: Path,
    out: Path,
    threads: int = 2,
    progress: Callable[[float], None] = lambda share: None,
) -> int:
    """Ask the teachers of a folder about every picture that has no file yet; returns how many.

    Raises UsageError where a teacher or a package that runs it is missing.
    """
    out.mkdir(parents=True, exist_ok=True)
    opened = open_teachers(teachers, threads)
    todo = [p for p in pictures if not (out / f"{p.name}.npz").is_file()]
    with Decoder() as decoder:
        for done, picture in enumerate(todo, start=1):
            pixels = _pixels(picture, decoder)
            taught = Taught(pixels, ask(opened, pixels), picture.facts)
            write_taught(out / f"{picture.name}.npz", taught)
            progress(done / len(todo))
    return len(todo)


def _pixels(picture: Picture, decoder: Decoder) -> Frame:
    if picture.step >= 0:
        return read_sample(picture.path).keys[picture.step]
    return decoder.picture(picture.path).pixels


def write_taught(path: Path, taught: Taught) -> None:
    """Write a picture and its labels, whole or not at all; the picture as JPEG at the working
    size."""
    height, width = taught.pixels.shape[:2]
    scale = min(1.0, SHORT / min(height, width))
    size = (round(width * scale), round(height * scale))
    small = cv2.resize(taught.pixels, size, interpolation=cv2.INTER_AREA)
    jpeg = io.BytesIO()
    Image.fromarray(np.asarray(small, np.uint8)).save(jpeg, "JPEG", quality=94)
    arrays = {f.name: getattr(taught.labels, f.name) for f in fields(SoftLabels)}
    with publish(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file,
            picture=np.frombuffer(jpeg.getvalue(), np.uint8),
            facts=np.frombuffer(json.dumps(taught.facts).encode(), np.uint8),
            **arrays,
        )


def read_taught(path: Path) -> Taught:
    """Read a file of `write_taught`."""
    with np.load(path) as file:
        labels = SoftLabels(**{f.name: file[f.name] for f in fields(SoftLabels)})
        picture = Image.open(io.BytesIO(file["picture"].tobytes()), formats=["JPEG"])
        facts = json.loads(file["facts"].tobytes())
        return Taught(np.asarray(picture.convert("RGB"), np.uint8), labels, facts)
