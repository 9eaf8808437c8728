"""Publication by rename: a file appears whole under its final name, or not at all."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import re
import secrets
import shutil
import socket
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vivant.errors import UsageError, VivantError

if sys.platform != "win32":
    import fcntl

DAY = 86400.0
NAME_BYTES = 255
"""What common file systems take as one name."""
_STEM_BYTES, _SUFFIX_BYTES = 60, 16
_BOOT = Path("/proc/sys/kernel/random/boot_id")


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def listed(folder: Path, pattern: str = "*", *, deep: bool = False) -> list[Path]:
    """What ``pattern`` names in ``folder``, by name; with ``deep`` below it, too.

    Hidden names are left out, which `Path.glob` takes: a run's half-written files bear them, and
    so do those that some systems put beside every file of a foreign disk.
    """
    found = folder.rglob(pattern) if deep else folder.glob(pattern)
    return sorted(p for p in found if not _is_hidden(p.relative_to(folder)))


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


# --- refusing before any work --------------------------------------------------------------


def check_output(path: Path, overwrite: bool) -> None:
    """Refuse an output that cannot or must not be written, before any work is done.

    Raises UsageError where the file exists and ``overwrite`` is false, where it is no regular
    file or its name is too long, where its folder is missing or cannot be written to. Of a
    symbolic link, the file it leads to is meant.
    """
    target = _target(path)
    if target.is_dir():
        raise UsageError(f"The output {path} is a folder; name a file inside it.")
    if target.exists() and not target.is_file():
        raise UsageError(f"The output {path} is a device or a pipe; name a file.")
    if target.exists() and not overwrite:
        raise _exists(path)
    folder = target.parent
    if not folder.is_dir():
        raise UsageError(f"The folder {folder} does not exist; create it or choose another output.")
    sweep(folder)
    probe = folder / _temporary_name("vivant")
    try:
        probe.touch(exist_ok=False)
        probe.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror
        raise UsageError(f"The folder {folder} cannot be written to ({reason}).") from error


def make_folder(folder: Path) -> None:
    """Make a folder for several files, unless it is there. Raises UsageError where that, or a file
    in it, cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = "a file is there" if folder.is_file() else error.strerror
        raise UsageError(f"The folder {folder} cannot be made ({reason}).") from error
    check_output(folder / _temporary_name("vivant"), overwrite=True)


def claim_folder(folder: Path, *marks: str) -> None:
    """Make a folder that one command alone writes into, again and again. Raises UsageError where
    it cannot be made, or holds other things and none of the ``marks`` (patterns) that the
    command leaves."""
    held = folder.is_dir() and listed(folder)
    if held and not any(listed(folder, mark) for mark in marks):
        raise UsageError(
            f"The folder {folder} holds {held[0].name} and nothing that this command wrote;"
            " choose an empty or a new one."
        )
    make_folder(folder)


def check_output_folder(folder: Path, overwrite: bool, marker: str = ".vivant") -> None:
    """Refuse an output folder that cannot or must not be written; see `publish_folder`."""
    target = _target(folder)
    if target.exists() and not target.is_dir():
        raise UsageError(f"The output {folder} is a file; a folder is written there.")
    if target.is_dir() and any(target.iterdir()):
        if not overwrite:
            raise _exists(folder)
        if not (target / marker).is_file():
            raise UsageError(f"The folder {folder} was not written by vivant and is not replaced.")
    check_output(target / marker if target.is_dir() else target, overwrite=True)


def check_not_input(output: Path, inputs: Iterable[Path]) -> None:
    """Refuse an output that is one of the files it is made from, whatever they are called.

    Files are told by identity: links, hard links and other spellings are seen. Raises
    UsageError, also where an input lies inside of an output folder, which would be replaced.
    """
    for source in inputs:
        with suppress(OSError):
            if output.samefile(source):
                raise UsageError(f"The output {output} is the input {source}; choose another.")
            if output.is_dir() and output.resolve() in source.resolve().parents:
                raise UsageError(
                    f"The input {source} lies in the output folder {output}; choose another."
                )


