"""Whole commands on mutated files: the table `COMMANDS` holds every command and option that opens a
file; another one is one more entry."""

from __future__ import annotations

import contextlib
import faulthandler
import io
import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np
from PIL import Image

from conftest import photo_like, simple_field
from fuzzing import H, W, alone, mutated, seeds
from vivant.bundle import BUILTIN
from vivant.cli.main import main as vivant_main
from vivant.field.file import save_field
from vivant.media.exr import write_exr


@dataclass(frozen=True)
class Inputs:
    """Good files for a command's other arguments, the mutated one, and a place for its output."""

    photo: Path
    field: Path
    clip: Path
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
SIZED = ["--size", f"{W}x{H}", "--consent"]
SMALL = [*SIZED, "--seconds", "0.1"]
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
    "animate --depth": (
        ("depth-exr", "depth-npz", "depth-npy", "still-16.png"),
        lambda i: ["animate", i.photo, "--depth", i.bad, "-o", i.out, *SMALL],
    ),
    "animate --camera": (
        ("camera-json", "path-txt"),
        lambda i: ["animate", i.photo, "--camera", i.bad, "-o", i.out, *SMALL],
    ),
    "animate --keyframe": (
        STILL,
        lambda i: ["animate", i.photo, "--keyframe", f"{i.bad}@0.1", "-o", i.out, *SMALL],
    ),
    "animate --like": (FILM, lambda i: ["animate", i.photo, "--like", i.bad, "-o", i.out, *SMALL]),
    "render MOTION": (
        ("layers-motion",), lambda i: ["render", i.photo, i.bad, "-o", i.out, *SMALL],
    ),
    "see": (STILL, lambda i: ["see", i.bad, "-o", i.out.with_suffix(".png")]),
    "see --with-depth": (
        ("depth-exr", "depth-npy"), lambda i: ["see", i.photo, "--with-depth", i.bad],
    ),
    "mask": (STILL, lambda i: ["mask", i.bad, "--at", "0.5,0.5", "-o", i.out.with_suffix(".png")]),
    "between": (STILL, lambda i: ["between", i.photo, i.bad, "-o", i.out, *SMALL]),
    "retime": (FILM, lambda i: ["retime", i.bad, "--speed", "0.5", "-o", i.out, *SIZED]),
    "clean": (
        FILM, lambda i: ["clean", i.bad, "--picture", i.photo, "-o", i.out, *SIZED],
    ),
    "clean --picture": (
        STILL, lambda i: ["clean", i.clip, "--picture", i.bad, "-o", i.out, *SIZED],
    ),
    "loop": (FILM, lambda i: ["loop", i.bad, "-o", i.out, *SIZED]),
    "freeze": (FILM, lambda i: ["freeze", i.bad, "--hold", "sky", "-o", i.out, *SIZED]),
    "freeze --hold": (
        ("still-png", "still-16.png"),
        lambda i: ["freeze", i.clip, "--hold", i.bad, "-o", i.out, *SIZED],
    ),
    "extend": (FILM, lambda i: ["extend", i.bad, "-o", i.out, *SMALL]),
    "stir": (FILM, lambda i: ["stir", i.bad, "--camera", "push-in 5%", "-o", i.out, *SIZED]),
    "batch": (("batch-jsonl",), lambda i: ["batch", i.bad, "-o", i.out.with_suffix("")]),
    "models add --depth": (("eyes-onnx",), lambda i: ["models", "add", "--depth", i.bad]),
    "data remove": (
        ("shard-tar",), lambda i: ["data", "remove", i.folder("a.tar"), "--match", "seed"],
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
        photo, field, clip = (place / name for name in ("photo.png", "field.vivant", "signed.mp4"))
        inputs = Inputs(photo, field, clip, bad, work / "out.mkv")
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
        lines = said.strip().splitlines()[-2:]  # a batch ends with how many were made
        assert lines[-1 if "batch" not in label else 0].startswith("vivant: "), f"{label}: {said}"
        assert inputs.out.is_dir() or not inputs.out.exists(), f"{label}: {inputs.out} is there"
    half = [p.name for p in inputs.bad.parent.rglob(".*") if ".tmp" in p.name]
    assert not half, f"{label}: {half}"


def command_seeds(folder: Path) -> dict[str, bytes]:
    """Small good files, also of what commands write; ``good`` beside holds whole inputs."""
    out, place = seeds(folder), folder / "good"
    place.mkdir()
    Image.fromarray(photo_like(W, H)).save(place / "photo.png")
    save_field(place / "field.vivant", simple_field(W, H, drift=(0.1, 0.0)), overwrite=True)
    clip, motion = place / "signed.mp4", place / "layers.motion"
    saved = ["--save-motion", str(motion)]
    code, said = run_command(["animate", str(place / "photo.png"), "-o", str(clip), *SMALL, *saved])
    assert code == 0, said
    out["signed-mp4"] = clip.read_bytes()
    out["signed-pem"] = next(Path(os.environ["VIVANT_HOME"]).rglob("root.pem")).read_bytes()
    out["layers-motion"] = motion.read_bytes()
    out |= depths(folder)
    out["eyes-onnx"] = YUNET.read_bytes()
    keys = [{"at": 0}, {"at": 1, "move": "truck-right 5%", "ease": "linear"}]
    out["camera-json"] = json.dumps({"keys": keys, "fov": 50}).encode()
    out["path-txt"] = (
        b"https://example.org\n" + b"0 0.8 1.4 0.5 0.5 0 0 1 0 0 0 0 1 0 0 0 0 1 0\n" * 3
    )
    line = {"picture": str(place / "photo.png"), "seconds": 0.1, "size": f"{W}x{H}"}
    out["batch-jsonl"] = (json.dumps(line) + "\n").encode()
    testing = place / "bench" / "split-videos" / "testing" / "30FPS"
    testing.mkdir(parents=True)
    for number in (1, 2):
        name = f"000{number}_testing-videos_30FPS_view_take-{number}_fall.mp4"
        (testing / name).write_bytes(out["film-mp4"])
    return out


def depths(folder: Path) -> dict[str, bytes]:
    """A depth map in every file that can hold one."""
    plane = np.linspace(1, 9, W * H, dtype=np.float32).reshape(H, W)
    write_exr(folder / "seed.exr", {"Z": plane})
    np.savez(folder / "seed.npz", depth=plane)
    np.save(folder / "seed.npy", plane)
    return {f"depth-{end}": (folder / f"seed.{end}").read_bytes() for end in ("exr", "npz", "npy")}
