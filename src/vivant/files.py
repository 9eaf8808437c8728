"""Publication by rename: a file appears whole under its final name, or not at all."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vivant.errors import UsageError, VivantError


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def check_output(path: Path, overwrite: bool) -> None:
    """Refuse an output that cannot or must not be written, before any work is done.

    Raises UsageError where the file exists and ``overwrite`` is false, where its folder is
    missing, or where the folder cannot be written to.
    """
    if path.is_dir():
        raise UsageError(f"The output {path} is a folder; name a file inside it.")
    if path.exists() and not overwrite:
        raise UsageError(f"The output {path} exists already; pass --overwrite to replace it.")
    folder = path.parent
    if not folder.is_dir():
        raise UsageError(f"The folder {folder} does not exist; create it or choose another output.")
    probe = folder / f".vivant-{secrets.token_hex(6)}.tmp"
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        reason = error.strerror
        raise UsageError(f"The folder {folder} cannot be written to ({reason}).") from error


@contextmanager
def publish(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success fsync it and rename it into place.

    On any exception, Ctrl-C included, the temporary file is removed and ``path`` is untouched.
    The temporary name keeps the suffix, because encoders choose the container by it.
    Raises VivantError where the disk refuses (full, read-only).
    """
    temporary = path.with_name(f".{path.stem}-{secrets.token_hex(6)}.tmp{path.suffix}")
    try:
        yield temporary
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise VivantError(f"{path} could not be written ({error.strerror or error}).") from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def temporary_folder(beside: Path) -> Iterator[Path]:
    """A new folder next to ``beside``, removed at the end unless it was renamed away."""
    folder = beside.with_name(f".{beside.name}-{secrets.token_hex(6)}.tmp")
    try:
        folder.mkdir()
        yield folder
    except OSError as error:
        raise VivantError(f"{beside} could not be written ({error.strerror or error}).") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def publish_folder(folder: Path, overwrite: bool, marker: str = ".vivant") -> Iterator[Path]:
    """Yield a new folder; on success it takes the place of ``folder``.

    A file ``marker`` in it says that it is ours; only such a folder (or an empty one) is ever
    replaced. Raises UsageError where ``folder`` is something else or must not be replaced.
    """
    check_output_folder(folder, overwrite, marker)
    with temporary_folder(folder) as temporary:
        yield temporary
        (temporary / marker).touch()
        if folder.is_dir():
            shutil.rmtree(folder)
        temporary.rename(folder)
    sync_folder(folder.parent)


def check_output_folder(folder: Path, overwrite: bool, marker: str = ".vivant") -> None:
    """Refuse an output folder that cannot or must not be written; see `publish_folder`."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"The output {folder} is a file; a folder is written there.")
    if folder.is_dir() and any(folder.iterdir()):
        if not overwrite:
            raise UsageError(f"The folder {folder} exists already; pass --overwrite to replace it.")
        if not (folder / marker).is_file():
            raise UsageError(f"The folder {folder} was not written by vivant and is not replaced.")
    check_output(folder / marker if folder.is_dir() else folder, overwrite=True)


def sync_folder(folder: Path) -> None:
    """Make the rename itself durable; folders cannot be opened on Windows."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
