"""Shards: plain tar archives in the WebDataset layout, written whole and read in order.

A sample ``KEY`` has the members ``KEY.json`` (facts: licence, origin, hash, measures),
``KEY.safetensors`` (labels) and ``KEY.NNN.jpg`` (the key frame at step NNN).
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

from vivant.data.labels import Labels
from vivant.files import publish


@dataclass(frozen=True)
class Sample:
    """One shot, labelled: ``keys`` maps a step to its key frame ``[H, W, 3]`` uint8."""

    key: str
    labels: Labels
    keys: dict[int, NDArray[np.uint8]]
    facts: dict[str, Any]


def write_sample(path: Path, sample: Sample) -> None:
    """Write one sample as its own shard ``path`` (.tar), published by rename."""
    with publish(path) as temporary, tarfile.open(temporary, "w") as tar:
        _add(tar, f"{sample.key}.json", json.dumps(sample.facts).encode())
        _add(tar, f"{sample.key}.safetensors", save(_half(sample.labels)))
        for step, frame in sample.keys.items():
            buffer = io.BytesIO()
            Image.fromarray(frame).save(buffer, "JPEG", quality=92)
            _add(tar, f"{sample.key}.{step:03d}.jpg", buffer.getvalue())


def shard_paths(folder: Path) -> list[Path]:
    """The shards of a folder in the order of their names, without unfinished ones."""
    return sorted(p for p in folder.glob("*.tar") if not p.name.startswith("."))


def read_samples(folder: Path) -> Iterator[Sample]:
    """All samples of a folder of shards, in the order of their names."""
    for path in shard_paths(folder):
        yield read_sample(path)


def read_sample(path: Path) -> Sample:
    """Read one shard written by `write_sample`."""
    facts: dict[str, Any] = {}
    labels: Labels | None = None
    keys: dict[int, NDArray[np.uint8]] = {}
    with tarfile.open(path) as tar:
        for member in tar:
            stream = tar.extractfile(member)
            data = stream.read() if stream else b""
            stem, _, suffix = member.name.rpartition(".")
            if suffix == "json":
                facts = json.loads(data)
            elif suffix == "safetensors":
                labels = Labels(**{k: v.astype(np.float32) for k, v in load(data).items()})
            elif suffix == "jpg":
                keys[int(stem.rpartition(".")[2])] = np.asarray(
                    Image.open(io.BytesIO(data), formats=["JPEG"])
                )
    if labels is None:
        raise ValueError(f"{path} holds no labels")
    return Sample(path.stem, labels, keys, facts)


def _half(labels: Labels) -> dict[str, NDArray[np.float16]]:
    return {f.name: getattr(labels, f.name).astype(np.float16) for f in fields(labels)}


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def read_facts(path: Path) -> dict[str, Any]:
    """Only the facts of a shard: licence, origin, hash, measures."""
    with tarfile.open(path) as tar:
        for member in tar:
            stream = tar.extractfile(member)
            if member.name.endswith(".json") and stream is not None:
                facts: dict[str, Any] = json.loads(stream.read())
                return facts
    raise ValueError(f"{path} holds no facts")
