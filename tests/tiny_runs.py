"""Runs of the random checkpoints that ``tiny_models.py`` builds, in a child as users have it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vivant.adapters.families import TABLE, family_named
from vivant.adapters.host import Job
from vivant.adapters.memory import Placement
from vivant.child import Child

NAMES = [family.name for family in TABLE]
WORKER = "vivant.adapters.worker"
CPU = Placement("cpu", "float32", "", False, 0, 0)
SIDE = 64
PICTURE = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), np.uint8)


def built(factory: pytest.TempPathFactory) -> Path:
    """The folder that holds a checkpoint of each family, by name; built once in a run."""
    folder = factory.getbasetemp() / "tiny"
    if not folder.exists():
        script = Path(__file__).with_name("tiny_models.py")
        subprocess.run([sys.executable, script, folder, *NAMES], check=True, capture_output=True)
    return folder


def job(folder: Path, name: str, needed: int = 5, **more: Any) -> Job:
    """A clip of at least ``needed`` frames."""
    family = family_named(name)
    k = family.grid.rounds(needed)
    arrays = {"picture": PICTURE, **more.pop("arrays", {})}
    if family.needs_last:
        arrays["last"] = arrays["picture"][::-1].copy()
    plain: dict[str, Any] = {
        "folder": str(folder / name), "family": name, "frames": family.grid.asked(k), "seed": 0,
        "steps": 2, "guidance": family.guidance, "prompt": "the lake", "fps": family.fps,
        "strength": 1.0, "draft": 0.0, "rounds": k if family.grid.windows else 1,
    }  # fmt: skip
    return Job(**{**plain, **more}, arrays=arrays)


def given(name: str, needed: int = 5) -> int:
    """Frames that such a job gives."""
    grid = family_named(name).grid
    return grid.given(grid.rounds(needed))


def sampled(
    child: Child, asked: Job, placement: Placement = CPU
) -> tuple[list[dict[str, Any]], np.ndarray]:
    """What is told on the way, and the frames."""
    facts, where = asked.facts(), asdict(placement)
    answers = list(child.ask(f"{WORKER}:sample", asked.arrays, job=facts, placement=where))
    frames = [a.arrays["frames"] for a in answers if "frames" in a.arrays]
    return [a.facts for a in answers], np.concatenate(frames)


def apart(a: np.ndarray, b: np.ndarray) -> int:
    """The largest difference of two clips, levels."""
    return int(np.abs(a.astype(int) - b).max())
