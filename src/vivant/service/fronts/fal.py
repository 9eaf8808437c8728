"""The shape of fal's queue: ``/fal/OWNER/APP`` and its requests.

Annotations are evaluated here, as in `vivant.service.api`.
"""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request
from fastapi.responses import JSONResponse

from vivant.errors import UsageError
from vivant.service.access import access_to
from vivant.service.answers import REFUSED
from vivant.service.fronts.inputs import Repeat, json_body, keep_files
from vivant.service.jobs import TYPES, Jobs
from vivant.service.keys import ApiKey
from vivant.service.links import link_to
from vivant.service.queue.client import ENDED, Job
from vivant.words import read_words

ALIASES = {
    "image_url": "image",
    "duration": "seconds",
    "frames_per_second": "fps",
    "resolution": "size",
}
OWNER = "vivant"
BODY = {"content": {"application/json": {"schema": {"type": "object", "required": ["image_url"]}}}}


def model_of(owner: str, app: str, jobs: Jobs) -> str:
    """The model that an application names: ``vivant/animate`` is the first of the service's.
    Raises UsageError."""
    if owner == OWNER and app == "animate":
        return jobs.settings.models[0]
    if owner == OWNER and app in jobs.settings.models:
        return app
    known = ", ".join(f"{OWNER}/{name}" for name in ("animate", *jobs.settings.models))
    raise UsageError(f"There is no {owner[:40]}/{app[:40]} at this service; there are {known}.")


def add(app: FastAPI, jobs: Jobs, keys: tuple[ApiKey, ...]) -> None:
    """Add the operations: submit, status, result, cancel."""
    routes = APIRouter(prefix="/fal/{owner}/{name}", tags=["fal"], responses=REFUSED)
    submit, read = access_to("submit", keys), access_to("read", keys)

    @routes.post("", summary="Submit a request", openapi_extra={"requestBody": BODY})
    async def put(
        request: Request,
        owner: str,
        name: str,
        key: Annotated[ApiKey, Depends(submit)],
        fal_webhook: Annotated[str, Query(max_length=2000)] = "",
        repeat: Repeat = "",
    ) -> dict[str, Any]:
        """``image_url`` is the picture as a data: URI; further members are the words of the
        command line by their Python names."""
        model = model_of(owner, name, jobs)
        if fal_webhook:
            raise UsageError("This front calls no webhooks; ask for the status, or leave it out.")
        said = await keep_files(await json_body(request, jobs.settings), jobs.settings)
        asked = read_words(said, ALIASES, model)
        job = await asyncio.to_thread(
            jobs.submit, asked.request, key.name, asked.made, asked.consent, repeat
        )
        return {"request_id": job.id, "queue_position": 0, **_addresses(request, owner, name, job)}

    @routes.get(
        "/requests/{request_id}/status",
        summary="How a request is",
        responses={202: {"description": "it waits, or is worked on"}},
    )
    def status(
        request: Request,
        owner: str,
        name: str,
        request_id: str,
        key: Annotated[ApiKey, Depends(read)],
        logs: bool = False,
    ) -> JSONResponse:
        """202 while it waits or is worked on, then 200."""
        job = jobs.found(request_id, key.name)
        said = {"request_id": job.id, **_addresses(request, owner, name, job)}
        if job.state == "queued":
            place = jobs.queue.ahead_of(job)
            return JSONResponse({"status": "IN_QUEUE", "queue_position": place, **said}, 202)
        told = _logs(jobs, job) if logs else None
        if job.state not in ENDED:
            return JSONResponse({"status": "IN_PROGRESS", "logs": told, **said}, 202)
        took = {"inference_time": (job.updated - job.created) / 1000}
        failed = {} if job.state == "succeeded" else {"error": _why(job), "error_type": job.state}
        return JSONResponse(
            {"status": "COMPLETED", "logs": told, "metrics": took, **failed, **said}
        )

    @routes.get("/requests/{request_id}", summary="What a request gave")
    def result(
        request: Request,
        owner: str,
        name: str,
        request_id: str,
        key: Annotated[ApiKey, Depends(read)],
    ) -> dict[str, Any]:
        job = jobs.found(request_id, key.name)
        if job.state in ENDED and job.state != "succeeded":
            raise HTTPException(422, _why(job))
        kept, made = jobs.clip(job.id, key.name)
        return {
            "video": {
                "url": link_to(request, jobs, job.id, made),
                "content_type": TYPES[made],
                "file_name": kept.name,
                "file_size": kept.size,
            },
            "seed": jobs.queue.body(job.id, key.name)["request"]["seed"],
        }

    @routes.put(
        "/requests/{request_id}/cancel",
        summary="Cancel a request",
        status_code=202,
        responses={400: {"description": "it has ended already"}},
    )
    def cancel(
        owner: str, name: str, request_id: str, key: Annotated[ApiKey, Depends(submit)]
    ) -> JSONResponse:
        if jobs.found(request_id, key.name).state in ENDED:
            return JSONResponse({"status": "ALREADY_COMPLETED"}, 400)
        jobs.cancel(request_id, key.name)
        return JSONResponse({"status": "CANCELLATION_REQUESTED"}, 202)

    app.include_router(routes)


def _addresses(request: Request, owner: str, name: str, job: Job) -> dict[str, str]:
    base = f"{request.base_url}fal/{owner}/{name}/requests/{job.id}"
    return {"response_url": base, "status_url": f"{base}/status", "cancel_url": f"{base}/cancel"}


def _why(job: Job) -> str:
    return job.error or "The job was cancelled."


def _logs(jobs: Jobs, job: Job) -> list[dict[str, Any]]:
    event = jobs.queue.latest(job.id)
    if not event:
        return []
    return [{"message": f"{event['stage']} {event['share']:.0%}", "level": "INFO", "source": "run"}]
