"""The key that signs: an operator's own, or one made for this installation at first use.

The installation's chain is a test root that signs one ES256 leaf. It proves that a clip was
not altered since it left this installation; it is not on the C2PA trust list.
"""

from __future__ import annotations

import datetime
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from vivant.errors import ProvenanceError, UsageError
from vivant.provenance.certificate import check_certificate
from vivant.settings import Settings

YEARS = 10


@dataclass(frozen=True)
class SigningKey:
    """PEM texts: ``chain`` leaf first, ``private_key`` PKCS#8, ``anchor`` the root to trust
    ("" for an operator's certificate, whose root the C2PA trust list holds). ``algorithm`` is
    C2PA's name of the signature; ``timestamp_url`` an RFC 3161 authority, "" for none."""

    chain: str
    private_key: str
    anchor: str
    algorithm: str = "ES256"
    timestamp_url: str = ""


def signing_key(settings: Settings) -> SigningKey:
    """The operator's key, else this installation's, made if there is none.

    Raises UsageError where the operator's certificate cannot sign C2PA claims, ProvenanceError
    where this installation's key cannot be read or made.
    """
    timestamp_url = settings.timestamp_url
    if settings.signer_certificate is not None and settings.signer_key is not None:
        operator = operator_key(settings.signer_certificate, settings.signer_key)
        return replace(operator, timestamp_url=timestamp_url)
    try:
        folder = signer_folder(settings)
        if not (folder / "key.pem").exists():
            _install(folder)
        chain, private, root = (
            (folder / n).read_text("utf-8") for n in ("chain.pem", "key.pem", "root.pem")
        )
    except OSError as error:
        raise ProvenanceError(
            f"The signing key cannot be read or made ({error}); set VIVANT_HOME to your own folder."
        ) from error
    _check_dates(chain, folder)
    return SigningKey(chain, private, root, timestamp_url=timestamp_url)


def signer_folder(settings: Settings) -> Path:
    """Where this installation keeps its key."""
    return settings.home / "signer"


def known_anchors(settings: Settings) -> str:
    """The certificates to trust, PEM: this installation's root, if it has one, and those of the
    operator's trust file. Raises UsageError where that holds none."""
    root = signer_folder(settings) / "root.pem"
    known = root.read_text("utf-8") if root.exists() else ""
    return known + ("" if settings.trust is None else read_anchors(settings.trust))


def read_anchors(path: Path) -> str:
    """The certificates of a PEM file. Raises UsageError where it holds none."""
    try:
        text = path.read_text("utf-8")
        x509.load_pem_x509_certificates(text.encode())
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is no PEM file of certificates to trust.") from error
    return text


def _check_dates(chain: str, folder: Path) -> None:
    """A clock that was set back (or stands still) is found before any work is done."""
    try:
        leaf = x509.load_pem_x509_certificates(chain.encode())[0]
    except (ValueError, IndexError) as error:
        raise ProvenanceError(
            f"The signing key in {folder} is damaged; remove that folder to have a new one made."
        ) from error
    begin, end = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    if not begin <= datetime.datetime.now(datetime.timezone.utc) <= end:
        raise ProvenanceError(
            f"The signing key in {folder} is valid from {begin:%Y-%m-%d} to {end:%Y-%m-%d}, not"
            " today; set the clock right, or remove that folder to have a new one made."
        )


def operator_key(certificate: Path, key: Path) -> SigningKey:
    """An operator's own chain (leaf first) and private key, checked. Raises UsageError."""
    try:
        chain, private = certificate.read_text("utf-8"), key.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The signer's certificate or key cannot be read ({error}).") from error
    return SigningKey(chain, private, "", check_certificate(chain, private, certificate, key))


def _install(folder: Path) -> None:
    """Make a chain and move it into place at once; a run that came first wins."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".signer-") as name:
        made = Path(name) / "signer"
        made.mkdir(mode=0o700)
        for member, text in _make_chain().items():
            handle = os.open(made / member, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
        try:
            made.rename(folder)
        except OSError:
            if not (folder / "key.pem").exists():
                raise


def _make_chain() -> dict[str, str]:
    root_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    serial = x509.random_serial_number() % 10**8
    root = _certificate(f"vivant installation {serial}", root_key, None, root_key)
    leaf = _certificate("vivant", leaf_key, root, root_key)
    pem = serialization.Encoding.PEM
    private = leaf_key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain = leaf.public_bytes(pem) + root.public_bytes(pem)
    return {
        "chain.pem": chain.decode(),
        "root.pem": root.public_bytes(pem).decode(),
        "key.pem": private.decode(),
    }


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    issuer_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    """A root (``issuer`` None) or a leaf under it, with the extensions C2PA asks for."""
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "vivant"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    is_root = issuer is None
    now = datetime.datetime.now(datetime.timezone.utc)
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=is_root,
        crl_sign=is_root,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    if not is_root:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purpose, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())
