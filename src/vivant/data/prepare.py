"""``vivant prepare``: clips in, labelled shards out.

Each clip is decoded and labelled in a disposable child process; a file that crashes, hangs or
cannot be read is quarantined with its reason. What became of a clip is kept in ``clips/ID.json``
when all its shards are there, so that an interrupted run, killed or not, goes on where it
stopped. At the end near-duplicates across the whole set are dropped, and ``report.html`` and
``log.txt`` say what was kept and why the rest was not.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vivant.child import Limits
from vivant.children import Job, each_in_child
from vivant.data.quality import Thresholds, hamming
from vivant.data.report import write_report
from vivant.data.sources import Source
from vivant.files import make_folder, publish, sweep
from vivant.kept import find, fingerprint, keep, state_of

CHILD = "vivant.data.prepare_child:prepare_clip"

Row = dict[str, Any]
Refusal = Callable[[Path], "str | None"]
"""Says why a file may not be trained on, None where it may; a function of a module, since it is
asked in the child."""


@dataclass(frozen=True)
class Task:
    """One clip to label: where its rows are kept, under which fingerprint, and the child's job."""

    source: Source
    rows: Path
    made_of: str
    job: Job


def prepare(
    sources: list[Source],
    out: Path,
    processes: int = 2,
    *,
    thresholds: Thresholds = Thresholds(),  # noqa: B008 - frozen
    limits: Limits = Limits(),  # noqa: B008 - frozen
    refusal: Refusal | None = None,
    short: int = 0,
    progress: Callable[[float], None] = lambda share: None,
) -> list[Row]:
    """Label all sources into ``out``; returns one row per shot or unreadable clip.

    A row has ``shot`` or ``clip``, what the manifest says, the quality, and ``dropped`` with
    the reason where it was not kept. ``short`` pixels: shots keep a small frame for every step,
    too (training of video diffusion); 0: none.
    """
    make_folder(out / "clips")
    for folder in (out, out / "clips"):
        sweep(folder)
    removed = _removed(out)
    tasks = [_task(source, out, thresholds, refusal, short) for source in sources]
    _label([t for t in tasks if find(t.rows, t.made_of) is None], processes, limits, progress)
    rows = [row for task in tasks for row in find(task.rows, task.made_of) or []]
    for row in rows:
        if row.get("sha256") in removed:
            row["dropped"] = "removed on request"
    _drop_duplicates(rows, thresholds.duplicate_bits)
    for row in rows:
        if "dropped" in row and "shot" in row:
            (out / f"{row['shot']}.tar").unlink(missing_ok=True)
    _conclude(rows, out)
    return rows


def _task(
    source: Source, out: Path, thresholds: Thresholds, refusal: Refusal | None, short: int
) -> Task:
    asked = None if refusal is None else f"{refusal.__module__}:{refusal.__qualname__}"
    job = {
        "path": str(source.path),
        "facts": source.facts,
        "out": str(out),
        "thresholds": asdict(thresholds),
        "refusal": asked,
        "short": short,
    }
    # place, size and date, not the content: a broken file may not even be readable
    state = state_of(source.path) if source.path.exists() else None
    place = fingerprint(source.path.resolve(), source.facts)[:10]
    made_of = fingerprint(state, thresholds, asked, *([short] if short else []))
    return Task(source, out / "clips" / f"{source.path.stem}-{place}.json", made_of, job)


def _label(
    tasks: list[Task], processes: int, limits: Limits, progress: Callable[[float], None]
) -> None:
    jobs = [task.job for task in tasks]
    for done, outcome in enumerate(each_in_child(CHILD, jobs, processes, limits), start=1):
        task = tasks[outcome.index]
        rows = [row for facts in outcome.facts for row in facts["rows"]]
        if outcome.failure is not None:
            rows = [{"clip": task.source.path.name, "dropped": outcome.failure}]
        keep(task.rows, task.made_of, rows)
        progress(done / len(tasks))


def _removed(out: Path) -> set[str]:
    path = out / "removed.jsonl"
    if not path.is_file():
        return set()
    return {json.loads(line)["sha256"] for line in path.read_text("utf-8").splitlines()}


def _drop_duplicates(rows: list[Row], bits: int) -> None:
    """Of shots whose first and middle frames both look the same, keep the longest."""
    kept: list[Row] = []
    able = [row for row in rows if "dropped" not in row]
    for row in sorted(able, key=lambda r: (-r["quality"]["seconds"], r["shot"])):
        mine = [int(h, 16) for h in row["hashes"]]
        for other in kept:
            pairs = zip(mine, (int(h, 16) for h in other["hashes"]), strict=True)
            if all(hamming(a, b) <= bits for a, b in pairs):
                row["dropped"] = f"duplicate of {other['shot']}"
                break
        else:
            kept.append(row)


def _conclude(rows: list[Row], out: Path) -> None:
    lines = [f"{r.get('shot', r['clip'])}: {_fate(r)}" for r in rows]
    with publish(out / "log.txt") as temporary:
        temporary.write_text("\n".join(sorted(lines)) + "\n", "utf-8")
    with publish(out / "report.html") as temporary:
        temporary.write_text(write_report(rows), "utf-8")


def _fate(row: Row) -> str:
    return f"dropped, {row['dropped']}" if "dropped" in row else "kept"
