"""What the operator of a service chooses."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from vivant.errors import UsageError


@dataclass(frozen=True)
class ServiceSettings:
    """Where a service keeps its things and what it allows.

    ``folder``: uploads, results and the embedded database; ``queue``: URL of the database,
    "" for the embedded one; ``host`` and ``port`` to listen at; ``hosts``: names besides the
    loopback ones by which clients may call it; ``models`` that jobs may name; ``max_upload``:
    bytes of one input; ``upload_seconds`` in which it has to arrive; ``max_waiting``: jobs of
    one key that are not finished yet; ``store``: URL of an S3-compatible store for the clips,
    "" for the folder; ``lease``: seconds without a beat after which a worker is dead, the same for
    all workers of a queue; ``rate``: requests a second of one key, 0 for any number;
    ``webhook_hosts``: hosts of web hooks that may be inside and without TLS;
    ``floor``: bytes that must be free on the disk for anything to be taken.
    """

    folder: Path
    queue: str = ""
    host: str = "127.0.0.1"
    port: int = 8422
    hosts: tuple[str, ...] = ()
    models: tuple[str, ...] = ("builtin",)
    max_upload: int = 64 << 20
    upload_seconds: float = 300.0
    max_waiting: int = 100
    store: str = ""
    lease: float = 15.0
    rate: float = 20.0
    webhook_hosts: tuple[str, ...] = ()
    floor: int = 256 << 20

    @property
    def database(self) -> str:
        """URL of the database."""
        return self.queue or f"sqlite:///{self.folder.absolute() / 'queue.sqlite'}"

    @property
    def uploads(self) -> Path:
        """Folder of the inputs, each named by its hash."""
        return self.folder / "uploads"

    @property
    def results(self) -> Path:
        """Folder in which clips are made, one folder a job; see `vivant.service.results`."""
        return self.folder / "results"

    @property
    def keys(self) -> Path:
        """File of the hashed API keys."""
        return self.folder / "keys.json"


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_reach(settings: ServiceSettings, keys: int) -> None:
    """Raises UsageError where others could reach a service that knows no keys."""
    if not keys and not is_loopback(settings.host):
        raise UsageError(
            f"A service at {settings.host} can be reached by others: make a key first with"
            " `vivant serve --new-key NAME`, or listen at 127.0.0.1."
        )
