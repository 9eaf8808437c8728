"""Faces are found as OpenCV's wrapper of the same network finds them, but quietly."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from conftest import photo_like
from vivant.provenance import faces


def test_as_opencv_finds_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """On squares without faces (so that nothing is padded), with a threshold at which something
    is found all the same."""
    monkeypatch.setattr(faces, "THRESHOLD", 0.05)
    counts = []
    for seed in range(4):
        pixels = cv2.resize(photo_like(96, 96, seed), (640, 640))
        theirs = cv2.FaceDetectorYN.create(str(faces.MODEL), "", (640, 640), 0.05)
        _, rows = theirs.detect(np.ascontiguousarray(pixels[..., ::-1]))
        wanted = [] if rows is None else sorted((row[14] for row in rows), reverse=True)
        found = faces.find_faces(pixels)
        assert [face.score for face in found] == pytest.approx(wanted, abs=5e-3)
        if rows is not None:
            best = max(rows, key=lambda row: row[14])
            box = np.clip([*best[:2], *(best[:2] + best[2:4])], 0, 640) / 640
            assert found[0].box == pytest.approx(box, abs=5e-3)
        counts.append(len(found))
    assert sum(counts) > 0


def test_nobody_elses_console_is_touched(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def touched(level: int) -> None:
        raise AssertionError("the log level belongs to the whole process")

    monkeypatch.setattr(cv2.utils.logging, "setLogLevel", touched)
    assert faces.find_faces(photo_like(640, 400)) == ()
    assert faces.find_faces(photo_like(16, 500)) == ()
    assert capfd.readouterr() == ("", "")
