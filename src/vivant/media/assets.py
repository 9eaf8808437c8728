"""Assets from files, pipes and memory, decoded in a child and kept for the next sample."""

from __future__ import annotations

import hashlib
import io
import shutil
import stat
import sys
import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vivant.asset import Asset, Kind
from vivant.clip import DepthMap, FilmInfo, Frame, Mask, Picture, Sound
from vivant.errors import MediaError, UsageError
from vivant.files import sha256_of
from vivant.media.decoder import Decoder

MAX_PIPE = 512 << 20
STDIN = ("-", "/dev/stdin")


class FileAssets:
    """The inputs of one run.

    A decoder starts at once and imports while the caller goes on; close, or use ``with``, to
    end it. Pipes are read whole into a temporary file.
    """

    def __init__(self) -> None:
        self._decoder = Decoder()
        self._paths: dict[str, Path] = {}
        self._named: list[Path] = []
        self._pictures: dict[str, Picture] = {}
        self._masks: dict[str, Mask] = {}
        self._depths: dict[str, DepthMap] = {}
        self._films: dict[str, FilmInfo] = {}
        self._kept: Path | None = None

    def __enter__(self) -> FileAssets:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the decoder and remove what was read from pipes."""
        self.rest()
        if self._kept is not None:
            shutil.rmtree(self._kept, ignore_errors=True)
            self._kept = None

    def rest(self) -> None:
        """End the decoder for now; it starts again where something else is to be decoded."""
        self._decoder.close()

    def has(self, path: Path) -> bool:
        """See `vivant.asset.Files`."""
        return path.exists()

    def local(self, path: Path) -> Path:
        """See `vivant.asset.Files`."""
        self._named.append(path)
        return path

    def add(self, path: Path, kind: Kind) -> Asset:
        """Take a file, "-" (standard input) or a pipe in. Raises UsageError where there is none,
        or it cannot be read."""
        try:
            if str(path) in STDIN:
                return self.add_bytes(_read_all(sys.stdin.buffer, path), kind, "stdin")
            if path.is_dir():
                raise UsageError(f"{path} is a folder; name a file.")
            if not stat.S_ISREG(path.stat().st_mode):
                with path.open("rb") as stream:
                    return self.add_bytes(_read_all(stream, path), kind, path.name)
            asset = Asset(sha256_of(path), kind, clean_name(path.name))
        except FileNotFoundError as error:
            raise UsageError(f"There is no file {path}.") from error
        except OSError as error:
            raise UsageError(f"{path} cannot be read ({error.strerror or error}).") from error
        self._paths[asset.sha256] = path
        self._named.append(path)
        return asset

    def add_bytes(self, data: bytes, kind: Kind, name: str = "", sha256: str = "") -> Asset:
        """Take a file's bytes in. ``sha256`` is the name of another file that these bytes stand
        for, "" for their own."""
        if not data:
            raise UsageError(f"{name or 'The input'} is empty.")
        if self._kept is None:
            self._kept = Path(tempfile.mkdtemp(prefix="vivant-"))
            weakref.finalize(self, shutil.rmtree, self._kept, ignore_errors=True)
        asset = Asset(sha256 or hashlib.sha256(data).hexdigest(), kind, clean_name(name))
        path = self._kept / asset.sha256
        path.write_bytes(data)
        self._paths[asset.sha256] = path
        return asset

    def add_pixels(self, pixels: NDArray[np.uint8], kind: Kind, name: str = "") -> Asset:
        """Take an image in memory in: ``[H, W, 3]`` uint8 sRGB, or a mask ``[H, W]``."""
        buffer = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "PNG", compress_level=1)
        return self.add_bytes(buffer.getvalue(), kind, name or "picture.png")

    def picture(self, asset: Asset) -> Picture:
        """See `vivant.asset.Assets`."""
        if asset.sha256 not in self._pictures:
            path = self._path(asset)
            if asset.kind == "clip":
                frames = self._decoder.plain_frames(path, 1)
                picture = Picture(next(frames), sha256=asset.sha256)
                frames.close()  # type: ignore[attr-defined] # a generator
            else:
                picture = self._decoder.picture(path)
                _check_unchanged(picture.sha256, asset, path)
            self._pictures[asset.sha256] = replace(picture, name=asset.name, sha256=asset.sha256)
        return self._pictures[asset.sha256]

    def mask(self, asset: Asset) -> Mask:
        """See `vivant.asset.Assets`."""
        if asset.sha256 not in self._masks:
            mask = self._decoder.mask(self._path(asset))
            self._masks[asset.sha256] = replace(mask, name=asset.name)
        return self._masks[asset.sha256]

    def depth(self, asset: Asset) -> DepthMap:
        """See `vivant.asset.Assets`."""
        if asset.sha256 not in self._depths:
            found = self._decoder.depth(self._path(asset))
            self._depths[asset.sha256] = replace(found, name=asset.name)
        return self._depths[asset.sha256]

    def frames(self, asset: Asset) -> Iterator[Frame]:
        """See `vivant.asset.Assets`."""
        return self._decoder.plain_frames(self._path(asset))

    def film(self, asset: Asset) -> FilmInfo:
        """See `vivant.asset.Assets`."""
        if asset.sha256 not in self._films:
            self._films[asset.sha256] = self._decoder.film(self._path(asset))
        return self._films[asset.sha256]

    def sound(self, asset: Asset) -> Sound | None:
        """See `vivant.asset.Assets`."""
        return self._decoder.sound(self._path(asset)) if self.film(asset).sound else None

    def content(self, asset: Asset) -> bytes:
        """See `vivant.asset.Assets`."""
        path = self._path(asset)
        data = path.read_bytes()
        _check_unchanged(hashlib.sha256(data).hexdigest(), asset, path)
        return data

    def path(self, asset: Asset) -> Path | None:
        """See `vivant.asset.Assets`."""
        return self._paths.get(asset.sha256)

    def paths(self) -> tuple[Path, ...]:
        """The files that were read, also those of equal content; none may become an output."""
        return tuple(self._named)

    def _path(self, asset: Asset) -> Path:
        if asset.sha256 not in self._paths:
            raise UsageError(
                f"The {asset.kind} {asset.name or asset.sha256[:12]} is not among the inputs."
            )
        return self._paths[asset.sha256]


def clean_name(name: str) -> str:
    """A file's name as text that every program reads: other bytes become question marks."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _check_unchanged(found: str, asset: Asset, path: Path) -> None:
    if found != asset.sha256:
        raise MediaError(f"{path} changed while it was being used; run again.")


