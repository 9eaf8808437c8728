"""Two thousand mutated files of sixteen kinds: an answer or one sentence, never anything else."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("resource")

import fuzzing


def test_two_thousand_mutated_files(tmp_path: Path) -> None:
    found = fuzzing.fuzz(2000, tmp_path)
    assert len(found) >= 16
    assert sum(sum(outcomes.values()) for outcomes in found.values()) == 2000
    for name, outcomes in found.items():
        assert outcomes.get("refused", 0) > 0, name
    assert sum(outcomes.get("read", 0) for outcomes in found.values()) > 200
    assert sum(outcomes.get("crashed the child", 0) for outcomes in found.values()) < 20
