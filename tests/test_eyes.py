"""The released eyes and what users do with them: scenes, mattes, masks, cut-outs, files, kinds."""

from __future__ import annotations

import io
import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from PIL import Image

from conftest import EXAMPLES
from films import read_video
from test_cli import run
from vivant.controls.kinds import HoldKind, MoveKind, parse_hold, parse_move
from vivant.controls.mask import Move, Still
from vivant.errors import BundleError, FieldFileError, UsageError
from vivant.kinds import KINDS, WORDS, kind_named
from vivant.media.assets import FileAssets
from vivant.rendering.behind import in_place, uncovered
from vivant.scene import eyes
from vivant.scene.cutout import cut_out
from vivant.scene.file import load_scene, write_scene
from vivant.scene.guests import ADE20K, Guests, check_guest, guests_at, manners_of
from vivant.scene.mattes import thing_matte

CHINA = np.asarray(Image.open(EXAMPLES / "china.jpg").convert("RGB"))


@pytest.fixture(scope="module")
def scene() -> object:
    return eyes.see(CHINA)


def test_the_same_picture_gives_the_same_scene(scene) -> None:  # type: ignore[no-untyped-def]
    again = eyes.see(CHINA)
    np.testing.assert_array_equal(scene.kinds, again.kinds)
    assert scene.instances == again.instances
    top, low = CHINA.shape[0] // 10, 9 * CHINA.shape[0] // 10
    assert CHINA[top].mean() != CHINA[low].mean()
    assert scene.instances[scene.at(0.5, 0.05)].kind == "sky"
    assert scene.share("plant") + scene.share("built") > 0.3
    assert scene.depth[:4].mean() < scene.depth[-4:].mean()
    assert list(scene.seen_by) == ["scene 0.2.1"]


def test_mattes_never_cover_more_than_a_pixel(scene) -> None:  # type: ignore[no-untyped-def]
    found = eyes.mattes(scene, CHINA)
    total = np.sum([alpha.astype(int) for alpha in found.alpha.values()], axis=0)
    assert total.max() <= 255
    assert found.size == CHINA.shape[1::-1]
    assert found.of("sky")[5].mean() > 250
    assert not found.of("fire").any()


def test_a_thing_is_a_part_of_its_kind(scene) -> None:  # type: ignore[no-untyped-def]
    number = scene.at(0.5, 0.05)
    matte = eyes.mattes(scene, CHINA, ("sky",)).of("sky")
    part = thing_matte(scene, number, matte)
    assert (part <= matte).all()
    assert part[5].mean() > 240


