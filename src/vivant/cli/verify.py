"""``vivant verify``: what a clip's credentials say, and whether it can be made again."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from cryptography import x509

from vivant.cli.show import print_json, say
from vivant.errors import UsageError
from vivant.field.file import load_field
from vivant.files import sha256_of
from vivant.media.decoder import Decoder
from vivant.media.resize import fit
from vivant.motion.apply import apply_controls, guidance_for
from vivant.motion.model import rendered
from vivant.provenance.compare import Comparison, compare
from vivant.provenance.record import request_from
from vivant.provenance.verify import Verdict, verify
from vivant.provenance.watermark.stamp import examine, marked
from vivant.registry import spec_of
from vivant.request import ModelIdentity, Request, Result

_INTACT = ("trusted", "valid")
SAME_PSNR = 30.0
"""A lossy copy of the same frames is at least this close, dB."""


@dataclass(frozen=True)
class Again:
    """Whether and from what to make a clip again; naming the ``picture`` asks for it too."""

    rerender: bool = False
    picture: Path | None = None
    field: Path | None = None


def verify_files(files: list[Path], again: Again, trust: Path | None, as_json: bool) -> bool:
    """Report on each file, made again where asked. True where all is well."""
    if again.picture is not None and len(files) > 1:
        raise UsageError("--picture goes with one file: name the clip that was made from it.")
    anchors = "" if trust is None else read_anchors(trust)
    rows = []
    fine = True
    for path in files:
        verdict = verify(path, anchors)
        verdict = replace(verdict, watermark=examine(path, verdict.recipe))
        intact = verdict.state in _INTACT
        made = None
        if again.picture is not None or (again.rerender and intact):
            made = remake(verdict, again.picture or _photograph(verdict), again.field)
        fine &= intact and (made is None or matches(made))
        rows.append((verdict, made))
    if as_json:
        print_json([_row(*row) for row in rows])
    else:
        for verdict, made in rows:
            _describe(verdict, made)
    return fine


def read_anchors(path: Path) -> str:
    """The certificates of a PEM file. Raises UsageError where it holds none."""
    try:
        text = path.read_text("utf-8")
        x509.load_pem_x509_certificates(text.encode())
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is no PEM file of certificates to trust.") from error
    return text


def _photograph(verdict: Verdict) -> Path:
    """The picture that the recipe names, beside the clip or in the working folder."""
    stated = (verdict.recipe or {}).get("picture") or {}
    name = Path(str(stated.get("name", ""))).name
    for folder in (verdict.path.parent, Path()):
        if name and (folder / name).is_file() and sha256_of(folder / name) == stated.get("sha256"):
            return folder / name
    raise UsageError(f"The photograph of {verdict.path} is not beside it; name it with --picture.")


def matches(comparison: Comparison) -> bool:
    """Whether two clips show the same frames, up to the loss of encoding."""
    return comparison.same_count and comparison.same_size and comparison.psnr >= SAME_PSNR


def remake(verdict: Verdict, picture_path: Path, field_path: Path | None) -> Comparison:
    """Make the clip again from its recipe and compare.

    Raises UsageError where the recipe is missing, or names another picture, model or field.
    """
    recipe = verdict.recipe
    if recipe is None:
        raise UsageError(f"{verdict.path} carries no recipe of vivant; it cannot be made again.")
    with Decoder() as decoder:
        picture = decoder.picture(picture_path)
    if picture.sha256 != recipe["picture"]["sha256"]:
        raise UsageError(f"{picture_path} is not the picture that {verdict.path} was made from.")
    width, height = recipe["size"]
    request = request_from(recipe, fit(picture, (width, height)))
    result = (
        _from_field(recipe, field_path, request)
        if "field_sha256" in recipe
        else _from_model(recipe, request)
    )
    return compare(verdict.path, marked(result.frames(), result.spec, recipe))


def _from_model(recipe: dict[str, Any], request: Request) -> Result:
    generator = spec_of(recipe["model"]["name"]).load(0)
    if generator.identity.sha256 != recipe["model"]["sha256"]:
        raise UsageError(
            f"The clip was made by {recipe['model']['name']} {recipe['model']['version']} with"
            " other weights than those installed; install that version."
        )
    return generator.generate(request)


def _from_field(recipe: dict[str, Any], path: Path | None, request: Request) -> Result:
    if path is None:
        raise UsageError("The clip was rendered from a field file; name it with --field.")
    if sha256_of(path) != recipe["field_sha256"]:
        raise UsageError(f"{path} is not the field that the clip was rendered from.")
    field = load_field(path)
    applied = apply_controls(field, guidance_for(request, field.grid), request)
    return rendered(request, applied, ModelIdentity("field file", "", ""), {})


def _row(verdict: Verdict, again: Comparison | None) -> dict[str, Any]:
    row = {**asdict(replace(verdict, recipe=None)), "recipe": verdict.recipe}
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
    }
    for own in verdict.inherited:
        says = [f"signed by {own.signer}", *own.source_types, *own.problems]
        facts[f"credentials of {own.title}"] = ", ".join(says)
    if verdict.recipe:
        shown = {k: v for k, v in verdict.recipe.items() if k not in ("still", "move")}
        facts["recipe"] = str(shown)
    for name, text in facts.items():
        if text:
            say(f"  {name}: {text}")
    if again is not None:
        word = "the same clip" if matches(again) else "NOT the same clip"
        say(
            f"  made again: {word} ({again.frames} frames, mean difference {again.mean:.2f} levels)"
        )
