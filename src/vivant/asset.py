"""What a request refers to by content: pictures, masks, clips and field files.

A request is plain data, so it holds no pixels: it names each input by the SHA-256 of its bytes,
and whoever runs it hands over `Assets` that know the content.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from vivant.clip import DepthMap, FilmInfo, Frame, Mask, Picture, Sound
from vivant.errors import UsageError

Kind = Literal["picture", "mask", "clip", "field", "depth"]
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Asset:
    """One input: ``sha256`` of its bytes (64 hexadecimal digits), what it is, and a ``name`` for
    people, without a folder. Raises UsageError where the hash is none."""

    sha256: str
    kind: Kind
    name: str = ""

    def __post_init__(self) -> None:
        if not _DIGEST.fullmatch(self.sha256):
            raise UsageError(f"An asset is named by 64 hexadecimal digits, not {self.sha256!r}.")


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


class Assets(Protocol):
    """The content of assets. Every method raises UsageError for an asset that is not there and
    MediaError for one that cannot be decoded."""

    def picture(self, asset: Asset) -> Picture:
        """The picture, or a clip's first frame, upright, 8-bit sRGB, at its own size."""
        ...

    def mask(self, asset: Asset) -> Mask:
        """The mask, upright, at its own size."""
        ...

    def depth(self, asset: Asset) -> DepthMap:
        """The depth map, upright, at its own size."""
        ...

    def frames(self, asset: Asset) -> Iterator[Frame]:
        """The frames of a clip, ``[H, W, 3]`` uint8 sRGB, upright and at one rate."""
        ...

    def film(self, asset: Asset) -> FilmInfo:
        """Size, rate and number of the `frames` of a clip."""
        ...

    def sound(self, asset: Asset) -> Sound | None:
        """What is heard in a clip, from its first frame on; None where nothing is."""
        ...

    def content(self, asset: Asset) -> bytes:
        """The bytes of the file."""
        ...

    def path(self, asset: Asset) -> Path | None:
        """The file itself, None where the asset came from memory."""
        ...


class Files(Protocol):
    """Where the words of a user become assets."""

    def has(self, path: Path) -> bool:
        """Whether there is such a file."""
        ...

    def local(self, path: Path) -> Path:
        """A file that is read at once and is no asset. Raises UsageError where files of this
        machine are not for whoever says these words."""
        ...

    def add(self, path: Path, kind: Kind) -> Asset:
        """Take a file in. Raises UsageError where there is none."""
        ...
