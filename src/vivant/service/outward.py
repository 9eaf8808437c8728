"""The one door outwards: a POST to an address that a client named, and to nothing inside.

The name is resolved once, every address it has must be a public one, and the connection goes to
just that address, so that a name which changes its mind afterwards gains nothing. Redirects are
not followed, proxies of the environment are not asked.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from vivant.errors import UsageError, VivantError

MAX_URL = 2000
SECONDS = 10.0
"""For each step of a delivery: to connect, to send, to hear the status."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True)
class Address:
    """Where to: ``path`` with its query."""

    host: str
    port: int
    path: str
    secure: bool


class Unreachable(VivantError):
    """Nobody answered, or nothing that may be asked is there."""


def read_url(url: str, allowed: Collection[str]) -> Address:
    """An address of a web hook. ``allowed`` are hosts of the operator's own, which may be inside
    and need no TLS. Raises UsageError."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise _not_one(url) from error
    if len(url) > MAX_URL or not host or not url.isascii() or not url.isprintable() or " " in url:
        raise _not_one(url)
    if parts.username is not None or parts.scheme not in ("https", "http"):
        raise _not_one(url)
    if host not in allowed:
        if parts.scheme != "https":
            raise UsageError("A web hook must begin with https://.")
        literal = _literal(host)
        if literal is not None and not is_public(literal):
            raise _inside(host)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    secure = parts.scheme == "https"
    return Address(host, port or (443 if secure else 80), path, secure)


def post(
    address: Address, body: bytes, headers: Mapping[str, str], allowed: Collection[str]
) -> int:
    """Send ``body`` and give the status. Raises Unreachable."""
    found = resolve(address, allowed)
    try:
        connection = _connection(address, found)
        try:
            connection.request("POST", address.path, body, dict(headers))
            return connection.getresponse().status
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(f"{address.host} did not answer ({type(error).__name__}).") from error


def resolve(address: Address, allowed: Collection[str]) -> str:
    """The numeric address to connect to. Raises Unreachable where there is none, or where any
    address of the name is inside."""
    try:
        answers = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"There is no host {address.host}.") from error
    found = [str(answer[4][0]) for answer in answers]
    if address.host not in allowed and not all(
        is_public(ipaddress.ip_address(one.partition("%")[0])) for one in found
    ):
        raise Unreachable(str(_inside(address.host)))
    return found[0]


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address is of the public Internet, looking through IPv4 inside of IPv6."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.teredo is not None or address.is_site_local:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


class _ToAddress(http.client.HTTPConnection):
    """A connection to a numeric address in the name of a host."""

    def __init__(self, address: Address, found: str) -> None:
        super().__init__(address.host, address.port, timeout=SECONDS)
        self._address, self._found = address, found

    def connect(self) -> None:
        """Connect to the address that was checked."""
        plain = socket.create_connection((self._found, self._address.port), SECONDS)
        if not self._address.secure:
            self.sock = plain
            return
        try:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(plain, server_hostname=self._address.host)
        except BaseException:
            plain.close()
            raise


def _connection(address: Address, found: str) -> http.client.HTTPConnection:
    return _ToAddress(address, found)


def _not_one(url: str) -> UsageError:
    return UsageError(f"{url[:80]!r} is no address of a web hook; write https://HOST/PATH.")


def _inside(host: str) -> UsageError:
    return UsageError(
        f"{host[:80]} is inside of a network; the operator allows it with --webhook-host."
    )
