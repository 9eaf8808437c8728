"""The inputs of jobs, kept under the hash of their bytes."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from vivant.asset import Asset, Kind
from vivant.errors import UsageError
from vivant.media.assets import clean_name


class TooLarge(UsageError):
    """An input of more bytes than the service takes."""


async def take_in(
    chunks: AsyncIterator[bytes], folder: Path, kind: Kind, name: str, most: int
) -> Asset:
    """Store what arrives, whole or not at all. Raises TooLarge beyond ``most`` bytes, UsageError
    where nothing arrives."""
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
            path.replace(folder / digest.hexdigest())
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    return Asset(digest.hexdigest(), kind, clean_name(name)[:200])


def named_in(data: Any) -> dict[str, Kind]:
    """The assets that the data of a request names: hash to kind."""
    if isinstance(data, dict):
        if set(data) >= {"sha256", "kind"}:
            return {data["sha256"]: data["kind"]}
        data = list(data.values())
    if not isinstance(data, list):
        return {}
    found: dict[str, Kind] = {}
    for member in data:
        found |= named_in(member)
    return found


def check_there(data: Any, folder: Path) -> None:
    """Raises UsageError where a request names an input that was not uploaded."""
    for sha256, kind in named_in(data).items():
        if not (folder / Asset(sha256, kind).sha256).is_file():
            raise UsageError(f"The {kind} {sha256[:12]} was not uploaded; POST it to /v1/assets.")
