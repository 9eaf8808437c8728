"""Workers die at random while jobs run: each job must end exactly once, none may be lost.

    python tests/soak_kills.py --jobs 45 --kills 15

Prints one JSON object; the exit code is 1 where a promise was broken.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from test_service import ended, request_for, serving, upload, worker_of


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=45)
    parser.add_argument("--kills", type=int, default=15)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = soak(Path(folder), given.jobs, given.kills, random.Random(given.seed))
    print(json.dumps(report))
    good = report["succeeded"] == given.jobs and report["whole"] == given.jobs
    return 0 if good and report["integrity"] == "ok" else 1


def soak(folder: Path, jobs: int, kills: int, chance: random.Random) -> dict[str, Any]:
    start = time.monotonic()
    with serving(folder) as served, served.client() as client:
        body = request_for(upload(client, folder), seconds=2)
        ids = [client.post("/v1/jobs", json={**body, "seed": n}).json()["id"] for n in range(jobs)]
        done = 0
        while done < kills:
            time.sleep(chance.uniform(0.2, 3.0))
            done += kill(served)
        states = [ended(client, job)["state"] for job in ids]
        left = [sorted(p.name for p in (served.folder / "results" / job).iterdir()) for job in ids]
        with sqlite3.connect(served.folder / "queue.sqlite") as database:
            integrity = database.execute("PRAGMA integrity_check").fetchone()[0]
    return {
        "jobs": jobs,
        "kills": done,
        "succeeded": states.count("succeeded"),
        "whole": left.count(["clip.mp4"]),
        "integrity": integrity,
        "seconds": round(time.monotonic() - start, 1),
    }


def kill(served: Any) -> int:
    try:
        os.kill(worker_of(served), signal.SIGKILL)
    except (StopIteration, ProcessLookupError, FileNotFoundError):  # between two workers
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
