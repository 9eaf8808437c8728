"""Physics-IQ on folders: the benchmark's layout in, results and a page out."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vivant.clip import Frame
from vivant.errors import UsageError
from vivant.evaluation.physics_iq import (
    SECONDS,
    SHRINK,
    Agreement,
    Footage,
    View,
    agreement,
    footage,
    frozen,
    score,
    score_verified,
)
from vivant.evaluation.statistics import bootstrap
from vivant.files import listed, make_folder, publish
from vivant.kept import find, fingerprint, keep, state_of
from vivant.media.decoder import Decoder
from vivant.pages import page

SUBJECTS = ("clips", "still picture", "take 2")
TAKEN_AT = 30


@dataclass(frozen=True)
class Shot:
    """One camera of one scenario: the clip and the test videos of both takes. ``masks`` are the
    benchmark's own masks of the takes, None where it brings none."""

    name: str
    scenario: str
    clip: Path
    takes: tuple[Path, Path]
    masks: tuple[Path, Path] | None


@dataclass(frozen=True)
class Bench:
    """What is scored: ``rate`` frames a second of the clips, ``total`` views of the benchmark."""

    shots: tuple[Shot, ...]
    rate: float
    total: int


def run_physics_iq(
    clips: Path, truth: Path, out: Path, progress: Callable[[float], None] = lambda share: None
) -> dict[str, Any]:
    """Score ``clips`` against the benchmark's folder ``truth``; a killed run goes on.

    Writes ``results.json`` and ``report.html`` into ``out`` and returns what the JSON holds.
    Raises UsageError where the folders do not fit together or a clip is shorter than 5 s, and
    MediaError where one cannot be decoded.
    """
    with Decoder() as decoder:
        bench = read_bench(clips, truth, decoder)
        cases = out / "cases"
        make_folder(cases)
        rows = []
        for k, shot in enumerate(bench.shots):
            rows.append(_kept(shot, bench.rate, cases, decoder))
            progress((k + 1) / len(bench.shots))
    results = _results(rows, bench) | {"clips": clips.name}
    with publish(out / "results.json") as temporary:
        temporary.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    with publish(out / "report.html") as temporary:
        temporary.write_text(_page(results), "utf-8")
    return results


def read_bench(clips: Path, truth: Path, decoder: Decoder) -> Bench:
    """Pair clips and test videos by the four digits their names begin with."""
    for folder in (clips, truth):
        if not folder.is_dir():
            raise UsageError(f"There is no folder {folder}.")
    made = {p.name[:4]: p for p in listed(clips, "*.mp4")}
    if not made:
        raise UsageError(f"{clips} holds no clips called like 0001_....mp4.")
    rate = _rate(list(made.values()), decoder)
    testing = truth / "split-videos" / "testing"
    own = testing / f"{int(rate)}FPS"
    folder = own if own.is_dir() else testing / f"{TAKEN_AT}FPS"
    if not folder.is_dir():
        raise UsageError(f"{truth} is not the benchmark's folder: there is no {folder}.")
    takes: dict[tuple[str, str], dict[str, Path]] = {}
    for path in listed(folder, "*.mp4"):
        parts = path.stem.split("_")
        if len(parts) != 6 or parts[4] not in ("take-1", "take-2"):
            raise UsageError(f"{path} is not called like a test video of the benchmark.")
        takes.setdefault((parts[5], parts[3]), {})[parts[4]] = path
    shots = [
        Shot(f"{scenario} {view}", scenario, made[pair["take-1"].name[:4]], both, _masks(both))
        for (scenario, view), pair in takes.items()
        if len(pair) == 2
        and pair["take-1"].name[:4] in made
        and (both := (pair["take-1"], pair["take-2"]))
    ]
    if not shots:
        raise UsageError(f"No clip of {clips} has the number of a test video in {folder}.")
    return Bench(tuple(shots), rate, len(takes))


def _masks(takes: tuple[Path, Path]) -> tuple[Path, Path] | None:
    rate = takes[0].parent.name
    folder = takes[0].parents[3] / "video-masks" / "real" / rate
    first, second = (folder / p.name.replace("testing-videos", "video-masks") for p in takes)
    return (first, second) if first.is_file() and second.is_file() else None


def _rate(paths: list[Path], decoder: Decoder) -> float:
    rates = {path: decoder.info(path).fps for path in paths}
    first = rates[paths[0]]
    odd = next((p for p, r in rates.items() if not math.isclose(r, first, rel_tol=1e-4)), None)
    if odd is not None:
        raise UsageError(
            f"{odd} has {rates[odd]:g} frames/s, {paths[0].name} has {first:g}; the benchmark"
            " wants one rate for all clips."
        )
    return first


