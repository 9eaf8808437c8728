"""The HTTP API: routes only; bodies are the core request, work is done elsewhere.

Annotations are evaluated here: FastAPI reads them, and some name a function's own variables.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Any

from fastapi import Body, Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi import Header as HttpHeader
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, PlainTextResponse, StreamingResponse
from sqlalchemy.exc import SQLAlchemyError
from starlette.middleware.trustedhost import TrustedHostMiddleware

from vivant.asset import Asset, Kind, named_in
from vivant.errors import UsageError
from vivant.request import Request as ClipRequest
from vivant.service.access import access_to
from vivant.service.answers import ALWAYS, away, not_understood, refused, said
from vivant.service.exposition import CONTENT_TYPE, Counted, CountingMiddleware, exposition
from vivant.service.fronts import add_fronts
from vivant.service.jobs import Format, Jobs
from vivant.service.keys import ApiKey
from vivant.service.limits import Limiter
from vivant.service.links import add_links, clip_answer
from vivant.service.listening import EVENTS, Ear, told
from vivant.service.looking import add_looks
from vivant.service.looks import Looks
from vivant.service.outward import MAX_URL
from vivant.service.page import POLICY, page_of
from vivant.service.queue.client import Job, Queue
from vivant.service.settings import ServiceSettings
from vivant.service.uploads import check_room, remove_old, take_in_time
from vivant.service.webhooks import Teller, secret_for, shown
from vivant.version import __version__

CLEAN_SECONDS = 3600.0


def api(settings: ServiceSettings, keys: tuple[ApiKey, ...]) -> FastAPI:
    """The application; its database must be prepared. With no ``keys`` everybody who reaches it
    may use it: bind it to loopback only (`vivant.service.settings.check_reach`)."""
    queue, looks = Queue(settings), Looks(settings)
    ear = Ear(queue)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        cleaning = asyncio.create_task(_clean(settings, queue))
        teller = Teller(settings, queue)
        yield
        cleaning.cancel()
        with suppress(asyncio.CancelledError):
            await cleaning
        await ear.close()
        await asyncio.to_thread(teller.close)
        looks.close()
        queue.close()

    app = FastAPI(
        title="vivant", version=__version__, lifespan=life, docs_url=None, redoc_url=None,
        responses=said(*ALWAYS),
    )  # fmt: skip
    app.add_middleware(
        TrustedHostMiddleware,
        allowed_hosts=["localhost", "127.0.0.1", "[::1]", *settings.hosts],
    )
    counted = Counted()
    app.add_middleware(CountingMiddleware, counted=counted)
    app.state.limiter = Limiter(settings.rate)
    app.add_exception_handler(UsageError, refused)
    app.add_exception_handler(RequestValidationError, not_understood)
    for kind in (SQLAlchemyError, OSError):
        app.add_exception_handler(kind, away)
    jobs = Jobs(settings, queue)
    _add_inputs(app, settings, keys)
    _add_jobs(app, jobs, ear, keys)
    _add_results(app, jobs, keys)
    add_looks(app, jobs, looks, keys)
    add_fronts(app, jobs, keys)
    _add_facts(app, settings, queue)
    _add_metrics(app, queue, counted, keys)
    return app


async def _clean(settings: ServiceSettings, queue: Queue) -> None:
    """Remove inputs of which no unfinished job has need, now and then."""
    while True:
        with suppress(Exception):  # the database or the disk is away: at the next time
            await asyncio.to_thread(clean_uploads, settings, queue)
        await asyncio.sleep(CLEAN_SECONDS)


def clean_uploads(settings: ServiceSettings, queue: Queue) -> None:
    """Remove the inputs that nothing has named for a day and no unfinished job needs."""
    needed = {sha256 for body in queue.unfinished() for sha256 in named_in(body)}
    remove_old(settings.uploads, needed)


def _add_inputs(app: FastAPI, settings: ServiceSettings, keys: tuple[ApiKey, ...]) -> None:
    submit = access_to("submit", keys)

    @app.post(
        "/v1/assets",
        status_code=201,
        summary="Upload a picture or a mask",
        responses=said(408, 413),
    )
    async def upload(
        request: Request,
        _: Annotated[ApiKey, Depends(submit)],
        kind: Kind = "picture",
        name: Annotated[str, Query(max_length=200)] = "",
    ) -> Asset:
        """The body is the file itself; the answer goes into the request of a job."""
        check_room(settings.folder, settings.floor)
        return await take_in_time(
            request.stream(), settings.uploads, kind, name,
            settings.max_upload, settings.upload_seconds,
        )  # fmt: skip


def _add_jobs(app: FastAPI, jobs: Jobs, ear: Ear, keys: tuple[ApiKey, ...]) -> None:
    submit, read = access_to("submit", keys), access_to("read", keys)

    @app.post("/v1/jobs", status_code=201, summary="Submit a job", responses=said(409))
    def submit_job(
        request: Annotated[dict[str, Any], Body()],
        key: Annotated[ApiKey, Depends(submit)],
        format: Format = "mp4",  # noqa: A002 - the word users know
        consent: bool = False,
        webhook: Annotated[str, Query(max_length=MAX_URL)] = "",
        idempotency_key: Annotated[str, HttpHeader(max_length=200)] = "",
    ) -> Job:
        """The body is a request, as in a clip's own record; 201 means that it is not lost."""
        wanted = ClipRequest.from_data(request)
        return jobs.submit(wanted, key.name, format, consent, idempotency_key, webhook=webhook)

    @app.get("/v1/webhooks/secret", summary="What your web hooks are signed with")
    def webhook_secret(key: Annotated[ApiKey, Depends(submit)]) -> str:
        """As libraries of Standard Webhooks read it; every key has one of its own."""
        return shown(secret_for(jobs.settings.folder, key.name))

    @app.get("/v1/jobs/{job_id}", summary="How a job is", responses=said(404))
    def job(job_id: str, key: Annotated[ApiKey, Depends(read)]) -> Job:
        return jobs.found(job_id, key.name)

    @app.post("/v1/jobs/{job_id}/cancel", summary="Cancel a job", responses=said(404))
    def cancel(job_id: str, key: Annotated[ApiKey, Depends(submit)]) -> Job:
        return jobs.cancel(job_id, key.name)

    @app.delete(
        "/v1/jobs/{job_id}",
        status_code=204,
        summary="Delete a job and its clip",
        responses=said(404, 409),
    )
    def delete(job_id: str, key: Annotated[ApiKey, Depends(submit)]) -> None:
        jobs.forget(job_id, key.name)

    @app.get(
        "/v1/jobs/{job_id}/events",
        summary="Listen to a job (SSE)",
        responses=said(404) | EVENTS, response_class=StreamingResponse,
    )  # fmt: skip
    def events(
        job_id: str,
        key: Annotated[ApiKey, Depends(read)],
        last_event_id: Annotated[int, HttpHeader(ge=-1, le=1 << 31)] = -1,
    ) -> StreamingResponse:
        """Numbered events of progress, then one ``ended``; goes on after Last-Event-ID."""
        jobs.found(job_id, key.name)
        stream = told(ear, jobs.queue, job_id, key.name, last_event_id + 1)
        return StreamingResponse(stream, media_type="text/event-stream")


