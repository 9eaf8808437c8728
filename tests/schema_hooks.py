"""For schemathesis (`soak_schema.py`): half of the cases speak of jobs and files that are there."""

from __future__ import annotations

import json
import os
import random
from typing import Any

import schemathesis

THERE: dict[str, Any] = json.loads(os.environ["VIVANT_THERE"])
IDS = {"job_id", "video_id", "prediction_id", "request_id"}
CHANCE = random.Random(0)


@schemathesis.hook
def map_path_parameters(
    context: Any, path_parameters: dict[str, Any] | None
) -> dict[str, Any] | None:
    if path_parameters and CHANCE.random() < 0.5:
        for name in IDS & set(path_parameters):
            path_parameters[name] = CHANCE.choice(THERE["jobs"])
    return path_parameters


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    if context.operation.path in ("/v1/jobs", "/v1/preview") and CHANCE.random() < 0.5:
        image = {"sha256": THERE["sha256"], "kind": "picture"}
        known = {"keyframes": [{"image": image}], "seconds": 0.1, "size": "64x48"}
        return {**known, **body} if isinstance(body, dict) and CHANCE.random() < 0.5 else known
    return body
