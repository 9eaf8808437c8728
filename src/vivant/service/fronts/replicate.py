"""The shape of Replicate's predictions: ``/replicate/v1``.

Annotations are evaluated here, as in `vivant.service.api`.
"""

import asyncio
import re
import time
from datetime import datetime, timezone
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi import Header as HttpHeader
from starlette.datastructures import UploadFile

from vivant.asset import Asset
from vivant.errors import UsageError
from vivant.service.access import access_to
from vivant.service.answers import REFUSED
from vivant.service.fronts.fal import model_of
from vivant.service.fronts.inputs import (
    FILES,
    Repeat,
    form_body,
    json_body,
    keep_files,
    keep_upload,
)
from vivant.service.jobs import Jobs
from vivant.service.keys import ApiKey
from vivant.service.links import link_to
from vivant.service.queue.client import ENDED, Job
from vivant.service.uploads import check_there
from vivant.words import read_words

ALIASES = {"duration": "seconds", "resolution": "size"}
STATES = {"queued": "starting", "running": "processing", "cancelled": "canceled"}
"""The others are called the same."""
REFUSED_MEMBERS = ("webhook", "webhook_completed", "webhook_events_filter", "stream")
LONGEST_WAIT = 60.0
ASK_SECONDS = 0.2
PAGE = 100
BODY = {"content": {"application/json": {"schema": {"type": "object", "required": ["input"]}}}}
FORM = {"content": {"multipart/form-data": {"schema": {"type": "object"}}}}
Prefer = Annotated[str, HttpHeader(max_length=100)]


def add(app: FastAPI, jobs: Jobs, keys: tuple[ApiKey, ...]) -> None:
    """Add the operations: create, get, list, cancel; upload a file, look at it."""
    routes = APIRouter(prefix="/replicate/v1", tags=["Replicate"], responses=REFUSED)
    _add_predictions(routes, jobs, keys)
    _add_files(routes, jobs, keys)
    app.include_router(routes)


def _add_predictions(routes: APIRouter, jobs: Jobs, keys: tuple[ApiKey, ...]) -> None:
    submit, read = access_to("submit", keys), access_to("read", keys)
    extra: dict[str, Any] = {"requestBody": BODY}

    @routes.post("/predictions", status_code=201, summary="Predict", openapi_extra=extra)
    async def create(
        request: Request,
        key: Annotated[ApiKey, Depends(submit)],
        prefer: Prefer = "",
        repeat: Repeat = "",
    ) -> dict[str, Any]:
        """``version`` is a model's name, such as vivant/animate; ``input`` holds the ``image`` (a
        data: URI, or the address of a file) and the words of the command line."""
        said = await json_body(request, jobs.settings)
        named = str(said.pop("version", "") or said.pop("model", "")).partition(":")[0]
        owner, _, name = (named if "/" in named else f"vivant/{named or 'animate'}").partition("/")
        model = model_of(owner, name, jobs)
        return await _created(request, jobs, key, said, model, prefer, repeat)

    @routes.post(
        "/models/{owner}/{name}/predictions",
        status_code=201,
        summary="Predict with a model",
        openapi_extra=extra,
    )
    async def create_with(
        request: Request,
        owner: str,
        name: str,
        key: Annotated[ApiKey, Depends(submit)],
        prefer: Prefer = "",
        repeat: Repeat = "",
    ) -> dict[str, Any]:
        model = model_of(owner, name, jobs)
        said = await json_body(request, jobs.settings)
        return await _created(request, jobs, key, said, model, prefer, repeat)

    @routes.get("/predictions", summary="List predictions")
    def list_(
        request: Request,
        key: Annotated[ApiKey, Depends(read)],
        cursor: Annotated[int, Query(ge=0, le=1 << 31)] = 0,
    ) -> dict[str, Any]:
        found = jobs.queue.of(key.name, PAGE + 1, skip=cursor)
        after = f"{request.base_url}replicate/v1/predictions?cursor={cursor + PAGE}"
        return {
            "previous": None,
            "next": after if len(found) > PAGE else None,
            "results": [_prediction(request, jobs, job, key.name) for job in found[:PAGE]],
        }

    @routes.get("/predictions/{prediction_id}", summary="How a prediction is")
    def get(
        request: Request, prediction_id: str, key: Annotated[ApiKey, Depends(read)]
    ) -> dict[str, Any]:
        return _prediction(request, jobs, jobs.found(prediction_id, key.name), key.name)

    @routes.post("/predictions/{prediction_id}/cancel", summary="Cancel a prediction")
    def cancel(
        request: Request, prediction_id: str, key: Annotated[ApiKey, Depends(submit)]
    ) -> dict[str, Any]:
        return _prediction(request, jobs, jobs.cancel(prediction_id, key.name), key.name)


