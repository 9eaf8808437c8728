"""Fifty clients submit, listen, ask and fetch for two minutes: no answer may be wrong.

    python tests/soak_clients.py --clients 50 --seconds 120 --database postgresql

Each client submits a small job, listens to it until it has ended, asks for its state once a second
meanwhile, fetches the clip, compares its hash, and deletes the job. Prints one JSON object with the load of the
machine; the exit code is 1 where an answer was wrong.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2 as httpx

from databases import cluster, free_port
from serving import is_up
from soak_kills import kept, parts
from test_service import request_for, upload
from vivant.service.settings import ServiceSettings

LAST = 300.0
"""Seconds for the jobs under way when time is up."""


@dataclass
class Seen:
    """What all clients saw."""

    status: list[float] = field(default_factory=list)
    done: int = 0
    events: int = 0
    wrong: Counter[str] = field(default_factory=Counter)


class Client:
    def __init__(self, url: str, body: dict[str, Any], number: int, seen: Seen) -> None:
        self._http = httpx.Client(base_url=url, timeout=60, trust_env=False)
        self._body, self._number, self._seen = body, number, seen

    def run(self, until: float) -> None:
        count = 0
        while time.monotonic() < until:
            try:
                self._once(count)
            except Exception as error:
                self._seen.wrong[f"{type(error).__name__}: {error}"[:200]] += 1
                time.sleep(1)
            count += 1
        self._http.close()

    def _once(self, count: int) -> None:
        wanted = {**self._body, "seed": self._number * 10_000 + count}
        job = self._right("POST", "/v1/jobs", 201, json=wanted).json()["id"]
        over = threading.Event()
        asking = threading.Thread(target=self._ask, args=(job, over))
        asking.start()
        try:
            state, numbers = self._listen(job)
        finally:
            over.set()
            asking.join()
        self._check(state == "succeeded", f"ended as {state}")
        self._check(numbers == list(range(len(numbers))) and numbers != [], f"events {numbers}")
        found = self._right("GET", f"/v1/jobs/{job}", 200).json()
        clip = self._right("GET", f"/v1/jobs/{job}/result", 200).content
        self._check(hashlib.sha256(clip).hexdigest() == found["result"]["sha256"], "another clip")
        self._right("DELETE", f"/v1/jobs/{job}", 204)
        self._right("GET", f"/v1/jobs/{job}", 404)
        self._seen.done += 1
        self._seen.events += len(numbers)

    def _listen(self, job: str) -> tuple[str, list[int]]:
        numbers: list[int] = []
        with self._http.stream("GET", f"/v1/jobs/{job}/events", timeout=LAST) as stream:
            self._check(stream.status_code == 200, f"events {stream.status_code}")
            for line in stream.iter_lines():
                if line.startswith("id: "):
                    numbers.append(int(line[4:]))
                if line.startswith('data: {"state"'):
                    return str(json.loads(line[6:])["state"]), numbers
        return "cut off", numbers

    def _ask(self, job: str, over: threading.Event) -> None:
        with httpx.Client(base_url=str(self._http.base_url), timeout=60, trust_env=False) as http:
            while not over.wait(1.0):
                start = time.monotonic()
                answer = http.get(f"/v1/jobs/{job}")
                self._seen.status.append(time.monotonic() - start)
                right = answer.status_code == 200 and answer.json()["id"] == job
                self._check(right, f"status {answer.status_code}", stop=False)

    def _right(self, method: str, path: str, status: int, **options: Any) -> Any:
        answer = self._http.request(method, path, **options)
        self._check(
            answer.status_code == status, f"{method} {answer.status_code} {answer.text[:80]}"
        )
        return answer

    def _check(self, right: bool, what: str, stop: bool = True) -> None:
        if right:
            return
        if stop:
            raise AssertionError(what)
        self._seen.wrong[what] += 1


def soak(settings: ServiceSettings, clients: int, seconds: float) -> dict[str, Any]:
    url, seen, loads = f"http://127.0.0.1:{settings.port}", Seen(), [os.getloadavg()[0]]
    with kept(parts(settings, 2, 15.0), settings.folder / "home"):
        with httpx.Client(base_url=url, timeout=20, trust_env=False) as client:
            while not is_up(client):
                time.sleep(0.2)
            body = {**request_for(upload(client, settings.folder), seconds=0.1), "size": "64x48"}
        until = time.monotonic() + seconds
        all_clients = [Client(url, body, n, seen) for n in range(clients)]
        threads = [threading.Thread(target=one.run, args=(until,)) for one in all_clients]
        for thread in threads:
            thread.start()
        while time.monotonic() < until:
            time.sleep(5)
            loads.append(os.getloadavg()[0])
        for thread in threads:
            thread.join(LAST)
        stuck = sum(thread.is_alive() for thread in threads)
    times = sorted(seen.status)
    return {
        "database": "postgresql" if settings.queue else "sqlite",
        "clients": clients,
        "seconds": seconds,
        "jobs": seen.done,
        "events": seen.events,
        "asked": len(times),
        "status_median_ms": round(1000 * statistics.median(times), 1),
        "status_p95_ms": round(1000 * times[int(0.95 * len(times))], 1),
        "status_max_ms": round(1000 * times[-1], 1),
        "wrong": dict(seen.wrong),
        "stuck": stuck,
        "cores": os.cpu_count(),
        "load": [round(min(loads), 1), round(max(loads), 1)],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(cluster()).url if given.database == "postgresql" else ""
        settings = ServiceSettings(folder, url, port=free_port(), max_waiting=1000)
        report = soak(settings, given.clients, given.seconds)
    print(json.dumps(report))
    return 0 if not report["wrong"] and not report["stuck"] else 1


if __name__ == "__main__":
    sys.exit(main())
