"""Tracks follow the motion, and are read again as other programs read them."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from vivant.rendering.exports import FlowPair
from vivant.rendering.tracks import ATI, WAN_MOVE, Tracks, tracks_of, write_tracks

SIZE = (96, 64)
COUNT = 9


def pairs(x: float, y: float) -> Iterator[FlowPair]:
    """A pan; the right edge is covered from the fifth frame on."""
    h, w = SIZE[1], SIZE[0]
    forward = np.tile(np.array([x, y], np.float32), (h, w, 1))
    for index in range(COUNT - 1):
        occluded = np.zeros((h, w), np.bool_)
        if index >= 4:
            occluded[:, 80:] = True
        yield FlowPair(forward, -forward, occluded, ~occluded, ~occluded)


@pytest.fixture
def tracks() -> Tracks:
    return tracks_of(pairs(1.5, -0.5), SIZE)


def test_points_follow_and_vanish(tracks: Tracks) -> None:
    start = tracks.places[0]
    assert np.allclose(tracks.places[-1], start + np.array([12.0, -4.0]), atol=0.5)
    assert tracks.seen[0].all()
    out = (tracks.places < 0).any(-1) | (tracks.places > np.array(SIZE) - 1).any(-1)
    assert not tracks.seen[out].any()
    covered = (start[:, 0] + 6 >= 81) & tracks.seen[4]
    assert covered.any()
    assert not tracks.seen[-1][covered].any()


def test_wan_move_reads_them(tmp_path: Path, tracks: Tracks) -> None:
    write_tracks(tmp_path, tracks, ("tracks:wan-move",))
    places = np.load(tmp_path / "tracks.npy")
    seen = np.load(tmp_path / "visibility.npy")
    assert places.dtype == np.float32
    assert places.shape == (1, WAN_MOVE, tracks.places.shape[1], 2)
    assert seen.dtype == np.bool_
    assert seen.shape == places.shape[:3]
    assert np.abs(places[0, [0, 40, 80]] - tracks.places[[0, 4, 8]]).max() < 0.5


def test_ati_reads_them(tmp_path: Path, tracks: Tracks) -> None:
    write_tracks(tmp_path, tracks, ("tracks:ati", "tracks:comfy"))
    with zipfile.ZipFile(tmp_path / "tracks.pth") as archive:
        packed = pickle.loads(archive.read("tracks/data.pkl"))
    array = np.load(io.BytesIO(packed))["array"]
    assert array.dtype == np.float32
    assert array.shape == (tracks.places.shape[1], ATI, 1, 3)
    assert (
        np.abs(
            array[:, [0, 60, 120], 0, :2].transpose(1, 0, 2) / 8 - tracks.places[[0, 4, 8]]
        ).max()
        < 0.5
    )
    rows = json.loads((tmp_path / "tracks.json").read_text())
    assert len(rows) == len(array)
    assert abs(rows[3][120]["x"] - tracks.places[-1][3][0]) < 0.5


@pytest.mark.torch
def test_torch_loads_what_ati_loads(tmp_path: Path, tracks: Tracks) -> None:
    torch = pytest.importorskip("torch")
    write_tracks(tmp_path, tracks, ("tracks:ati",))
    packed = torch.load(tmp_path / "tracks.pth", weights_only=False)
    assert np.load(io.BytesIO(packed))["array"].shape[1] == ATI
