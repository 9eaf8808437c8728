"""Are faces of animals told from those of people? Fit the probe, and ask it about others.

    python benchmarks/persons.py --photos PHOTOS --clips CLIPS --out persons.json [--weights FILE]

Candidates are what the face finder takes for a face at a low threshold where somebody is seen, in
photographs and clips (three frames of each) of animals and of people; those named in MIXED (people
beside animals) and in NO_FACE (hands, backs) are left out. Ten folds by picture; the table counts
pictures that ask for consent, with the probe and without. The weights are those of all pictures but
the ones that the tests look at.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vivant.clip import Floats, Frame
from vivant.kinds import INDEX
from vivant.media.assets import FileAssets
from vivant.provenance import faces
from vivant.scene import eyes
from vivant.scene.persons import around, described

ANIMALS = ("animal", "animals", "bird", "cat", "dog", "horse")
PEOPLE = ("person", "portrait", "crowd", "people")
MIXED = [
    "0028",
    "0170",
    "0172",
    "0238",
    "0239",
    "0241",
    "0242",
    "0243",
    "0245",
    "c0083",
    "c0198",
    "c0203",
]
NO_FACE = ("c0130", "c0133", "c0182")
TESTED = ("0119", "0161", "0337")
CANDIDATE, PERSON = 0.15, 0.5
"""Thresholds of the finder for what an animal's candidate and a person's face may be."""
WIDTHS = (1.6, 2.0, 2.5)
LEASTS = (0.05, 0.1, 0.2, 0.3, 0.5)
RIDGE, ROUNDS, FOLDS = 100.0, 12, 10


@dataclass(frozen=True, eq=False)
class Candidate:
    """A face that was found in a picture: its finder's ``score``, whether it is a ``person``'s, and
    the features ``[V, F]`` of its variants, the plain one first."""

    picture: str
    person: bool
    score: float
    views: Floats


def pictures(photos: Path, clips: Path) -> Iterator[tuple[str, bool, Frame]]:
    """Name, whether of people, and pixels."""
    for row in rows_of(photos, ANIMALS + PEOPLE):
        with FileAssets() as assets:
            pixels = assets.picture(assets.add(photos / row["path"], "picture")).pixels
        yield Path(row["path"]).stem, row["category"] in PEOPLE, pixels
    for row in rows_of(clips, ANIMALS + PEOPLE):
        name, count = "c" + Path(row["path"]).stem, row["frames"]
        with FileAssets() as assets:
            frames = assets.frames(assets.add(clips / row["path"], "clip"))
            for index, frame in enumerate(frames):
                if index in (0, count // 2, count - 2):
                    yield name, row["category"].startswith("people"), frame


def rows_of(folder: Path, categories: tuple[str, ...]) -> list[dict[str, Any]]:
    rows = map(json.loads, (folder / "manifest.jsonl").read_text().splitlines())
    return [row for row in rows if row["category"].partition(":")[0] in categories]


def candidates(photos: Path, clips: Path) -> list[Candidate]:
    faces.THRESHOLD = CANDIDATE
    found = []
    for name, person, pixels in pictures(photos, clips):
        if name in MIXED + NO_FACE:
            continue
        kinds = None
        for face in faces.find_faces(pixels)[:30]:
            if person and face.score < PERSON:
                continue
            kinds = eyes.see(pixels).kinds if kinds is None else kinds
            if being(kinds, face.box) >= PERSON:
                found.append(Candidate(name, person, face.score, views(pixels, face.box)))
    return found


def being(kinds: Floats, box: tuple[float, float, float, float]) -> float:
    share = kinds[INDEX["being"]] + kinds[INDEX["cloth"]]
    h, w = share.shape
    left, top, right, low = box
    return float(share[int(top * h) : int(low * h) + 1, int(left * w) : int(right * w) + 1].max())


def views(pixels: Frame, box: tuple[float, float, float, float]) -> Floats:
    """Features of a face as it is, wider and narrower, mirrored, grey, dim, and coarse."""
    plain = around(pixels, box)
    grey = cv2.cvtColor(cv2.cvtColor(plain, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    coarse = cv2.resize(cv2.resize(plain, (24, 24), interpolation=cv2.INTER_AREA), (128, 128))
    others = [around(pixels, box, wide) for wide in WIDTHS if wide != 2.0]
    dim = (plain * 0.5).astype(np.uint8)
    return np.stack([described(one) for one in (plain, *others, plain[:, ::-1], grey, dim, coarse)])


def fitted(known: list[Candidate]) -> Floats:
    """Weights ``[F + 1]`` by ridge logistic regression (iteratively reweighted least squares);
    pictures weigh as the root of their faces, both classes alike."""
    x = np.concatenate([one.views for one in known]).astype(np.float64)
    each = [len(one.views) for one in known]
    y = np.repeat([float(one.person) for one in known], each)
    names = np.array([one.picture for one in known])
    weight = np.repeat([1 / np.sqrt((names == n).sum()) for n in names], each)
    for value in (0, 1):
        weight[y == value] *= 0.5 * len(known) / weight[y == value].sum()
    mean, spread = x.mean(0), x.std(0) + 1e-6
    table = np.c_[(x - mean) / spread, np.ones(len(x))]
    ridge = np.r_[np.full(x.shape[1], RIDGE), 1e-6]
    found = np.zeros(table.shape[1])
    for _ in range(ROUNDS):
        chance = 1 / (1 + np.exp(-np.clip(table @ found, -30, 30)))
        curve = weight * np.maximum(chance * (1 - chance), 1e-4)
        hessian = (table * curve[:, None]).T @ table + np.diag(ridge)
        found += np.linalg.solve(hessian, table.T @ (weight * (y - chance)) - ridge * found)
    slopes = found[:-1] / spread
    return np.r_[slopes, found[-1] - slopes @ mean].astype(np.float32)


def cross_validated(known: list[Candidate]) -> Floats:
    """Chance of a person for each candidate, by weights that its picture had no part in."""
    names = sorted({one.picture for one in known})
    order = np.random.default_rng(0).permutation(len(names))
    fold = {names[k]: int(place) % FOLDS for place, k in enumerate(order)}
    out = np.zeros(len(known), np.float32)
    for number in range(FOLDS):
        weights = fitted([one for one in known if fold[one.picture] != number])
        for k, one in enumerate(known):
            if fold[one.picture] == number:
                odds = one.views[0] @ weights[:-1] + weights[-1]
                out[k] = 1 / (1 + np.exp(-odds))
    return out


def asked(
    known: list[Candidate], chances: Floats, threshold: float, least: float
) -> dict[str, Any]:
    """Pictures in which a face is found, and in which one is still taken for a person's."""
    out = {}
    for person, name in ((False, "animals"), (True, "people")):
        for clip in (False, True):
            own = [k for k, one in enumerate(known) if one.person == person
                   and one.score >= threshold and (one.picture[0] == "c") == clip]  # fmt: skip
            before = {known[k].picture for k in own}
            after = {known[k].picture for k in own if chances[k] >= least}
            row = {"before": len(before), "after": len(after), "let go": sorted(before - after)}
            out[f"{name}, {'clips' if clip else 'photographs'}"] = row
    return out


