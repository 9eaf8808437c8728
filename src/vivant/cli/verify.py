"""``vivant verify``: what a clip's credentials say, and whether it can be made again."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from vivant import job
from vivant.cli.show import print_json, say
from vivant.controls.depth import GivenDepth
from vivant.controls.edits import Between, Clean, Edit
from vivant.controls.given import GivenField
from vivant.controls.like import Like
from vivant.controls.table import words_of
from vivant.errors import ProvenanceError, UsageError, VivantError
from vivant.files import sha256_of
from vivant.media.assets import STDIN, FileAssets
from vivant.provenance.compare import Comparison, compare
from vivant.provenance.policy import Policy
from vivant.provenance.record import Recorded, read_record, shown
from vivant.provenance.verify import Verdict, verify
from vivant.provenance.watermark.stamp import examine, marked
from vivant.registry import MODELS, load
from vivant.request import Generator, Request

TIMED = (Between,)
"""Edits whose length is asked for."""
_INTACT = ("trusted", "valid")
SAME_PSNR = 30.0
"""A lossy copy of the same frames is at least this close, dB."""


@dataclass(frozen=True)
class Again:
    """Whether and from what to make a clip again; naming the ``picture`` asks for it too.
    ``model`` is a bundle's folder, for clips of a bundle that is not installed."""

    rerender: bool = False
    picture: Path | None = None
    field: Path | None = None
    model: str | None = None
    depth: Path | None = None


def verify_files(files: list[Path], again: Again, anchors: str, as_json: bool) -> bool:
    """Report on each file, made again where asked. True where all is well."""
    if again.picture is not None and len(files) > 1:
        raise UsageError("--picture goes with one file: name the clip that was made from it.")
    rows: list[dict[str, Any]] = []
    fine = True
    for path in files:
        try:
            verdict, made = _checked(path, again, anchors)
        except VivantError as error:
            if len(files) == 1:
                raise
            fine = False
            rows.append({"path": str(path), "error": str(error)})
            say(f"vivant: {error}")
            continue
        fine &= verdict.state in _INTACT and (made is None or matches(made))
        rows.append(_row(verdict, made))
        if not as_json:
            _describe(verdict, made)
    if as_json:
        print_json(rows)
    return fine


def _checked(path: Path, again: Again, anchors: str) -> tuple[Verdict, Comparison | None]:
    """What one file says, and how the clip made again compares, where that is asked."""
    if str(path) in STDIN or (path.exists() and not (path.is_file() or path.is_dir())):
        raise UsageError(f"{path} is no file: what is verified is read several times.")
    verdict = verify(path, anchors)
    verdict = replace(verdict, watermark=examine(path, verdict.record))
    wanted = again.picture is not None or (again.rerender and verdict.state in _INTACT)
    return verdict, remake(verdict, again) if wanted else None


def matches(comparison: Comparison) -> bool:
    """Whether two clips show the same frames, up to the loss of encoding."""
    return comparison.same_count and comparison.same_size and comparison.psnr >= SAME_PSNR


def remake(verdict: Verdict, again: Again) -> Comparison:
    """Make the clip again from its record and compare.

    Raises UsageError where the record is missing, or names another picture, model or field.
    """
    record = verdict.record
    if record is None:
        raise UsageError(f"{verdict.path} carries no record of vivant; it cannot be made again.")
    known = read_record(record)
    with FileAssets() as assets:
        picture = known.request.keyframes[0].image
        path = again.picture or _photograph(verdict, picture.name, picture.sha256)
        if assets.add(path, "picture").sha256 != picture.sha256:
            raise UsageError(f"{path} is not the picture that {verdict.path} was made from.")
        for frame in known.request.keyframes[1:]:
            other = frame.image
            assets.add(_photograph(verdict, other.name, other.sha256), other.kind)
        for like in known.request.all(Like):
            assets.add(_photograph(verdict, like.clip.name, like.clip.sha256), "clip")
        _add_field(known, again.field, assets)
        _add_depth(verdict, known, again.depth, assets)
        for asset, data in known.masks:
            assets.add_bytes(data, "mask", asset.name, asset.sha256)
        generator = _generator(known, again.model)
        if generator.capabilities.reproducible == "no":
            raise UsageError(
                f"The model {known.model.name} does not make the same clip twice; it cannot be"
                " compared."
            )
        allowed = Policy(consent=True, nudity_screen=False)  # nothing leaves: it is compared
        made = job.make(known.request, known.target, assets, generator, policy=allowed)
        with made.result.open() as frames:
            return compare(verdict.path, marked(frames, made.result.plan.video, record))


def _photograph(verdict: Verdict, name: str, sha256: str) -> Path:
    """The picture that the record names, beside the clip or in the working folder."""
    found = _beside(verdict, name, sha256)
    if found is not None:
        return found
    raise UsageError(f"The photograph of {verdict.path} is not beside it; name it with --picture.")


