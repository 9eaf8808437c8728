from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import vivant
from vivant.asset import Asset, Kind
from vivant.clip import VideoSpec
from vivant.controls.camera import Camera
from vivant.controls.fov import FieldOfView, parse_view, view_of
from vivant.controls.path import EASES, CameraPath, Key, eased, station
from vivant.controls.path_file import (
    parse_moves,
    path_data,
    read_path,
    real_estate_text,
    transforms_data,
    turn_of,
    write_path,
)
from vivant.controls.table import control_data, control_from, words_of
from vivant.errors import UsageError
from vivant.motion.motion_file import motion_bytes, motion_from
from vivant.rendering.camera import view
from vivant.rendering.space.cameras import of_path, of_views, write_cameras
from vivant.rendering.space.path import beyond, path_of
from vivant.rendering.space.pose import Lens, Pose
from vivant.rendering.space.pose import Path as Way
from vivant.rendering.space.relief import Relief, Sheet
from vivant.words import SENT

LAKE = Path(__file__).parents[1] / "examples" / "lake.jpg"
SPEC = VideoSpec(96, 64, 12.0, 24)
FLAT = Relief((Sheet(np.full((64, 96), 255, np.uint8), np.full((8, 12), 0.5, np.float32)),))
POSES = tuple(
    Pose((0.004 * k, -0.002 * k, 0.006 * k), (0.5 * k, -0.3 * k, 0.8 * k), 1 + 0.02 * k)
    for k in range(8)
)
FILMED = of_path(Way(POSES, Lens(42.0)), VideoSpec(96, 64, 4.0, 8))


class Here:
    """The files of this machine."""

    def has(self, path: Path) -> bool:
        return path.exists()

    def local(self, path: Path) -> Path:
        return path

    def add(self, path: Path, kind: Kind) -> Asset:
        raise NotImplementedError


HERE = Here()


def key(at: float, truck: float, ease: str = "linear") -> Key:
    return Key(at, Camera(truck=truck), ease=ease)


def test_every_easing_starts_and_ends_where_it_must() -> None:
    for ease in EASES:
        assert eased(0.0, ease) == 0
        assert eased(1.0, ease) == 1
    slopes = {e: eased(0.01, e) / 0.01 for e in ("smooth", "linear", "in", "out")}
    assert slopes["smooth"] < 0.1
    assert slopes["linear"] == 1
    assert slopes["in"] < 0.1
    assert slopes["out"] > 1.9
    assert eased(0.99, "hold") == 0


def test_keys_are_reached_at_their_times_and_stay_at_the_end() -> None:
    path = CameraPath((Key(0), key(1, 0.04), key(3, 0.0)))
    for share, truck in ((0, 0), (0.125, 0.02), (0.25, 0.04), (0.5, 0.02), (0.9, 0)):
        assert station([path], share, 4, False).moves.truck == pytest.approx(truck)
    twice = station([path, path], 0.25, 4, False)
    assert twice.moves.truck == pytest.approx(0.08)
    shares = CameraPath((Key(0), key(1, 0.04)), shares=True)
    assert station([shares], 0.5, 7, False).moves.truck == pytest.approx(0.02)
    assert station([shares], 0.5, 7, True).moves.truck == pytest.approx(0.04)  # there and back
    assert station([shares], 0.75, 7, True).moves.truck == pytest.approx(0.02)
    assert station([path], 0.25, 4, True).moves.truck == pytest.approx(0.04)  # it closes by itself


def test_a_spline_goes_through_its_keys_without_a_stop() -> None:
    values = (0.0, 0.02, 0.06, 0.07)
    path = CameraPath((Key(0), *(key(k, v, "spline") for k, v in enumerate(values) if k)))
    at = np.linspace(0, 1, 301)
    found = np.array([station([path], s, 3, False).moves.truck for s in at])
    np.testing.assert_allclose(found[::100], values, atol=1e-9)
    speed = np.diff(found) * 100
    assert speed[90:210].min() > 0.01  # no stop at a key
    assert np.abs(np.diff(speed)).max() < 0.005  # nor a corner
    smooth = CameraPath((Key(0), *(key(k, v, "smooth") for k, v in enumerate(values) if k)))
    stops = np.diff([station([smooth], s, 3, False).moves.truck for s in at])
    assert stops[99:101].max() < 2e-5


