"""The web process and two workers die at random while jobs come and run: each job must end exactly
once, none may be lost.

    python tests/soak_kills.py --jobs 45 --kills 15 --database postgresql

Prints one JSON object; the exit code is 1 where a promise was broken.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2 as httpx

from databases import cluster, free_port
from serving import is_up
from test_service import request_for, upload
from vivant.files import sha256_of
from vivant.service.queue.store import client_for
from vivant.service.settings import ServiceSettings

LEASE = 5.0
PATIENCE = 1800.0


@dataclass
class Kept:
    """A process that is started again whenever it dies, as an operator's supervisor does."""

    words: list[str]
    environment: dict[str, str]
    deaths: int = 0
    process: subprocess.Popen[bytes] | None = None
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.over.is_set():
            words = [sys.executable, "-m", "vivant", *self.words]
            with subprocess.Popen(words, env=self.environment) as self.process:
                while self.process.poll() is None and not self.over.wait(0.05):
                    pass
                self.process.kill()

    def kill(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            return False
        os.kill(self.process.pid, signal.SIGKILL)
        self.deaths += 1
        return True


@contextmanager
def kept(all_words: dict[str, list[str]], home: Path) -> Iterator[dict[str, Kept]]:
    environment = {**os.environ, "VIVANT_HOME": str(home)}
    found = {name: Kept(words, environment) for name, words in all_words.items()}
    threads = [threading.Thread(target=one.run) for one in found.values()]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        for one in found.values():
            one.over.set()
        for thread in threads:
            thread.join()


def parts(settings: ServiceSettings, workers: int, lease: float) -> dict[str, list[str]]:
    """The commands of a web process and of workers."""
    place = ["--folder", str(settings.folder), "--queue", settings.queue, "--lease", str(lease)]
    web = ["serve", *place, "--no-worker", "--port", str(settings.port)]
    hands = {f"worker {n}": ["worker", *place, "--slot", str(n)] for n in range(workers)}
    return {"web": web, **hands}


def insist(client: Any, method: str, path: str, **options: Any) -> Any:
    """An answer, however often the server dies meanwhile."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            answer = client.request(method, path, **options)
            if answer.status_code < 500:
                return answer
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise TimeoutError(path)


def soak(settings: ServiceSettings, jobs: int, kills: int, chance: random.Random) -> dict[str, Any]:
    start = time.monotonic()
    url = f"http://127.0.0.1:{settings.port}"
    with (
        kept(parts(settings, 2, LEASE), settings.folder / "home") as processes,
        httpx.Client(base_url=url, timeout=20, trust_env=False) as client,
    ):
        while not is_up(client):
            time.sleep(0.2)
        body = request_for(upload(client, settings.folder), seconds=2)
        ids: list[str] = []

        def submit() -> None:
            for n in range(jobs):
                headers = {"Idempotency-Key": str(n)}
                wanted = {**body, "seed": n}
                ids.append(
                    insist(client, "POST", "/v1/jobs", json=wanted, headers=headers).json()["id"]
                )
                time.sleep(0.1)

        submitting = threading.Thread(target=submit)
        submitting.start()
        done = 0
        while done < kills:
            time.sleep(chance.uniform(0.5, 6.0))
            done += processes[chance.choice(list(processes))].kill()
        submitting.join()
        ended = [wait_for_end(client, job) for job in ids]
        deaths = {name: one.deaths for name, one in processes.items()}
    states = Counter(job["state"] for job in ended)
    whole = sum(is_whole(settings, job) for job in ended if job["state"] == "succeeded")
    return {
        "database": "postgresql" if settings.queue else "sqlite",
        "jobs": jobs,
        "different": len(set(ids)),
        "in_database": len(stored(settings)),
        "kills": deaths,
        "states": dict(states),
        "whole": whole,
        "integrity": integrity(settings),
        "load": round(os.getloadavg()[0], 1),
        "seconds": round(time.monotonic() - start, 1),
    }


def wait_for_end(client: Any, job: str) -> dict[str, Any]:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = dict(insist(client, "GET", f"/v1/jobs/{job}").json())
        if found["state"] in ("succeeded", "failed", "cancelled"):
            return found
        time.sleep(0.3)
    return {"state": "lost"}


def is_whole(settings: ServiceSettings, job: dict[str, Any]) -> bool:
    """One clip and nothing else, and it is the one that the database speaks of."""
    folder = settings.results / job["id"]
    names = [path.name for path in folder.iterdir()]
    return names == ["clip.mp4"] and sha256_of(folder / "clip.mp4") == job["result"]["sha256"]


def stored(settings: ServiceSettings) -> list[str]:
    client = client_for(settings)
    try:
        return [job.workflow_id for job in client.list_workflows(load_input=False)]
    finally:
        client.destroy()


def integrity(settings: ServiceSettings) -> str:
    """Of SQLite's file, which the killed processes wrote themselves."""
    if settings.queue:
        return "not theirs to harm"
    with sqlite3.connect(settings.folder / "queue.sqlite") as database:
        found = str(database.execute("PRAGMA integrity_check").fetchone()[0])
    database.close()
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=45)
    parser.add_argument("--kills", type=int, default=15)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(cluster()).url if given.database == "postgresql" else ""
        settings = ServiceSettings(folder, url, port=free_port())
        report = soak(settings, given.jobs, given.kills, random.Random(given.seed))
    print(json.dumps(report))
    good = report["states"].get("succeeded") == report["whole"] == given.jobs
    once = report["different"] == report["in_database"] == given.jobs
    return 0 if good and once and report["integrity"] in ("ok", "not theirs to harm") else 1


if __name__ == "__main__":
    sys.exit(main())