def test_scenes_are_files(scene, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "one.scene"
    write_scene(path, scene)
    found = load_scene(path)
    np.testing.assert_allclose(found.kinds, scene.kinds, atol=2e-3)
    np.testing.assert_array_equal(found.parts, scene.parts)
    assert found.instances == scene.instances
    assert found.bodies == scene.bodies
    data = path.read_bytes()
    for bad in (data[: len(data) // 2], b"", data.replace(b'"sky', b'"skx')):
        path.write_bytes(bad)
        with pytest.raises(FieldFileError):
            load_scene(path)
    with pytest.raises(UsageError, match="There is no file"):
        load_scene(tmp_path / "none.scene")


def test_kinds_have_names() -> None:
    assert kind_named("Trees") == "plant"
    assert kind_named("nonsense") is None
    assert set(WORDS.values()) <= set(KINDS)
    classes = [c for chosen in ADE20K.values() for c in chosen]
    assert len(classes) == len(set(classes))
    assert set(classes) <= set(range(1, 151))
    with pytest.raises(UsageError, match="no kind"):
        HoldKind("tree")


def test_hold_and_move_take_kinds_and_masks(tmp_path: Path) -> None:
    mask = tmp_path / "m.png"
    Image.new("L", (8, 8), 255).save(mask)
    with FileAssets() as files:
        assert parse_hold("people", files) == (HoldKind("being"),)
        assert parse_move("sky", files) == (MoveKind("sky"),)
        assert isinstance(parse_hold(str(mask), files)[0], Still)
        assert isinstance(parse_move(str(mask), files)[0], Move)
        with pytest.raises(UsageError, match="neither a mask file nor a kind"):
            parse_hold("dragon", files)


def test_see_and_mask_write_what_other_programs_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    photo = Path(shutil.copy(EXAMPLES / "china.jpg", tmp_path / "photo.jpg"))
    words = ["--masks", "masks", "--depth", "d.png", "-o", "sheet.png", "--save-scene", "s.scene"]
    assert run(monkeypatch, "see", photo, *words, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["kinds"]["sky"] > 0.05
    assert facts["files"]["depth"] == "d.png"
    depth = cv2.imread("d.png", cv2.IMREAD_UNCHANGED)
    assert depth.dtype == np.uint16
    assert depth.shape == CHINA.shape[:2]
    names = {p.name for p in Path("masks").glob("[!.]*")}
    assert "sky.png" in names
    assert any(name.endswith("-cutout.png") for name in names)
    cutout = cv2.imread(str(next(Path("masks").glob("*-cutout.png"))), cv2.IMREAD_UNCHANGED)
    assert cutout.shape == (*CHINA.shape[:2], 4)
    assert run(monkeypatch, "see", photo, "-o", photo, "--overwrite") == 2
    assert run(monkeypatch, "mask", photo, "--kind", "sky") == 0
    assert run(monkeypatch, "mask", photo, "--kind", "sky") == 0
    assert Path("photo-sky-2.png").is_file()
    assert run(monkeypatch, "mask", photo, "--at", "0.5,0.05", "-o", "thing.png") == 0
    assert run(monkeypatch, "mask", photo, "--kind", "fire") == 1
    assert run(monkeypatch, "mask", photo, "--at", "2,3") == 2
    assert run(monkeypatch, "mask", photo) == 2
    stream = SimpleNamespace(buffer=io.BytesIO(Path(photo).read_bytes()))
    monkeypatch.setattr(sys, "stdin", stream)
    assert run(monkeypatch, "mask", "-", "--kind", "sky") == 0
    assert Path("picture-sky.png").read_bytes() == Path("photo-sky.png").read_bytes()


def test_held_kinds_hold_to_the_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo, out = EXAMPLES / "china.jpg", tmp_path / "clip.mkv"
    short = ["--seconds", "0.5", "--size", "240x160", "--lossless", "--no-watermark"]
    assert run(monkeypatch, "animate", photo, "-o", out, *short, "--hold", "plant") == 0
    frames = read_video(out).frames
    small = cv2.resize(CHINA, (240, 160), interpolation=cv2.INTER_AREA)
    scene = eyes.see(CHINA)
    label = cv2.resize(scene.kinds.argmax(0).astype(np.uint8), (240, 160), interpolation=0)
    share = np.stack([cv2.resize(k, (240, 160)) for k in scene.kinds])
    kinds = [KINDS.index(k) for k in ("plant", "built", "ground")]
    held = np.isin(label, kinds) & (share[kinds].sum(0) > 0.98)
    held = cv2.erode(held.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert held.mean() > 0.05
    assert small.shape == frames[0].shape
    changed = np.abs(frames[-1].astype(int) - frames[0]).max(2)
    assert changed[held].max() == 0
    assert changed.max() > 0


def test_what_moves_goes_on_behind_what_holds() -> None:
    rng = np.random.default_rng(0)
    pixels = np.full((40, 60, 3), 200, np.uint8)
    pixels[:, 20:30] = 10
    held = np.where(pixels[..., 0] < 100, np.uint8(255), np.uint8(0))
    behind = uncovered(pixels, held)
    assert behind.min() > 190  # nothing dark is left to be dragged out
    moved = [behind, np.clip(behind + rng.integers(-9, 9, behind.shape), 0, 255).astype(np.uint8)]
    first, second = in_place(pixels, held, lambda _: iter(moved))
    np.testing.assert_array_equal(first, pixels)
    np.testing.assert_array_equal(second[:, 20:30], pixels[:, 20:30])
    assert (second[:, 40:] != pixels[:, 40:]).any()
    np.testing.assert_array_equal(uncovered(pixels, np.full((40, 60), 255, np.uint8)), pixels)


def test_cut_outs_carry_their_own_colours() -> None:
    alpha = np.zeros((64, 64), np.uint8)
    alpha[:, 30:34], alpha[:, 34:] = 128, 255
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[..., 0] = alpha  # red in front of black
    found = cut_out(pixels, alpha)
    assert found.shape == (64, 64, 4)
    assert found[32, 31, 0] > 200  # not the half-dark mixture
    np.testing.assert_array_equal(found[..., 3], alpha)


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    bad = tmp_path / "net.onnx"
    bad.write_bytes(b"no network")
    with pytest.raises(BundleError, match=r"net\.onnx cannot be loaded"):
        check_guest(bad, "depth")
    (tmp_path / "net.json").write_text('{"mean": [0, 0]}')
    with pytest.raises(BundleError, match=r"net\.json is not understood"):
        manners_of(bad)
    assert guests_at(tmp_path) == Guests()
