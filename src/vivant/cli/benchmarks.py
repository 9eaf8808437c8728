"""Public benchmarks under ``vivant evaluate``: Physics-IQ is scored, VBench-I2V
exported, a Frechet video distance taken with features the user brings."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from vivant.cli.show import progress_bars, say
from vivant.errors import UsageError
from vivant.files import make_folder, publish


def score_physics_iq(clips: Path | None, truth: Path | None, out: Path) -> None:
    """Score a folder of clips against the benchmark's folder."""
    from vivant.evaluation.physics_iq_run import run_physics_iq

    if clips is None or truth is None:
        raise UsageError("physics-iq needs --clips FOLDER and --truth BENCHMARK_FOLDER.")
    with progress_bars(quiet=False) as progress:
        results = run_physics_iq(clips, truth, out, lambda share: progress("scoring", share))
    for name, row in results["subjects"].items():
        say(f"{name}: {row['score']:.2f} ({row['low']:.1f} to {row['high']:.1f})")
    if not results["complete"]:
        views = f"{results['views']} of {results['views_of_benchmark']}"
        say(f"only {views} views have a clip: not comparable with published scores")
    say(f"{out / 'report.html'} and results.json")


def export_vbench(
    photos: Path | None, out: Path, model: str, ratio: str, consent: bool = False
) -> None:
    """Write the clips that VBench-I2V scores."""
    from vivant.evaluation.vbench import export, read_prompts
    from vivant.provenance.keys import signing_key
    from vivant.provenance.policy import policy_of
    from vivant.registry import load
    from vivant.settings import read_settings

    if photos is None:
        raise UsageError("vbench needs --photos FOLDER.")
    prompts = read_prompts(photos, ratio)
    settings = read_settings()
    with progress_bars(quiet=False) as progress:
        record = export(
            prompts,
            load(model),
            out,
            signing_key(settings),
            policy=policy_of(settings, consent),
            progress=lambda s: progress("exporting", s),
        )
    refused = [row for row in record["clips"] if "refused" in row]
    say(f"{len(record['clips']) - len(refused)} clips in {out / 'videos'}")
    for row in refused[:3]:
        say(f"not made: {row['name']}: {row['refused']}")
    if len(refused) > 3:
        say(f"and {len(refused) - 3} more, see {out / 'record.json'}")


def video_distance_of(
    clips: Path | None, truth: Path | None, features: Path | None, out: Path
) -> None:
    """Frechet video distance between two folders of clips."""
    from vivant.evaluation.fvd import Extractor, video_distance

    if clips is None or truth is None or features is None:
        raise UsageError("fvd needs --clips FOLDER, --truth FOLDER and --features FILE.")
    found = video_distance(clips, truth, Extractor(features))
    make_folder(out)
    with publish(out / "results.json") as temporary:
        temporary.write_text(json.dumps(asdict(found), indent=1) + "\n", "utf-8")
    say(
        f"{found.value:.4g} ({found.extractor} {found.sha256[:8]}, {found.made} against"
        f" {found.real} clips, {found.frames} frames, {found.size} pixels)"
    )
