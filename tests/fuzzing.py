"""Mutated files through the product's own readers and commands; also the nightly script:

    python tests/fuzzing.py --count 50000 --commands 2000 --out fuzz.json

`fuzz` hands files to the readers: media and shards to a child that may die, fields, strokes and data
to their readers in this process. `fuzzed_commands` runs whole commands. What counts: an answer or one
clear sentence, in time, under the cap, and no half-written file.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from conftest import photo_like, simple_field
from vivant.bundle import BUILTIN, open_bundle
from vivant.child import Limits
from vivant.clip import VideoSpec
from vivant.controls.camera import parse_camera
from vivant.controls.stroke import parse_stroke, read_strokes
from vivant.data.procedural import make_scene, scene_sample
from vivant.data.shards import read_facts, read_samples, write_sample
from vivant.data.sources import read_sources
from vivant.errors import VivantError
from vivant.field.file import load_field, save_field
from vivant.media.decoder import Decoder
from vivant.media.formats import FORMATS
from vivant.media.write import write_video

LIMITS = Limits(seconds=20.0, memory_mib=3072)
W, H = 48, 40
STILLS = {
    "jpg": ("JPEG", {}), "progressive.jpg": ("JPEG", {"progressive": True}), "png": ("PNG", {}),
    "webp": ("WEBP", {}), "gif": ("GIF", {}), "avif": ("AVIF", {"speed": 10}), "heic": ("HEIF", {}),
}  # fmt: skip
FILMS = ("mp4", "mov", "mkv", "webm", "gif", "webp")


def seeds(folder: Path) -> dict[str, bytes]:
    """Small good files by name; the part before the dash says how each is read."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    out: dict[str, bytes] = {}
    image = Image.fromarray(photo_like(W, H))
    for name, (kind, options) in STILLS.items():
        buffer = io.BytesIO()
        image.save(buffer, kind, **options)
        out[f"still-{name}"] = buffer.getvalue()
    _, deep = cv2.imencode(".png", photo_like(W, H).astype(np.uint16) * 257)
    out["still-16.png"] = deep.tobytes()
    frames = [photo_like(W, H, k) for k in range(3)]
    for name in FILMS:
        path = folder / f"seed{FORMATS[name].suffix}"
        write_video(iter(frames), VideoSpec(W, H, 12.0, 3), path, FORMATS[name])
        out[f"film-{name}"] = path.read_bytes()
    save_field(folder / "seed.safetensors", simple_field(W, H, drift=(0.1, 0.0)), overwrite=True)
    out["field-safetensors"] = (folder / "seed.safetensors").read_bytes()
    strokes = [{"points": [[0.1, 0.2], [0.5, 0.5]], "seconds": 2.0}]
    out["strokes-json"] = json.dumps(strokes).encode()
    out["stroke-txt"] = b"0.1,0.2>0.5,0.5>0.7,0.5@2.0"
    out["camera-txt"] = b"push-in 0.1, pan-left"
    out["manifest-jsonl"] = b'{"path": "a.mp4", "split": "test", "licence": "CC0-1.0"}\n' * 3
    out["bundle-json"] = (BUILTIN / "config.json").read_bytes()
    return out | shards(folder)


def shards(folder: Path) -> dict[str, bytes]:
    """A shard of `vivant prepare`."""
    scene = scene_sample(make_scene("thing", 1, []), "seed")
    write_sample(folder / "seed.tar", scene)
    return {"shard-tar": (folder / "seed.tar").read_bytes()}


def mutated(rng: np.random.Generator, good: bytes, others: list[bytes]) -> bytes:
    """Bytes changed, runs repeated, the end cut off, another file's middle spliced in."""
    data = bytearray(good)
    for at in rng.integers(0, len(data), rng.integers(1, 12)):
        data[at] = rng.choice([0, 255, 127, int(rng.integers(256))])
    if rng.random() < 0.2:
        at = int(rng.integers(len(data)))
        data[at:at] = data[at : at + int(rng.integers(1, 64))] * int(rng.integers(1, 8))
    if rng.random() < 0.25:
        data = data[: rng.integers(1, len(data) + 1)]
    if rng.random() < 0.15:
        other = others[int(rng.integers(len(others)))]
        cut = int(rng.integers(0, len(data) + 1))
        data = data[:cut] + other[int(rng.integers(0, len(other))) :]
    return bytes(data)


def readers(decoder: Decoder) -> dict[str, Callable[[Path], object]]:
    def text(path: Path) -> str:
        return path.read_text("utf-8", errors="surrogateescape")

    return {
        "still": decoder.picture,
        "film": lambda path: sum(1 for _ in decoder.frames(path)),
        "field": load_field,
        "strokes": read_strokes,
        "stroke": lambda path: parse_stroke(text(path)),
        "camera": lambda path: parse_camera(text(path)),
        "manifest": read_sources,
        "bundle": lambda path: open_bundle(alone(path, "config.json")),
        "facts": read_facts,
        "shard": lambda path: list(read_samples(alone(path, "a.tar"))),
    }


def alone(path: Path, name: str) -> Path:
    """A folder in which ``path`` is the only file, called ``name``."""
    folder = path.parent / "alone"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copy(path, folder / name)
    return folder


def fuzz(count: int, folder: Path, seed: int = 0) -> dict[str, dict[str, int]]:
    """Outcomes by kind of file: read, refused, or crashed (of the child, which is replaced).

    Raises whatever is not a `VivantError` of one line.
    """
    found: dict[str, Counter[str]] = {}
    good = seeds(folder)
    names, others = list(good), list(good.values())
    with Decoder(LIMITS) as decoder:
        read = readers(decoder)
        for k in range(count):
            name = names[k % len(names)]
            rng = np.random.default_rng((seed, k))
            path = folder / f"m.{name.partition('-')[2]}"
            path.write_bytes(mutated(rng, good[name], others))
            how = name.partition("-")[0]
            if how == "shard" and k // len(names) % 8:
                how = "facts"  # the other costs a new child
            found.setdefault(name, Counter())[outcome(read[how], path, f"{k} {name}")] += 1
    return {name: dict(counter) for name, counter in found.items()}


def outcome(read: Callable[[Path], object], path: Path, label: str) -> str:
    try:
        read(path)
    except VivantError as error:
        text = str(error)
        assert "\n" not in text, f"{label}: {text}"
        assert "Traceback" not in text, f"{label}: {text}"
        assert "longer than" not in text, f"{label}: {text}"
        return "crashed the child" if "crashed" in text else "refused"
    return "read"


def main() -> None:
    from fuzzed_commands import fuzz_commands

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--commands", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    clock = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        os.environ["VIVANT_HOME"] = str(Path(name) / "home")
        for part in ("files", "commands"):
            (Path(name) / part).mkdir()
        found = fuzz(args.count, Path(name) / "files", args.seed)
        ran = fuzz_commands(args.commands, Path(name) / "commands", args.seed)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    result = {
        "count": args.count,
        "commands": args.commands,
        "seconds": round(time.monotonic() - clock),
        "parent_peak_mib": peak,
        "outcomes": found,
        "outcomes_of_commands": ran,
    }
    text = json.dumps(result, indent=1)
    print(text)
    if args.out:
        args.out.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