def _read_all(stream: BinaryIO, path: Path) -> bytes:
    data = stream.read(MAX_PIPE + 1)
    if len(data) > MAX_PIPE:
        raise UsageError(f"{path} gives more than {MAX_PIPE >> 20} MiB; name a file.")
    return data


class MemoryAssets:
    """One picture that is in memory already; for measuring, where nothing is decoded."""

    def __init__(self, picture: Picture) -> None:
        digest = hashlib.sha256(np.ascontiguousarray(picture.pixels).data).hexdigest()
        self.asset = Asset(digest, "picture", picture.name)
        self._picture = picture

    def picture(self, asset: Asset) -> Picture:
        """See `vivant.asset.Assets`."""
        if asset != self.asset:
            raise UsageError(f"The picture {asset.name or asset.sha256[:12]} is not there.")
        return self._picture

    def mask(self, asset: Asset) -> Mask:
        """There is none."""
        raise UsageError(f"The mask {asset.name} is not there.")

    def depth(self, asset: Asset) -> DepthMap:
        """There is none."""
        raise UsageError(f"The depth map {asset.name} is not there.")

    def frames(self, asset: Asset) -> Iterator[Frame]:
        """There are none."""
        raise UsageError(f"The clip {asset.name} is not there.")

    def film(self, asset: Asset) -> FilmInfo:
        """There is none."""
        raise UsageError(f"The clip {asset.name} is not there.")

    def sound(self, asset: Asset) -> Sound | None:
        """There is none."""
        return None

    def content(self, asset: Asset) -> bytes:
        """There is none."""
        raise UsageError(f"The file {asset.name} is not there.")

    def path(self, asset: Asset) -> Path | None:
        """It came from memory."""
        return None
