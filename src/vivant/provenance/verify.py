"""What the credentials of a file say, for any system's files."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vivant.errors import ProvenanceError, UsageError
from vivant.files import listed, sha256_of
from vivant.provenance.credentials import (
    FIRST_RECORD_LABEL,
    READABLE,
    RECORD_LABEL,
    input_mime,
    picture_mime,
    read,
    sidecar_of,
)
from vivant.provenance.watermark.stamp import Examined
from vivant.request import SourceType

SUMS = "SHA256SUMS"
"""The list of checksums that stands for a folder of frames."""

SENTENCES = {
    "trusted": "The credentials are intact and the signer is trusted here.",
    "valid": "The credentials are intact; the signer is not known here.",
    "altered": "The file was altered after it was signed.",
    "none": "The file carries no credentials.",
    "unreadable": "The credentials, or the file that should hold them, cannot be read.",
}


@dataclass(frozen=True)
class Inherited:
    """Credentials that an ingredient brought along: its ``title``, ``signer`` and
    ``source_types``, and ``problems`` found when it was taken in."""

    title: str
    signer: str
    source_types: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """``state``: trusted, valid (unknown signer), altered, none or unreadable; then what is
    stated. ``timestamp`` is the authority's time, "" without one; ``watermark`` what the frames
    alone tell, None where they were not looked at."""

    path: Path
    state: str
    signer: str = ""
    source_types: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    ingredients: tuple[str, ...] = ()
    record: dict[str, Any] | None = None
    problems: tuple[str, ...] = field(default=())
    inherited: tuple[Inherited, ...] = field(default=())
    timestamp: str = ""
    watermark: Examined | None = None

    @property
    def sentence(self) -> str:
        """The state in words."""
        return SENTENCES[self.state]


def verify(path: Path, anchors: str = "") -> Verdict:
    """Read and check the credentials of a file of any system, or of a folder of frames.

    ``anchors`` are PEM certificates of authorities to trust. Raises UsageError where there is
    no such file.
    """
    if not path.exists():
        raise UsageError(f"There is no file {path}.")
    try:
        if path.is_dir():
            return _verify_folder(path, anchors)
        mime = READABLE.get(path.suffix.lower())
        store = None if mime is None else read(path, None, anchors, picture_mime(path) or mime)
        if store is None and (beside := _manifest_beside(path)) is not None:
            store = read(path, beside.read_bytes(), anchors)
    except (ProvenanceError, OSError) as error:
        return Verdict(path, "unreadable", problems=(str(error),))
    return Verdict(path, "none") if store is None else _judge(path, store)


def _manifest_beside(path: Path) -> Path | None:
    """``NAME.EXT.c2pa`` as written here, or ``NAME.c2pa`` as other systems write it."""
    return next((p for p in (sidecar_of(path), path.with_suffix(".c2pa")) if p.is_file()), None)


def _verify_folder(folder: Path, anchors: str) -> Verdict:
    sums = folder / SUMS
    if not sums.is_file() or not sidecar_of(sums).is_file():
        return Verdict(folder, "none")
    store = read(sums, sidecar_of(sums).read_bytes(), anchors)
    if store is None:
        return Verdict(folder, "none")
    verdict = _judge(folder, store)
    problems = _changed_frames(folder, sums)
    return replace(verdict, state="altered", problems=problems) if problems else verdict


def states_synthetic(path: Path) -> bool:
    """Whether a picture's own intact credentials say that a model made it."""
    mime = input_mime(path)
    if mime is None:
        return False
    try:
        store = read(path, mime=mime)
    except (ProvenanceError, OSError):
        return False
    if store is None:
        return False
    verdict = _judge(path, store)
    return (
        verdict.state in ("trusted", "valid") and SourceType.SYNTHETIC.value in verdict.source_types
    )


def _changed_frames(folder: Path, sums: Path) -> tuple[str, ...]:
    pairs = (line.split("  ", 1) for line in sums.read_text("utf-8").splitlines())
    stated = {name: digest for digest, name in pairs}
    found = {p.name for p in listed(folder, "*.png")}
    changed = [n for n in sorted(found & set(stated)) if sha256_of(folder / n) != stated[n]]
    return (
        *(f"{name} was changed" for name in changed),
        *(f"{name} is missing" for name in sorted(set(stated) - found)),
        *(f"{name} was added" for name in sorted(found - set(stated))),
    )


def _judge(path: Path, store: dict[str, Any]) -> Verdict:
    manifest = store.get("manifests", {}).get(store.get("active_manifest"))
    if manifest is None:  # a damaged file may name a manifest that it does not hold
        return Verdict(path, "unreadable", problems=("the active manifest is missing",))
    assertions = {a["label"]: a["data"] for a in manifest.get("assertions", [])}
    state = {"Trusted": "trusted", "Valid": "valid"}.get(store["validation_state"], "altered")
    problems = [s.get("code", "") for s in store.get("validation_status") or []]
    signature = manifest.get("signature_info") or {}
    return Verdict(
        path=path,
        state=state,
        signer=_signer(signature),
        source_types=_source_types(manifest),
        actions=tuple(a.get("action", "") for a in _actions(manifest)),
        ingredients=tuple(i.get("title", "") for i in manifest.get("ingredients", [])),
        record=_record(assertions.get(RECORD_LABEL) or assertions.get(FIRST_RECORD_LABEL)),
        problems=tuple(problems),
        inherited=_inherited(manifest, store["manifests"]),
        timestamp=str(signature.get("time") or ""),
    )


def _actions(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        action
        for assertion in manifest.get("assertions", [])
        if assertion["label"].startswith("c2pa.actions")
        for action in assertion["data"].get("actions", [])
    ]


def _source_types(manifest: dict[str, Any]) -> tuple[str, ...]:
    stated = (a["digitalSourceType"] for a in _actions(manifest) if "digitalSourceType" in a)
    return tuple(address.rpartition("/")[2] for address in stated)


def _inherited(manifest: dict[str, Any], manifests: dict[str, Any]) -> tuple[Inherited, ...]:
    found = []
    for ingredient in manifest.get("ingredients", []):
        own = manifests.get(ingredient.get("active_manifest", ""))
        if own is not None:
            status = ingredient.get("validation_results", {}).get("activeManifest", {})
            codes = tuple(s.get("code", "") for s in status.get("failure", []))
            signer = _signer(own.get("signature_info") or {})
            title = ingredient.get("title", "")
            found.append(Inherited(title, signer, _source_types(own), codes))
    return tuple(found)


def _record(data: Any) -> dict[str, Any] | None:
    try:
        record = json.loads(data["json"])
    except (TypeError, KeyError, ValueError):
        return None
    return record if isinstance(record, dict) else None


def _signer(info: dict[str, Any]) -> str:
    return " / ".join(str(info[k]) for k in ("issuer", "common_name") if info.get(k))
