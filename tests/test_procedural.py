from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from conftest import photo_like
from vivant.data.labels import label
from vivant.data.procedural import FPS, KINDS, make_scene, photos_of, prepare_procedural
from vivant.data.shards import read_samples, shard_paths
from vivant.data.windows import windows_of

PHOTOS = [photo_like(360, 300, k) for k in range(2)]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_stated_motion_is_what_optical_flow_sees(kind: str) -> None:
    agree = []
    for seed in range(3):
        scene = make_scene(kind, seed, PHOTOS)
        seen = label(scene.frames, FPS, scene.frames.shape[2] / scene.frames.shape[1])
        speed = np.linalg.norm(scene.labels.velocity, axis=1).mean(axis=0)
        clear = (speed > 0.02) & (scene.labels.gradient.mean(axis=0) > 6)
        if clear.sum() < 30:
            continue
        true, found = (v.velocity[:, :, clear].ravel() for v in (scene.labels, seen))
        agree.append(float(np.corrcoef(true, found)[0, 1]))
    assert agree, "no scene of this kind has texture that moves"
    assert max(agree) > 0.8


def test_scenes_repeat_and_differ() -> None:
    one, again = (make_scene("water", 5, PHOTOS).frames for _ in range(2))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one.astype(int) - make_scene("water", 6, PHOTOS).frames).mean() > 5


def test_scenes_become_shards_that_training_reads(tmp_path: Path) -> None:
    prepare_procedural(6, tmp_path, 2)
    names = [p.name for p in shard_paths(tmp_path)]
    assert len(names) == 6
    assert {n.split("-")[1] for n in names} == set(KINDS)
    stamps = [p.stat().st_mtime_ns for p in shard_paths(tmp_path)]
    prepare_procedural(6, tmp_path, 2)
    assert stamps == [p.stat().st_mtime_ns for p in shard_paths(tmp_path)]
    sample = next(read_samples(tmp_path))
    assert sample.facts["licence"] == "CC0-1.0"
    assert len(list(windows_of(sample))) >= 1
    assert photos_of(tmp_path) == []
