"""Shards: plain tar archives in the WebDataset layout, written whole and read in order.

A sample ``KEY`` has the members ``KEY.json`` (facts: licence, origin, hash, measures),
``KEY.safetensors`` (labels), ``KEY.NNN.jpg`` (the key frame at step NNN) and, where small frames
were asked for, ``KEY.npy`` (one a step).
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import load, save

from vivant.child import Broken, Child, Limits
from vivant.data.labels import CELL, Labels
from vivant.errors import MediaError
from vivant.files import listed, publish
from vivant.wire import Answer

KEY_EVERY = 4
"""Steps from one key frame to the next."""
LIMITS = Limits(seconds=60.0, memory_mib=6144)
"""For one shard."""


@dataclass(frozen=True)
class Sample:
    """One shot, labelled: ``keys`` maps a step to its key frame ``[H, W, 3]`` uint8; ``frames``
    ``[steps, h, w, 3]`` uint8 holds a small frame for every step, None where none were kept."""

    key: str
    labels: Labels
    keys: dict[int, NDArray[np.uint8]]
    facts: dict[str, Any]
    frames: NDArray[np.uint8] | None = None


def write_sample(path: Path, sample: Sample) -> None:
    """Write one sample as its own shard ``path`` (.tar), published by rename."""
    with publish(path) as temporary, tarfile.open(temporary, "w") as tar:
        _add(tar, f"{sample.key}.json", json.dumps(sample.facts).encode())
        _add(tar, f"{sample.key}.safetensors", save(_half(sample.labels)))
        for step, frame in sample.keys.items():
            buffer = io.BytesIO()
            Image.fromarray(frame).save(buffer, "JPEG", quality=92)
            _add(tar, f"{sample.key}.{step:03d}.jpg", buffer.getvalue())
        if sample.frames is not None:
            buffer = io.BytesIO()
            np.save(buffer, sample.frames, allow_pickle=False)
            _add(tar, f"{sample.key}.npy", buffer.getvalue())


def shard_paths(folder: Path) -> list[Path]:
    """The shards of a folder in the order of their names, without unfinished ones."""
    return listed(folder, "*.tar")


def read_samples(folder: Path) -> Iterator[Sample]:
    """All samples of a folder of shards, in the order of their names, decoded in a child.

    Raises MediaError where a shard is damaged.
    """
    with Child(LIMITS) as child:
        for path in shard_paths(folder):
            try:
                for answer in child.ask(f"{__name__}:shard", path=str(path)):
                    yield _unpacked(answer, path)
            except Broken as error:
                raise _damaged(path, f"it {error.why}") from error


def shard(path: str) -> Iterator[Answer]:
    """The child's side of `read_samples`: one sample, labels and key frames as arrays."""
    sample = read_sample(Path(path))
    labels = {f.name: getattr(sample.labels, f.name) for f in fields(Labels)}
    keys = {f"{step:d}": frame for step, frame in sample.keys.items()}
    small = {} if sample.frames is None else {"frames": sample.frames}
    yield Answer({"key": sample.key, "facts": sample.facts}, labels | keys | small)


def _unpacked(answer: Answer, path: Path) -> Sample:
    arrays = dict(answer.arrays)
    try:
        labels = Labels(**{f.name: arrays.pop(f.name) for f in fields(Labels)})
        frames = arrays.pop("frames", None)
        keys = {int(step): frame for step, frame in arrays.items()}
        sample = Sample(str(answer.facts["key"]), labels, keys, dict(answer.facts["facts"]), frames)
    except (KeyError, ValueError, TypeError) as error:
        raise _damaged(path, str(error)) from error
    return _checked(sample, path)


def read_sample(path: Path) -> Sample:
    """Read one shard written by `write_sample`, in this process: for children, or for shards
    that were made here. Raises MediaError where it is damaged."""
    facts: dict[str, Any] = {}
    labels: Labels | None = None
    keys: dict[int, NDArray[np.uint8]] = {}
    frames: NDArray[np.uint8] | None = None
    try:
        for name, data in _members(path):
            stem, _, suffix = name.rpartition(".")
            if suffix == "json":
                facts = dict(json.loads(data))
            elif suffix == "safetensors":
                labels = Labels(**{k: v.astype(np.float32) for k, v in load(data).items()})
            elif suffix == "npy":
                frames = np.load(io.BytesIO(data), allow_pickle=False)
            elif suffix == "jpg":
                keys[int(stem.rpartition(".")[2])] = np.asarray(
                    Image.open(io.BytesIO(data), formats=["JPEG"]), np.uint8
                )
    except Exception as error:  # tar, JSON, safetensors and JPEG have each their own
        raise _damaged(path, str(error)) from error
    if labels is None:
        raise _damaged(path, "it holds no labels")
    return _checked(Sample(path.stem, labels, keys, facts, frames), path)


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(path, "r:") as tar:
        for member in tar:
            stream = tar.extractfile(member)
            yield member.name, stream.read() if stream else b""


def _checked(sample: Sample, path: Path) -> Sample:
    labels = sample.labels
    steps, _, h, w = labels.velocity.shape if labels.velocity.ndim == 4 else (0, 0, 0, 0)
    wanted = {
        "velocity": (steps, 2, h, w),
        "confidence": (steps, h, w),
        "gradient": (steps, h, w),
        "luminance": (steps, h, w),
        "camera": (steps, 4),
        "camera_share": (steps,),
    }
    found = {name: getattr(labels, name).shape for name in wanted}
    if steps == 0 or found != wanted:
        raise _damaged(path, "its labels do not fit together")
    missing = [step for step in range(0, steps, KEY_EVERY) if step not in sample.keys]
    shapes = {(frame.shape, frame.dtype.str) for frame in sample.keys.values()}
    if missing or shapes != {((CELL * h, CELL * w, 3), "|u1")}:
        raise _damaged(path, "its key frames do not fit its labels")
    small = sample.frames
    if small is not None and (small.dtype != np.uint8 or small.shape[::3] != (steps, 3)):
        raise _damaged(path, "its small frames do not fit its labels")
    return sample


def _damaged(path: Path, why: str) -> MediaError:
    reason = " ".join(why.split())[:200]
    return MediaError(f"{path} is no whole shard ({reason}); make it again with `vivant prepare`.")


def _half(labels: Labels) -> dict[str, NDArray[np.float16]]:
    return {f.name: getattr(labels, f.name).astype(np.float16) for f in fields(labels)}


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def read_facts(path: Path) -> dict[str, Any]:
    """Only the facts of a shard: licence, origin, hash, measures. Raises MediaError where it is
    damaged."""
    try:
        for name, data in _members(path):
            if name.endswith(".json"):
                return dict(json.loads(data))
    except (OSError, tarfile.TarError, ValueError, TypeError, EOFError) as error:
        raise _damaged(path, str(error)) from error
    raise _damaged(path, "it holds no facts")
