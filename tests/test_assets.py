"""Assets from files, pipes, standard input and memory."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from conftest import EXAMPLES, photo_like
from vivant.asset import Asset
from vivant.clip import Picture
from vivant.errors import MediaError, UsageError
from vivant.media.assets import FileAssets, MemoryAssets

PHOTO = EXAMPLES / "flower.jpg"
DIGEST = hashlib.sha256(PHOTO.read_bytes()).hexdigest()


def test_a_file_is_named_by_its_bytes() -> None:
    with FileAssets() as assets:
        asset = assets.add(PHOTO, "picture")
        assert asset == Asset(DIGEST, "picture", "flower.jpg")
        picture = assets.picture(asset)
        assert picture.sha256 == DIGEST
        assert assets.picture(asset) is picture  # decoded once
        assert assets.content(asset) == PHOTO.read_bytes()
        assert assets.path(asset) == PHOTO


@pytest.mark.skipif(os.name != "posix", reason="named pipes")
def test_a_pipe_is_read_whole(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.jpg"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(PHOTO.read_bytes(),))
    writer.start()
    with FileAssets() as assets:
        asset = assets.add(pipe, "picture")
        writer.join()
        assert asset.sha256 == DIGEST
        assert assets.picture(asset).size[0] > 100
        kept = assets.path(asset)
    assert kept is not None
    assert not kept.exists()


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_standard_input(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(PHOTO.read_bytes())))
    with FileAssets() as assets:
        asset = assets.add(Path(name), "picture")
        assert (asset.sha256, asset.name) == (DIGEST, "stdin")
        assert assets.picture(asset).sha256 == DIGEST


def test_every_file_that_is_read_counts_as_an_input(tmp_path: Path) -> None:
    photo, copy, strokes = (tmp_path / name for name in ("a.jpg", "b.jpg", "s.json"))
    for path in (photo, copy):
        shutil.copy(EXAMPLES / "china.jpg", path)
    with FileAssets() as assets:
        assert assets.add(photo, "picture").sha256 == assets.add(copy, "picture").sha256
        assets.local(strokes)
        assert set(assets.paths()) == {photo, copy, strokes}


def test_what_is_not_there_or_changes_is_said(tmp_path: Path) -> None:
    copy = Path(shutil.copy(PHOTO, tmp_path / "p.jpg"))
    with FileAssets() as assets:
        with pytest.raises(UsageError, match="no file"):
            assets.add(tmp_path / "none.jpg", "picture")
        with pytest.raises(UsageError, match="is a folder"):
            assets.add(tmp_path, "picture")
        with pytest.raises(UsageError, match="is empty"):
            assets.add_bytes(b"", "picture", "x.png")
        with pytest.raises(UsageError, match="not among the inputs"):
            assets.picture(Asset("0" * 64, "picture", "other.jpg"))
        asset = assets.add(copy, "picture")
        copy.write_bytes((EXAMPLES / "china.jpg").read_bytes())
        with pytest.raises(MediaError, match="changed while"):
            assets.picture(asset)


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes")
def test_names_of_any_bytes_become_text(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/caf\xe9.jpg"
    shutil.copy(PHOTO, os.fsdecode(raw))
    with FileAssets() as assets:
        asset = assets.add(Path(os.fsdecode(raw)), "picture")
        asset.name.encode("utf-8")
        assert asset.name.endswith(".jpg")
        assert assets.picture(asset).sha256 == DIGEST


def test_arrays(tmp_path: Path) -> None:
    pixels = photo_like(64, 48)
    with FileAssets() as assets:
        picture = assets.add_pixels(pixels, "picture", "made.png")
        np.testing.assert_array_equal(assets.picture(picture).pixels, pixels)
        assets.rest()  # and starts again
        mask = np.zeros((48, 64), np.uint8)
        mask[10:20] = 255
        np.testing.assert_array_equal(assets.mask(assets.add_pixels(mask, "mask")).values, mask)


def test_one_picture_in_memory() -> None:
    picture = Picture(photo_like(64, 48), name="p")
    assets = MemoryAssets(picture)
    assert assets.picture(assets.asset) is picture
    assert assets.path(assets.asset) is None
    with pytest.raises(UsageError):
        assets.picture(Asset("0" * 64, "picture"))
    for missing in (assets.mask, assets.content, assets.frames):
        with pytest.raises(UsageError):
            missing(assets.asset)