def extremes(known: list[Candidate], chances: Floats, threshold: float) -> dict[str, Any]:
    """Those nearest to being mistaken for the other: lowest of people, highest of animals."""
    own = sorted((float(chances[k]), one.person, one.picture) for k, one in enumerate(known)
                 if one.score >= threshold)  # fmt: skip
    people = [(name, round(value, 3)) for value, person, name in own if person]
    animals = [(name, round(value, 3)) for value, person, name in own if not person]
    return {"people": people[:5], "animals": animals[::-1][:5]}


def area(known: list[Candidate], chances: Floats, threshold: float) -> float:
    """Area under the curve, of the candidates that the finder scores so or higher."""
    own = [k for k, one in enumerate(known) if one.score >= threshold]
    yes = [chances[k] for k in own if known[k].person]
    no = np.array([chances[k] for k in own if not known[k].person])
    return float(np.mean([(value > no).mean() + 0.5 * (value == no).mean() for value in yes]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("photos", "clips", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--weights", type=Path)
    args = parser.parse_args()
    finder = faces.THRESHOLD
    known = candidates(args.photos, args.clips)
    chances = cross_validated(known)
    people = sum(one.person for one in known)
    report = {
        "candidates": {"animals": len(known) - people, "people": people},
        "area, all": round(area(known, chances, CANDIDATE), 4),
        "area, as found": round(area(known, chances, finder), 4),
        "extremes, as found": extremes(known, chances, finder),
        "asked": {str(least): asked(known, chances, finder, least) for least in LEASTS},
    }
    if args.weights is not None:
        weights = fitted([one for one in known if one.picture not in TESTED])
        args.weights.write_text(json.dumps([float(f"{v:.6g}") for v in weights]))
    args.out.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
