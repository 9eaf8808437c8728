from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vivant.errors import MediaError
from vivant.media.exr import _gathered, _spread, read_exr, write_exr

RNG = np.random.default_rng(5)
SMOOTH = np.add.outer(np.arange(37, dtype=np.float32), np.arange(53, dtype=np.float32) / 7)


def test_what_is_written_is_read_to_the_bit(tmp_path: Path) -> None:
    rough = RNG.standard_normal((37, 53)).astype(np.float32)
    rough[3, 4] = np.inf
    numbers = RNG.integers(0, 2**16, (37, 53)).astype(np.uint32)
    write_exr(
        tmp_path / "a.exr", {"Z": SMOOTH, "B": rough, "id": numbers, "A": SMOOTH.astype(np.float16)}
    )
    found = read_exr(tmp_path / "a.exr")
    assert sorted(found) == ["A", "B", "Z", "id"]
    np.testing.assert_array_equal(found["Z"], SMOOTH)
    np.testing.assert_array_equal(found["B"], rough)
    np.testing.assert_array_equal(found["id"], numbers)
    np.testing.assert_array_equal(found["A"], SMOOTH.astype(np.float16))
    assert (tmp_path / "a.exr").stat().st_size < 37 * 53 * 14


@pytest.mark.parametrize("length", [1, 2, 7, 1000])
def test_bytes_are_spread_and_gathered(length: int) -> None:
    raw = RNG.integers(0, 256, length).astype(np.uint8)
    np.testing.assert_array_equal(_gathered(_spread(raw)), raw)


def test_another_program_reads_it_and_is_read(tmp_path: Path) -> None:
    """OpenCV's codec, switched on in a process of its own."""
    write_exr(tmp_path / "a.exr", {"Y": SMOOTH})
    write_exr(tmp_path / "c.exr", {"R": SMOOTH, "G": SMOOTH * 2, "B": SMOOTH * 3})
    code = (
        "import cv2, numpy as np, sys\n"
        "a = cv2.imread(sys.argv[1] + '/a.exr', cv2.IMREAD_UNCHANGED)\n"
        "c = cv2.imread(sys.argv[1] + '/c.exr', cv2.IMREAD_UNCHANGED)\n"
        "np.savez(sys.argv[1] + '/r.npz', a=a, c=c)\n"
        "kind = [cv2.IMWRITE_EXR_TYPE, cv2.IMWRITE_EXR_TYPE_FLOAT, cv2.IMWRITE_EXR_COMPRESSION]\n"
        "cv2.imwrite(sys.argv[1] + '/zip.exr', a, [*kind, cv2.IMWRITE_EXR_COMPRESSION_ZIP])\n"
        "cv2.imwrite(sys.argv[1] + '/zips.exr', a, [*kind, cv2.IMWRITE_EXR_COMPRESSION_ZIPS])\n"
        "cv2.imwrite(sys.argv[1] + '/no.exr', a, [*kind, cv2.IMWRITE_EXR_COMPRESSION_NO])\n"
        "cv2.imwrite(sys.argv[1] + '/piz.exr', a, [*kind, cv2.IMWRITE_EXR_COMPRESSION_PIZ])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env={**os.environ, "OPENCV_IO_ENABLE_OPENEXR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"this OpenCV has no OpenEXR: {done.stderr[-200:]}")
    with np.load(tmp_path / "r.npz") as found:
        np.testing.assert_array_equal(found["a"], SMOOTH)
        np.testing.assert_array_equal(found["c"], np.dstack([SMOOTH * 3, SMOOTH * 2, SMOOTH]))
    for name in ("zip", "zips", "no"):
        planes = read_exr(tmp_path / f"{name}.exr")
        np.testing.assert_array_equal(next(iter(planes.values())), SMOOTH)
    with pytest.raises(MediaError, match="PIZ"):
        read_exr(tmp_path / "piz.exr")


def test_damage_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.exr"
    write_exr(path, {"Z": SMOOTH})
    whole = path.read_bytes()
    tiled = struct.pack("<ii", 20000630, 0x202) + whole[8:]
    for data, said in (
        (b"", "no OpenEXR"),
        (b"PNG" + whole, "no OpenEXR"),
        (tiled, "tiled"),
        *((whole[:size], "damaged") for size in (9, 60, 200, len(whole) - 5)),
    ):
        path.write_bytes(data)
        with pytest.raises(MediaError, match=said) as caught:
            read_exr(path)
        assert "a.exr" in str(caught.value)
    for seed in range(60):  # whatever is damaged, nothing but MediaError comes
        rng = np.random.default_rng(seed)
        bad = np.frombuffer(whole, np.uint8).copy()
        bad[rng.integers(0, len(bad), 4)] = rng.integers(0, 256, 4)
        path.write_bytes(bad.tobytes())
        try:
            read_exr(path)
        except MediaError:
            continue
