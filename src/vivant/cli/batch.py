"""``vivant batch``: many clips from a file of requests."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from vivant.batch.run import REPORT, Executor, run_batch
from vivant.cli.show import print_json, progress_bars, say
from vivant.errors import UsageError


def batch(manifest: Path, out: Path, executor: Executor, json: bool) -> bool:
    """Make what is missing and say what failed; whether all clips are there."""
    with progress_bars(json) as progress:
        report = run_batch(manifest, out, executor, progress)
    if json:
        print_json(asdict(report))
    else:
        for one in report.failed:
            say(f"vivant: line {one.line}: {one.error}")
        say(
            f"{len(report.made)} made, {len(report.there)} there already, {len(report.failed)}"
            f" failed: {out / REPORT}"
        )
    return not report.failed


def executor_for(
    processes: int, queue: str, folder: Path, results: str, ray: bool, cluster: str
) -> Executor:
    """Where the clips are made. Raises UsageError where two places are named."""
    if queue and ray:
        raise UsageError("--queue and --ray are two places; leave one out.")
    if ray:
        from vivant.batch.on_ray import OnRay

        return OnRay(cluster)
    if queue:
        try:
            from vivant.batch.queued import OnQueue
            from vivant.service.settings import ServiceSettings
        except ImportError as error:
            raise UsageError("This needs the extra: pip install 'vivant[serve]'.") from error
        return OnQueue(ServiceSettings(folder, "" if queue == "folder" else queue, store=results))
    from vivant.batch.machine import OnMachine

    return OnMachine(processes)
