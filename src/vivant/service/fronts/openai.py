"""The shape of OpenAI's videos: ``/v1/videos``.

Annotations are evaluated here, as in `vivant.service.api`.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.routing import APIRoute
from starlette.datastructures import UploadFile

from vivant.errors import UsageError
from vivant.service.access import access_to
from vivant.service.answers import REFUSED, status_of
from vivant.service.fronts.inputs import Repeat, form_body, json_body, keep_files, keep_upload
from vivant.service.jobs import Jobs
from vivant.service.keys import ApiKey
from vivant.service.links import clip_answer
from vivant.service.queue.client import Job
from vivant.words import read_words

STATES = {"queued": "queued", "running": "in_progress", "succeeded": "completed"}
"""The others are ``failed``."""
ALIASES = {"input_reference": "image"}
MOST_LISTED, MOST_FOUND = 100, 1000
BODY = {
    "content": {
        name: {"schema": {"type": "object", "required": ["input_reference"]}}
        for name in ("multipart/form-data", "application/json")
    }
}

ANSWERS = {**REFUSED, 422: {"description": "it cannot be meant as given"}}
"""Of a shape of its own."""


class _Shaped(APIRoute):
    """Refusals as OpenAI's clients read them."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def shaped(request: Request) -> Response:
            try:
                return await handle(request)
            except UsageError as error:
                return _error(status_of(error), str(error))
            except HTTPException as error:
                return _error(error.status_code, str(error.detail))
            except RequestValidationError as error:
                first = error.errors()[0]
                return _error(422, f"{first['loc'][-1]}: {first['msg']}")

        return shaped


def _error(status: int, sentence: str) -> JSONResponse:
    kind = "invalid_request_error" if status < 500 else "server_error"
    said = {"message": sentence, "type": kind, "param": None, "code": None}
    return JSONResponse({"error": said}, status)


def add(app: FastAPI, jobs: Jobs, keys: tuple[ApiKey, ...]) -> None:
    """Add the operations: create, retrieve, list, content, delete."""
    routes = APIRouter(prefix="/v1/videos", route_class=_Shaped, tags=["OpenAI"], responses=ANSWERS)
    submit, read = access_to("submit", keys), access_to("read", keys)

    @routes.post("", summary="Create a video", openapi_extra={"requestBody": BODY})
    async def create(
        request: Request, key: Annotated[ApiKey, Depends(submit)], repeat: Repeat = ""
    ) -> dict[str, Any]:
        """``input_reference`` is the picture (a file, or JSON with a data: URI), ``prompt`` as of
        ``--prompt``; further fields are the controls by their Python names."""
        said = await _said(request, jobs)
        prompt = said.get("prompt")
        if not isinstance(prompt, str | None):
            raise UsageError("prompt must be a text.")
        model = str(said.pop("model", None) or jobs.settings.models[0])
        asked = read_words(said, ALIASES, model)

        def put() -> dict[str, Any]:
            told = {"prompt": prompt}
            job = jobs.submit(asked.request, key.name, asked.made, asked.consent, repeat, said=told)
            return _video(jobs, job, key.name)

        return await asyncio.to_thread(put)

    @routes.get("", summary="List videos")
    def list_(
        key: Annotated[ApiKey, Depends(read)],
        after: Annotated[str, Query(max_length=64)] = "",
        limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 20,
        order: Literal["asc", "desc"] = "desc",
    ) -> dict[str, Any]:
        """The jobs of the key, whatever the shape in which they came: the last thousand."""
        found = jobs.queue.of(key.name, MOST_FOUND, order == "desc")
        ids = [job.id for job in found]
        start = ids.index(after) + 1 if after in ids else 0
        page = [_video(jobs, job, key.name) for job in found[start : start + limit]]
        return {
            "object": "list",
            "data": page,
            "first_id": page[0]["id"] if page else None,
            "last_id": page[-1]["id"] if page else None,
            "has_more": start + limit < len(found),
        }

    @routes.get("/{video_id}", summary="How a video is")
    def retrieve(video_id: str, key: Annotated[ApiKey, Depends(read)]) -> dict[str, Any]:
        return _video(jobs, jobs.found(video_id, key.name), key.name)

    @routes.get("/{video_id}/content", summary="The video's file", response_class=FileResponse)
    def content(
        video_id: str,
        key: Annotated[ApiKey, Depends(read)],
        variant: Annotated[str, Query(max_length=40)] = "video",
    ) -> Response:
        if variant != "video":
            raise UsageError(f"There is no variant {variant!r} of a video; leave it out.")
        return clip_answer(*jobs.clip(video_id, key.name))

    @routes.delete("/{video_id}", summary="Delete a video")
    def delete(video_id: str, key: Annotated[ApiKey, Depends(submit)]) -> dict[str, Any]:
        jobs.cancel(video_id, key.name)
        jobs.forget(video_id, key.name)
        return {"id": video_id, "object": "video.deleted", "deleted": True}

    app.include_router(routes)


async def _said(request: Request, jobs: Jobs) -> dict[str, Any]:
    """The fields of a body, the picture by its hash."""
    if request.headers.get("content-type", "").startswith("application/json"):
        said = await keep_files(await json_body(request, jobs.settings), jobs.settings)
        return _opened(said)
    said = {}
    for name, value in (await form_body(request, jobs.settings)).items():
        if isinstance(value, UploadFile):
            said[name] = await keep_upload(value, jobs.settings)
        else:
            field = name.replace("[", ".").replace("]", "")  # input_reference[image_url]
            said[field] = await keep_files(value, jobs.settings)
    return _opened(said)


def _opened(said: dict[str, Any]) -> dict[str, Any]:
    """The picture of ``{"image_url": ...}``, which stands for a file."""
    given = said.get("input_reference")
    inside = given if isinstance(given, dict) else {}
    for field in ("image_url", "file_id"):
        value = inside.get(field, said.pop(f"input_reference.{field}", None))
        if value is not None:
            if field == "file_id":
                raise UsageError("There are no files by id here; send input_reference itself.")
            said["input_reference"] = value
    return said


def _video(jobs: Jobs, job: Job, owner: str) -> dict[str, Any]:
    body = jobs.queue.body(job.id, owner)
    wanted = body["request"]
    ended = job.state in ("succeeded", "failed", "cancelled")
    sentence = job.error or ("The job was cancelled." if job.state == "cancelled" else "")
    made = job.result or {}
    return {
        "id": job.id,
        "object": "video",
        "model": wanted["model"],
        "status": STATES.get(job.state, "failed"),
        "progress": jobs.progress(job),
        "created_at": job.created // 1000,
        "completed_at": job.updated // 1000 if ended else None,
        "expires_at": None,
        "seconds": f"{wanted['seconds']:g}",
        "size": "x".join(map(str, made["size"])) if made else wanted["size"] or "",
        "prompt": (body.get("said") or {}).get("prompt"),
        "remixed_from_video_id": None,
        "error": {"code": "failed", "message": sentence} if sentence else None,
    }
