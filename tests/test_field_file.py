from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from conftest import simple_field
from vivant.errors import FieldFileError, UsageError, VivantError
from vivant.field.file import FORMAT, load_field, save_field
from vivant.field.motion_field import MotionField


def test_round_trip(tmp_path: Path) -> None:
    f = simple_field(drift=(0.1, 0.02), sway=0.03)
    f = MotionField(f.velocity, f.light, f.map, f.still, 8.0, 4.0, {"seed": "7"})
    path = tmp_path / "f.vivant"
    save_field(path, f)
    g = load_field(path)
    for name in ("velocity", "light", "map", "still"):
        np.testing.assert_array_equal(getattr(f, name), getattr(g, name))
    assert (g.rate, g.loop_seconds, g.about) == (8.0, 4.0, {"seed": "7"})
    assert list(tmp_path.iterdir()) == [path]


def test_existing_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "f.vivant"
    path.write_bytes(b"mine")
    with pytest.raises(UsageError, match="--overwrite"):
        save_field(path, simple_field())
    assert path.read_bytes() == b"mine"


def _file(tmp_path: Path, metadata: dict[str, str], **tensors: np.ndarray) -> Path:  # type: ignore[type-arg]
    f = simple_field()
    values = {n: getattr(f, n) for n in ("velocity", "light", "map", "still")} | tensors
    path = tmp_path / "x.vivant"
    path.write_bytes(save(values, {"format": FORMAT, "version": "1", "rate": "8"} | metadata))
    return path


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ({"version": "2"}, "newer vivant"),
        ({"version": "one"}, "does not state its version"),
        ({"format": "other"}, "not a motion field"),
        ({"rate": "-1"}, "not a positive number"),
        ({"rate": "nan"}, "not a positive number"),
    ],
)
def test_foreign_and_newer_files(tmp_path: Path, metadata: dict[str, str], says: str) -> None:
    with pytest.raises(FieldFileError, match=says):
        load_field(_file(tmp_path, metadata))


def test_nan_and_extra_tensors_are_refused(tmp_path: Path) -> None:
    bad = simple_field().map.copy()
    bad[0, 0] = np.inf
    with pytest.raises(FieldFileError, match="finite"):
        load_field(_file(tmp_path, {}, map=bad))
    with pytest.raises(FieldFileError, match="exactly the tensors"):
        load_field(_file(tmp_path, {}, extra=bad))


def test_missing_empty_and_lying_headers(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no motion field"):
        load_field(tmp_path / "none.vivant")
    path = tmp_path / "x.vivant"
    for data in (b"", b"abc", (2**60).to_bytes(8, "little") + b"{}", b"\xff" * 40):
        path.write_bytes(data)
        with pytest.raises(FieldFileError):
            load_field(path)
    header = json.dumps({"velocity": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 4]}})
    path.write_bytes(len(header).to_bytes(8, "little") + header.encode() + b"\0" * 4)
    with pytest.raises(FieldFileError):
        load_field(path)


def test_mutated_files_never_crash(tmp_path: Path) -> None:
    good = _file(tmp_path, {}).read_bytes()
    rng = np.random.default_rng(0)
    path = tmp_path / "m.vivant"
    outcomes = set()
    for _ in range(300):
        data = bytearray(good)
        for at in rng.integers(0, 700, rng.integers(1, 6)):
            data[at] = rng.integers(0, 256)
        path.write_bytes(
            bytes(data[: rng.integers(1, len(data))]) if rng.random() < 0.3 else bytes(data)
        )
        try:
            load_field(path)
            outcomes.add("loaded")
        except VivantError:
            outcomes.add("refused")
    assert "refused" in outcomes
