"""Mutated files through readers and commands: an answer or one sentence, never anything else."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("resource")

import fuzzed_commands
import fuzzing


def test_mutated_files(tmp_path: Path) -> None:
    found = fuzzing.fuzz(1200, tmp_path)
    assert len(found) >= 18
    assert sum(sum(outcomes.values()) for outcomes in found.values()) == 1200
    for name, outcomes in found.items():
        assert outcomes.get("refused", 0) > 0, name
    assert sum(outcomes.get("read", 0) for outcomes in found.values()) > 150
    assert sum(outcomes.get("crashed the child", 0) for outcomes in found.values()) < 20


def test_commands_on_mutated_files(tmp_path: Path) -> None:
    found = fuzzed_commands.fuzz_commands(len(fuzzed_commands.COMMANDS), tmp_path)
    assert set(found) == set(fuzzed_commands.COMMANDS)
    assert found["models"] == {"done": 1}
    assert sum(outcomes.get("refused", 0) for outcomes in found.values()) > 5


def test_what_must_not_happen_is_noticed(tmp_path: Path) -> None:
    inputs = fuzzed_commands.Inputs(
        tmp_path, tmp_path, tmp_path, tmp_path / "bad.png", tmp_path / "out.mkv"
    )
    sentence = "vivant: bad.png is empty.\n"
    fuzzed_commands.check_command("0 animate", 1, sentence, inputs)
    for code, said in [(-11, sentence), (1, f"Traceback\n{sentence}"), (1, ""), (1, "oops\n")]:
        with pytest.raises((AssertionError, IndexError)):
            fuzzed_commands.check_command("0 animate", code, said, inputs)
    (tmp_path / ".out-000-1-aa.tmp.mkv").touch()
    with pytest.raises(AssertionError, match=r"\.tmp\.mkv"):
        fuzzed_commands.check_command("0 animate", 1, sentence, inputs)
