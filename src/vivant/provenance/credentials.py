"""C2PA content credentials: writing and reading signed manifests.

C2PA specification 2.x through ``c2pa-python``. Formats that the library can embed into are
signed inside; for the others the manifest lies beside the file, as ``NAME.c2pa``.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import c2pa
import pillow_heif
from PIL import Image

from vivant.clip import Picture
from vivant.errors import ProvenanceError
from vivant.media.raster import opened
from vivant.media.read import FORMATS
from vivant.provenance.keys import SigningKey
from vivant.request import SourceType
from vivant.version import __version__

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
RECORD_LABEL = "org.vivant.record"
FIRST_RECORD_LABEL = "org.vivant.recipe"
"""Of the first edition."""
EMBEDDED = {
    ".mp4": "video/mp4",
    ".mov": "video/quicktime",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
}
BESIDE = "application/octet-stream"
READABLE = EMBEDDED | {
    ".m4v": "video/mp4",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".dng": "image/x-adobe-dng",
    ".jxl": "image/jxl",
    ".svg": "image/svg+xml",
    ".avi": "video/avi",
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".pdf": "application/pdf",
}
"""What other systems embed into as well, and the library reads."""
_INPUTS = {"MPO": "image/jpeg", "HEIF": "image/heic", "TIFF": "image/tiff"} | {
    name: f"image/{name.lower()}" for name in ("JPEG", "PNG", "WEBP", "AVIF", "GIF")
}


@dataclass(frozen=True)
class Statement:
    """What a manifest says: how the clip was ``made``, its ``record``, and the input ``picture``
    with the file it came from (None where it came from memory); footage stands by its first frame.
    ``description`` says what was done, ``others`` are further inputs;
    ``comment`` is the container's own."""

    made: SourceType
    record: dict[str, Any]
    picture: Picture
    picture_path: Path | None = None
    description: str = "A still picture was set in motion."
    others: tuple[tuple[Picture, Path | None], ...] = ()
    comment: str = "AI-generated: a still picture set in motion by vivant"


def sidecar_of(path: Path) -> Path:
    """Where the manifest of a file that cannot hold one lies."""
    return path.with_name(path.name + ".c2pa")


def can_embed(path: Path) -> bool:
    """Whether the manifest goes inside a file of this name."""
    return path.suffix.lower() in EMBEDDED


def address_of(made: SourceType) -> str:
    """IPTC's address of a source type."""
    return SOURCE_TYPES + made.value


def sign(source: Path, target: Path, statement: Statement, key: SigningKey) -> None:
    """Sign ``source``. Embedding formats: the signed copy is ``target``; others: ``target``
    is the sidecar. Raises ProvenanceError where signing fails, or where the time stamp
    authority that was asked for does not answer: a clip without it is not what was asked."""
    embed = can_embed(source)
    mime = EMBEDDED[source.suffix.lower()] if embed else BESIDE
    try:
        with _signer(key) as signer, _builder(statement) as builder:
            if not embed:
                builder.set_no_embed()
                with source.open("rb") as stream:
                    target.write_bytes(builder.sign(signer, mime, stream, io.BytesIO()))
                return
            with source.open("rb") as stream, target.open("w+b") as out:
                builder.sign(signer, mime, stream, out)
    except c2pa.C2paError as error:
        reason = str(error).replace("\n", " ")
        if key.timestamp_url and any(w in reason.lower() for w in ("time", "http")):
            reason = f"no time stamp from {key.timestamp_url}, unset VIVANT_TSA_URL: {reason}"
        raise ProvenanceError(f"The clip could not be signed ({reason}).") from error


def _signer(key: SigningKey) -> c2pa.Signer:
    info = c2pa.C2paSignerInfo(
        c2pa.C2paSigningAlg[key.algorithm],
        key.chain.encode(),
        key.private_key.encode(),
        key.timestamp_url.encode() or None,
    )
    return c2pa.Signer.from_info(info)