def read_frames(path: Path, most: int, decoder: Decoder) -> list[Frame]:
    """At most ``most`` BGR frames, by OpenCV's reader as the benchmark's own code. Raises
    MediaError where the file cannot be decoded, UsageError where it holds no frame."""
    frames = list(decoder.opencv_frames(path, most))
    if not frames:
        raise UsageError(f"{path} cannot be read as a video.")
    return frames


def resample(frames: list[Frame], count: int) -> list[Frame]:
    """``count`` frames over the same span, blended linearly and cut to whole levels."""
    if count == len(frames):
        return frames
    out = []
    for k in range(count):
        at = k * (len(frames) - 1) / max(count - 1, 1)
        first = int(at)
        share = np.float32(at - first)
        a, b = frames[first], frames[min(first + 1, len(frames) - 1)]
        out.append(((1 - share) * a.astype(np.float32) + share * b).astype(np.uint8))
    return out


def measure(shot: Shot, rate: float, decoder: Decoder) -> dict[str, Agreement]:
    """Each subject against take 1."""
    count = int(SECONDS * rate)
    made = read_frames(shot.clip, count, decoder)
    if len(made) < count:
        raise UsageError(
            f"{shot.clip} is {len(made) / rate:.2f} s long; the benchmark scores {SECONDS} s."
        )
    reals = [_real(shot, k, count, rate, decoder) for k in (0, 1)]
    height, width = reals[0].frames.shape[1:3]
    clip = footage(made, (width, height))
    subjects = (clip, frozen(reals[0].frames[0], count), reals[1])
    return {n: agreement(reals[0], s) for n, s in zip(SUBJECTS, subjects, strict=True)}


def _real(shot: Shot, take: int, count: int, rate: float, decoder: Decoder) -> Footage:
    path = shot.takes[take]
    ready = path.parent.name == f"{int(rate)}FPS"
    frames = read_frames(path, count if ready else SECONDS * TAKEN_AT, decoder)
    if ready and len(frames) < count:
        raise UsageError(f"{path} has {len(frames)} frames, {count} are needed.")
    frames = resample(frames, count)
    masks = read_frames(shot.masks[take], count, decoder) if ready and shot.masks else None
    if masks is not None and len(masks) < count:
        raise UsageError(f"The mask of {path.name} has {len(masks)} frames, not {count}.")
    height, width = frames[0].shape[:2]
    return footage(frames, (width // SHRINK, height // SHRINK), masks)


def _kept(shot: Shot, rate: float, folder: Path, decoder: Decoder) -> dict[str, Any]:
    """The shot's row, from an earlier run where its files are the same."""
    files = (shot.clip, *shot.takes, *(shot.masks or ()))
    made_of = fingerprint([state_of(path) for path in files])
    kept = folder / f"{shot.clip.name[:4]}.json"
    row: dict[str, Any] | None = find(kept, made_of)
    if row is None:
        row = {"name": shot.name, "scenario": shot.scenario}
        row |= {name: asdict(a) for name, a in measure(shot, rate, decoder).items()}
        keep(kept, made_of, row)
    return row


def _results(rows: list[dict[str, Any]], bench: Bench) -> dict[str, Any]:
    subjects = {}
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row["scenario"], []).append(row)
    scenarios = list(groups.values())
    for name in SUBJECTS:

        def drawn(chosen: Any, name: str = name) -> float:
            return score([v for k in chosen for v in _views(scenarios[int(k)], name)])

        views = _views(rows, name)
        low, high = bootstrap(np.arange(len(scenarios), dtype=np.float64), drawn)
        means = {k: float(np.mean([r[name][k] for r in rows])) for k in rows[0][name]}
        subjects[name] = {
            "score": score(views),
            "low": low,
            "high": high,
            "score_verified": round(score_verified(views), 2),
            **{k: round(v, 4) for k, v in means.items()},
        }
    return {
        "suite": "Physics-IQ",
        "fps": bench.rate,
        "views": len(rows),
        "views_of_benchmark": bench.total,
        "complete": len(rows) == bench.total,
        "subjects": subjects,
        "shots": {row["name"]: row["clips"] for row in rows},
    }


def _views(rows: list[dict[str, Any]], name: str) -> list[View]:
    return [View(Agreement(**row[name]), Agreement(**row["take 2"])) for row in rows]


def _page(results: dict[str, Any]) -> str:
    still = results["subjects"]["still picture"]["score"]
    subjects = [
        {"name": name, "figures": row, "beaten": name == "clips" and row["score"] <= still}
        for name, row in results["subjects"].items()
    ]
    shots = sorted(results["shots"].items(), key=lambda item: float(item[1]["weighted"]))
    views = [{"name": name, "figures": row, "beaten": False} for name, row in shots]
    return page("physics_iq", title="Physics-IQ", results=results, subjects=subjects, views=views)
