"""A batch from its manifest to its report: what is there already is not made again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from vivant.batch.manifest import Refused, Task, read_manifest
from vivant.errors import UsageError
from vivant.files import check_not_input, locked, publish, sweep

REPORT = "report.json"
LOCK = ".vivant-batch.lock"


@dataclass(frozen=True)
class Outcome:
    """What became of a task: ``error`` in a sentence, "" where its clip is there."""

    task: Task
    error: str = ""


Executor = Callable[[Sequence[Task], Path], Iterator[Outcome]]
"""Makes the clips of tasks in a folder, in any order; each is published whole or not at all."""


@dataclass(frozen=True)
class Clip:
    """A clip, by the line that asks for it."""

    line: int
    file: str


@dataclass(frozen=True)
class Report:
    """Clips ``made`` now, those that were ``there`` already, and the lines that ``failed``."""

    made: tuple[Clip, ...]
    there: tuple[Clip, ...]
    failed: tuple[Refused, ...]


def run_batch(
    manifest: Path, out: Path, executor: Executor, progress: Callable[[str, float], None]
) -> Report:
    """Make every clip that ``manifest`` asks for and ``out`` does not hold yet.

    The name of a clip holds the hash of all that it was asked with, so a run that was killed goes
    on where it was, and a line that comes twice is made once. Raises UsageError where the
    manifest cannot be read, the folder cannot be written to, or another run is at work there.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / LOCK).touch()
    except OSError as error:
        raise UsageError(f"The folder {out} cannot be written to ({error.strerror}).") from error
    with locked(out / LOCK, f"Another batch is at work in {out}; wait for it."):
        sweep(out)
        found = list(read_manifest(manifest))
        tasks = {task.name: task for task in found if isinstance(task, Task)}
        _check_report(out / REPORT, manifest, tasks.values())
        missing = [task for name, task in tasks.items() if not (out / name).is_file()]
        errors: dict[str, str] = {}
        progress("batch", 0.0)
        for done, outcome in enumerate(executor(missing, out), 1):
            errors[outcome.task.name] = outcome.error
            progress("batch", done / len(missing))
        report = _report(found, errors)
        with publish(out / REPORT) as temporary:
            temporary.write_text(json.dumps(asdict(report), indent=1) + "\n", "utf-8")
        return report


def _check_report(place: Path, manifest: Path, tasks: Iterable[Task]) -> None:
    """Refuse to replace an input, or a file that is no report of a batch. Raises UsageError."""
    read = (Path(path) for task in tasks for path, _ in task.files.values())
    check_not_input(place, (manifest, *read))
    try:
        kept = json.loads(place.read_text("utf-8"))
    except FileNotFoundError:
        return
    except (OSError, ValueError):
        kept = None
    if not isinstance(kept, dict) or set(kept) != {one.name for one in fields(Report)}:
        raise UsageError(f"{place} is no report of a batch and is not replaced; choose a folder.")


def _report(found: Sequence[Task | Refused], errors: dict[str, str]) -> Report:
    made, there, failed = [], [], []
    for one in found:
        if isinstance(one, Refused):
            failed.append(one)
        elif one.name not in errors:
            there.append(Clip(one.line, one.name))
        elif errors[one.name]:
            failed.append(Refused(one.line, errors[one.name]))
        else:
            made.append(Clip(one.line, one.name))
    return Report(tuple(made), tuple(there), tuple(failed))