def _builder(statement: Statement) -> c2pa.Builder:
    """The unsigned manifest: opened picture, edited by a model, record, no training."""
    agent = {"name": "vivant", "version": __version__}
    actions = [
        {"action": "c2pa.opened", "parameters": {"ingredientIds": ["picture"]}},
        {
            "action": "c2pa.edited",
            "softwareAgent": agent,
            "digitalSourceType": address_of(statement.made),
            "description": statement.description,
        },
    ]
    for number in range(len(statement.others)):
        placed = {"ingredientIds": [f"other{number}"]}
        actions.append({"action": "c2pa.placed", "parameters": placed})
    forbidden = {
        name: {"use": "notAllowed"}
        for name in (
            "cawg.ai_training",
            "cawg.ai_generative_training",
            "cawg.data_mining",
            "cawg.ai_inference",
        )
    }
    definition = {
        "claim_generator_info": [agent],
        "title": "clip",
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": actions}},
            {"label": "cawg.training-mining", "data": {"entries": forbidden}},
            # as text: CBOR would turn lists of small numbers into byte strings
            {"label": RECORD_LABEL, "data": {"json": json.dumps(statement.record)}},
        ],
    }
    settings = c2pa.Settings.from_dict({"builder": {"thumbnail": {"enabled": False}}})
    builder = c2pa.Builder.from_json(json.dumps(definition), context=c2pa.Context(settings))
    _add(builder, statement.picture, statement.picture_path, "picture")
    for number, (picture, path) in enumerate(statement.others):
        _add(builder, picture, path, f"other{number}")
    return builder


def _add(builder: c2pa.Builder, picture: Picture, path: Path | None, label: str) -> None:
    """One input as an ingredient; the first is what was opened, the others went into it."""
    relationship = "parentOf" if label == "picture" else "componentOf"
    title = picture.name or "picture"
    ingredient = {"title": title, "relationship": relationship, "label": label}
    mime, stream = _picture_stream(picture, path)
    with stream:
        builder.add_ingredient(ingredient, mime, stream)


def _picture_stream(picture: Picture, path: Path | None) -> tuple[str, Any]:
    """The input file itself, so that credentials of its own are kept, else a PNG of it."""
    mime = None if path is None else input_mime(path)
    if path is not None and mime is not None:
        return mime, path.open("rb")
    buffer = io.BytesIO()
    Image.fromarray(picture.pixels).save(buffer, "PNG", compress_level=1)
    buffer.seek(0)
    return "image/png", buffer


def input_mime(path: Path) -> str | None:
    """The media type of a picture by its content, of footage by its first box; None where the
    credentials' library reads neither."""
    mime = picture_mime(path)
    if mime is None:
        with path.open("rb") as stream:
            head = stream.read(12)
        if head[4:8] == b"ftyp":
            mime = "video/quicktime" if head[8:10] == b"qt" else "video/mp4"
    return mime


def picture_mime(path: Path) -> str | None:
    """The media type by a picture's content (names lie), None where it is no known picture."""
    pillow_heif.register_heif_opener()
    try:
        with opened(path, FORMATS) as image:
            return _INPUTS.get(image.format or "")
    except Exception:  # decoders raise anything; a file that is no picture is an answer
        return None


def read(
    path: Path, manifest: bytes | None = None, anchors: str = "", mime: str | None = None
) -> dict[str, Any] | None:
    """The manifest store of a file as JSON, None where it has none.

    ``manifest`` is a sidecar's bytes, ``anchors`` PEM certificates to trust, ``mime`` the media
    type where the name does not tell it. Raises ProvenanceError where the library cannot read
    the file at all.
    """
    mime = mime or READABLE.get(path.suffix.lower(), BESIDE)
    try:
        with path.open("rb") as stream:
            context = c2pa.Context(c2pa.Settings.from_dict(_trust(anchors)))
            arguments: dict[str, Any] = {"context": context}
            if manifest is not None:
                arguments["manifest_data"] = manifest
            with c2pa.Reader(mime, stream, **arguments) as reader:
                store: dict[str, Any] = json.loads(reader.json())
                store["validation_state"] = reader.get_validation_state()
                return store
    except c2pa.C2paError as error:
        if "ManifestNotFound" in str(error) or "no JUMBF" in str(error):
            return None
        reason = str(error).replace("\n", " ")
        raise ProvenanceError(f"The credentials of {path} cannot be read ({reason}).") from error


def _trust(anchors: str) -> dict[str, Any]:
    """Verification settings."""
    settings: dict[str, Any] = {"verify": {"verify_trust": True}}
    if anchors:
        settings["trust"] = {"user_anchors": anchors}
    return settings
