from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import picture
from vivant.controls.camera import Camera
from vivant.controls.entry import Control
from vivant.controls.flow import Flow
from vivant.controls.kinds import HoldKind, MoveKind
from vivant.controls.light import Light
from vivant.controls.loop import Loop
from vivant.controls.prompt import parse_prompt
from vivant.controls.strength import Strength
from vivant.controls.table import words_of
from vivant.controls.wind import Wind
from vivant.errors import UsageError
from vivant.media.assets import MemoryAssets

FILES = MemoryAssets(picture(8, 8))
DOCS = Path(__file__).parents[1] / "docs" / "prompt.md"
READ: dict[str, tuple[Control, ...]] = {
    "clouds drift left, the sea is calm, hold the trees, slow push-in": (
        Flow("sky", 180.0), Strength(0.4, "water"), HoldKind("plant"), Camera(zoom=0.06),
    ),
    "The water flows to the right and the people stay still": (
        Flow("water", 0.0), HoldKind("being"),
    ),
    "strong wind from the left; seamless loop": (Wind(0.0, 11.0), Loop()),
    "only the river moves": (MoveKind("water"),),
    "smoke rises, the fire burns wildly": (Flow("smoke", 90.0), Strength(2.2, "fire")),
    "the camera pans left": (Camera(pan_x=-0.1),),
    "keep the house frozen": (HoldKind("built"),),
    "the sun goes left, light breeze away": (Light("sun", 0.5, "left"), Wind(90.0, 2.0)),
    "The sun sets and dusk falls softly": (Light("sun", 0.5, "down"), Light("dusk", 0.25)),
    "the lamps flicker, it gets slightly darker": (Light("flicker", 0.4), Light("darker", 0.2)),
    "the flames flicker wildly; much warmer": (Light("flicker", 0.8), Light("warmer", 0.64)),
    "shadows of clouds from the left; a beam sweeps from right to left": (
        Light("clouds", 0.5, "right"), Light("sweep", 0.5, "left"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", list(READ))
def test_prompts_are_read(text: str) -> None:
    assert parse_prompt(text, FILES) == READ[text]
    for control in READ[text]:
        assert words_of(control)[0].startswith("--")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("the clouds dance left", "'dance'"),
        ("make it epic and cinematic", "'make', 'epic'"),
        ("the car goes left", "stroke drives"),
        ("trees drift left", "follow the wind"),
        ("hold the sea, the sea is wild", "hold and move"),
        ("clouds drift left, clouds drift right", "two things"),
        ("the water", "what becomes"),
        ("wind", "says nothing"),
        ("hold", "names nothing"),
        ("the sun dances left", "'dances'"),
        ("the sun", "where to"),
        ("the light dances", "becomes of the light"),
        ("dusk falls left", "'left'"),
        ("a beam sweeps up", "'up'"),
        ("the evening sun goes left", "'sun'"),
        ("the sun goes left, the sun goes right", "two things"),
        ("dark clouds drift left", "'dark'"),
        ("x" * 501, "500"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as info:
        parse_prompt(text, FILES)
    assert "\n" not in str(info.value)


@given(st.text(max_size=60) | st.lists(st.sampled_from(
    ["sun", "dusk", "darker", "shadows", "light", "hold", "clouds", "drift", "left", "sea", "calm", "wind", "from", "strong", "push-in", "only", ",", "and", "loop", "the"]
), max_size=8).map(" ".join))  # fmt: skip
def test_any_text_ends_in_controls_or_a_refusal(text: str) -> None:
    try:
        assert parse_prompt(text, FILES)
    except UsageError as error:
        assert str(error)


def test_the_examples_of_the_page_are_read() -> None:
    found = re.findall(r'--prompt "([^"]+)"', DOCS.read_text("utf-8"))
    assert len(found) > 5
    for text in found:
        assert parse_prompt(text, FILES)
