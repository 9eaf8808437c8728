"""What is measured on: held-out clips with their true motion, or photographs without truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vivant.clip import Frame
from vivant.data.prepare import prepare
from vivant.data.quality import Thresholds
from vivant.data.shards import Sample, read_samples, shard_paths
from vivant.data.sources import VIDEO_SUFFIXES, read_sources
from vivant.data.windows import STEPS, Window, windows_of
from vivant.errors import UsageError
from vivant.evaluation.by_kind import kind_truths
from vivant.evaluation.motion_scores import Truth, truth_of
from vivant.files import listed
from vivant.media.decoder import Decoder
from vivant.media.resize import fit

EVERYTHING = Thresholds(
    min_speed=0.0, min_confidence=0.0, max_jump=1e9, max_text=1.0, duplicate_bits=-1
)
"""Thresholds are for training: a held-out clip is not passed over for being hard."""
PHOTO_SHORT = 256
PHOTOS = {".jpg", ".jpeg", ".png", ".webp", ".avif", ".heic", ".heif"}


@dataclass(frozen=True)
class Case:
    """One thing to animate.

    ``picture`` ``[H, W, 3]``; ``truth`` where the camera stands still, or was taken out of the
    labels, and enough cells move and hold; ``kinds`` what of each kind moves in the picture, where
    enough does; ``window`` where the picture is a frame of a clip; ``real`` ``[K, H, W, 3]`` the
    frames that truly followed, twice a second.
    """

    name: str
    category: str
    picture: Frame
    truth: Truth | None = None
    window: Window | None = None
    real: tuple[Frame, ...] = ()
    kinds: Mapping[str, Truth] = field(default_factory=dict)


def read_suite(
    path: Path, split: str, out: Path, progress: Callable[[float], None] = lambda share: None
) -> list[Case]:
    """The cases of a folder of shards, of a folder with a manifest, of a folder of clips, or of
    photographs.

    Clips are labelled into ``out/shards`` first; ``split`` is that of a manifest. Raises
    UsageError where there is nothing to measure.
    """
    if not path.exists():
        raise UsageError(f"There is no suite at {path}.")
    if path.is_dir() and shard_paths(path):
        return _clips(path)
    manifest = path / "manifest.jsonl" if path.is_dir() else path
    stated = manifest.suffix == ".jsonl" and manifest.is_file()
    if stated or _has_clips(path):
        sources = read_sources(manifest, (split,)) if stated else read_sources(path)
        prepare(sources, out / "shards", thresholds=EVERYTHING, progress=progress)
        return _clips(out / "shards")
    photos = listed(path) if path.is_dir() else [path]
    with Decoder() as decoder:
        cases = [_photo(p, decoder) for p in photos if p.suffix.lower() in PHOTOS]
    if not cases:
        raise UsageError(f"{path} holds no shards, no manifest.jsonl, no clips and no photographs.")
    return cases


def _has_clips(path: Path) -> bool:
    return path.is_dir() and any(p.suffix.lower() in VIDEO_SUFFIXES for p in listed(path))


def _photo(path: Path, decoder: Decoder) -> Case:
    picture = decoder.picture(path)
    width, height = picture.size
    scale = PHOTO_SHORT / min(width, height)
    size = (2 * round(width * scale / 2), 2 * round(height * scale / 2))
    return Case(path.stem, "photograph", fit(picture, size).pixels)


def _clips(folder: Path) -> list[Case]:
    cases = [case for sample in read_samples(folder) if (case := _clip(sample)) is not None]
    if not cases:
        raise UsageError(f"In {folder} no clip has a camera that stands still or can be taken out.")
    return cases


def _clip(sample: Sample) -> Case | None:
    """The window that counts, else the first whose camera stands or in which a kind moves, else
    None."""
    truth = truth_of(sample) or truth_of(sample, camera_removed=True)
    windows = list(windows_of(sample))
    steady = truth.window if truth else next((w for w in windows if not w.camera_moves), None)
    window = steady or windows[0]
    keys = sorted(sample.keys)
    first = next(k for k in keys if np.array_equal(sample.keys[k], window.image))
    kinds = kind_truths(sample, window, first)
    if steady is None and not kinds:
        return None
    real = tuple(sample.keys[k] for k in keys if first <= k < first + STEPS)
    name, category = str(sample.key), str(sample.facts.get("category", ""))
    return Case(name, category, window.image, truth, window, real, kinds)
