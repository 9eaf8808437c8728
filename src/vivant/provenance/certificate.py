"""Whether an operator's certificate can sign C2PA claims.

The rules are those of the C2PA specification's certificate profile ("X.509 Certificates"):
checked before any frame is rendered, so that each fault is one sentence.
"""

from __future__ import annotations

import datetime
import itertools
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from vivant.errors import UsageError

PURPOSES = {
    ExtendedKeyUsageOID.EMAIL_PROTECTION.dotted_string: "emailProtection",
    "1.3.6.1.5.5.7.3.36": "documentSigning",
    "1.3.6.1.4.1.62558.2.1": "c2pa-kp-claimSigning",
}
_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}


def check_certificate(chain: str, private: str, certificate: Path, key: Path) -> str:
    """C2PA's name of the signature algorithm of the key. ``chain`` and ``private`` are PEM.

    Raises UsageError naming the file: unreadable, key of another certificate, out of its
    dates, self-signed, wrong order, no purpose (EKU) or key usage that C2PA accepts.
    """
    certificates, private_key = _load(chain, private, certificate, key)
    leaf = certificates[0]
    if private_key.public_key() != leaf.public_key():
        raise UsageError(
            f"The key {key} does not belong to the first certificate in {certificate};"
            " put the signer's own certificate first."
        )
    _check_dates(leaf, certificate)
    _check_purpose(leaf, certificate)
    _check_order(certificates, certificate)
    return _algorithm(private_key, key)


def _load(
    chain: str, private: str, certificate: Path, key: Path
) -> tuple[list[x509.Certificate], Any]:
    try:
        certificates = x509.load_pem_x509_certificates(chain.encode())
    except ValueError as error:
        raise UsageError(f"{certificate} holds no PEM certificate.") from error
    try:
        return certificates, load_pem_private_key(private.encode(), None)
    except TypeError as error:
        raise UsageError(f"The key {key} has a password; store it without one.") from error
    except ValueError as error:
        raise UsageError(f"{key} holds no PEM private key.") from error


def _check_dates(leaf: x509.Certificate, path: Path) -> None:
    now = datetime.datetime.now(datetime.timezone.utc)
    if now > leaf.not_valid_after_utc:
        raise UsageError(f"The certificate {path} expired on {leaf.not_valid_after_utc:%Y-%m-%d}.")
    if now < leaf.not_valid_before_utc:
        since = f"{leaf.not_valid_before_utc:%Y-%m-%d}"
        raise UsageError(f"The certificate {path} is valid from {since} only; check the clock.")


def _check_purpose(leaf: x509.Certificate, path: Path) -> None:
    try:
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
        signs = usage.digital_signature
    except x509.ExtensionNotFound:
        signs = False
    if not signs:
        raise UsageError(f"The certificate {path} lacks the key usage digitalSignature.")
    try:
        purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        found = {purpose.dotted_string for purpose in purposes}
    except x509.ExtensionNotFound:
        found = set()
    if not found & set(PURPOSES):
        raise UsageError(
            f"The certificate {path} lacks a purpose (EKU) that C2PA accepts: one of"
            f" {', '.join(PURPOSES.values())}."
        )


def _check_order(certificates: list[x509.Certificate], path: Path) -> None:
    leaf = certificates[0]
    if leaf.issuer == leaf.subject:
        raise UsageError(f"The certificate {path} is self-signed; C2PA needs one by an authority.")
    for child, parent in itertools.pairwise(certificates):
        try:
            child.verify_directly_issued_by(parent)
        except (ValueError, TypeError, InvalidSignature) as error:
            raise UsageError(
                f"The certificates in {path} do not form a chain; order them leaf first."
            ) from error


def _algorithm(private_key: Any, path: Path) -> str:
    if isinstance(private_key, ec.EllipticCurvePrivateKey) and private_key.curve.name in _CURVES:
        return _CURVES[private_key.curve.name]
    if isinstance(private_key, rsa.RSAPrivateKey) and private_key.key_size >= 2048:
        return "PS256"
    if isinstance(private_key, ed25519.Ed25519PrivateKey):
        return "ED25519"
    raise UsageError(
        f"The key {path} cannot sign C2PA claims; use P-256, P-384, P-521, RSA of 2048 bits or"
        " more, or Ed25519."
    )
