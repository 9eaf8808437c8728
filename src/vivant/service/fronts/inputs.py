"""What the bodies of foreign clients hold: JSON or a form, with files inside of them."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
from collections.abc import AsyncGenerator
from typing import Annotated, Any

from fastapi import Header, Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from vivant.errors import UsageError
from vivant.service.settings import ServiceSettings
from vivant.service.uploads import TooLarge, TooSlow, take_in_time

Repeat = Annotated[str, Header(alias="Idempotency-Key", max_length=200)]
"""The same key gives the same job, as at ``/v1/jobs``."""
FILES = "/replicate/v1/files/"
"""Where uploads have an address, whichever front named it."""
MOST_FIELDS = 32
MOST_TEXT = 1 << 16
DEEPEST = 8
_DATA = re.compile(r"data:[\w.+/-]*(;[\w.+=-]+)*;base64,")
_SENT = re.compile(rf"https?://[^/]+{FILES}([0-9a-f]{{64}})")


async def json_body(request: Request, settings: ServiceSettings) -> dict[str, Any]:
    """The JSON object of a body, in which files are replaced by their hashes (`keep_files`).

    Raises UsageError where it is none, TooLarge, TooSlow.
    """
    content = await _in_time(_whole(request, settings), settings)
    try:
        data = await asyncio.to_thread(json.loads, content)
    except (ValueError, RecursionError) as error:
        raise UsageError("The body is no JSON.") from error
    if not isinstance(data, dict):
        raise UsageError("The body must be a JSON object.")
    return data


async def form_body(request: Request, settings: ServiceSettings) -> dict[str, str | UploadFile]:
    """The fields of a multipart form, one of which may be a file. Raises as `json_body`."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise UsageError("The body must be multipart/form-data or application/json.")
    parser = MultiPartParser(
        request.headers,
        _for_parser(_limited(request, settings.max_upload + MOST_TEXT)),
        max_files=1,
        max_fields=MOST_FIELDS,
        max_part_size=MOST_TEXT,
    )
    try:
        return dict(await _in_time(parser.parse(), settings))
    except _Stopped as error:
        raise TooLarge(error.message) from error
    except (MultiPartException, KeyError) as error:
        raise UsageError("The form is damaged.") from error


async def keep_files(data: Any, settings: ServiceSettings, depth: int = 0) -> Any:
    """``data`` with each file in it, a data: URI or an address of this service's uploads, replaced
    by the hash under which it is kept.

    Raises UsageError for addresses elsewhere: the service fetches nothing.
    """
    if depth > DEEPEST:
        raise UsageError("The body is nested too deeply.")
    if isinstance(data, dict):
        return {name: await keep_files(value, settings, depth + 1) for name, value in data.items()}
    if isinstance(data, list):
        return [await keep_files(value, settings, depth + 1) for value in data]
    if not isinstance(data, str):
        return data
    if found := _SENT.fullmatch(data):
        return found[1]
    if start := _DATA.match(data):
        return await keep(_decoded(data[start.end() :]), settings)
    if data.startswith(("data:", "http://", "https://", "ftp://", "file:")):
        raise UsageError(
            f"The service fetches nothing, so it cannot use {data[:60]!r}: send the file itself,"
            " as a data: URI in base64."
        )
    return data


async def keep(content: bytes, settings: ServiceSettings) -> str:
    """The hash under which a file is kept. Raises as `vivant.service.uploads.take_in`."""

    async def chunks() -> AsyncGenerator[bytes, None]:
        yield content

    kept = await take_in_time(
        chunks(), settings.uploads, "picture", "", settings.max_upload, settings.upload_seconds
    )
    return kept.sha256


async def keep_upload(file: UploadFile, settings: ServiceSettings) -> str:
    """`keep` of the file of a form."""
    try:
        return await keep(await file.read(), settings)
    finally:
        await file.close()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise UsageError("A file in the body is no base64.") from error


async def _whole(request: Request, settings: ServiceSettings) -> bytes:
    most = settings.max_upload * 4 // 3 + MOST_TEXT  # base64
    return b"".join([chunk async for chunk in _limited(request, most)])


async def _limited(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise TooLarge(f"The body may have {most} bytes at most.")
        yield chunk


class _Stopped(MultiPartException):
    """A form of too many bytes; of this kind, or its parser leaves files open."""


async def _for_parser(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    try:
        async for chunk in chunks:
            yield chunk
    except TooLarge as error:
        raise _Stopped(str(error)) from error


async def _in_time(work: Any, settings: ServiceSettings) -> Any:
    try:
        return await asyncio.wait_for(work, settings.upload_seconds)
    except asyncio.TimeoutError as error:
        raise TooSlow(f"A body has to arrive within {settings.upload_seconds:g} s.") from error
