"""Mutated files through the product's own readers and commands; also the nightly script:

    python tests/fuzzing.py --count 50000 --commands 2000 --out fuzz.json

`fuzz` hands files to the readers: media and shards to a child that may die, fields, strokes and data
to their readers in this process. `fuzz_commands` runs whole commands (the table `COMMANDS`; another
command is one more entry). What counts: an answer or one clear sentence, in time, under the cap, and
no half-written file.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import io
import json
import os
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import cv2
import numpy as np
from PIL import Image

from conftest import photo_like, simple_field
from vivant.bundle import BUILTIN, open_bundle
from vivant.child import Limits
from vivant.cli.main import main as vivant_main
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


@dataclass(frozen=True)
class Inputs:
    """Good files for a command's other arguments, the mutated one, and a place for its output."""

    photo: Path
    field: Path
    bad: Path
    out: Path

    def folder(self, name: str) -> Path:
        return alone(self.bad, name)

    @property
    def bundle(self) -> Path:
        """A bundle whose configuration is the mutated file, with graphs that load in no time."""
        folder = self.folder("config.json")
        for name in ("encoder.onnx", "velocity.onnx"):
            (folder / name).symlink_to(YUNET)
        return folder


Words = Callable[[Inputs], "list[object]"]
YUNET = BUILTIN.parent / "provenance" / "yunet.onnx"
SMALL = ["--size", f"{W}x{H}", "--seconds", "0.1", "--consent"]
STILL, FILM = ("still-jpg", "still-png", "still-webp", "still-avif"), ("film-mp4", "film-webm")
COMMANDS: dict[str, tuple[tuple[str, ...], Words]] = {
    "animate": (STILL, lambda i: ["animate", i.bad, "-o", i.out, *SMALL]),
    "animate --still": (
        ("still-png", "still-gif"),
        lambda i: ["animate", i.photo, "--still", i.bad, "-o", i.out, *SMALL],
    ),
    "animate --move": (
        ("still-png", "still-16.png"),
        lambda i: ["animate", i.photo, "--move", i.bad, "-o", i.out, *SMALL],
    ),
    "animate --strokes": (
        ("strokes-json",),
        lambda i: ["animate", i.photo, "--strokes", i.bad, "-o", i.out, *SMALL],
    ),
    "animate --model": (
        ("bundle-json",),
        lambda i: ["animate", i.photo, "--model", i.bundle, "-o", i.out, *SMALL],
    ),
    "render": (
        ("field-safetensors",),
        lambda i: ["render", i.photo, i.bad, "-o", i.out, *SMALL],
    ),
    "render PHOTO": (STILL, lambda i: ["render", i.bad, i.field, "-o", i.out, *SMALL]),
    "field": (
        ("field-safetensors",),
        lambda i: ["field", i.bad, "--picture", i.out.with_suffix(".png")],
    ),
    "verify": (("signed-mp4", "film-mkv", "still-jpg"), lambda i: ["verify", i.bad]),
    "verify --trust": (("signed-pem",), lambda i: ["verify", i.photo, "--trust", i.bad]),
    "prepare": (FILM, lambda i: ["prepare", i.folder(i.bad.name), "--out", i.out]),
    "prepare MANIFEST": (("manifest-jsonl",), lambda i: ["prepare", i.bad, "--out", i.out]),
    "data list": (("shard-tar",), lambda i: ["data", "list", i.folder("a.tar")]),
    "evaluate SHARDS": (
        ("shard-tar",),
        lambda i: ["evaluate", i.folder("a.tar"), "--clips", i.photo.parent, "--out", i.out],
    ),
    "evaluate MANIFEST": (("manifest-jsonl",), lambda i: ["evaluate", i.bad, "--out", i.out]),
    "evaluate physics-iq": (
        ("film-mp4",),
        lambda i: [
            "evaluate", "physics-iq", "--clips", i.folder("0001_a.mp4"),
            "--truth", i.photo.parent / "bench", "--out", i.out,
        ],
    ),
    "models": ((), lambda i: ["models", "--json"]),
}  # fmt: skip


def fuzz_commands(count: int, folder: Path, seed: int = 0) -> dict[str, dict[str, int]]:
    """Outcomes by command: done, or refused in one sentence; all else raises AssertionError."""
    good, place = command_seeds(folder), folder / "good"
    others, found = list(good.values()), dict[str, Counter[str]]()
    for k in range(count):
        name = list(COMMANDS)[k % len(COMMANDS)]
        kinds, words = COMMANDS[name]
        kind = kinds[k // len(COMMANDS) % len(kinds)] if kinds else "still-jpg"
        work = folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        bad = work / f"bad.{kind.partition('-')[2]}"
        bad.write_bytes(mutated(np.random.default_rng((seed, k)), good[kind], others))
        inputs = Inputs(place / "photo.png", place / "field.vivant", bad, work / "out.mkv")
        code, said = run_command([str(word) for word in words(inputs)])
        check_command(f"{k} {name} {kind}", code, said, inputs)
        found.setdefault(name, Counter())["done" if code == 0 else "refused"] += 1
    return {name: dict(counter) for name, counter in found.items()}


def run_command(words: list[str]) -> tuple[int, str]:
    """Exit code and what was said on standard error; after two minutes all ends with a dump."""
    said, code = io.StringIO(), 0
    faulthandler.dump_traceback_later(120, exit=True)
    with (
        mock.patch.object(sys, "argv", ["vivant", *words]),
        contextlib.redirect_stderr(said),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        try:
            vivant_main()
        except SystemExit as end:
            code = int(end.code or 0) if not isinstance(end.code, str) else 1
    faulthandler.cancel_dump_traceback_later()
    return code, said.getvalue()


def check_command(label: str, code: int, said: str, inputs: Inputs) -> None:
    assert code in (0, 1, 2), f"{label}: {code} {said}"
    assert "Traceback" not in said, f"{label}: {said}"
    assert "unexpected failure" not in said, f"{label}: {said}"
    assert "longer than" not in said, f"{label}: {said}"
    if code != 0 and not label.partition(" ")[2].startswith("verify"):
        last = said.strip().splitlines()[-1]
        assert last.startswith("vivant: "), f"{label}: {said}"
        assert inputs.out.is_dir() or not inputs.out.exists(), f"{label}: {inputs.out} is there"
    half = [p.name for p in inputs.bad.parent.rglob(".*") if ".tmp" in p.name]
    assert not half, f"{label}: {half}"


def command_seeds(folder: Path) -> dict[str, bytes]:
    """Small good files, also of what commands write; ``good`` beside holds whole inputs."""
    out, place = seeds(folder), folder / "good"
    place.mkdir()
    Image.fromarray(photo_like(W, H)).save(place / "photo.png")
    save_field(place / "field.vivant", simple_field(W, H, drift=(0.1, 0.0)), overwrite=True)
    clip = place / "signed.mp4"
    code, said = run_command(["animate", str(place / "photo.png"), "-o", str(clip), *SMALL])
    assert code == 0, said
    out["signed-mp4"] = clip.read_bytes()
    out["signed-pem"] = next(Path(os.environ["VIVANT_HOME"]).rglob("root.pem")).read_bytes()
    testing = place / "bench" / "split-videos" / "testing" / "30FPS"
    testing.mkdir(parents=True)
    for number in (1, 2):
        name = f"000{number}_testing-videos_30FPS_view_take-{number}_fall.mp4"
        (testing / name).write_bytes(out["film-mp4"])
    return out


def main() -> None:
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
