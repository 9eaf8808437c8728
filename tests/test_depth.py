from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

import vivant
from conftest import photo_like
from vivant.asset import Asset
from vivant.cli.main import main
from vivant.clip import DepthMap
from vivant.controls.depth import GivenDepth
from vivant.controls.table import control_data, control_from
from vivant.errors import MediaError, UsageError
from vivant.media.depth import read_depth
from vivant.media.exr import write_exr
from vivant.motion.depth import kept, plane
from vivant.motion.motion_file import motion_bytes, motion_from
from vivant.rendering.space.given import relief_from, sharpened
from vivant.scene.file import load_scene

LAKE = Path(__file__).parents[1] / "examples" / "lake.jpg"
OPTIONS: dict[str, object] = {"seconds": 0.5, "fps": 8, "size": "120p"}


def slope(height: int = 72, width: int = 128) -> np.ndarray:
    """Near below, a square hangs before it."""
    values = np.tile(np.linspace(0.1, 0.5, height, dtype=np.float32)[:, None], (1, width))
    values[20:40, 50:80] = 1.0
    return values


@pytest.mark.parametrize("kind", ["png8", "png16", "rgb", "tiff", "npz", "far", "npy", "exr"])
def test_every_kind_of_file_says_the_same(kind: str, tmp_path: Path) -> None:
    values = slope()
    path = tmp_path / f"d.{ {'rgb': 'png', 'far': 'npz'}.get(kind, kind.rstrip('0123456789')) }"
    if kind in ("png8", "rgb"):
        grey = np.round(values * 255).astype(np.uint8)
        Image.fromarray(np.dstack([grey] * 3) if kind == "rgb" else grey).save(path)
    elif kind in ("png16", "tiff"):
        cv2.imwrite(str(path), np.round(values * 65535).astype(np.uint16))
    elif kind == "npz":
        np.savez(path, disparity=values * 7)
    elif kind == "far":
        np.savez(path, depth=3 / values)
    elif kind == "npy":
        np.save(path, values)
    else:
        write_exr(path, {"Z": 12 / values})
    found = read_depth(path)
    assert found.size == (128, 72)
    np.testing.assert_allclose(
        found.values, values, atol=2 / 255 if kind in ("png8", "rgb") else 1e-4
    )


def test_what_is_infinitely_far_is_black(tmp_path: Path) -> None:
    far = 1 / slope()
    far[:10] = np.inf
    far[10:12] = np.nan
    write_exr(tmp_path / "d.exr", {"Z": far.astype(np.float32)})
    assert (read_depth(tmp_path / "d.exr").values[:12] == 0).all()


def test_files_that_show_no_depth_are_refused_by_name(tmp_path: Path) -> None:
    Image.fromarray(photo_like(64, 48)).save(tmp_path / "photo.png")
    Image.fromarray(np.full((48, 64), 90, np.uint8)).save(tmp_path / "flat.png")
    np.savez(tmp_path / "other.npz", mask=slope())
    np.save(tmp_path / "cube.npy", np.zeros((3, 4, 5), np.float32))
    np.savez(tmp_path / "words.npz", depth=np.array(["a"]))
    write_exr(tmp_path / "rgb.exr", {"R": slope(), "G": slope() * 2})
    (tmp_path / "text.png").write_text("no picture", "utf-8")
    (tmp_path / "cut.npz").write_bytes(b"PK\3\4 and no more")
    for name, kind, said in (
        ("photo.png", UsageError, "coloured"),
        ("flat.png", UsageError, "same everywhere"),
        ("other.npz", UsageError, "but mask"),
        ("cube.npy", UsageError, "not \\[H, W\\]"),
        ("words.npz", UsageError, "not \\[H, W\\]"),
        ("rgb.exr", UsageError, "no channel Z"),
        ("text.png", MediaError, "not a picture"),
        ("cut.npz", MediaError, "damaged"),
        ("missing.png", UsageError, "no depth map"),
    ):
        with pytest.raises(kind, match=said) as caught:
            read_depth(tmp_path / name)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)


def test_nothing_hangs_between_near_and_far() -> None:
    hard = slope()
    soft = cv2.GaussianBlur(cv2.resize(hard, (512, 288)), (0, 0), 1.2)
    between = ((soft > 0.55) & (soft < 0.9)).mean()
    snapped = sharpened(soft)
    assert ((snapped > 0.55) & (snapped < 0.9)).mean() < 0.1 * between
    ramp = np.tile(np.linspace(0, 1, 288, dtype=np.float32)[:, None], (1, 512))
    np.testing.assert_allclose(sharpened(ramp), ramp, atol=0.01)  # sloping ground stays
    one = relief_from(soft)
    assert len(one.thresholds()) >= 1
    assert one.shape == (288, 512)


def test_a_map_is_brought_to_the_picture() -> None:
    depth = kept(DepthMap(np.tile(np.linspace(0, 1, 2000, dtype=np.float32), (1600, 1)), "d"))
    assert min(depth.shape) == 720
    wide = plane(depth, (320, 180))
    assert wide.shape == (180, 320)
    assert wide[:, 0].max() < 0.02
    tall = plane(depth, (180, 320))
    assert 0.2 < tall[0, 0] < 0.35  # cut at the centre
    assert (
        control_from(control_data(GivenDepth(Asset("b" * 64, "depth", "d.png")))).map.name
        == "d.png"
    )
    with pytest.raises(UsageError, match="not a mask"):
        GivenDepth(Asset("b" * 64, "mask", "d.png"))


