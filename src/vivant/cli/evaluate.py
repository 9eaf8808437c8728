"""``vivant evaluate``: a suite in, figures with intervals and a page out."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from vivant.cli.show import progress_bars, say
from vivant.errors import UsageError
from vivant.files import claim_folder, listed, publish
from vivant.version import __version__


def evaluate_suite(
    suite: Path,
    out: Path,
    model: str,
    clips: Path | None,
    split: str,
    samples: int,
    pictures: bool,
) -> None:
    """Measure and report; what was measured before under the same settings is kept."""
    from vivant.evaluation.report import write_reports
    from vivant.evaluation.run import FPS, SECONDS, Plan, run
    from vivant.evaluation.subject import Subject
    from vivant.evaluation.suites import read_suite
    from vivant.registry import load

    if samples < 1:
        raise UsageError(f"--samples must be at least 1, not {samples}.")
    if clips is not None and not clips.is_dir():
        raise UsageError(f"There is no folder of clips at {clips}.")
    loaded: Subject | None = None
    about: dict[str, Any] = {"suite": suite.name, "samples": samples, "vivant": __version__}
    if clips is None:
        loaded = Subject(load(model), SECONDS, FPS)
        identity = loaded.generator.identity
        about |= {"model": identity.name, "sha256": identity.sha256}
    else:
        about |= {"clips": clips.name}
    claim_folder(out, "settings.txt")
    _start_anew_if_changed(out, about | {"pictures": pictures, "split": split})
    with progress_bars(quiet=False) as progress:
        cases = read_suite(suite, split, out, lambda share: progress("labelling", share))
        plan = Plan(loaded, clips, samples, pictures)
        rows = run(cases, plan, out, lambda share: progress("measuring", share))
    if clips is not None and not any("model" in row["frames"] for row in rows):
        names = ", ".join(case.name for case in cases[:3])
        raise UsageError(f"{clips} holds no clip called like a case of the suite ({names}, ...).")
    results = write_reports(rows, about, out)
    say(f"{len(rows)} clips measured; {out / 'report.html'} and results.json")
    for line in results["beaten"]:
        say(f"not better than a baseline: {line}")


def _start_anew_if_changed(out: Path, settings: dict[str, Any]) -> None:
    """Throw away results of other weights or settings."""
    text = json.dumps(settings, sort_keys=True)
    key, kept = hashlib.sha256(text.encode()).hexdigest(), out / "settings.txt"
    if kept.is_file() and kept.read_text("utf-8") != key:
        for path in listed(out / "cases", "*.json"):
            path.unlink()
    with publish(kept) as temporary:
        temporary.write_text(key, "utf-8")
