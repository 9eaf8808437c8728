"""The disk full, the database gone for 30 s, the clock set back by an hour: no job may be lost, and every
answer must be a clear one.

    python tests/soak_faults.py disk       # mounts a small tmpfs, so as root
    python tests/soak_faults.py database
    python tests/soak_faults.py clock      # pip install libfaketime

Prints one JSON object; the exit code is 1 where a promise was broken.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx

from databases import cluster, free_port
from serving import is_up
from soak_kills import LEASE, Kept, insist, kept, parts, wait_for_end
from test_service import request_for, upload
from vivant.service.queue.store import client_for
from vivant.service.settings import ServiceSettings

AWAY_SECONDS = 30.0


@contextlib.contextmanager
def running(settings: ServiceSettings, *web: str) -> Iterator[tuple[Any, dict[str, Kept]]]:
    words = parts(settings, 2, LEASE)
    words["web"] += web
    with (
        kept(words, settings.folder.parent / "home") as processes,
        httpx.Client(
            base_url=f"http://127.0.0.1:{settings.port}", timeout=60, trust_env=False
        ) as client,
    ):
        while not is_up(client):
            time.sleep(0.2)
        yield client, processes


def answers(client: Any, ask: Callable[[Any], Any], seconds: float) -> dict[str, int]:
    """What comes back, by status and sentence, or by the kind of failure."""
    found: Counter[str] = Counter()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            answer = ask(client)
            said = "" if answer.is_success else f" {answer.text[:100]}"
            found[f"{answer.status_code}{said}"] += 1
        except httpx.TransportError as error:
            found[type(error).__name__] += 1
        time.sleep(0.5)
    return dict(found)


def submit(client: Any, folder: Path, count: int, seconds: float) -> list[str]:
    body = request_for(upload(client, folder), seconds=seconds)
    wanted = [{**body, "seed": n} for n in range(count)]
    return [insist(client, "POST", "/v1/jobs", json=one).json()["id"] for one in wanted]


def ends(client: Any, ids: list[str]) -> dict[str, int]:
    found = [wait_for_end(client, job) for job in ids]
    return dict(Counter(f"{job['state']} {job.get('error', '')}".strip()[:120] for job in found))


def disk(base: Path) -> dict[str, Any]:
    place = base / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(place)]
    subprocess.run(mount, check=True)
    try:
        settings = ServiceSettings(place / "data", port=free_port())
        with running(settings, "--disk-floor", "0") as (client, _):
            ids = submit(client, base, 4, 40)
            again = request_for(upload(client, base))
            while not any(
                client.get(f"/v1/jobs/{job}").json()["state"] == "running" for job in ids
            ):
                time.sleep(0.1)
            filler = place / "filler"
            with contextlib.suppress(OSError), filler.open("wb", buffering=0) as stream:
                while True:
                    stream.write(bytes(4096))
            said = {
                "upload": answers(client, lambda c: c.post("/v1/assets", content=bytes(200_000)), 10),
                "submit": answers(client, lambda c: c.post("/v1/jobs", json=again), 5),
                "status": answers(client, lambda c: c.get(f"/v1/jobs/{ids[0]}"), 10),
            }  # fmt: skip
            filler.unlink()
            ended = ends(client, ids)
            after = ends(client, submit(client, base, 1, 0.25))
        return {"while full": said, "jobs": ended, "afterwards": after}
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


def database(base: Path) -> dict[str, Any]:
    with cluster() as made:
        settings = ServiceSettings(base / "data", made.url, port=free_port())
        with running(settings) as (client, processes):
            ids = submit(client, base, 6, 60)
            time.sleep(3)
            before = [one.process.pid for one in processes.values() if one.process]
            made.stop()
            said = answers(client, lambda c: c.get(f"/v1/jobs/{ids[0]}"), AWAY_SECONDS)
            made.start()
            start = time.monotonic()
            insist(client, "GET", f"/v1/jobs/{ids[0]}")
            back = time.monotonic() - start
            after = ends(client, submit(client, base, 1, 0.25))
            next_done = time.monotonic() - start
            ended = ends(client, ids)
            now = [one.process.pid for one in processes.values() if one.process]
    return {
        "while away": said,
        "answers again after s": round(back, 1),
        "a new job ended after s": round(next_done, 1),
        "processes that died": sum(a != b for a, b in zip(before, now, strict=True)),
        "afterwards": after,
        "jobs": ended,
    }


def clock(base: Path) -> dict[str, Any]:
    import libfaketime

    place = base / "offset"
    place.write_text("+0\n")
    os.environ |= {
        "LD_PRELOAD": str(next(Path(libfaketime.__file__).parent.rglob("libfaketime.so.1"))),
        "FAKETIME_TIMESTAMP_FILE": str(place),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    settings = ServiceSettings(base / "data", port=free_port())
    with running(settings) as (client, processes):
        del os.environ["LD_PRELOAD"]  # ours stays
        ids = submit(client, base, 2, 5)
        first = client.get(f"/v1/jobs/{ids[0]}").json()["created"] / 1000
        time.sleep(5)
        before = [one.process.pid for one in processes.values() if one.process]
        place.write_text("-3600\n")
        time.sleep(3 * LEASE)
        same = [one.process.pid for one in processes.values() if one.process] == before
        later = submit(client, base, 2, 20)
        moved = client.get(f"/v1/jobs/{later[0]}").json()["created"] / 1000
        taken = takeover(settings, processes)
        ended = ends(client, ids + later)
    return {
        "clock moved by s": round(moved - first),
        "nobody was thought dead": same,
        "a killed worker's job was put back after s": round(taken, 1),
        "lease": LEASE,
        "jobs": ended,
    }


def takeover(settings: ServiceSettings, processes: dict[str, Kept]) -> float:
    """Kill a worker that has a job, keep it dead, and see the job put back for whoever is free."""
    client = client_for(settings)
    while not (found := client.list_workflows(status="PENDING")):
        time.sleep(0.05)
    job, name = found[0].workflow_id, str(found[0].executor_id)
    dead = next(p for p in processes.values() if p.process and f"-{p.process.pid}-" in name)
    dead.over.set()
    start = time.monotonic()
    dead.kill()
    while (at := client.list_workflows(workflow_ids=[job])[0]).status == "PENDING":
        if at.executor_id != name:
            break
        time.sleep(0.05)
    client.destroy()
    return time.monotonic() - start


FAULTS = {"disk": disk, "database": database, "clock": clock}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fault", choices=list(FAULTS))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        report = FAULTS[given.fault](Path(name))
    print(json.dumps({"fault": given.fault, **report, "load": round(os.getloadavg()[0], 1)}))
    clear = all(
        key.startswith(("succeeded", "failed The", "failed clip")) for key in report["jobs"]
    )
    return 0 if clear and not any("500" in key[:3] for key in json.dumps(report).split('"')) else 1


if __name__ == "__main__":
    sys.exit(main())
