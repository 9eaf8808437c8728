from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest

from conftest import photo_like
from vivant.cli.training import load_recipe, train_recipe
from vivant.data.temporal import Vector
from vivant.errors import UsageError
from vivant.motion.priors import PRIORS, priors_of
from vivant.motion.trial import Axis, Manner, camera_stands, with_factors
from vivant.training import manners
from vivant.training.manner_clips import Seen
from vivant.training.manners import MannersRecipe, applied, fit, learned, weights

SKY = Manner("sky", "sky", (Axis(("sky_speed",)),))
PLANT = Manner("plant", "plant", (Axis(("sway",), (0.5, 1, 2)), Axis(("sway_rate",), (0.5, 1, 2))))
RECIPE = MannersRecipe((SKY, PLANT), clips=3)
HOLD = np.full((96, 128), 255, np.uint8)


def vector(value: float) -> Vector:
    return np.linspace(1, 2, 17) * value


def clips_of(manner: Manner, factors: list[float], rng: np.random.Generator) -> list[Seen]:
    """Clips whose statistics are those of an animation with a factor, and some noise."""
    made = [vector(np.log(place[0])) for place in manner.grid]
    return [
        Seen(str(k), manner.name, vector(np.log(f)) + rng.normal(0, 0.05, 17), list(made))
        for k, f in enumerate(factors)
    ]


def test_constants_are_found_again() -> None:
    rng = np.random.default_rng(0)
    found = fit(SKY, clips_of(SKY, [2.0, 2.2, 1.9, 4.0, 2.0, 3.0, 2.4, 2.1] * 3, rng), RECIPE)
    assert found.kept
    assert 0.5 < found.shift[0] < 0.9
    assert found.after < found.before
    fitted = applied(PRIORS, SKY, found)
    assert fitted.sky_speed.median == pytest.approx(
        PRIORS.sky_speed.median * np.exp(found.shift[0]), abs=1e-4
    )
    assert fitted.sway == PRIORS.sway


def test_clips_that_say_nothing_change_nothing() -> None:
    rng = np.random.default_rng(1)
    around = [float(f) for f in np.exp(rng.normal(0, PRIORS.sky_speed.spread, 16))]
    assert not fit(SKY, clips_of(SKY, around, rng), RECIPE).kept


def test_few_clips_move_the_constants_little() -> None:
    rng = np.random.default_rng(2)
    few, many = (
        learned(SKY, manners.distances(clips_of(SKY, [4.0] * n, rng)), RECIPE)[0][0]
        for n in (3, 40)
    )
    assert 0.2 < few < many < 1.4


def test_the_grid_of_two_axes_is_weighted_in_its_order() -> None:
    found = weights(PLANT, (np.log(2.0), np.log(0.5)), (0.05, 0.05))
    assert PLANT.grid[int(found.argmax())] == (2, 0.5)
    assert found.sum() == pytest.approx(1)
    certain = with_factors(PRIORS, PLANT.axes, (2, 0.5))
    rng = np.random.default_rng(0)
    assert certain.sway.draw(rng) == 2 * PRIORS.sway.median
    assert certain.sway_rate.draw(rng) == 0.5 * PRIORS.sway_rate.median


def test_what_does_not_move_is_farthest() -> None:
    rng = np.random.default_rng(3)
    seen = clips_of(SKY, [1.0, 2.0, 4.0], rng)
    for one in seen:
        one.made[0] = None
    table = manners.distances(seen)
    assert (table.to_real.argmax(axis=1) == 0).all()
    assert np.isfinite(table.apart).all()
    assert (np.diagonal(table.apart, axis1=1, axis2=2) == 0).all()


def test_a_camera_that_moves_is_noticed() -> None:
    wide = photo_like(240, 96, seed=4)
    still = [wide[:, :128].copy() for _ in range(12)]
    moves = [wide[:, 4 * t : 4 * t + 128].copy() for t in range(12)]
    assert camera_stands(still, HOLD)
    assert not camera_stands(moves, HOLD)
    assert camera_stands(moves, 0 * HOLD)  # nothing holds that would tell


def test_a_fit_is_written_and_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b", "c"):
        _write(tmp_path / f"{name}.mp4")
    rng = np.random.default_rng(5)
    asked = []

    def tables(sources, found, known, say):  # type: ignore[no-untyped-def]
        for source in sources:
            if not known(source.path.stem):
                asked.append(source.path.stem)
                seen = clips_of(SKY, [4.0], rng)[0]
                yield source.path.stem, [Seen(source.path.stem, "sky", seen.real, seen.made)]

    monkeypatch.setattr(manners, "clip_tables", tables)
    recipe = tmp_path / "recipe.py"
    recipe.write_text(
        "from vivant.motion.trial import Axis, Manner\n"
        "from vivant.training.manners import MannersRecipe\n"
        "def recipe():\n"
        "    return MannersRecipe((Manner('sky', 'sky', (Axis(('sky_speed',)),)),), clips=3)\n"
    )
    for _ in range(2):
        train_recipe(recipe, tmp_path, None, tmp_path / "run", None)
    assert sorted(asked) == ["a", "b", "c"]
    rows = json.loads((tmp_path / "run" / "manners.json").read_text())
    assert priors_of(rows["manners"], "x").sky_speed.median >= PRIORS.sky_speed.median
    assert rows["report"][0]["clips"] == 3
    assert "manners.json" in capsys.readouterr().err
    with pytest.raises(UsageError, match="leave --val"):
        train_recipe(recipe, tmp_path, tmp_path, tmp_path / "run", None)
    recipe.write_text(recipe.read_text().replace("('sky_speed',)", "('sky_speed',), (1.0, 2.0)"))
    with pytest.raises(UsageError, match="another recipe"):
        train_recipe(recipe, tmp_path, None, tmp_path / "run", None)


def test_the_shipped_recipe_names_constants_that_there_are() -> None:
    recipe = load_recipe(Path(__file__).parents[1] / "recipes" / "manners.py")
    assert len(recipe.manners) > 5
    for manner in recipe.manners:
        with_factors(PRIORS, manner.axes, manner.grid[0])


def test_real_clips_are_read(tmp_path: Path) -> None:
    from vivant.data.sources import read_sources
    from vivant.training.manner_clips import clip_tables

    _write(tmp_path / "a.mp4")
    (tmp_path / "b.mp4").write_bytes(b"no video")
    said: list[str] = []
    found = dict(clip_tables(read_sources(tmp_path), (SKY, PLANT), say=said.append))
    assert set(found) == {"a", "b"}
    assert found["b"] == []
    assert "left out" in said[0]
    for one in found["a"]:
        assert len(one.made) in (5, 9)


def _write(path: Path) -> None:
    """Two seconds of a sky with a cloud over a meadow."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=12)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for t in range(24):
            frame = np.empty((96, 128, 3), np.uint8)
            frame[:60], frame[60:] = (90, 140, 220), (60, 120, 40)
            frame[10:34, 20 + 2 * t : 60 + 2 * t] = 240
            file.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        file.mux(stream.encode())
