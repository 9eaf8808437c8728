"""Futures that a video model samples, against what really followed, beside null baselines.

    python benchmarks/video.py runs/tiny --val shards/val --photos PHOTOS [--worlds 30]
        [--samples 3] [--temperature T] [--decoded] [--first-seed N] [--out video.json]
        [--sheet video.png]

Held-out clips, and procedural worlds with seeds and textures that no training saw (photographs);
each is gone on with from one frame and from five. Baselines: the last frame repeated; pixels
extrapolated linearly from the last two frames; the last flow going on; inertia (the flow over all
known frames going on, which the model is shown). PSNR is over all frames after the known ones; the
Frechet distance is that of the bundled features (`vivant.evaluation.subject.features`), one sample
a clip. The shards come from `vivant prepare --frames 96`. With other seeds, and `--clips 0`, the
worlds are those on which the temperature was chosen.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from vivant.data.procedural import KINDS, make_scene, scene_sample
from vivant.data.shards import read_sample, write_sample
from vivant.evaluation.statistics import bootstrap, frechet
from vivant.evaluation.subject import features
from vivant.registry import bundle_folder
from vivant.rendering.carried import carry
from vivant.training.video.autoencoder import psnr_of
from vivant.training.video.corpus import Shape, Shot, Window, draw_window, read_shots, shot_of
from vivant.video.inertia import carried_on
from vivant.video.sampling import Asked, Networks, open_networks, sample

FIRST_SEED = 1_000_000
"""Of held-out worlds; training takes seeds from 0."""
THIRDS = ("least moves", "some moves", "most moves")
SHAPE = Shape(64, 64, 17, 1)
SHOWN = 5
"""Worlds of a sheet."""
EVERY = 4
"""Frames from one to the next that a sheet shows."""
LOOKED = (3, 11)
"""Frames of a future that features are taken of."""
Clip = NDArray[np.uint8]


@dataclass(frozen=True)
class Case:
    """A window, what it comes from, and how many of its frames are known."""

    group: str
    name: str
    window: Window
    known: int

    @property
    def future(self) -> Clip:
        return self.window.clip[self.known :]


def worlds(count: int, first: int, photos: Path, kept: Path) -> list[Shot]:
    rows = [json.loads(row) for row in (photos / "manifest.jsonl").read_text().splitlines()]
    shown = [row["path"] for row in rows if row["show"] and row["split"] == "holdout"]
    textures = [_small(photos / path) for path in shown]
    shots = []
    for index in range(first, first + count):
        kind = list(KINDS)[index % len(KINDS)]
        path = kept / f"world-{kind}-{index}.tar"
        if not path.is_file():
            scene = make_scene(kind, index, textures)
            write_sample(path, scene_sample(scene, path.stem, short=96))
        shots.append(shot_of(read_sample(path), SHAPE.frames, kept))
    return shots


def _small(path: Path) -> Clip:
    image = cv2.imread(str(path))
    scale = 256 / min(image.shape[:2])
    return np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
                      [..., ::-1], np.uint8)  # fmt: skip


def repeat(case: Case) -> Clip:
    last = case.window.clip[case.known - 1]
    return np.repeat(last[None], len(case.future), axis=0)


def linear(case: Case) -> Clip:
    before, last = case.window.clip[case.known - 2 : case.known].astype(np.float32)
    ahead = np.arange(1, len(case.future) + 1)[:, None, None, None]
    return np.clip(np.rint(last + ahead * (last - before)), 0, 255).astype(np.uint8)


def flow(case: Case) -> Clip:
    before, last = case.window.clip[case.known - 2 : case.known]
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    back = search.calc(*(cv2.cvtColor(f, cv2.COLOR_RGB2GRAY) for f in (last, before)), None)
    y, x = np.mgrid[: last.shape[0], : last.shape[1]].astype(np.float32)
    rows = []
    for ahead in range(1, len(case.future) + 1):
        at = (x + ahead * back[..., 0], y + ahead * back[..., 1])
        rows.append(cv2.remap(last, *at, cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE))
    return np.stack(rows)


def sampled(case: Case, networks: Networks, seed: int, decoded: bool) -> Clip:
    """As a user gets it; as it is decoded, what the autoencoder loses of the last known frame is
    carried along."""
    known = case.window.clip[: case.known]
    asked = Asked(case.window.features, decoded=decoded)
    clip = sample(networks, known, len(case.window.clip), asked, seed)
    if not decoded:
        return clip[case.known :]
    made = list(carry(known[-1], clip[case.known - 1 :]))
    return np.stack(made[1:])


def psnr(made: NDArray[Any], true: Clip) -> float:
    error = float(((made.astype(np.float64) - true) ** 2).mean())
    return float(10 * np.log10(255**2 / max(error, 0.05)))


def measured(
    case: Case, networks: Networks, count: int, decoded: bool
) -> tuple[dict[str, float], dict[str, Clip]]:
    """PSNR by method, and one clip of each."""
    clips = {"repeat": repeat(case)}
    if case.known > 1:
        goes_on, _ = carried_on(case.window.clip[: case.known], len(case.window.clip))
        clips |= {"linear": linear(case), "flow": flow(case), "inertia": goes_on[case.known :]}
    scores = {name: psnr(clip, case.future) for name, clip in clips.items()}
    several = [sampled(case, networks, seed, decoded) for seed in range(count)]
    each = [psnr(clip, case.future) for clip in several]
    scores |= {
        "model, one sample": float(np.mean(each)),
        "model, best sample": max(each),
        "model, mean of samples": psnr(np.mean(several, axis=0), case.future),
    }
    return scores, clips | {"model, one sample": several[0]}


def feature_row(clip: Clip, kept: Path) -> list[float]:
    """Features half a second and 1.5 s after the last known frame; they are kept, since those of
    baselines stay the same."""
    path = kept / f"features-{hashlib.sha256(clip.tobytes()).hexdigest()[:16]}.json"
    if not path.is_file():
        path.write_text(json.dumps(features([clip[k] for k in LOOKED])), "utf-8")
    row: list[float] = json.loads(path.read_text("utf-8"))
    return row


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Means over clips with 95 % intervals, shares of clips on which it beats repeating, Frechet
    distances; and means over thirds of the clips, by how well repeating does."""
    out: dict[str, Any] = {"clips": len(rows)}
    order = np.argsort([-row["psnr"]["repeat"] for row in rows])
    for name in rows[0]["psnr"]:
        values = np.array([row["psnr"][name] for row in rows])
        over = values - np.array([row["psnr"]["repeat"] for row in rows])
        out[name] = {
            "psnr": round(float(values.mean()), 2),
            "interval": [round(v, 2) for v in bootstrap(values)],
            "over_repeat": round(float(over.mean()), 2),
            "over_repeat_interval": [round(v, 2) for v in bootstrap(over)],
            "better_than_repeat": round(float((over > 0).mean()), 2),
            "psnr_by_thirds": {
                third: round(float(values[index].mean()), 2)
                for third, index in zip(THIRDS, np.array_split(order, 3), strict=True)
            },
        }
    real = np.array([row["features"]["real"] for row in rows], np.float32)
    for name in rows[0]["features"]:
        if name != "real":
            made = np.array([row["features"][name] for row in rows], np.float32)
            out[name]["frechet"] = round(frechet(made, real), 2)
    return out


