"""Frechet video distance with features the user brings (Unterthiner et al., 2018).

The extractor is a TorchScript file (I3D, VideoMAE, ...) called with ``[1, 3, T, S, S]`` float32
RGB from -1 to 1; it answers ``[1, F]``. A distance means nothing without its extractor, number
of clips, frames and size, so they come with it.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vivant.clip import Floats
from vivant.errors import UsageError
from vivant.evaluation.frames import Frames
from vivant.evaluation.statistics import frechet
from vivant.files import listed, sha256_of
from vivant.media.decoder import Decoder


@dataclass(frozen=True)
class VideoDistance:
    """The distance and what it was measured with: the extractor's file name and SHA-256, clips
    on both sides, frames a clip, side of the square frames in pixels."""

    value: float
    extractor: str
    sha256: str
    made: int
    real: int
    frames: int
    size: int


class Extractor:
    """A TorchScript file, loaded once."""

    def __init__(self, path: Path, frames: int = 16, size: int = 224) -> None:
        """Raises UsageError where torch or the file is missing, or the file is no TorchScript."""
        if not path.is_file():
            raise UsageError(f"There is no file of features at {path}.")
        try:
            import torch
        except ImportError as error:
            raise UsageError(
                "A Frechet video distance needs torch: pip install 'vivant[train]'."
            ) from error
        try:
            with warnings.catch_warnings():
                # PyTorch 2.14 calls TorchScript deprecated; published extractors come as it
                warnings.filterwarnings("ignore", message=".*torch.jit")
                self._net: Any = torch.jit.load(str(path), map_location="cpu").eval()
        except (RuntimeError, ValueError) as error:
            raise UsageError(f"{path} is not a TorchScript file.") from error
        self._torch: Any = torch
        self.name, self.sha256 = path.name, sha256_of(path)
        self.frames, self.size = frames, size

    def features(self, path: Path, decoder: Decoder) -> Floats:
        """Features ``[F]`` of one clip. Raises UsageError for a clip that is too short and for an
        extractor that does not answer with one row of numbers, MediaError for a clip that cannot
        be decoded."""
        frames = first_frames(path, self.frames, self.size, decoder)
        scaled = frames.astype(np.float32).transpose(3, 0, 1, 2)[None] / 127.5 - 1
        with self._torch.inference_mode():
            try:
                found = self._net(self._torch.from_numpy(scaled))
            except RuntimeError as error:
                raise UsageError(
                    f"{self.name} does not take an input of shape {scaled.shape}."
                ) from error
        row = np.asarray(found.float().numpy(), np.float32) if hasattr(found, "numpy") else None
        if row is None or row.ndim != 2 or len(row) != 1:
            raise UsageError(f"{self.name} does not answer with features [1, F].")
        return np.asarray(row[0], np.float32)


def first_frames(path: Path, count: int, size: int, decoder: Decoder) -> Frames:
    """The first ``count`` frames at ``size`` x ``size``, RGB. Raises UsageError if fewer, and
    MediaError where the file cannot be decoded."""
    frames = [
        cv2.resize(frame, (size, size), interpolation=cv2.INTER_AREA)
        for frame in decoder.frames(path, count)
    ]
    if len(frames) < count:
        raise UsageError(f"{path} has {len(frames)} readable frames, {count} are needed.")
    return np.stack(frames).astype(np.uint8)


def video_distance(made: Path, real: Path, extractor: Extractor) -> VideoDistance:
    """Distance between the .mp4 clips of two folders. Raises UsageError below two on a side."""
    sides = []
    with Decoder() as decoder:
        for folder in (made, real):
            paths = listed(folder, "*.mp4")
            if len(paths) < 2:
                raise UsageError(f"{folder} needs at least two .mp4 clips.")
            sides.append(np.stack([extractor.features(p, decoder) for p in paths]))
    return VideoDistance(
        frechet(sides[0], sides[1]),
        extractor.name,
        extractor.sha256,
        len(sides[0]),
        len(sides[1]),
        extractor.frames,
        extractor.size,
    )