def map_of(tmp_path: Path, near: str) -> Path:
    """A lake of which one half is near."""
    values = np.full((144, 256), 60, np.uint8)
    values[:, 128:] = 255
    path = tmp_path / f"{near}.png"
    Image.fromarray(values if near == "right" else np.ascontiguousarray(values[:, ::-1])).save(path)
    return path


def test_the_map_decides_what_moves_with_the_camera(tmp_path: Path) -> None:
    clips = {}
    for side in ("left", "right"):
        made = vivant.animate(
            LAKE, camera="truck-right 5%", depth=map_of(tmp_path, side), strength=0, **OPTIONS
        )  # type: ignore[arg-type]
        clips[side] = [frame.astype(int) for frame in made.frames()]
        assert any("scene" in name for name in made._made.artefacts)
    for near, far, part in (
        ("left", "right", np.s_[60:, 10:90]),
        ("right", "left", np.s_[60:, 120:200]),
    ):
        shift = {}
        for name in (near, far):
            a, b = (
                cv2.cvtColor(frame[part].astype(np.uint8), cv2.COLOR_RGB2GRAY).astype(np.float32)
                for frame in (clips[name][0], clips[name][-1])
            )
            shift[name] = cv2.phaseCorrelate(a, b)[0][0]
        assert shift[near] < shift[far] - 1


def test_it_is_kept_with_the_motion_and_in_the_record(tmp_path: Path) -> None:
    file = map_of(tmp_path, "right")
    made = vivant.animate(LAKE, camera="truck-right 5%", depth=file, **OPTIONS)  # type: ignore[arg-type]
    frames = list(made.frames())
    assert made.request.one(GivenDepth) is not None
    motion = tmp_path / "m.motion"
    motion.write_bytes(motion_bytes(made.motion))
    back = motion_from(motion.read_bytes(), "m")
    assert back.depth is not None
    assert back.scene is not None
    assert "right.png" in back.scene.seen_by
    again = list(vivant.render(LAKE, motion, **OPTIONS).frames())  # type: ignore[arg-type]
    for one, other in zip(frames, again, strict=True):
        np.testing.assert_array_equal(one, other)
    given = vivant.animate(
        LAKE,
        camera="truck-right 5%",
        depth=np.asarray(Image.open(file)) / np.float32(255),
        **OPTIONS,
    )  # type: ignore[arg-type]
    assert np.abs(list(given.frames())[-1].astype(int) - frames[-1]).mean() < 0.5


def test_maps_that_do_not_fit_are_said_or_refused(tmp_path: Path) -> None:
    Image.fromarray(
        np.arange(100, dtype=np.uint8).reshape(10, 10).repeat(10, 0).repeat(10, 1)
    ).save(tmp_path / "square.png")
    with pytest.raises(UsageError, match=r"square\.png is 100x100"):
        vivant.animate(LAKE, depth=tmp_path / "square.png", **OPTIONS)  # type: ignore[arg-type]
    upside = np.tile(np.linspace(255, 0, 144).astype(np.uint8)[:, None], (1, 256))
    Image.fromarray(upside).save(tmp_path / "upside.png")
    plan = vivant.animate(LAKE, depth=tmp_path / "upside.png", **OPTIONS).plan  # type: ignore[arg-type]
    assert any("inverted" in note for note in plan.notes)
    assert any("changes nothing" in note for note in plan.notes)


def test_the_commands_take_a_map(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = map_of(tmp_path, "right")

    def run(*words: str) -> int:
        monkeypatch.setattr("sys.argv", ["vivant", *words])
        with pytest.raises(SystemExit) as caught:
            main()
        return int(caught.value.code or 0)

    assert (
        run(
            "see",
            str(LAKE),
            "--with-depth",
            str(file),
            "--save-scene",
            str(tmp_path / "s.scene"),
            "--json",
        )
        == 0
    )
    facts = json.loads(capsys.readouterr().out)
    assert "right.png" in facts["seen_by"]
    depth = load_scene(tmp_path / "s.scene").depth
    assert depth[:, -20:].min() > 0.9
    assert depth[:, :20].max() < 0.3
    clip = tmp_path / "clip.mp4"
    words = (
        "--seconds",
        "0.5",
        "--fps",
        "8",
        "--size",
        "120p",
        "--camera",
        "truck-right",
        "-o",
        str(clip),
    )
    assert run("animate", str(LAKE), "--depth", str(file), *words) == 0
    assert run("verify", str(clip), "--picture", str(LAKE)) == 0  # the map lies beside the clip
    file.rename(tmp_path / "elsewhere.png")
    capsys.readouterr()
    assert run("verify", str(clip), "--picture", str(LAKE)) == 2
    assert "--depth" in capsys.readouterr().err
    assert (
        run("verify", str(clip), "--picture", str(LAKE), "--depth", str(tmp_path / "elsewhere.png"))
        == 0
    )
    assert run("see", str(LAKE), "--with-depth", str(tmp_path / "gone.png")) == 2
