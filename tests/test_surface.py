"""The public surface is frozen: a change here is a change for users, and belongs in the changelog."""

from __future__ import annotations

import typer

import vivant
from vivant.cli.main import command_line

SHARED = {
    "--aspect", "--camera", "--consent", "--depth", "--export", "--fov", "--flow", "--flow-format", "--format", "--fps", "--hold", "--json", "--layer", "--light", "--loop",
    "--lossless", "--model", "--move", "--no-watermark", "--out", "--overwrite", "--save-field",
    "--save-motion", "--save-scene",
    "--seconds", "--size", "--prompt", "--still", "--strength", "--stroke", "--strokes", "--wind", "-o",
}  # fmt: skip
COMMANDS = {
    "animate": {
        "photos", "--field", "--samples", "--seed", "--last", "--steps", "--guidance", "--render",
        "--steady-colour", "--draft", "--moved-noise", "--keyframe", "--like", "--transition",
    } | SHARED,
    "batch": {
        "manifest", "--cluster", "--folder", "--json", "--out", "--processes", "--queue", "--ray",
        "--results", "-o",
    },
    "bench": {"photo", "--long", "--out", "--seconds", "--sizes"},
    "between": {
        "pictures", "--alive", "--consent", "--dissolve", "--format", "--fps", "--json", "--no-watermark",
        "--out", "--overwrite", "--seconds", "--size", "-o",
    },
    "clean": {
        "clip", "--consent", "--format", "--json", "--no-watermark", "--out", "--overwrite",
        "--picture", "--size", "--steady-colour", "-o",
    },
    "data": set(),
    "evaluate": {
        "suite", "--clips", "--consent", "--features", "--model", "--out", "--photos", "--pictures",
        "--ratio", "--samples", "--split", "--truth",
    },
    "extend": {
        "clip", "--before", "--consent", "--format", "--json", "--model", "--no-watermark", "--out",
        "--overwrite", "--seconds", "--seed", "--size", "-o",
    },
    "field": {"path", "--json", "--overwrite", "--picture", "--preview"},
    "freeze": {
        "clip", "--consent", "--format", "--hold", "--json", "--no-watermark", "--out",
        "--overwrite", "--size", "-o",
    },
    "loop": {
        "clip", "--back", "--consent", "--format", "--json", "--no-watermark", "--out",
        "--overwrite", "--seconds", "--size", "-o",
    },
    "mask": {"photo", "--at", "--kind", "--out", "--overwrite", "-o"},
    "models": {"--json"},
    "prepare": {
        "sources", "--clip-memory", "--clip-seconds", "--duplicate-bits", "--frames", "--max-jump",
        "--max-text", "--min-confidence", "--min-seconds", "--min-speed", "--out", "--procedural",
        "--processes", "--split",
    },
    "render": {"photo", "field"} | SHARED,
    "retime": {
        "clip", "--consent", "--format", "--fps", "--json", "--no-watermark", "--out",
        "--overwrite", "--size", "--speed", "-o",
    },
    "serve": {
        "--disk-floor", "--folder", "--host", "--lease", "--name", "--new-key", "--no-worker",
        "--port", "--queue", "--rate", "--results", "--webhook-host",
    },
    "see": {
        "photo", "--depth", "--json", "--masks", "--out", "--overwrite", "--save-scene", "--with-depth", "-o",
    },
    "stir": {
        "clip", "--camera", "--consent", "--format", "--json", "--light", "--no-watermark", "--out",
        "--overwrite", "--size", "-o",
    },
    "train": {"recipe", "--data", "--from", "--out", "--val"},
    "verify": {"files", "--depth", "--field", "--json", "--model", "--picture", "--rerender", "--trust"},
    "worker": {"--folder", "--lease", "--queue", "--results", "--slot", "--supervised"},
}  # fmt: skip


def test_commands_and_options() -> None:
    group = typer.main.get_command(command_line())
    found = {
        name: {option for parameter in command.params for option in parameter.opts}
        for name, command in group.commands.items()  # type: ignore[attr-defined]
    }
    assert found == COMMANDS


def test_names_of_the_facade() -> None:
    assert vivant.__all__ == [
        "Animation", "Hooks", "VivantError", "VivantPipeline", "__version__", "animate", "connect",
        "render", "verify",
    ]  # fmt: skip
    assert all(hasattr(vivant, name) for name in vivant.__all__)