def _beside(verdict: Verdict, name: str, sha256: str) -> Path | None:
    """A file beside the clip, or in the working folder; None where it is not there."""
    name = Path(name).name
    for folder in (verdict.path.parent, Path()):
        if name and (folder / name).is_file() and sha256_of(folder / name) == sha256:
            return folder / name
    return None


def _add_field(known: Recorded, path: Path | None, assets: FileAssets) -> None:
    given = known.request.one(GivenField)
    if given is None:
        return
    if path is None:
        raise UsageError("The clip was rendered from a field file; name it with --field.")
    if assets.add(path, "field").sha256 != given.file.sha256:
        raise UsageError(f"{path} is not the field that the clip was rendered from.")


def _add_depth(verdict: Verdict, known: Recorded, path: Path | None, assets: FileAssets) -> None:
    given = known.request.one(GivenDepth)
    if given is None:
        return
    path = path or _beside(verdict, given.map.name, given.map.sha256)
    if path is None:
        raise UsageError("The clip was made with a depth map; name it with --depth.")
    if assets.add(path, "depth").sha256 != given.map.sha256:
        raise UsageError(f"{path} is not the depth map that the clip was made with.")


def _generator(known: Recorded, model: str | None) -> Generator:
    """The model that made the clip. A field rendered by the first edition needs no weights."""
    name = model or (known.model.name if known.model.name in MODELS else None)
    if name is None:
        raise UsageError(
            f"The clip was made by the model {known.model.name}, which is not installed; name"
            " its folder with --model."
        )
    generator = load(name)
    if known.model.sha256 and generator.identity.sha256 != known.model.sha256:
        raise UsageError(
            f"The clip was made by {known.model.name} {known.model.version} with other weights"
            " than those installed; install that version, or name its folder with --model."
        )
    return generator


def command_of(known: Recorded) -> str:
    """The command that makes a clip like this again."""
    request = known.request
    edits = [control for control in request.controls if isinstance(control, Edit)]
    names = [frame.image.name or "PHOTO" for frame in request.keyframes]
    if edits:
        words = ["vivant", edits[0].command, *_inputs(edits[0], names)]
    else:
        words = [
            "vivant",
            "animate",
            names[0],
            *_later(request, names),
            "--seed",
            str(request.seed),
        ]
    if not edits or isinstance(edits[0], TIMED):
        words += ["--seconds", f"{request.seconds:g}"]
    if request.fps is not None:
        words += ["--fps", f"{request.fps:g}"]
    if request.size is not None:
        words += ["--size", request.size]
    if request.model not in ("builtin", "footage"):
        words += ["--model", request.model]
    for control in request.controls:
        if control.asks:
            words += words_of(control)
    return shlex.join(words)


def _later(request: Request, names: list[str]) -> list[str]:
    """The words that name the pictures after the first."""
    words = []
    for frame, name in zip(request.keyframes[1:], names[1:], strict=True):
        last = request.model != "builtin" and frame.at == request.seconds
        words += ["--last", name] if last else ["--keyframe", f"{name}@{frame.at:g}"]
    return words


def _inputs(edit: Edit, names: list[str]) -> list[str]:
    """The words that name an edit's key frames."""
    return [names[0], "--picture", *names[1:]] if isinstance(edit, Clean) else names


def _row(verdict: Verdict, again: Comparison | None) -> dict[str, Any]:
    row = {**asdict(replace(verdict, record=None)), "record": verdict.record}
    row["sentence"] = verdict.sentence
    if again is not None:
        row["rerendered"] = {**asdict(again), "matches": matches(again)}
    return row


def _describe(verdict: Verdict, again: Comparison | None) -> None:
    say(f"{verdict.path}: {verdict.state}. {verdict.sentence}")
    facts = {
        "signer": verdict.signer,
        "source": ", ".join(verdict.source_types),
        "made from": ", ".join(verdict.ingredients),
        "time stamp": verdict.timestamp,
        "problems": ", ".join(verdict.problems) if verdict.state not in _INTACT else "",
        "watermark": verdict.watermark.sentence if verdict.watermark else "",
        **_record_facts(verdict.record),
    }
    for own in verdict.inherited:
        says = [f"signed by {own.signer}", *own.source_types, *own.problems]
        facts[f"credentials of {own.title}"] = ", ".join(says)
    for name, text in facts.items():
        if text:
            say(f"  {name}: {text}")
    if again is not None:
        word = "the same clip" if matches(again) else "NOT the same clip"
        say(
            f"  made again: {word} ({again.frames} frames, mean difference {again.mean:.2f} levels)"
        )


def _record_facts(record: dict[str, Any] | None) -> dict[str, str]:
    """What the record says to a person: model, and the command that makes the clip again."""
    if record is None:
        return {}
    try:
        known = read_record(record)
    except ProvenanceError as error:
        return {"record": f"{error} {', '.join(shown(record))}"}
    model = f"{known.model.name} {known.model.version} {known.model.sha256[:12]}".strip()
    return {"model": model, "make it again with": command_of(known)}