def test_a_path_moves_the_camera_as_its_words_do() -> None:
    words = path_of(Camera(truck=0.05, roll=2), SPEC, False, FLAT)
    keys = CameraPath((Key(0), Key(1, Camera(truck=0.05, roll=2), ease="smooth")), shares=True)
    same = path_of(Camera(), SPEC, False, FLAT, paths=(keys,))
    for a, b in zip(words.poses, same.poses, strict=True):
        np.testing.assert_allclose(a.position, b.position, atol=1e-12)
        np.testing.assert_allclose(a.turn, b.turn, atol=1e-12)
    linear = parse_moves("truck-right 5% linear", HERE)
    assert isinstance(linear[0], CameraPath)
    xs = [p.position[0] for p in path_of(Camera(), SPEC, False, FLAT, paths=linear).poses]  # type: ignore[arg-type]
    np.testing.assert_allclose(np.diff(xs), xs[1], rtol=1e-6)
    narrow = path_of(Camera(truck=0.05), SPEC, False, FLAT, view=20.0)
    assert narrow.lens.view == 20
    seen = narrow.lens.images(narrow.poses[-1], np.zeros((1, 1, 2), np.float32), np.ones((1, 1)))
    assert seen[0, 0, 0] == pytest.approx(-0.05 * 0.995, rel=0.05)  # truck is what is seen of it


def test_a_key_that_opens_the_lens_zooms(tmp_path: Path) -> None:
    keys = CameraPath((Key(0, view=50.0), Key(1, view=40.0, ease="linear")), shares=True)
    zooms = [p.zoom for p in path_of(Camera(), SPEC, False, FLAT, paths=(keys,), view=50).poses]
    assert zooms[0] == 1
    assert zooms[-1] == pytest.approx(Lens(40).focal / Lens(50).focal, rel=0.02)
    assert keys.asks
    assert view_of(None, (keys,)) == 50
    assert view_of(FieldOfView(33), (keys,)) == 33


@pytest.mark.parametrize("suffix", ["txt", "json", "own"])
def test_poses_survive_the_files_of_other_programs(suffix: str, tmp_path: Path) -> None:
    write_cameras(tmp_path, FILMED, (960, 640))
    name = {"txt": "cameras.txt", "json": "transforms.json", "own": "camera.json"}[suffix]
    path = read_path(tmp_path / name)
    assert not path.shares
    assert path.scale == 1
    assert path.view == pytest.approx(42.0)
    for number, (pose, one) in enumerate(zip(POSES, path.keys, strict=True)):
        assert one.at == pytest.approx(number / 4)
        np.testing.assert_allclose(one.position, pose.position, atol=1e-7)
        np.testing.assert_allclose(one.turn, pose.turn, atol=1e-6)
        at = station([path], number / 8, 2.0, False)
        np.testing.assert_allclose(at.position, pose.position, atol=1e-7)
        assert at.zoom == pytest.approx(pose.zoom)


def test_a_rotation_is_taken_apart_as_it_was_put_together() -> None:
    rng = np.random.default_rng(1)
    for turn in rng.uniform(-50, 50, (20, 3)):
        pose = Pose(turn=(float(turn[0]), float(turn[1]), float(turn[2])))
        np.testing.assert_allclose(turn_of(pose.rotation), turn, atol=1e-9)


