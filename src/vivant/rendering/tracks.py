"""The motion of a clip as tracks of points, in the files that other models are driven by.

Points lie on an even grid over frame 0 and follow the exact flow; one that is covered or leaves the
picture stays unseen. "wan-move" gives ``tracks.npy`` float32 ``[1, 81, N, 2]`` pixels x, y and
``visibility.npy`` bool ``[1, 81, N]`` of Wan-Move; "ati" ``tracks.pth`` of ATI, 121 points a track,
in eighths of a pixel; "comfy" ``tracks.json`` for ComfyUI's ATI node: lists of {x, y}.
"""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats
from vivant.rendering.exports import FlowPair

ACROSS = 12
"""Points along the short side."""
WAN_MOVE, ATI = 81, 121
"""Points of a track in each format."""
ATI_SCALE = 8
TORCH_VERSION = b"3\n"


@dataclass(frozen=True)
class Tracks:
    """``places`` ``[T, N, 2]`` pixels (x, y) of N points in T frames; ``seen`` ``[T, N]``."""

    places: Floats
    seen: NDArray[np.bool_]

    def resampled(self, count: int) -> Tracks:
        """The same motion in ``count`` frames over the same time."""
        at = np.linspace(0, len(self.places) - 1, count)
        low = np.floor(at).astype(int)
        high = np.minimum(low + 1, len(self.places) - 1)
        share = (at - low).astype(np.float32)[:, None, None]
        places = self.places[low] * (1 - share) + self.places[high] * share
        return Tracks(np.asarray(places, np.float32), self.seen[low] & self.seen[high])


def tracks_of(pairs: Iterator[FlowPair], size: tuple[int, int]) -> Tracks:
    """Tracks through the flows of a clip whose frames are of ``size`` (width, height)."""
    points = _grid(size)
    places, seen = [points], [np.ones(len(points), np.bool_)]
    for pair in pairs:
        now, before = places[-1], seen[-1]
        flow = _at(pair.forward, now)
        covered = _at(pair.occluded.astype(np.float32)[..., None], now)[:, 0] > 0.5
        after = now + flow
        inside = (after >= 0).all(axis=1) & (after <= np.array(size) - 1).all(axis=1)
        places.append(np.asarray(after, np.float32))
        seen.append(before & inside & ~covered)
    return Tracks(np.stack(places), np.stack(seen))


def _grid(size: tuple[int, int]) -> Floats:
    step = min(size) / ACROSS
    x, y = (np.arange(step / 2, side, step) for side in size)
    grid = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
    return np.asarray(grid, np.float32)


def _at(values: Floats, places: Floats) -> Floats:
    """``[N, C]``: values ``[H, W, C]`` at places ``[N, 2]``."""
    found = cv2.remap(
        values, places[None].astype(np.float32), None, cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return np.asarray(found.reshape(len(places), -1), np.float32)


def write_wan_move(folder: Path, tracks: Tracks) -> None:
    """``tracks.npy`` and ``visibility.npy`` of Wan-Move."""
    whole = tracks.resampled(WAN_MOVE)
    np.save(folder / "tracks.npy", whole.places[None].astype(np.float32))
    np.save(folder / "visibility.npy", whole.seen[None])


def write_ati(folder: Path, tracks: Tracks) -> None:
    """``tracks.pth`` of ATI: what torch.save makes of the bytes of an npz file."""
    whole = tracks.resampled(ATI)
    rows = np.concatenate([whole.places * ATI_SCALE, whole.seen[..., None]], axis=-1)
    packed = io.BytesIO()
    np.savez_compressed(packed, array=rows.transpose(1, 0, 2)[:, :, None].astype(np.float32))
    with zipfile.ZipFile(folder / "tracks.pth", "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("tracks/data.pkl", pickle.dumps(packed.getvalue(), protocol=2))
        archive.writestr("tracks/byteorder", b"little")
        archive.writestr("tracks/version", TORCH_VERSION)


def write_comfy(folder: Path, tracks: Tracks) -> None:
    """``tracks.json`` of the ATI node of ComfyUI."""
    whole = tracks.resampled(ATI).places.transpose(1, 0, 2)
    rows = [
        [{"x": round(float(x), 2), "y": round(float(y), 2)} for x, y in track] for track in whole
    ]
    (folder / "tracks.json").write_text(json.dumps(rows), "utf-8")


FORMATS: dict[str, Callable[[Path, Tracks], None]] = {
    "tracks:wan-move": write_wan_move,
    "tracks:ati": write_ati,
    "tracks:comfy": write_comfy,
}
"""By the word of ``--export``."""


def write_tracks(folder: Path, tracks: Tracks, parts: tuple[str, ...]) -> None:
    """Write ``parts``, words of `FORMATS`, into ``folder``, which is there."""
    for part in parts:
        FORMATS[part](folder, tracks)
