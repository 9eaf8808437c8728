"""API keys: 256 random bits each, of which only the SHA-256 is kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from vivant.errors import UsageError
from vivant.files import publish

Scope = Literal["submit", "read"]
SCOPES: tuple[Scope, ...] = ("submit", "read")


@dataclass(frozen=True)
class ApiKey:
    """Who calls: a ``name``, the ``sha256`` of the secret, and what it may do."""

    name: str
    sha256: str
    scopes: tuple[Scope, ...] = SCOPES


LOCAL = ApiKey("local", "")
"""Who calls a service without keys, on loopback."""


def read_keys(path: Path) -> tuple[ApiKey, ...]:
    """The keys of a file, none where there is no file. Raises UsageError where it is damaged."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=tuple[ApiKey, ...])
    except FileNotFoundError:
        return ()
    except (msgspec.DecodeError, OSError) as error:
        raise UsageError(f"The keys in {path} cannot be read ({error}).") from error


def new_key(path: Path, name: str, scopes: tuple[Scope, ...] = SCOPES) -> str:
    """Add a key and give its secret, which is stored nowhere. Raises UsageError where the name
    is taken."""
    known = read_keys(path)
    if not name or name == LOCAL.name or any(key.name == name for key in known):
        raise UsageError(f"A key cannot be called {name!r}; choose a name that is not in use.")
    secret = secrets.token_hex(32)
    path.parent.mkdir(parents=True, exist_ok=True)
    with publish(path) as temporary:
        temporary.write_bytes(msgspec.json.encode((*known, ApiKey(name, _hash(secret), scopes))))
    path.chmod(0o600)
    return secret


def own_secret(path: Path) -> bytes:
    """A secret of the service's own, 32 bytes in a file, made where there is none yet."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with publish(path, overwrite=False) as temporary:
                temporary.touch(0o600)
                temporary.write_bytes(secrets.token_bytes(32))
        except UsageError:  # another process was first
            pass
    return path.read_bytes()


def who(secret: str, keys: tuple[ApiKey, ...]) -> ApiKey | None:
    """The key of a secret; every known key is compared, in constant time."""
    found = None
    for key in keys:
        if hmac.compare_digest(key.sha256, _hash(secret)):
            found = key
    return found


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
