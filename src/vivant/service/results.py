"""Where clips are kept: in the service's folder, or in an S3-compatible store (extra: s3)."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from vivant.errors import UsageError, VivantError
from vivant.service.settings import ServiceSettings

CHUNK = 1 << 20
PROBE = "vivant-probe"


class StoreAway(UsageError):
    """The store does not answer, or not as it should."""


@dataclass(frozen=True)
class Kept:
    """A clip that is kept: its file's ``name``, its ``size`` in bytes; ``path`` where it is a file
    here, else ``chunks`` of it."""

    name: str
    size: int
    path: Path | None = None
    chunks: Callable[[], Iterator[bytes]] | None = None

    def read(self) -> Iterator[bytes]:
        """The clip, piece by piece. Raises OSError or StoreAway."""
        if self.chunks is not None:
            yield from self.chunks()
        elif self.path is not None:
            with self.path.open("rb") as stream:
                yield from iter(lambda: stream.read(CHUNK), b"")


class Results(Protocol):
    """The clips of a service, one of a job."""

    def keep(self, job_id: str, made: Path) -> None:
        """Take the clip that a worker has made. Raises VivantError where that fails."""
        ...

    def find(self, job_id: str, name: str) -> Kept | None:
        """The clip of a job, None where there is none. Raises StoreAway."""
        ...

    def remove(self, job_id: str, name: str) -> None:
        """Remove it, where it is there. Raises StoreAway."""
        ...


@dataclass(frozen=True)
class InFolder:
    """Clips stay where workers make them: ``folder``, one folder a job."""

    folder: Path

    def keep(self, job_id: str, made: Path) -> None:
        """See `Results`."""

    def find(self, job_id: str, name: str) -> Kept | None:
        """See `Results`."""
        path = self.folder / job_id / name
        return Kept(name, path.stat().st_size, path) if path.is_file() else None

    def remove(self, job_id: str, name: str) -> None:
        """See `Results`."""
        shutil.rmtree(self.folder / job_id, ignore_errors=True)


@dataclass(frozen=True)
class InStore:
    """Clips go to the store at ``url``, ``s3://BUCKET/PREFIX``, as ``JOB/NAME``; a worker's own
    copy in ``folder`` is removed then. Its address and keys come from the environment
    (``AWS_ENDPOINT_URL``, ``AWS_ACCESS_KEY_ID``, ...)."""

    url: str
    folder: Path

    def keep(self, job_id: str, made: Path) -> None:
        """See `Results`."""
        obstore, store = _opened(self.url)
        try:
            obstore.put(store, f"{job_id}/{made.name}", made)
        except (obstore.exceptions.BaseError, OSError) as error:
            why = _why(error)
            raise VivantError(f"The store of results did not take the clip ({why}).") from error
        made.unlink(missing_ok=True)
        with suppress(OSError):  # another worker, which was thought dead, is at it, too
            made.parent.rmdir()

    def find(self, job_id: str, name: str) -> Kept | None:
        """See `Results`."""
        obstore, store = _opened(self.url)
        key = f"{job_id}/{name}"
        try:
            size = int(obstore.head(store, key)["size"])
        except (FileNotFoundError, obstore.exceptions.NotFoundError):
            return None
        except obstore.exceptions.BaseError as error:
            raise _away(error) from error

        def chunks() -> Iterator[bytes]:
            for chunk in obstore.get(store, key).stream(CHUNK):
                yield bytes(chunk)

        return Kept(name, size, chunks=chunks)

    def remove(self, job_id: str, name: str) -> None:
        """See `Results`."""
        shutil.rmtree(self.folder / job_id, ignore_errors=True)
        obstore, store = _opened(self.url)
        try:
            obstore.delete(store, f"{job_id}/{name}")
        except (FileNotFoundError, obstore.exceptions.NotFoundError):
            return
        except obstore.exceptions.BaseError as error:
            raise _away(error) from error


def results_of(settings: ServiceSettings) -> Results:
    """Where this service keeps its clips."""
    folder = settings.results
    return InStore(settings.store, folder) if settings.store else InFolder(folder)


def check_store(settings: ServiceSettings) -> None:
    """Raises UsageError where the store cannot be used: before any job is taken."""
    if not settings.store:
        return
    if not settings.store.startswith("s3://"):
        raise UsageError(f"Results go to s3://BUCKET/PREFIX, not to {settings.store}.")
    obstore, store = _opened(settings.store)
    try:
        obstore.put(store, PROBE, b"vivant")
        obstore.delete(store, PROBE)
    except (obstore.exceptions.BaseError, OSError) as error:
        why = _why(error)
        raise UsageError(f"The store {settings.store} cannot be written to ({why}).") from error


@cache
def _opened(url: str) -> tuple[Any, Any]:
    try:
        import obstore
        from obstore.store import from_url
    except ImportError as error:
        raise UsageError("A store of results needs the extra: pip install 'vivant[s3]'.") from error
    try:
        return obstore, from_url(url)
    except (obstore.exceptions.BaseError, ValueError) as error:
        raise UsageError(f"The store {url} cannot be opened ({_why(error)}).") from error


def _away(error: Exception) -> StoreAway:
    return StoreAway(f"The store of results does not answer ({_why(error)}); try again.")


def _why(error: Exception) -> str:
    """The first line of what a store says, which may be long."""
    return str(error).strip().partition("\n")[0][:200]