def check_apart(outputs: Iterable[Path]) -> None:
    """Refuse outputs of which two are one file, or of which one lies in the folder that another
    is. Raises UsageError naming both."""
    seen: dict[Path, Path] = {}
    for output in outputs:
        place = output.resolve()
        for other, said in seen.items():
            if place == other:
                raise UsageError(f"{said} is to hold two outputs; name another file for one.")
            if other in place.parents or place in other.parents:
                inner, outer = (output, said) if other in place.parents else (said, output)
                raise UsageError(f"The output {inner} lies in the output {outer}; choose another.")
        seen[place] = output


def _exists(path: Path) -> UsageError:
    kind = "folder" if path.is_dir() else "output"
    return UsageError(f"The {kind} {path} exists already; pass --overwrite to replace it.")


def _target(path: Path) -> Path:
    """What is written for ``path``: the file a symbolic link leads to, so that the link stays."""
    length = len(os.fsencode(path.name))
    if length > NAME_BYTES:
        raise UsageError(
            f"The name {path.name[:40]}... has {length} bytes; at most {NAME_BYTES} can be written,"
            " choose a shorter one."
        )
    if not path.is_symlink():
        return path
    try:
        target = path.resolve()
    except (OSError, RuntimeError):  # Python before 3.13 raises where links go in a circle
        target = path
    if target.is_symlink():
        raise UsageError(f"The output {path} is a link that leads to itself.")
    return target


# --- temporary names -----------------------------------------------------------------------


def system_name() -> str:
    """Names the running system: one kernel, whose locks all of its processes see."""
    try:
        name = _BOOT.read_text("ascii")
    except OSError:
        name = socket.gethostname()
    return hashlib.sha256(name.encode()).hexdigest()[:6]


_MACHINE = system_name()
_TEMPORARY = re.compile(r"\..+-([0-9a-f]{6})-([0-9a-f]{12})\.tmp(-lock|\..+)?")


def _temporary_name(stem: str) -> str:
    """A hidden name that says on which system it is written; short, whatever the output's."""
    short = os.fsencode(stem)[:_STEM_BYTES].decode("utf-8", "ignore") or "vivant"
    return f".{short}-{_MACHINE}-{secrets.token_hex(6)}.tmp"


