"""A face that was found is a person's or an animal's; none of these three was learned from."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from vivant.clip import Picture
from vivant.errors import PolicyError
from vivant.provenance.faces import find_faces
from vivant.provenance.policy import Policy, decide
from vivant.scene import persons
from vivant.scene.persons import ANIMAL, around, person, somebody

FACES = Path(__file__).parent / "faces"
MIDDLE = (0.35, 0.32, 0.65, 0.66)


def face(name: str) -> np.ndarray:
    return np.asarray(Image.open(FACES / f"{name}.jpg").convert("RGB"))


def worn(pixels: np.ndarray) -> np.ndarray:
    """The same face with sunglasses."""
    height, width = pixels.shape[:2]
    out = pixels.copy()
    for x in (0.4, 0.6):
        at, size = (round(x * width), round(0.45 * height)), (round(0.085 * width),) * 2
        cv2.ellipse(out, at, size, 0, 0, 360, (20, 20, 25), -1)
    cv2.line(
        out,
        (width // 3, round(0.43 * height)),
        (2 * width // 3, round(0.43 * height)),
        (20,) * 3,
        4,
    )
    return out


@pytest.mark.parametrize("name", ["cat", "dog"])
def test_an_animal_is_no_person(name: str) -> None:
    pixels = face(name)
    for seen in (pixels, pixels[:, ::-1], worn(pixels)):
        assert person(seen, MIDDLE) < ANIMAL


def test_a_person_is_one() -> None:
    pixels = face("woman")
    small = cv2.resize(pixels, (60, 60), interpolation=cv2.INTER_AREA)
    for seen in (pixels, pixels[:, ::-1], worn(pixels), small, (pixels * 0.5).astype(np.uint8)):
        assert person(seen, MIDDLE) > 0.5


def test_consent_is_asked_for_people_alone() -> None:
    """The finder itself is sure of both faces."""
    for name in ("dog", "woman"):
        assert find_faces(face(name))[0].score > 0.85
    dog, woman = (Picture(face(name), name=name, sha256="") for name in ("dog", "woman"))
    assert decide(dog, policy=Policy(consent=True)).faces == 1
    assert decide(dog, being=lambda box: somebody(dog, box)).consent == "not needed"
    with pytest.raises(PolicyError, match="woman shows 1 face"):
        decide(woman, being=lambda box: somebody(woman, box))


def test_nobody_stays_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persons, "beings", lambda picture, box: 0.0)
    assert somebody(Picture(face("woman"), name="", sha256=""), MIDDLE) == 0.0


def test_what_is_beyond_the_edge_is_continued() -> None:
    pixels = face("dog")
    for box in (MIDDLE, (0.0, 0.0, 0.2, 0.2), (0.9, 0.9, 1.0, 1.0), (0.5, 0.5, 0.5, 0.5)):
        assert around(pixels, box).shape == (128, 128, 3)
    corner = around(pixels, (0.0, 0.0, 0.2, 0.2))
    assert (corner[:10, :10] == corner[0, 0]).all()
