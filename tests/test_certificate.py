from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from publishing import key, leave, verify
from test_policy import signed_photo
from test_provenance import SHOT, result
from vivant.errors import ProvenanceError, UsageError
from vivant.media.formats import FORMATS
from vivant.provenance import keys
from vivant.provenance.verify import verify as verify_under


def operator(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder.mkdir()
    for name, text in keys._make_chain().items():
        (folder / name).write_text(text)
    monkeypatch.setenv("VIVANT_SIGNER_CERT", str(folder / "chain.pem"))
    monkeypatch.setenv("VIVANT_SIGNER_KEY", str(folder / "key.pem"))
    return folder


def test_an_operators_certificate_signs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = operator(tmp_path / "op", monkeypatch)
    leave(SHOT, result(), tmp_path / "a.mp4", FORMATS["mp4"])
    assert verify(tmp_path / "a.mp4").state == "valid"
    assert verify_under(tmp_path / "a.mp4", (folder / "root.pem").read_text()).state == "trusted"


def test_a_key_of_another_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = operator(tmp_path / "op", monkeypatch)
    (folder / "key.pem").write_text(keys._make_chain()["key.pem"])
    with pytest.raises(UsageError, match="does not belong"):
        leave(SHOT, result(), tmp_path / "a.mp4", FORMATS["mp4"])
    assert not (tmp_path / "a.mp4").exists()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("chain.pem", "nothing", "no PEM certificate"),
        ("key.pem", "nothing", "no PEM private key"),
        ("key.pem", None, "cannot be read"),
    ],
)
def test_unreadable_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str | None, message: str
) -> None:
    folder = operator(tmp_path / "op", monkeypatch)
    if text is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(text)
    with pytest.raises(UsageError, match=message):
        key()
    monkeypatch.delenv("VIVANT_SIGNER_KEY")
    with pytest.raises(UsageError, match="both"):
        key()


def reissued(folder: Path, *, purpose: x509.ObjectIdentifier | None, expired: bool) -> None:
    """Sign the operator's leaf anew with other dates or purposes."""
    chain = x509.load_pem_x509_certificates((folder / "chain.pem").read_bytes())
    key = ec.generate_private_key(ec.SECP256R1())
    leaf, root = chain
    start = root.not_valid_before_utc
    builder = (
        x509.CertificateBuilder()
        .subject_name(leaf.subject)
        .issuer_name(root.subject)
        .public_key(leaf.public_key())
        .serial_number(5)
        .not_valid_before(start.replace(year=start.year - 2))
        .not_valid_after(
            start.replace(year=start.year - 1) if expired else leaf.not_valid_after_utc
        )
    )
    for extension in leaf.extensions:
        if not isinstance(extension.value, x509.ExtendedKeyUsage):
            builder = builder.add_extension(extension.value, extension.critical)
    if purpose is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    (folder / "chain.pem").write_bytes(pem + root.public_bytes(serialization.Encoding.PEM))


@pytest.mark.parametrize(
    ("purpose", "expired", "message"),
    [
        (ExtendedKeyUsageOID.EMAIL_PROTECTION, True, "expired on"),
        (ExtendedKeyUsageOID.SERVER_AUTH, False, "purpose"),
        (None, False, "purpose"),
        (ExtendedKeyUsageOID.EMAIL_PROTECTION, False, "do not form a chain"),
    ],
)
def test_unfit_certificates(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    purpose: x509.ObjectIdentifier | None,
    expired: bool,
    message: str,
) -> None:
    reissued(operator(tmp_path / "op", monkeypatch), purpose=purpose, expired=expired)
    with pytest.raises(UsageError, match=message):
        key()


def test_a_silent_time_stamp_authority_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIVANT_TSA_URL", "http://127.0.0.1:9/tsa")
    with pytest.raises(ProvenanceError, match="VIVANT_TSA_URL"):
        leave(SHOT, result(), tmp_path / "a.mp4", FORMATS["mp4"])
    assert list(tmp_path.iterdir()) == []


def test_the_inputs_own_credentials_are_kept(tmp_path: Path) -> None:
    photo = signed_photo(tmp_path / "photo.jpg", {"ai_training": "notAllowed"})
    misnamed = shutil.copy(photo, tmp_path / "photo.png")
    leave(SHOT, result(), tmp_path / "a.mp4", FORMATS["mp4"], picture_path=Path(misnamed))
    verdict = verify(tmp_path / "a.mp4")
    assert verdict.state == "trusted"
    (own,) = verdict.inherited
    assert own.source_types == ("digitalCapture",)
    assert own.signer.startswith("vivant")


def test_a_manifest_beside_a_foreign_name(tmp_path: Path) -> None:
    leave(SHOT, result(), tmp_path / "a.webm", FORMATS["webm"])
    (tmp_path / "a.webm.c2pa").rename(tmp_path / "a.c2pa")
    assert verify(tmp_path / "a.webm").state == "trusted"