async def _created(
    request: Request,
    jobs: Jobs,
    key: ApiKey,
    said: dict[str, Any],
    model: str,
    prefer: str,
    repeat: str,
) -> dict[str, Any]:
    given = said.pop("input", None)
    if not isinstance(given, dict):
        raise UsageError('The body must hold an object "input".')
    for name in REFUSED_MEMBERS:
        if said.pop(name, None):
            raise UsageError(f"This front does not do {name}; ask for the prediction instead.")
    if said:
        raise UsageError(f"There is no member {min(said)[:60]!r} here.")
    words = await keep_files(given, jobs.settings)
    asked = read_words(words, ALIASES, model)
    job = await asyncio.to_thread(
        jobs.submit, asked.request, key.name, asked.made, asked.consent, repeat, {"input": words}
    )
    end = time.monotonic() + _wait_of(prefer)
    while job.state not in ENDED and time.monotonic() < end:
        await asyncio.sleep(ASK_SECONDS)
        job = await asyncio.to_thread(jobs.found, job.id, key.name)
    answer = await asyncio.to_thread(_prediction, request, jobs, job, key.name)
    if job.state not in ENDED:  # their client takes any other state for the last one
        answer["status"] = "starting"
    return answer


def _wait_of(prefer: str) -> float:
    """Seconds for which ``Prefer: wait`` or ``wait=5`` holds the answer back."""
    found = re.search(r"\bwait(?:=(\d{1,4}))?", prefer)
    if found is None:
        return 0.0
    return min(LONGEST_WAIT, float(found[1] or LONGEST_WAIT))


def _add_files(routes: APIRouter, jobs: Jobs, keys: tuple[ApiKey, ...]) -> None:
    submit = access_to("submit", keys)

    @routes.post(
        "/files", status_code=201, summary="Upload a file", openapi_extra={"requestBody": FORM}
    )
    async def upload(request: Request, _: Annotated[ApiKey, Depends(submit)]) -> dict[str, Any]:
        content = (await form_body(request, jobs.settings)).get("content")
        if not isinstance(content, UploadFile):
            raise UsageError('The form must hold a file "content".')
        return _file(request, jobs, await keep_upload(content, jobs.settings))

    @routes.get("/files/{file_id}", summary="What is known of an upload")
    def get(
        request: Request, file_id: str, _: Annotated[ApiKey, Depends(submit)]
    ) -> dict[str, Any]:
        """Its facts; what was uploaded is never served."""
        check_there({"sha256": file_id, "kind": "picture"}, jobs.settings.uploads)
        return _file(request, jobs, file_id)


def _file(request: Request, jobs: Jobs, sha256: str) -> dict[str, Any]:
    facts = (jobs.settings.uploads / Asset(sha256, "picture").sha256).stat()
    return {
        "id": sha256,
        "name": sha256[:12],
        "content_type": "application/octet-stream",
        "size": facts.st_size,
        "etag": sha256,
        "checksums": {"sha256": sha256},
        "metadata": {},
        "created_at": _time(int(facts.st_mtime * 1000)),
        "expires_at": None,
        "urls": {"get": f"{str(request.base_url).rstrip('/')}{FILES}{sha256}"},
    }


def _prediction(request: Request, jobs: Jobs, job: Job, owner: str) -> dict[str, Any]:
    body = jobs.queue.body(job.id, owner)
    base = f"{request.base_url}replicate/v1/predictions/{job.id}"
    ended = job.state in ENDED
    took = {"predict_time": (job.updated - job.created) / 1000}
    done = jobs.progress(job)
    model = body["request"]["model"]
    return {
        "id": job.id,
        "model": f"vivant/{model}",
        "version": model,
        "status": STATES.get(job.state, job.state),
        "input": (body.get("said") or {}).get("input") or {},
        "output": link_to(request, jobs, job.id, body["format"]) if job.result else None,
        "logs": f"{done}%|{'█' * (done // 10):10}| {done}/100\n" if done else "",
        "error": job.error or None,
        "metrics": took if ended else {},
        "created_at": _time(job.created),
        "started_at": None if job.state == "queued" else _time(job.created),
        "completed_at": _time(job.updated) if ended else None,
        "urls": {"get": base, "cancel": f"{base}/cancel"},
    }


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc).isoformat()