def test_a_path_of_another_world_begins_at_the_picture(tmp_path: Path) -> None:
    """Another origin, other axes, another unit: what is left is the same way."""
    turned = Pose(turn=(30, 20, -40)).rotation
    world = np.eye(4)
    world[:3, :3], world[:3, 3] = turned, (7, -3, 12)
    matrices = np.array([np.vstack([m, [0, 0, 0, 1]]) @ world for m in FILMED.matrices])[:, :3]
    matrices[:, :, 3] *= 40
    foreign = type(FILMED)(FILMED.times, matrices, FILMED.focals, FILMED.centres)
    text = real_estate_text(foreign, (960, 640)).splitlines()
    file = tmp_path / "c.txt"
    file.write_text("\n".join(["https://a.clip", *text[1:]]), "utf-8")
    path = read_path(file)
    farthest = POSES[-1].position
    assert path.keys[-1].position[0] == pytest.approx(0.08)  # what a picture can show
    np.testing.assert_allclose(
        np.array(path.keys[-1].position) / path.scale, np.array(farthest) * 40, rtol=1e-4
    )
    np.testing.assert_allclose(path.keys[-1].turn, POSES[-1].turn, atol=1e-4)
    assert read_path(file, 0.025).keys[-1].position == pytest.approx(farthest, rel=1e-4)
    assert write_path(path)[1].startswith("c.txt scale=")


def test_flat_views_are_pinhole_cameras() -> None:
    camera = Camera(pan_x=0.1, roll=4, zoom=0.2)
    spec = VideoSpec(96, 64, 12.0, 3)
    views = [view(camera, way, 96, 64) for way in (0.0, 0.4, 0.9)]
    filmed = of_views(views, Lens(), spec)
    at = np.array([20.0, 50.0])
    for k in (1, 2):
        focal = filmed.focals[k] * 64
        centre = filmed.centres[k] * (96, 64)
        ray = filmed.matrices[k][:, :3].T @ np.array([*((at + 0.5 - centre) / focal), 1.0])
        place = ray[:2] / ray[2] * Lens().focal * 64 + np.array([48, 32]) - 0.5
        np.testing.assert_allclose(place, views[k] @ np.array([*at, 1.0]), atol=1e-4)
    assert json.dumps(transforms_data(filmed, (96, 64), ["a", "b", "c"]))


BAD = {
    "a.json": ("[1", "not readable JSON"),
    "b.json": ('{"keys": [{"at": 1, "mov": "truck"}]}', "no member 'mov'"),
    "c.json": ('{"keys": [{"at": 1, "move": "flies"}]}', "'flies' is not known"),
    "d.json": ('{"keys": [{"at": 0, "move": "truck"}, {"at": 1}]}', "begin at 0"),
    "e.json": ('{"keys": [{"at": 2}, {"at": 1}]}', "follow each other"),
    "f.json": ('{"keys": [{"at": 1, "position": [1, 2]}]}', "three numbers"),
    "g.json": ('{"keys": [{"at": 1, "turn": [90, 0, 0]}]}', "turns 90"),
    "h.json": ('{"keys": [{"at": 1, "fov": 170}]}', "from 10 to 120"),
    "i.json": ('{"keys": [{"at": 1, "ease": "bouncy"}]}', "no easing 'bouncy'"),
    "j.json": ('{"keys": [{"at": 2}], "times": "shares"}', "at most 1"),
    "k.json": ("[]", "must be an object"),
    "l.json": ('{"keys": [{"move": "truck"}]}', "needs its time"),
    "m.json": ('{"frames": []}', "no frames"),
    "n.json": ('{"frames": [{"transform_matrix": [[1]]}]}', "transforms.json"),
    "o.json": ('{"keys": [{"at": 1, "position": [0, 0, 9]}]}', "scale the path down"),
    "p.json": ('{"keys": [{"at": NaN}]}', "must be a number"),
    "q.txt": ("http://x\n1 2 3\n", "19 numbers"),
    "r.txt": ("http://x\n" + "0 1 1 .5 .5 0 0 " + "2 " * 12 + "\n", "no rotation"),
    "s.txt": ("", "RealEstate10K"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_in_a_sentence(name: str, tmp_path: Path) -> None:
    text, said = BAD[name]
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(UsageError, match=said) as caught:
        parse_moves(str(tmp_path / name), HERE)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value).strip()


def test_words_of_strangers_read_no_file_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "way.json").write_text('{"keys": [{"at": 1, "move": "truck"}]}', "utf-8")
    assert parse_moves(str(tmp_path / "way.json"), HERE)
    with pytest.raises(UsageError, match="Files are not read here"):
        parse_moves(str(tmp_path / "way.json"), SENT)


