"""What `--export` says of depth, cameras, things and mattes, and that it is so."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

import vivant
from vivant.cli.main import main
from vivant.errors import UsageError
from vivant.field.file import write_field
from vivant.media.exr import read_exr
from vivant.rendering.space.pose import Lens
from vivant.rendering.space.seen import normals_of, seen_flat

LAKE = Path(__file__).parents[1] / "examples" / "lake.jpg"
LOADER = Path(__file__).parents[1] / "examples" / "ground_truth.py"
FLIP = np.diag([1.0, -1.0, -1.0, 1.0])
OPTIONS: dict[str, object] = {"seconds": 0.5, "fps": 8, "size": "180p"}


def written(folder: Path, parts: tuple[str, ...], **controls: object) -> vivant.Animation:
    made = vivant.animate(LAKE, **OPTIONS, **controls)  # type: ignore[arg-type]
    made._made.artefacts["truth"].write(folder, parts)
    return made


def camera(folder: Path, index: int) -> tuple[np.ndarray, float, np.ndarray]:
    """World to camera ``[4, 4]``, focal length and principal point in pixels."""
    row = json.loads((folder / "transforms.json").read_text())["frames"][index]
    pose = FLIP @ np.array(row["transform_matrix"]) @ FLIP
    return np.linalg.inv(pose), row["fl_x"], np.array([row["cx"], row["cy"]])


def flow_of(path: Path) -> np.ndarray:
    data = path.read_bytes()
    width, height = np.frombuffer(data[4:12], "<i4")
    return np.frombuffer(data[12:], "<f4").reshape(height, width, 2)


@pytest.mark.parametrize("moves", ["truck-right 5%, push-in 8%, roll-left 2", "orbit 2deg", "pull-out 5%", "pan-left 5%, roll-right 3, swing 2%"])  # fmt: skip
def test_depth_and_cameras_lead_where_the_flow_does(moves: str, tmp_path: Path) -> None:
    written(tmp_path, ("depth", "camera", "flow"), camera=moves, strength=0)
    for index in (1, 2, 3):
        depth = read_exr(tmp_path / f"depth_{index:05d}.exr")["Z"].astype(np.float64)
        h, w = depth.shape
        now, focal, centre = camera(tmp_path, index)
        before, old, middle = camera(tmp_path, index - 1)
        y, x = np.mgrid[0:h, 0:w].astype(np.float64)
        rays = np.dstack(
            [(x + 0.5 - centre[0]) / focal, (y + 0.5 - centre[1]) / focal, np.ones_like(x)]
        )
        homogeneous = np.concatenate([rays, 1 / depth[..., None]], axis=2)
        points = homogeneous @ (before @ np.linalg.inv(now)).T
        places = points[..., :2] / points[..., 2:3] * old + middle - 0.5
        flow = flow_of(tmp_path / f"backward_{index - 1:05d}.flo")
        exact = cv2.imread(str(tmp_path / f"backward_exact_{index - 1:05d}.png"), 0) > 0
        error = np.linalg.norm(places - np.dstack([x, y]) - flow, axis=2)[exact]
        assert exact.mean() > 0.7
        assert error.max() <= 0.1
        assert np.linalg.norm(flow, axis=2).mean() > 0.5
        said = cv2.imread(str(tmp_path / f"depth_exact_{index:05d}.png"), 0) > 0
        assert (said | ~exact).mean() > 0.98  # where the flow is exact the depth is


def test_flat_views_have_depth_and_cameras_too(tmp_path: Path) -> None:
    written(tmp_path, ("depth:npz", "camera"), camera="pan-left 8%, roll-left 4")
    with np.load(tmp_path / "depth_00003.npz") as stored:
        last = stored["depth"]
    with np.load(tmp_path / "depth_00000.npz") as stored:
        first = stored["depth"]
    pose, focal, centre = camera(tmp_path, 3)
    h, w = last.shape
    for y, x in ((100, 160), (60, 120), (140, 200)):
        ray = np.linalg.inv(pose)[:3, :3] @ [
            (x + 0.5 - centre[0]) / focal,
            (y + 0.5 - centre[1]) / focal,
            1,
        ]
        at = ray[:2] / ray[2] * Lens().focal * h + np.array([w, h]) / 2 - 0.5
        there = float(cv2.remap(1 / first, np.float32([[at]]), None, cv2.INTER_LINEAR)[0, 0])
        assert 1 / last[y, x] == pytest.approx(there, abs=0.01)
    assert not (tmp_path / "camera.json").exists()  # keys know no principal point


def test_normals_are_those_of_the_surface() -> None:
    h, w, focal = 90, 160, 100.0
    x = (np.arange(w) + 0.5 - w / 2) / focal
    y = (np.arange(h) + 0.5 - h / 2) / focal
    for normal in ((0, -1, 0.0), (0.3, 0.1, -1), (-0.5, 0, -0.6)):
        n = np.array(normal) / np.linalg.norm(normal)
        away = -n / 0.8  # a plane n . X = -0.8 before the camera
        disparity = (away[0] * x[None] + away[1] * y[:, None] + away[2]).astype(np.float32)
        found = normals_of(disparity, focal, (w / 2, h / 2))[20:-20, 20:-20]
        np.testing.assert_allclose(found, np.broadcast_to(n, found.shape), atol=2e-3)
    flat = normals_of(np.zeros((h, w), np.float32), focal, (w / 2, h / 2))
    np.testing.assert_array_equal(flat[0, 0], (0, 0, -1))
    seen = seen_flat(np.full((h, w), 0.5, np.float32), None, Lens())
    np.testing.assert_allclose(seen.normals[40, 80], (0, 0, -1), atol=1e-3)


def test_things_and_mattes_move_with_the_view(tmp_path: Path) -> None:
    made = written(
        tmp_path, ("instances", "alpha", "depth:png", "normals"), camera="truck-right 5%"
    )
    about = json.loads((tmp_path / "truth.json").read_text())
    things = [
        cv2.imread(str(tmp_path / f"instance_{k:05d}.png"), cv2.IMREAD_UNCHANGED) for k in range(4)
    ]
    assert things[0].dtype == np.uint16
    assert set(np.unique(things[0])) - {0} <= set(range(1, len(about["instances"]) + 1))
    kinds = {about["instances"][number - 1]["kind"] for number in np.unique(things[0]) if number}
    assert {"sky", "water"} <= kinds
    sky = [cv2.imread(str(tmp_path / f"alpha_sky_{k:05d}.png"), 0).astype(int) for k in range(4)]
    for index in (0, 3):
        number = [i + 1 for i, one in enumerate(about["instances"]) if one["kind"] == "sky"]
        own = np.isin(things[index], number)
        assert sky[index][own].mean() > 200
        assert sky[index][~own & (things[index] > 0)].mean() < 40
    alphas = np.sum(
        [
            cv2.imread(str(tmp_path / f"alpha_{kind}_00000.png"), 0).astype(int)
            for kind in about["kinds"]
        ],
        axis=0,
    )
    assert alphas.max() <= 257
    near = cv2.imread(str(tmp_path / "depth_00000.png"), cv2.IMREAD_UNCHANGED)
    assert near.dtype == np.uint16
    assert near[:40].mean() < near[-20:].mean()
    assert about["white"] >= 1
    normals = read_exr(tmp_path / "normal_00002.exr")
    length = np.sqrt(sum(plane**2 for plane in normals.values()))
    np.testing.assert_allclose(length, 1, atol=1e-4)
    assert normals["G"][-20:].mean() < -0.5  # water faces up, and y points down
    assert made.plan.video.count == 4


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr("sys.argv", ["vivant", *map(str, words)])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


def test_a_folder_for_nerfstudio_belongs_to_the_frames_of_the_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (
        "animate",
        LAKE,
        "--camera",
        "orbit 3deg",
        "--seconds",
        0.5,
        "--fps",
        8,
        "--size",
        "120p",
    )
    assert run(monkeypatch, *words, "--export", "nerfstudio", "-o", tmp_path / "c.mp4") == 2
    assert "--format png" in capsys.readouterr().err
    assert (
        run(monkeypatch, *words, "--export", "nerfstudio", "--format", "png", "-o", tmp_path / "c")
        == 0
    )
    export = tmp_path / "c-export"
    facts = json.loads((export / "transforms.json").read_text())
    assert len(facts["frames"]) == 4
    for row in facts["frames"]:
        picture, depth = (
            cv2.imread(str(export / row["file_path"])),
            cv2.imread(str(export / row["depth_file_path"]), cv2.IMREAD_UNCHANGED),
        )
        assert picture.shape[:2] == depth.shape == (facts["h"], facts["w"])
        assert depth.dtype == np.uint16
        assert 900 < np.percentile(depth[depth > 0], 1) < 3000  # thousandths of the nearest


def test_what_cannot_be_known_is_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    field = tmp_path / "f.vivant"
    write_field(field, vivant.animate(LAKE, **OPTIONS).field)  # type: ignore[arg-type]
    for words, said in (
        (("render", LAKE, field, "--export", "depth"), "knows no depth"),
        (("animate", LAKE, "--strength", 0, "--export", "instances"), "nothing is seen"),
        (("animate", LAKE, "--export", "colour"), "There is no export 'colour'"),
        (("animate", LAKE, "--export", "depth:tiff"), "There is no export 'depth:tiff'"),
    ):
        assert run(monkeypatch, *words, "-o", tmp_path / "c.mp4") == 2
        assert said in capsys.readouterr().err
        assert not (tmp_path / "c.mp4").exists()
    with pytest.raises(UsageError, match="no control"):
        vivant.animate(LAKE, depths="x")


@pytest.mark.torch
def test_the_loader_of_the_examples_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    words = (
        "animate",
        LAKE,
        "--camera",
        "orbit 3deg",
        "--strength",
        0,
        "--seconds",
        0.5,
        "--fps",
        8,
        "--size",
        "120p",
    )
    parts = "flow,depth:npz,normals:npz,camera"
    assert (
        run(
            monkeypatch,
            *words,
            "--export",
            parts,
            "--flow-format",
            "npz",
            "--format",
            "png",
            "-o",
            tmp_path / "c",
        )
        == 0
    )
    spec = importlib.util.spec_from_file_location("ground_truth", LOADER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    pairs = module.Pairs(tmp_path / "c", tmp_path / "c-export")
    assert len(pairs) == 3
    one, other = pairs[0], pairs[1]
    assert one["first"].shape == (3, 120, 214)
    assert one["flow"].shape == (2, 120, 214)
    depth = torch.where(torch.isinf(other["depth"]), torch.tensor(1e6), other["depth"])
    world = module.points(depth, other["intrinsics"], other["pose"])
    before = torch.linalg.inv(one["pose"]) @ torch.cat(
        [world.reshape(3, -1), torch.ones(1, world[0].numel())]
    )
    seen = one["intrinsics"] @ before[:3]
    places = (seen[:2] / seen[2:]).reshape(2, *world.shape[1:])
    y, x = torch.meshgrid(torch.arange(120) + 0.5, torch.arange(214) + 0.5, indexing="ij")
    error = (places - torch.stack([x, y]) - other["flow"]).norm(dim=0)[other["valid"]]
    assert error.max() < 0.15  # flow in half precision