def sheet_row(case: Case, clips: dict[str, Clip]) -> NDArray[np.uint8]:
    """The known frame, then every fourth frame: the truth above, the sample below."""
    shown = [case.future, clips["model, one sample"]]
    first = case.window.clip[case.known - 1]
    lines = [np.hstack([first, *clip[EVERY - 1 :: EVERY]]) for clip in shown]
    row = np.vstack(lines)
    most = (1 + (SHAPE.frames - 1) // EVERY) * SHAPE.width
    return np.pad(row, ((0, 4), (0, most - row.shape[1]), (0, 0)), constant_values=255)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--val", type=Path, required=True)
    parser.add_argument("--photos", type=Path, required=True, help="a folder with its manifest")
    parser.add_argument("--clips", type=int, default=1000, help="at most, evenly chosen")
    parser.add_argument("--worlds", type=int, default=30)
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--samples", type=int, default=3)
    parser.add_argument("--temperature", type=float, help="instead of the model's own")
    parser.add_argument("--decoded", action="store_true", help="not by the known frame's pixels")
    parser.add_argument("--kept", type=Path, help="for scenes and features; the model's own")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--sheet", type=Path)
    args = parser.parse_args()
    networks = open_networks(bundle_folder(args.model) or args.model)
    if args.temperature is not None:
        how = replace(networks.sampling, temperature=args.temperature)
        networks = replace(networks, sampling=how)
    kept = args.kept or args.model / "seen"
    groups = {}
    if args.worlds:
        groups["worlds"] = worlds(args.worlds, args.first_seed, args.photos, kept)
    if args.clips:
        clips = read_shots(args.val, SHAPE.frames, kept)
        groups["clips"] = clips[:: -(-len(clips) // args.clips)]
    report: dict[str, Any] = {
        "autoencoder": {k: round(psnr_of(networks.autoencoder, s, SHAPE)["psnr"], 2)
                        for k, s in groups.items()},
        "samples": args.samples,
        "temperature": networks.sampling.temperature,
        "decoded": args.decoded,
        "threads": torch.get_num_threads(),
    }  # fmt: skip
    lines = []
    for group, shots in groups.items():
        for known in (1, 5):
            rows = []
            for shot in shots:
                window = draw_window(
                    shot, SHAPE, networks.autoencoder.params, np.random.default_rng(0), plain=True
                )
                case = Case(group, shot.name, window, known)
                scores, made = measured(case, networks, args.samples, args.decoded)
                every = {"real": case.future, **made}
                found = {name: feature_row(clip, kept) for name, clip in every.items()}
                rows.append({"clip": shot.name, "psnr": scores, "features": found})
                if group == "worlds" and len(rows) <= SHOWN:  # others' clips are not shown
                    lines.append(sheet_row(case, made))
                print(
                    group, known, shot.name, {k: round(v, 2) for k, v in scores.items()}, flush=True
                )
            report[f"{group}, from {known}"] = summary(rows)
    text = json.dumps(report, indent=1)
    print(text)
    if args.out:
        args.out.write_text(text + "\n", "utf-8")
    if args.sheet:
        cv2.imwrite(str(args.sheet), np.vstack(lines)[..., ::-1])


if __name__ == "__main__":
    main()
