"""Whole runs in fresh processes, and how their cost grows."""

from __future__ import annotations

import json
import math
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from vivant.cores import cores
from vivant.errors import VivantError
from vivant.version import __version__

SIZES = {"480p": 480, "720p": 720, "1080p": 1080, "4k": 2160}
LONGER = (2, 4)
LONG = (10.0, 60.0)
LAUNCHER = """
import json, os, subprocess, sys, time
clock = time.monotonic()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, used = os.wait4(child.pid, 0)
wall = time.monotonic() - clock
print(json.dumps([wall, used.ru_utime + used.ru_stime, used.ru_maxrss]))
sys.exit(os.waitstatus_to_exitcode(status) and 1)
"""
OVER_FRAMES = ("render", "watermark", "encode")


class BenchError(VivantError):
    """A run that was to be measured failed."""


@dataclass(frozen=True)
class Cost:
    """Wall and CPU seconds (all threads), and peak resident memory in MiB, of one process."""

    wall: float
    cpu: float
    peak_mib: float


def bench(
    photo: Path,
    sizes: Sequence[str],
    seconds: float,
    folder: Path,
    progress: Callable[[float], None] = lambda share: None,
    long: bool = False,
) -> dict[str, Any]:
    """Measure stages and whole runs at each size, and 2 and 4 times the duration at the first.

    ``folder`` is for clips that are thrown away. Raises BenchError where a run fails.
    """
    plan = [(size, seconds) for size in sizes]
    plan += [(sizes[0], seconds * by) for by in LONGER]
    plan += [("720p", length) for length in LONG] if long else []
    rows = []
    for done, (size, length) in enumerate(plan):
        rows.append(one(photo, size, length, folder))
        progress((done + 1) / len(plan))
    by_size, by_length = rows[: len(sizes)], [rows[0], *rows[len(sizes) :][: len(LONGER)]]
    out: dict[str, Any] = {
        "vivant": __version__,
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "machine": machine(),
        "photo": photo.name,
        "runs": rows,
        "growth_with_pixels": growth(by_size, "pixels") if len(sizes) > 1 else {},
        "growth_with_frames": growth(by_length, "frames"),
    }
    if long:
        short, lasting = (row["whole"]["peak_mib"] for row in rows[-2:])
        out["memory_60s_over_10s"] = round(lasting / short, 3)
    return out


def one(photo: Path, size: str, seconds: float, folder: Path) -> dict[str, Any]:
    """Stages of one clip, then the whole command from a cold start."""
    stages = json.loads(_output(["-m", "vivant.bench.stages", photo, size, seconds]))
    clip = folder / "clip.mp4"
    words = ["-m", "vivant", "animate", photo, "-o", clip, "--size", size, "--consent"]
    whole = timed([*words, "--seconds", seconds, "--json", "--overwrite"])
    costs, count = stages["stages"], stages["frames"]
    return {
        **stages,
        "pixels": stages["width"] * stages["height"],
        "seconds": seconds,
        "frames_per_second": {
            name: round(count / max(costs[name]["wall"], 1e-6), 1) for name in OVER_FRAMES
        },
        "whole": {k: round(v, 3) for k, v in asdict(whole).items()},
        "ratio_to_encoding": round(whole.wall / costs["encode"]["wall"], 2),
        "cpu_ratio_to_encoding": round(whole.cpu / costs["encode"]["cpu"], 2),
        "mp4_kib": clip.stat().st_size // 1024,
    }


def growth(rows: list[dict[str, Any]], along: str) -> dict[str, float]:
    """Exponent of each stage's CPU time against pixels or frames: 1 is in proportion, 0 flat."""
    x = [math.log(row[along]) for row in rows]
    if max(x) - min(x) < 0.1:
        return {}
    out = {}
    for name in [*rows[0]["stages"], "whole"]:
        cpu = [
            row["whole"]["cpu"] if name == "whole" else row["stages"][name]["cpu"] for row in rows
        ]
        out[name] = round(float(np.polyfit(x, np.log(np.maximum(cpu, 1e-4)), 1)[0]), 2)
    return out


def timed(words: Sequence[Any]) -> Cost:
    """Run ``python WORDS...`` in a fresh process; what it prints is thrown away.

    A small launcher stands between: on Linux a child's peak memory begins with its parent's.
    Raises BenchError where the run fails.
    """
    command = [sys.executable, "-I", "-S", "-c", LAUNCHER, sys.executable, *map(str, words)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise BenchError(f"A measured run failed: {done.stderr.strip()[-300:]}")
    wall, cpu, peak = json.loads(done.stdout)
    return Cost(wall, cpu, peak / (1024**2 if sys.platform == "darwin" else 1024))


def _output(words: Sequence[Any]) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, words)], check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise BenchError(f"A measured run failed: {done.stderr.strip()[-300:]}")
    return done.stdout


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    cpu = platform.processor() or platform.machine()
    listed = Path("/proc/cpuinfo")
    if listed.is_file():
        names = [line for line in listed.read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].partition(":")[2].strip() if names else cpu
    return {
        "cpu": cpu,
        "cores": cores(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }
