"""What the eyes are worth: kinds, waters, moving regions, where it moves, depth, mattes, speed.

    python recipes/scene.py label ...            # TAUGHT: labels of photographs and key frames
    python benchmarks/scene.py --taught TAUGHT --shards SHARDS --photos PHOTOS \\
        [--motorcycle FOLDER] [--network RUN] [--only kinds,depth] --out scene.json

TAUGHT holds ``photos``, ``train``, ``val`` and ``test``; SHARDS the last three. FOLDER holds the
stereo pair that scikit-image 0.16 ships (``motorcycle_left.png``, ``motorcycle_disp.npz``). Kinds
are measured on the photographs of the split ``holdout``, the rest on validation and test clips;
where it moves by five-fold cross-validation, on the released network or a training run's (RUN).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vivant.data.shards import Sample, read_sample, shard_paths
from vivant.data.teacher_files import Taught, read_taught
from vivant.data.windows import windows_of
from vivant.data.worlds import make_world
from vivant.kinds import KINDS
from vivant.metrics import centre_guess, moving_area_auc
from vivant.rendering.guided import guided_filter
from vivant.scene.eyes import builtin_eyes, see
from vivant.scene.mattes import _refined
from vivant.training.scene.checks import agreement, confusion, rank_correlation
from vivant.training.scene.clips import mask_of_moving, mover, moving_of, parallax_depth
from vivant.training.scene.composites import composite, read_plates
from vivant.training.scene.labels import certain

WORDS = {"lake": "still", "river": "river", "sea": "sea"}
CLIP_WORDS = {"lake/pond": "still", "river/stream": "river", "ocean": "sea"}
LEAST_FALL = 0.02


def wide(values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    return cv2.resize(values, shape[::-1], interpolation=cv2.INTER_LINEAR)


def photographs(args: argparse.Namespace, split: str) -> Iterator[tuple[str, Taught]]:
    for path in sorted((args.taught / "photos").glob("*.npz")):
        taught = read_taught(path)
        if taught.facts["split"] == split:
            yield path.stem, taught


def samples(args: argparse.Namespace, *splits: str) -> Iterator[Sample]:
    for split in splits:
        for path in shard_paths(args.shards / split):
            yield read_sample(path)


def kinds(args: argparse.Namespace) -> dict[str, Any]:
    """Agreement with MOSAIC where it is certain, on the photographs that nobody trained on."""
    pairs = []
    for _, taught in photographs(args, "holdout"):
        true = certain(taught.labels.mosaic)
        scene = see(taught.pixels)
        pairs.append((true, np.stack([wide(k, true.shape) for k in scene.kinds]).argmax(0)))
    right, mean, each = agreement(confusion(pairs), least=500)
    cells = sum(int((true >= 0).sum()) for true, _ in pairs)
    shares = [float((f == t)[t >= 0].mean()) for t, f in pairs if (t >= 0).sum() > 100]
    rng = np.random.default_rng(0)
    means = [np.mean(rng.choice(shares, len(shares))) for _ in range(1000)]
    return {
        "agreement": right,
        "mean_iou": mean,
        "iou": each,
        "cells": cells,
        "pictures": len(pairs),
        "agreement_by_picture": [float(np.mean(shares)), *np.percentile(means, (2.5, 97.5))],
    }


def character(pixels: NDArray[np.uint8]) -> str:
    scene = see(pixels)
    if scene.share("fall") > LEAST_FALL:
        return "fall"
    bodies = [(scene.instances[b.instance].area, b.name) for b in scene.bodies]
    return max(bodies)[1] if bodies else "none"


def waters(args: argparse.Namespace) -> dict[str, Any]:
    """Character of the largest water body where the category says it."""
    rows: list[tuple[str, str, str]] = []
    for name, taught in photographs(args, "holdout"):
        category = taught.facts["category"]
        if category in WORDS or category == "waterfall":
            rows.append((name, WORDS.get(category, "fall"), character(taught.pixels)))
    for sample in samples(args, "val", "test"):
        category = str(sample.facts.get("category", ""))
        wanted = "fall" if "waterfall" in category else next(
            (kind for word, kind in CLIP_WORDS.items() if word in category), None
        )  # fmt: skip
        if wanted:
            rows.append((sample.key, wanted, character(sample.keys[0])))
    right = [w == f or (w == "sea" and f == "surf") for _, w, f in rows]
    by = {k: [sum(w == k for _, w, _ in rows)] for k in {w for _, w, _ in rows}}
    for kind, counts in by.items():
        counts.append(sum(r for r, (_, w, _) in zip(right, rows, strict=True) if w == kind))
    wrong = [row for row, r in zip(rows, right, strict=True) if not r]
    return {"right": float(np.mean(right)), "count": len(rows), "by": by, "wrong": wrong}


def own_kinds(args: argparse.Namespace) -> dict[str, Any]:
    """Kind of the region that moves against the category of the clip, by clip."""
    rows: dict[str, tuple[str, NDArray[np.float64]]] = {}
    for sample in samples(args, "val", "test"):
        wanted = mover(str(sample.facts.get("category", "")))
        if wanted is None:
            continue
        for window in windows_of(sample):
            moving = moving_of(window, sample.key)
            if moving.camera == "moves":
                continue
            scene = see(window.image)
            mass = mask_of_moving(moving) * moving.weight
            sized = np.stack([cv2.resize(k, mass.shape[::-1]) for k in scene.kinds])
            found = (sized * mass).sum((1, 2))
            clip = sample.key.split("-")[0]
            before = rows.get(clip, (wanted, np.zeros(len(KINDS))))[1]
            rows[clip] = wanted, before + found
    right = {clip: KINDS[int(found.argmax())] == wanted for clip, (wanted, found) in rows.items()}
    by: dict[str, list[int]] = {}
    for clip, (wanted, _) in rows.items():
        counts = by.setdefault(wanted, [0, 0])
        counts[0] += 1
        counts[1] += right[clip]
    wrong = [(c, w, KINDS[int(f.argmax())]) for c, (w, f) in rows.items() if not right[c]]
    return {
        "top1": float(np.mean(list(right.values()))),
        "clips": len(rows),
        "by": by,
        "wrong": wrong,
    }


def where(args: argparse.Namespace) -> dict[str, Any]:
    """AUC of moving cells by five-fold cross-validation over all clips."""
    import torch

    from vivant.bundle import open_bundle
    from vivant.scene.eyes import FOLDER
    from vivant.training.scene.moving import chances_of, learn_moving, seen_windows
    from vivant.training.scene.restore import network_of, released_network

    torch.set_num_threads(2)
    network = network_of(args.network) if args.network else released_network(open_bundle(FOLDER))
    seen = [s for split in ("train", "val", "test")
            for s in seen_windows(network, args.shards / split, split)]  # fmt: skip
    clips = sorted({s.clip for s in seen})
    order = np.random.default_rng(0).permutation(len(clips))
    fold = {clips[k]: n % 5 for n, k in enumerate(order)}
    scores: dict[tuple[str, str, str], list[list[float]]] = {}
    for k in range(5):
        with tempfile.TemporaryDirectory() as folder:
            learnt = [s for s in seen if fold[s.clip] != k]
            head = learn_moving(learnt, Path(folder))
            prior = class_prior(learnt)
        for s in seen:
            if fold[s.clip] == k and s.classes is not None:
                shape = s.speed.shape
                kinds = s.inputs[80 : 80 + len(KINDS)].astype(np.float32)
                maps = (chances_of(head, s), np.tensordot(prior, kinds, 1), centre_guess(*shape))
                found = [moving_area_auc(np.asarray(m, np.float32), *s.classes) for m in maps]
                scores.setdefault((s.clip, s.split, s.category), []).append(found)
    table = {key: np.mean(rows, axis=0) for key, rows in scores.items()}
    out: dict[str, Any] = {}
    for name, chosen in (("all", ("train", "val", "test")), ("val and test", ("val", "test"))):
        values = np.array([v for (_, split, _), v in table.items() if split in chosen])
        out[name] = {"clips": len(values)} | {
            who: [float(values[:, k].mean()), float(np.median(values[:, k]))]
            for k, who in enumerate(("head", "prior of kinds", "centre"))
        }
    by: dict[str, list[float]] = {}
    for (_, _, category), values in table.items():
        by.setdefault(category, []).append(float(values[0]))
    out["by"] = {c: [len(v), round(float(np.mean(v)), 3)] for c, v in sorted(by.items())}
    return out


def moving(args: argparse.Namespace) -> dict[str, Any]:
    """AUC of moving cells on validation and test clips, which the released weights never saw."""
    from vivant.bundle import open_bundle
    from vivant.scene.eyes import FOLDER
    from vivant.training.scene.moving import SHARES, chances_of, seen_windows
    from vivant.training.scene.restore import released_head, released_network

    bundle = open_bundle(FOLDER)
    network, head = released_network(bundle), released_head(bundle)
    rates = head.rates.numpy()
    scores: dict[tuple[str, str], list[list[float]]] = {}
    for split in ("val", "test"):
        for s in seen_windows(network, args.shards / split, split):
            if s.classes is not None:
                usual = np.tensordot(rates, s.inputs[SHARES].astype(np.float32), 1)
                maps = chances_of(head, s), usual, centre_guess(*s.speed.shape)
                found = [moving_area_auc(np.asarray(m, np.float32), *s.classes) for m in maps]
                scores.setdefault((split, s.clip), []).append(found)
    out: dict[str, Any] = {}
    for name, splits in (("val", ("val",)), ("val and test", ("val", "test"))):
        rows = [np.mean(v, axis=0) for (split, _), v in scores.items() if split in splits]
        means, medians = np.mean(rows, axis=0), np.median(rows, axis=0)
        out[name] = {"clips": len(rows)} | {
            who: [float(means[k]), float(medians[k])]
            for k, who in enumerate(("answer", "rates of kinds", "centre"))
        }
    return out


def class_prior(seen: list[Any]) -> NDArray[np.float32]:
    """How often each kind moves among the cells of some windows."""
    moved, all_ = np.zeros(len(KINDS)), np.full(len(KINDS), 1e-3)
    for s in seen:
        kinds = s.inputs[80 : 80 + len(KINDS)].astype(np.float32)
        share = np.clip(s.speed / max(float(np.percentile(s.speed, 98)), 0.01), 0, 1)
        moved += (kinds * share * s.weight).sum((1, 2))
        all_ += (kinds * s.weight).sum((1, 2))
    return (moved / all_).astype(np.float32)


def depth(args: argparse.Namespace) -> dict[str, Any]:
    """Order of pairs of points by parallax; ranks on the stereo pair and on made-up worlds."""
    guesses: dict[str, Callable[[Any], NDArray[Any]]] = {
        "seen": lambda pixels: see(pixels).depth,
        "height": lambda pixels: np.repeat(np.linspace(0, 1, 64)[:, None], 64, 1),
        "centre": lambda pixels: centre_guess(64, 64),
    }
    rng = np.random.default_rng(0)
    order: dict[str, list[float]] = {name: [] for name in guesses}
    for sample in samples(args, "val", "test"):
        found = parallax_depth(sample, 0)
        category = str(sample.facts.get("category", ""))
        if found is None or not category.startswith("camera"):
            continue
        values, trust = found
        places = np.argwhere(trust > 0.4)
        if len(places) < 50:
            continue
        a, b = (places[rng.integers(len(places), size=4000)] for _ in range(2))
        one, two = (values[p[:, 0], p[:, 1]] for p in (a, b))
        clear = np.abs(one - two) > 0.2 * np.maximum(np.maximum(one, two), 0.1)
        for name, guess in guesses.items():
            shown = cv2.resize(np.asarray(guess(sample.keys[0]), np.float32), values.shape[::-1])
            mine = shown[a[:, 0], a[:, 1]] - shown[b[:, 0], b[:, 1]]
            order[name].append(float((np.sign(mine) == np.sign(one - two))[clear].mean()))
    out: dict[str, Any] = {
        "ordinal": {n: float(np.mean(v)) for n, v in order.items() if v},
        "clips": len(order["seen"]),
    }
    if args.motorcycle:
        left = np.asarray(Image.open(args.motorcycle / "motorcycle_left.png").convert("RGB"))
        disparity = np.load(args.motorcycle / "motorcycle_disp.npz")["arr_0"]
        known = np.isfinite(disparity) & (disparity > 0)
        out["motorcycle"] = {
            n: rank_correlation(wide(np.asarray(g(left), np.float32), disparity.shape)[known],
                                disparity[known])
            for n, g in guesses.items()
        }  # fmt: skip
    photos = [taught.pixels for _, taught in photographs(args, "holdout")][:40]
    ranks: dict[str, list[float]] = {name: [] for name in guesses}
    for k in range(40):
        world = make_world(np.random.default_rng((7, k)), photos)
        true = cv2.resize(world.depth, (96, 96), interpolation=cv2.INTER_AREA)
        for name, guess in guesses.items():
            mine = wide(np.asarray(guess(world.image), np.float32), true.shape)
            ranks[name].append(rank_correlation(mine.ravel(), true.ravel()))
    out["worlds"] = {name: float(np.mean(v)) for name, v in ranks.items()}
    return out


def mattes(args: argparse.Namespace) -> dict[str, Any]:
    """Mean absolute error within 10 pixels of the edge, on composites of unseen photographs."""
    plates = read_plates(args.taught / "photos", args.photos, "holdout")
    eyes = builtin_eyes()
    rows = []
    for k in range(200):
        made = composite(np.random.default_rng((11, k)), plates, 256)
        guided = np.clip(guided_filter(made.image, made.coarse, 16, 1e-4), 0, 1)
        fine = _refined(eyes, made.coarse, made.image)
        near = made.edge > 0
        rows.append(
            [float(np.abs(a - made.alpha)[near].mean()) for a in (fine, guided, made.coarse)]
        )
    names = ("refiner", "guided filter", "coarse")
    return {name: float(v) for name, v in zip(names, np.mean(rows, 0), strict=True)} | {
        "count": 200
    }


SPEED = """
import sys, time, resource, numpy as np
from PIL import Image
image = np.asarray(Image.open(sys.argv[1]).convert("RGB").resize((1920, 1080)))
from vivant.scene import eyes
start = time.perf_counter()
scene = eyes.see(image); eyes.mattes(scene, image)
cold, times = time.perf_counter() - start, []
for _ in range(5):
    start = time.perf_counter()
    scene = eyes.see(image); eyes.mattes(scene, image)
    times.append(time.perf_counter() - start)
print(cold, min(times), sorted(times)[2], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def speed(args: argparse.Namespace) -> dict[str, Any]:
    """Seconds for a 1080p photograph with all mattes, and the process's peak memory."""
    photos = sorted(args.photos.glob("*.jpg"))[::60][:5]
    rows = []
    for photo in photos:
        words = [sys.executable, "-c", SPEED, str(photo)]
        said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        rows.append([float(x) for x in said.split()])
    cold, best, median, memory = np.array(rows).T
    return {
        "cold_s": float(cold.mean()),
        "warm_best_s": float(best.mean()),
        "warm_median_s": float(median.mean()),
        "peak_mib": float(memory.max()),
    }


PARTS = {
    "kinds": kinds,
    "waters": waters,
    "own_kinds": own_kinds,
    "where": where,
    "moving": moving,
    "depth": depth,
    "mattes": mattes,
    "speed": speed,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("taught", "shards", "photos", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    for name in ("motorcycle", "network"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--only", default=",".join(PARTS))
    args = parser.parse_args()
    results = json.loads(args.out.read_text()) if args.out.exists() else {}
    for name in args.only.split(","):
        start = time.monotonic()
        results[name] = PARTS[name](args)
        print(name, json.dumps(results[name]), f"{time.monotonic() - start:.0f} s", flush=True)
        args.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
