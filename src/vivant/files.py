"""Publication by rename: a file appears whole under its final name, or not at all."""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vivant.errors import UsageError, VivantError

_HOST = hashlib.sha256(socket.gethostname().encode()).hexdigest()[:6]
_TEMPORARY = re.compile(rf"\..+-{_HOST}-([0-9a-f]+)-[0-9a-f]{{12}}\.tmp(\..+)?")


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
    sweep(folder)
    probe = folder / _temporary_name("vivant")
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        reason = error.strerror
        raise UsageError(f"The folder {folder} cannot be written to ({reason}).") from error


def _temporary_name(stem: str, suffix: str = "") -> str:
    """A hidden name that says who is writing, so that what a killed run left can be told."""
    return f".{stem}-{_HOST}-{os.getpid():x}-{secrets.token_hex(6)}.tmp{suffix}"


def sweep(folder: Path) -> None:
    """Remove temporary files and folders that killed runs of this machine left in ``folder``;
    those of running processes and of other machines stay."""
    if os.name != "posix":  # there is no harmless way to ask for a process elsewhere
        return
    for path in folder.iterdir():
        found = _TEMPORARY.fullmatch(path.name)
        if found is None or _runs(int(found[1], 16)):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def publish(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success fsync it and rename it into place.

    On any exception, Ctrl-C included, the temporary file is removed and ``path`` is untouched.
    The temporary name keeps the suffix, because encoders choose the container by it.
    Raises VivantError where the disk refuses (full, read-only).
    """
    temporary = path.with_name(_temporary_name(path.stem, path.suffix))
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
    folder = beside.with_name(_temporary_name(beside.name))
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
        _replace_folder(temporary, folder)
    sync_folder(folder.parent)


def _replace_folder(new: Path, folder: Path) -> None:
    """Put ``new`` in the place of ``folder``, which is empty or ours; the old one is left under
    the name of ``new``. There is no moment at which ``folder`` is missing where the system can
    exchange names (Linux); elsewhere it is missing for an instant."""
    if not folder.is_dir():
        new.rename(folder)
    elif not _exchange(new, folder):
        old = new.with_name(f"{new.name}.old")
        folder.rename(old)
        new.rename(folder)
        old.rename(new)


def _exchange(a: Path, b: Path) -> bool:
    """Exchange two names at once, False where that cannot be done (renameat2(2), Linux)."""
    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    names = [os.fsencode(path.absolute()) for path in (a, b)]
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    return bool(call(here, names[0], here, names[1], exchange) == 0)


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