def test_words_that_make_no_path_are_refused(tmp_path: Path) -> None:
    for text, said in (
        ("missing.json", "no camera file"),
        ("swing 3% linear", "no easing"),
        ("truck-right 5% bouncy", "not an amount"),
        ("a.json scale=-1", "scale of a camera path"),
    ):
        with pytest.raises(UsageError, match=said):
            parse_moves(text, HERE)
    with pytest.raises(UsageError, match="number of degrees"):
        parse_view("wide", None)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="from 10 to 120"):
        FieldOfView(5)


def test_a_path_goes_to_json_and_back() -> None:
    path = CameraPath((Key(0, view=40.0), key(1, 0.04, "spline"), Key(2, position=(0, 0, 0.1))))
    data = json.loads(json.dumps(control_data(path)))
    assert control_from(data) == path
    data["keys"][1]["moves"]["wobble"] = 1
    with pytest.raises(UsageError, match="no member 'wobble'"):
        control_from(data)
    assert words_of(parse_moves("truck-right 5% linear", HERE)[0]) == ("--camera", "truck-right 0.05 linear")  # fmt: skip
    assert words_of(FieldOfView(33)) == ("--fov", "33")
    assert path_data(path)["keys"][2]["position"] == (0, 0, 0.1)


def test_a_path_that_leaves_the_picture_is_refused_before_any_work(tmp_path: Path) -> None:
    away = CameraPath((Key(0), Key(1, turn=(40, 0, 0))), shares=True)
    assert beyond((away,), SPEC, False) is not None
    assert beyond((CameraPath((Key(0), Key(1, turn=(4, 0, 0))), shares=True),), SPEC, False) is None
    file = tmp_path / "away.json"
    file.write_text('{"keys": [{"at": 1, "turn": [50, 0, 0]}]}', "utf-8")
    with pytest.raises(UsageError, match="beyond the picture's edge"):
        vivant.animate(LAKE, seconds=1, fps=4, size="90p", camera=str(file))


def test_a_path_is_said_kept_with_the_motion_and_rendered_again(tmp_path: Path) -> None:
    file = tmp_path / "way.json"
    file.write_text(
        '{"fov": 40, "keys": [{"at": 0.5, "move": "truck-right 5%"},'
        ' {"at": 9, "position": [0.01, 0, 0], "ease": "linear"}]}',
        "utf-8",
    )
    made = vivant.animate(LAKE, seconds=1, fps=4, size="90p", camera=str(file))
    assert any("way.json" in note for note in made.plan.notes)
    assert any("lasts 9 s" in note for note in made.plan.notes)
    frames = list(made.frames())
    still = list(vivant.animate(LAKE, seconds=1, fps=4, size="90p").frames())
    np.testing.assert_array_equal(frames[0], still[0])
    assert np.abs(frames[-1].astype(int) - still[-1]).mean() > 1
    kept = motion_from(motion_bytes(made.motion), "m")
    assert kept.camera == made.request.controls
    motion = tmp_path / "m.motion"
    motion.write_bytes(motion_bytes(made.motion))
    again = list(vivant.render(LAKE, motion, seconds=1, fps=4, size="90p").frames())
    for one, other in zip(frames, again, strict=True):
        np.testing.assert_array_equal(one, other)
    other = vivant.render(LAKE, motion, seconds=1, fps=4, size="90p", camera="still")
    assert np.abs(list(other.frames())[-1].astype(int) - frames[-1]).mean() > 1


def test_exported_cameras_make_the_same_clip(tmp_path: Path) -> None:
    options = {"seconds": 1.0, "fps": 6.0, "size": "90p"}
    made = vivant.animate(LAKE, camera="orbit 3deg, push-in 5%", fov=35, **options)  # type: ignore[arg-type]
    artefact = made._made.artefacts["truth"]
    artefact.write(tmp_path, ("camera",))
    frames = list(made.frames())
    for name in ("cameras.txt", "transforms.json", "camera.json"):
        again = vivant.animate(LAKE, camera=str(tmp_path / name), **options)  # type: ignore[arg-type]
        for one, other in zip(frames, again.frames(), strict=True):
            assert np.abs(one.astype(int) - other).max() <= 2
