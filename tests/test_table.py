"""One new module and one row: a control is everywhere."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import EXAMPLES
from test_cli import report, run
from toy import Toy, toy_bundle
from vivant import registry
from vivant.asset import Files
from vivant.controls import table
from vivant.controls.entry import Entry, Option
from vivant.request import Capabilities, Keyframe, Request


@dataclass(frozen=True)
class Tint:
    """A control that only this test knows."""

    colour: str = "none"

    @property
    def asks(self) -> bool:
        return self.colour != "none"


def read(text: str, files: Files) -> tuple[Tint, ...]:
    return (Tint(text),)


ENTRY = Entry(
    "tint",
    Tint,
    (Option("--tint", "Colours the clip, for this test.", read, "COLOUR"),),
    write=lambda control: ("--tint", control.colour),
)


def test_a_registered_control_is_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(table.TABLE, "tint", ENTRY)
    able = Capabilities(controls=("tint",))
    monkeypatch.setitem(registry.FAMILIES, "toy", lambda b, r: Toy(b.identity, able))
    toy = toy_bundle(tmp_path / "toy")
    photo = shutil.copy(EXAMPLES / "china.jpg", tmp_path / "photo.jpg")

    with pytest.raises(SystemExit):  # click's own way out of --help
        run_help(monkeypatch)
    assert "Colours the clip" in capsys.readouterr().out

    out = tmp_path / "a.mp4"
    command = ["animate", photo, "-o", out, "--model", toy, "--tint", "red", "--json"]
    assert run(monkeypatch, *command) == 0
    stated = report(capsys)["request"]["controls"]
    assert stated == [{"control": "tint", "colour": "red"}]

    assert run(monkeypatch, "verify", out, "--json") == 0
    record = report(capsys)[0]["record"]  # type: ignore[index]
    assert record["request"]["controls"] == stated
    assert run(monkeypatch, "verify", out) == 0
    assert "--tint red" in capsys.readouterr().err

    assert run(monkeypatch, "animate", photo, "-o", out, "--tint", "red", "--overwrite") == 2
    assert "builtin cannot honour the control tint" in capsys.readouterr().err


def run_help(monkeypatch: pytest.MonkeyPatch) -> None:
    raise SystemExit(run(monkeypatch, "animate", "--help"))


def test_json_knows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(table.TABLE, "tint", ENTRY)
    asset = {"sha256": "0" * 64, "kind": "picture"}
    data = {"keyframes": [{"image": asset}], "controls": [{"control": "tint", "colour": "blue"}]}
    request = Request.from_data(json.loads(json.dumps(data)))
    assert request.all(Tint) == (Tint("blue"),)
    assert isinstance(request.keyframes[0], Keyframe)
    assert Request.from_data(request.to_data()) == request
