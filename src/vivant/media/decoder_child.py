"""The child's side of `vivant.media.decoder`: JSON lines in, JSON lines and raw bytes out."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivant.child import limit_memory
from vivant.errors import UsageError, VivantError
from vivant.media.read import read_mask, read_picture
from vivant.media.video import iter_video, probe

Send = Callable[..., None]


def serve(memory_mib: int) -> None:
    """Answer requests on standard input until it ends."""
    out = os.fdopen(os.dup(1), "wb", buffering=1 << 20)
    os.dup2(2, 1)  # what a library prints must not reach the answers

    def send(header: dict[str, Any], *arrays: NDArray[np.uint8]) -> None:
        out.write(json.dumps(header).encode() + b"\n")
        for array in arrays:
            out.write(np.ascontiguousarray(array).data)
        out.flush()

    limit_memory(memory_mib)
    for line in sys.stdin.buffer:
        request = json.loads(line)
        what, path = request.pop("what"), Path(request.pop("path"))
        try:
            ANSWERS[what](send, path, **request)
        except UsageError as error:
            send({"error": "usage", "text": str(error)})
        except (VivantError, MemoryError) as error:
            text = str(error) or f"{path} cannot be decoded (it needs too much memory)."
            send({"error": "media", "text": text})


def _picture(send: Send, path: Path, *, allow_tiff: bool) -> None:
    picture = read_picture(path, allow_tiff=allow_tiff)
    both = [picture.pixels] if picture.alpha is None else [picture.pixels, picture.alpha]
    facts = {"sha256": picture.sha256, "notes": picture.notes}
    send({"shape": picture.pixels.shape, "alpha": len(both) > 1, **facts}, *both)


def _mask(send: Send, path: Path) -> None:
    mask = read_mask(path)
    send({"shape": mask.shape}, mask)


def _info(send: Send, path: Path) -> None:
    send(asdict(probe(path)))


def _frames(send: Send, path: Path) -> None:
    for frame in iter_video(path):
        send({"shape": frame.shape}, frame)
    send({"end": True})


ANSWERS: dict[str, Callable[..., None]] = {
    "picture": _picture,
    "mask": _mask,
    "info": _info,
    "frames": _frames,
}