@contextmanager
def _claimed(folder: Path, stem: str, suffix: str = "") -> Iterator[Path]:
    """A new temporary name in ``folder``, with a lock held beside it: its writer is alive."""
    base = folder / _temporary_name(stem)
    lock = base.with_name(f"{base.name}-lock")
    kept = suffix if len(os.fsencode(suffix)) <= _SUFFIX_BYTES else ""
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        if sys.platform != "win32":
            with suppress(OSError):  # a file system without locks
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield base.with_name(base.name + kept)
    finally:
        os.close(handle)
        lock.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove temporary files and folders that killed runs left in ``folder``.

    A run holds a lock (flock(2)) beside what it writes, which every process of the system sees,
    in containers of their own, too. Where no lock can be seen, as of another system in a shared
    folder, only what has not changed for a day is removed.
    """
    if sys.platform == "win32":  # there is no such lock
        return
    for (machine, _), paths in _leftovers(folder).items():
        with suppress(OSError):  # not ours to remove, or another run sweeps, too
            lock = next((path for path in paths if path.name.endswith("-lock")), None)
            seen = machine == _MACHINE and lock is not None
            if not seen and time.time() - max(p.lstat().st_mtime for p in paths) < DAY:
                continue
            if lock is None or _is_free(lock):
                _remove(sorted(paths, key=lambda path: path == lock))  # the lock is the last


def _leftovers(folder: Path) -> dict[tuple[str, str], list[Path]]:
    """Temporary files by system and run."""
    found: dict[tuple[str, str], list[Path]] = {}
    for path in folder.iterdir():
        if match := _TEMPORARY.fullmatch(path.name):
            found.setdefault((match[1], match[2]), []).append(path)
    return found


def _is_free(lock: Path) -> bool:
    handle = os.open(lock, os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def _remove(paths: list[Path]) -> None:
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


class Locked(UsageError):
    """What another live process works on."""


@contextmanager
def locked(path: Path, refusal: str) -> Iterator[None]:
    """Hold the lock file ``path``, which ends with this process, however that dies.

    Raises Locked with the sentence ``refusal`` where another process holds it. Where the system
    has no flock(2), nothing is held.
    """
    if sys.platform == "win32":
        yield
        return
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Locked(refusal) from error
        yield
    finally:
        os.close(handle)


# --- publishing ----------------------------------------------------------------------------


@contextmanager
def publish(path: Path, overwrite: bool = True) -> Iterator[Path]:
    """Yield a temporary path; on success fsync it and put it in the place of ``path``.

    On any exception, Ctrl-C included, the temporary file is removed and ``path`` is untouched.
    The temporary name keeps the suffix, because encoders choose the container by it. Where
    ``path`` is a symbolic link, the file it leads to is replaced. Raises UsageError where
    ``path`` exists and ``overwrite`` is false: of several runs at once, one wins. Raises
    VivantError where the disk refuses (full, read-only).
    """
    target = _target(path)
    if not overwrite and target.exists():
        raise _exists(path)
    try:
        with _claimed(target.parent, path.stem, path.suffix) as temporary:
            try:
                yield temporary
                with temporary.open("rb+") as stream:
                    os.fsync(stream.fileno())
                _place(temporary, target, overwrite)
                sync_folder(target.parent)
            finally:
                temporary.unlink(missing_ok=True)
    except OSError as error:
        raise VivantError(f"{path} could not be written ({error.strerror or error}).") from error


def _place(new: Path, target: Path, overwrite: bool) -> None:
    """Give ``new`` its final name. Without ``overwrite`` the first of several runs gets it."""
    if overwrite:
        new.replace(target)
        return
    try:
        os.link(new, target)
    except FileExistsError as error:
        raise _exists(target) from error
    except OSError:  # no hard links here: the name is taken first
        try:
            target.touch(exist_ok=False)
        except FileExistsError as error:
            raise _exists(target) from error
        new.replace(target)


@contextmanager
def temporary_folder(beside: Path) -> Iterator[Path]:
    """A new folder next to ``beside``, removed at the end unless it was renamed away."""
    try:
        with _claimed(beside.parent, beside.name) as folder:
            try:
                folder.mkdir()
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        raise VivantError(f"{beside} could not be written ({error.strerror or error}).") from error


@contextmanager
def publish_folder(folder: Path, overwrite: bool, marker: str = ".vivant") -> Iterator[Path]:
    """Yield a new folder; on success it takes the place of ``folder``.

    A file ``marker`` in it says that it is ours; only such a folder (or an empty one) is ever
    replaced. Raises UsageError where ``folder`` is something else or must not be replaced.
    """
    check_output_folder(folder, overwrite, marker)
    target = _target(folder)
    with temporary_folder(target) as temporary:
        yield temporary
        (temporary / marker).touch()
        check_output_folder(folder, overwrite, marker)  # another run may have come first
        _place_folder(temporary, target, overwrite)
    sync_folder(target.parent)


def _place_folder(new: Path, folder: Path, overwrite: bool) -> None:
    """Put ``new`` in the place of ``folder``, which is missing, empty, or (with ``overwrite``)
    ours; the old one is left under the name of ``new``. There is no moment at which ``folder``
    is missing where the system can exchange names (Linux); elsewhere it is for an instant."""
    if overwrite and folder.is_dir():
        if not _exchange(new, folder):
            old = new.with_name(f"{new.name}.old")
            folder.rename(old)
            new.rename(folder)
            old.rename(new)
        return
    with suppress(OSError):
        folder.rmdir()  # only where it is empty
    try:
        new.rename(folder)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
            raise _exists(folder) from error
        raise


def _exchange(a: Path, b: Path) -> bool:
    """Exchange two names at once, False where that cannot be done (renameat2(2), Linux)."""
    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    names = [os.fsencode(path.absolute()) for path in (a, b)]
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    return bool(call(here, names[0], here, names[1], exchange) == 0)


def sync_folder(folder: Path) -> None:
    """Make the rename itself durable; folders cannot be opened on Windows."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
