"""The operations that look: ``/v1/scene`` and ``/v1/preview``.

Annotations are evaluated here, as in `vivant.service.api`.
"""

import base64
from typing import Annotated, Any

from fastapi import Body, Depends, FastAPI, Query

from vivant.asset import Asset
from vivant.errors import UsageError
from vivant.records import from_data
from vivant.request import Request as ClipRequest
from vivant.service.access import access_to
from vivant.service.answers import REFUSED
from vivant.service.jobs import Format, Jobs
from vivant.service.keys import ApiKey
from vivant.service.looks import Looks
from vivant.service.uploads import check_there

MOST_MASKS = 32


def add_looks(app: FastAPI, jobs: Jobs, looks: Looks, keys: tuple[ApiKey, ...]) -> None:
    """Add them."""
    submit = access_to("submit", keys)

    @app.post("/v1/scene", summary="What a picture shows", responses=REFUSED)
    def scene(
        picture: Annotated[dict[str, Any], Body()],
        _: Annotated[ApiKey, Depends(submit)],
        masks: Annotated[list[str], Query(max_length=MOST_MASKS)] = [],  # noqa: B006 - FastAPI's
        depth: bool = False,
        side: Annotated[int, Query(ge=64, le=2048)] = 512,
    ) -> dict[str, Any]:
        """The body is what an upload was answered with; the answer has the shares of kinds, the
        instances, the waters. ``masks`` are names of kinds, or numbers of instances; they and the
        ``depth`` (16 bit, near = white) come as data: URIs of PNG files, ``side`` pixels long."""
        asset = from_data(Asset, picture, "picture")
        if asset.kind != "picture":
            raise UsageError(f"What is seen is a picture, not a {asset.kind}.")
        check_there(picture, jobs.settings.uploads)
        answer = looks.ask("scene", sha256=asset.sha256, masks=masks, depth=depth, side=side)
        images = {name: _uri("png", content) for name, content in answer.arrays.items()}
        return {
            **answer.facts,
            "masks": {name: images[f"mask:{name}"] for name in masks},
            "depth": images.get("depth"),
        }

    @app.post("/v1/preview", summary="What would be made", responses=REFUSED)
    def preview(
        request: Annotated[dict[str, Any], Body()],
        _: Annotated[ApiKey, Depends(submit)],
        format: Format = "mp4",  # noqa: A002 - the word users know
        consent: bool = False,
        side: Annotated[int, Query(ge=0, le=512)] = 256,
    ) -> dict[str, Any]:
        """The body is that of a job. The answer has the plan (size, rate, frames, notes) or the
        refusal that the job would end in, and the clip in few frames, ``side`` pixels long, as a
        data: URI of an animated WebP; with ``side`` 0 the plan only."""
        wanted = ClipRequest.from_data(request)
        jobs.check(wanted)
        answer = looks.ask(
            "preview", request=wanted.to_data(), made=format, consent=consent, side=side
        )
        webp = answer.arrays.get("webp")
        return {**answer.facts, "preview": None if webp is None else _uri("webp", webp)}


def _uri(kind: str, content: Any) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content.tobytes()).decode()}"
