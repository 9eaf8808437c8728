from __future__ import annotations

import pytest

from conftest import picture
from vivant.controls.flow import Flow, flows, parse_flow
from vivant.controls.strength import Strength, parse_strength, strengths
from vivant.controls.table import control_data, control_from, words_of
from vivant.controls.wind import Wind, parse_wind
from vivant.errors import UsageError
from vivant.media.assets import MemoryAssets

FILES = MemoryAssets(picture(8, 8))


@pytest.mark.parametrize(
    ("text", "wind"),
    [("left", Wind(180.0)), ("towards,strong", Wind(270.0, 11.0)), ("135,8", Wind(135.0, 8.0))],
)
def test_winds_are_read_and_written(text: str, wind: Wind) -> None:
    assert parse_wind(text, FILES) == (wind,)
    flag, words = words_of(wind)
    assert flag == "--wind"
    assert parse_wind(words, FILES) == (wind,)
    assert control_from(control_data(wind)) == wind


@pytest.mark.parametrize("text", ["", "north", "left,fierce", "left,99", "left,-1", "nan", "left,"])
def test_bad_winds(text: str) -> None:
    with pytest.raises(UsageError, match="wind"):
        parse_wind(text, FILES)


def test_flows_are_read_and_written() -> None:
    assert parse_flow("clouds=left", FILES) == (Flow("sky", 180.0),)
    assert parse_flow("water=-30", FILES) == (Flow("water", 330.0),)
    assert words_of(Flow("smoke", 60.0)) == ("--flow", "smoke=60")
    assert flows((Flow("sky", 0.0), Flow("water", 90.0))) == {"sky": 0.0, "water": 90.0}
    with pytest.raises(UsageError, match="given twice"):
        flows((Flow("sky", 0.0), Flow("sky", 90.0)))


@pytest.mark.parametrize("text", ["water", "left", "boat=left", "tree=left", "water=in", "=left"])
def test_bad_flows(text: str) -> None:
    with pytest.raises(UsageError):
        parse_flow(text, FILES)


def test_strengths_by_kind() -> None:
    assert parse_strength("waterfall=1.5", FILES) == (Strength(1.5, "fall"),)
    assert words_of(Strength(0.5, "water")) == ("--strength", "water=0.5")
    assert control_from({"control": "strength", "factor": 0.5}) == Strength(0.5)
    assert strengths((Strength(2.0), Strength(0.5, "sky"))) == {"": 2.0, "sky": 0.5}
    with pytest.raises(UsageError, match="of sky is given twice"):
        strengths((Strength(2.0, "sky"), Strength(0.5, "sky")))
    for text in ("moose=2", "water=", "x", "water=99"):
        with pytest.raises(UsageError):
            parse_strength(text, FILES)
