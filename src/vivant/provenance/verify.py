"""What the credentials of a file say, for any system's files."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vivant.errors import UsageError
from vivant.files import sha256_of
from vivant.provenance.credentials import RECIPE_LABEL, can_embed, read, sidecar_of
from vivant.provenance.release import SUMS
from vivant.provenance.watermark.stamp import Examined

SENTENCES = {
    "trusted": "The credentials are intact and the signer is trusted here.",
    "valid": "The credentials are intact; the signer is not known here.",
    "altered": "The file was altered after it was signed.",
    "none": "The file carries no credentials.",
}


@dataclass(frozen=True)
class Verdict:
    """``state``: trusted, valid (unknown signer), altered or none; then what is stated.
    ``watermark`` is what the frames alone tell, None where they were not looked at."""

    path: Path
    state: str
    signer: str = ""
    source_types: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    ingredients: tuple[str, ...] = ()
    recipe: dict[str, Any] | None = None
    problems: tuple[str, ...] = field(default=())
    watermark: Examined | None = None

    @property
    def sentence(self) -> str:
        """The state in words."""
        return SENTENCES[self.state]


def verify(path: Path) -> Verdict:
    """Read and check the credentials of a file, or of a folder of frames.

    Raises UsageError where there is no such file, ProvenanceError where it cannot be read.
    """
    if not path.exists():
        raise UsageError(f"There is no file {path}.")
    if path.is_dir():
        return _verify_folder(path)
    sidecar = sidecar_of(path)
    beside = sidecar.read_bytes() if not can_embed(path) and sidecar.is_file() else None
    if beside is None and not can_embed(path):
        return Verdict(path, "none")
    store = read(path, beside)
    return Verdict(path, "none") if store is None else _judge(path, store)


def _verify_folder(folder: Path) -> Verdict:
    sums = folder / SUMS
    if not sums.is_file() or not sidecar_of(sums).is_file():
        return Verdict(folder, "none")
    store = read(sums, sidecar_of(sums).read_bytes())
    if store is None:
        return Verdict(folder, "none")
    verdict = _judge(folder, store)
    problems = _changed_frames(folder, sums)
    if problems:
        return Verdict(
            folder,
            "altered",
            verdict.signer,
            verdict.source_types,
            verdict.actions,
            verdict.ingredients,
            verdict.recipe,
            problems,
        )
    return verdict


def _changed_frames(folder: Path, sums: Path) -> tuple[str, ...]:
    pairs = (line.split("  ", 1) for line in sums.read_text("utf-8").splitlines())
    stated = {name: digest for digest, name in pairs}
    found = {p.name for p in folder.glob("*.png")}
    changed = [n for n in sorted(found & set(stated)) if sha256_of(folder / n) != stated[n]]
    return (
        *(f"{name} was changed" for name in changed),
        *(f"{name} is missing" for name in sorted(set(stated) - found)),
        *(f"{name} was added" for name in sorted(found - set(stated))),
    )


def _judge(path: Path, store: dict[str, Any]) -> Verdict:
    manifest = store["manifests"][store["active_manifest"]]
    assertions = {a["label"]: a["data"] for a in manifest.get("assertions", [])}
    actions = [
        action
        for label, data in assertions.items()
        if label.startswith("c2pa.actions")
        for action in data.get("actions", [])
    ]
    state = {"Trusted": "trusted", "Valid": "valid"}.get(store["validation_state"], "altered")
    problems = [s.get("code", "") for s in store.get("validation_status") or []]
    return Verdict(
        path=path,
        state=state,
        signer=_signer(manifest.get("signature_info") or {}),
        source_types=tuple(
            a["digitalSourceType"].rpartition("/")[2] for a in actions if "digitalSourceType" in a
        ),
        actions=tuple(a.get("action", "") for a in actions),
        ingredients=tuple(i.get("title", "") for i in manifest.get("ingredients", [])),
        recipe=_recipe(assertions.get(RECIPE_LABEL)),
        problems=tuple(problems),
    )


def _recipe(data: Any) -> dict[str, Any] | None:
    try:
        recipe = json.loads(data["json"])
    except (TypeError, KeyError, ValueError):
        return None
    return recipe if isinstance(recipe, dict) else None


def _signer(info: dict[str, Any]) -> str:
    return " / ".join(str(info[k]) for k in ("issuer", "common_name") if info.get(k))