def _add_results(app: FastAPI, jobs: Jobs, keys: tuple[ApiKey, ...]) -> None:
    read = access_to("read", keys)

    @app.get(
        "/v1/jobs/{job_id}/result",
        summary="The clip",
        response_class=FileResponse,
        responses=said(404, 409, 410),
    )
    def result(job_id: str, key: Annotated[ApiKey, Depends(read)]) -> Response:
        return clip_answer(*jobs.clip(job_id, key.name))

    add_links(app, jobs)


def _add_facts(app: FastAPI, settings: ServiceSettings, queue: Queue) -> None:
    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        headers = {"Content-Security-Policy": POLICY}
        return HTMLResponse(page_of(app.openapi()), headers=headers)

    @app.get("/v1/models", summary="The models that jobs may name")
    def models() -> list[str]:
        return list(settings.models)

    @app.get("/health", summary="Whether jobs can be taken")
    def health() -> dict[str, Any]:
        try:
            return {"state": "ready", **queue.counts()}
        except Exception as error:
            raise HTTPException(503, "The database of the queue does not answer.") from error


def _add_metrics(app: FastAPI, queue: Queue, counted: Counted, keys: tuple[ApiKey, ...]) -> None:
    read = access_to("read", keys)

    @app.get("/metrics", summary="Figures for Prometheus", response_class=PlainTextResponse)
    def metrics(_: Annotated[ApiKey, Depends(read)]) -> PlainTextResponse:
        return PlainTextResponse(exposition(queue.figures(), counted), media_type=CONTENT_TYPE)
