"""The inputs of jobs, kept under the hash of their bytes."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

from vivant.asset import Asset, Kind, named_in
from vivant.errors import UsageError
from vivant.files import DAY, sync_folder
from vivant.media.assets import clean_name


class TooLarge(UsageError):
    """An input of more bytes than the service takes."""


class TooSlow(UsageError):
    """An input that did not arrive in time."""


class NoRoom(UsageError):
    """The disk is nearly full: nothing is taken, so that what was taken can be finished."""


def check_room(folder: Path, floor: int) -> None:
    """Raises NoRoom where less than ``floor`` bytes are free."""
    if shutil.disk_usage(folder).free < floor:
        raise NoRoom("The disk of the service is nearly full; nothing is taken for now.")


async def take_in_time(
    chunks: AsyncIterator[bytes], folder: Path, kind: Kind, name: str, most: int, seconds: float
) -> Asset:
    """`take_in` within ``seconds``. Raises TooSlow where they do not suffice."""
    try:
        return await asyncio.wait_for(take_in(chunks, folder, kind, name, most), seconds)
    except asyncio.TimeoutError as error:
        raise TooSlow(f"An input has to arrive within {seconds:g} s.") from error


async def take_in(
    chunks: AsyncIterator[bytes], folder: Path, kind: Kind, name: str, most: int
) -> Asset:
    """Store what arrives, whole or not at all; it is on the disk when this returns. Raises
    TooLarge beyond ``most`` bytes, UsageError where nothing arrives."""
    folder.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".part-", delete=False) as part:
        path = Path(part.name)
        try:
            async for chunk in chunks:
                size += len(chunk)
                if size > most:
                    raise TooLarge(f"An input may have {most} bytes at most.")
                digest.update(chunk)
                part.write(chunk)
            if not size:
                raise UsageError("The input is empty.")
            part.flush()
            await asyncio.to_thread(os.fsync, part.fileno())
            path.replace(folder / digest.hexdigest())
            await asyncio.to_thread(sync_folder, folder)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    return Asset(digest.hexdigest(), kind, clean_name(name)[:200])


def check_there(data: Any, folder: Path) -> None:
    """Keep the inputs of a request for another day. Raises UsageError where it names one that
    was not uploaded."""
    for sha256, kind in named_in(data).items():
        try:
            os.utime(folder / Asset(sha256, kind).sha256)
        except FileNotFoundError as error:
            raise UsageError(
                f"The {kind} {sha256[:12]} was not uploaded; POST it to /v1/assets."
            ) from error


def remove_old(folder: Path, needed: Collection[str], age: float = DAY) -> None:
    """Remove inputs, whole or cut off, that were last named ``age`` seconds ago or before,
    besides the hashes that are still ``needed``."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # another process removes, too
            if path.name not in needed and path.stat().st_mtime <= time.time() - age:
                path.unlink()
