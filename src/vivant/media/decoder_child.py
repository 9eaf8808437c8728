"""The child's side of `vivant.media.decoder`: each function answers for one kind of file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from vivant.errors import MediaError
from vivant.media.depth import read_depth
from vivant.media.film import film_frames, film_info
from vivant.media.hearing import read_sound
from vivant.media.mask import read_mask
from vivant.media.read import read_picture
from vivant.media.video import iter_video, probe
from vivant.wire import Answer


def picture(path: str) -> Iterator[Answer]:
    """A picture: ``pixels``, and ``alpha`` where it has one. Raises MediaError where nothing of it
    is to be seen."""
    found = read_picture(Path(path))
    if found.alpha is not None and not found.alpha.any():
        raise MediaError(f"{path} is transparent everywhere and shows nothing; fill it first.")
    arrays = {"pixels": found.pixels}
    if found.alpha is not None:
        arrays["alpha"] = found.alpha
    yield Answer({"sha256": found.sha256, "notes": found.notes, "captured": found.captured}, arrays)


def mask(path: str) -> Iterator[Answer]:
    """A mask: ``values``."""
    found = read_mask(Path(path))
    yield Answer({"notes": found.notes}, {"values": found.values})


def depth(path: str) -> Iterator[Answer]:
    """A depth map: ``values``."""
    yield Answer({}, {"values": read_depth(Path(path)).values})


def info(path: str) -> Iterator[Answer]:
    """What a video's header says, as facts."""
    yield Answer(asdict(probe(Path(path))))


def frames(path: str, most: int | None) -> Iterator[Answer]:
    """A video, or its first ``most`` frames: a ``frame`` an answer."""
    for frame in islice(iter_video(Path(path)), most):
        yield Answer({}, {"frame": frame})


def film(path: str) -> Iterator[Answer]:
    """What footage is once it is made plain, as facts."""
    yield Answer(asdict(film_info(Path(path))))


def sound(path: str) -> Iterator[Answer]:
    """What is heard in footage: ``samples``, and their rate; nothing where nothing is."""
    found = read_sound(Path(path))
    yield Answer() if found is None else Answer({"rate": found.rate}, {"samples": found.samples})


def plain_frames(path: str, most: int | None) -> Iterator[Answer]:
    """Footage made plain, or its first ``most`` frames: a ``frame`` an answer."""
    for frame in islice(film_frames(Path(path)), most):
        yield Answer({}, {"frame": frame})


def opencv_frames(path: str, most: int | None) -> Iterator[Answer]:
    """The same through OpenCV's reader, BGR; nothing for a file that it cannot open."""
    probe(Path(path))  # by the list of formats: OpenCV alone would follow play lists
    capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG)
    try:
        for _ in range(most) if most is not None else iter(int, 1):
            found, frame = capture.read()
            if not found:
                return
            yield Answer({}, {"frame": np.asarray(frame, np.uint8)})
    except cv2.error as error:
        raise MediaError(f"{path} cannot be decoded ({error.err}).") from error
    finally:
        capture.release()
