"""schemathesis over every operation of the API: no 5xx, no answer that its description leaves out.

    python tests/soak_schema.py --examples 100        # pip install schemathesis

Jobs in several states are there, and a worker is at work. Prints one JSON object; the exit code is 1 where
an answer was wrong, and schemathesis's own report is left in --report.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from serving import serving
from test_service import ended, request_for, upload

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance"
)


def prepared(client: Any, folder: Path) -> dict[str, Any]:
    """Jobs in every state, and a picture."""
    asset = upload(client, folder)
    body = request_for(asset)
    bad = request_for(client.post("/v1/assets", content=b"no picture").json())
    ids = [client.post("/v1/jobs", json=one).json()["id"] for one in (body, bad)]
    for job in ids:
        ended(client, job)
    for state in ("cancelled", "running", "queued"):
        ids.append(client.post("/v1/jobs", json={**body, "seconds": 600}).json()["id"])
        if state == "cancelled":
            client.post(f"/v1/jobs/{ids[-1]}/cancel")
    return {"jobs": ids, "sha256": asset["sha256"]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=100)
    parser.add_argument("--report", type=Path, default=Path("schemathesis.txt"))
    given = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as name, serving(Path(name)) as served:
        with served.client() as client:
            there = prepared(client, Path(name))
        hooks = {"SCHEMATHESIS_HOOKS": "schema_hooks", "VIVANT_THERE": json.dumps(there)}
        path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
        words = ["run", f"{served.url}/openapi.json", "-n", str(given.examples), "--checks", CHECKS]
        words += ["--phases", "examples,coverage,fuzzing", "--request-timeout", "60", "--no-color"]
        words += ["--continue-on-failure", "--seed", "1"]
        with given.report.open("w", encoding="utf-8") as report:
            done = subprocess.run(
                ["st", *words],
                env={**os.environ, **hooks, "PYTHONPATH": path},
                stdout=report, stderr=subprocess.STDOUT, check=False, cwd=name,
            )  # fmt: skip
    said = given.report.read_text("utf-8")
    cases = re.search(r"(\d+) generated", said)
    tested = re.search(r"Tested: (\d+)", said)
    print(
        json.dumps(
            {
                "operations": int(tested[1]) if tested else 0,
                "cases": int(cases[1]) if cases else 0,
                "failures": re.findall(r"❌ (ST\d+ .*)", said),
                "exit": done.returncode,
                "seconds": round(time.monotonic() - start, 1),
            }
        )
    )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
