"""How well the watermark is found, and how often where there is none; as JSON.

    python benchmarks/watermark.py CLIPS --out watermark.json [--marked 210] [--unmarked 2000]

Clips are 640x360 or the like, 15 Hz, 4.5 s. Real ones come from the manifest's splits train and
val; pans and zooms over photographs, vivant's own clips, procedural scenes and flat skies are
made here. A marked clip is encoded as the release step does (H.264, CRF 18) and then attacked;
an unmarked one goes through one of the attacks in turn. Attacks that are harder than promised are
tried on every second clip at least. Results are kept in OUT.rows.jsonl clip by clip, and a run
that is started again goes on where the last one stopped.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Picture, VideoSpec
from vivant.data.procedural import KINDS, make_scene
from vivant.media.colour import from_yuv420, to_yuv420
from vivant.media.video import iter_video
from vivant.motion.model import MotionModel, frames_of
from vivant.provenance.watermark.code import VERSION
from vivant.provenance.watermark.detect import READABLE, THRESHOLD, detect
from vivant.provenance.watermark.embed import mark
from vivant.registry import load
from vivant.rendering.shot import Shot

Frames = NDArray[np.uint8]
FPS, SECONDS, CUT_SECONDS = 15, 4.5, 3.0
COUNT, SHORT = round(FPS * SECONDS), 360
UNMARKED_COUNT = 24
EXAMPLES = Path(__file__).parent.parent / "examples"
X264, AV1 = "libx264", "libsvtav1"


# --- clips ------------------------------------------------------------------------------


@cache
def photographs() -> list[Frames]:
    """The examples, and those that scikit-image brings along."""
    from skimage import data

    paths = sorted(EXAMPLES.glob("*.jpg"))
    own = [cv2.cvtColor(cv2.imread(str(p)), cv2.COLOR_BGR2RGB) for p in paths]
    return [
        *own,
        *(np.asarray(f()) for f in (data.chelsea, data.coffee, data.rocket, data.astronaut)),
    ]


def scaled(frame: Frames, short: int = SHORT) -> Frames:
    scale = short / min(frame.shape[:2])
    size = tuple(2 * round(side * scale / 2) for side in frame.shape[1::-1])
    return cv2.resize(frame, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def to_and_fro(frames: list[Frames], count: int) -> list[Frames]:
    """A short clip played forwards and backwards until it is long enough."""
    while len(frames) < count:
        frames = frames + (frames[-2:0:-1] or frames)
    return frames[:count]


def real(rng: np.random.Generator, index: int, count: int, clips: list[Path]) -> Frames:
    """A real clip; after the first round cut out of it at random, in time and space."""
    again, which = divmod(index, len(clips))
    frames = list(iter_video(clips[which]))[::2]
    start = int(rng.integers(0, max(1, len(frames) - count))) if again else 0
    frames = to_and_fro(frames[start:], count)
    height, width = frames[0].shape[:2]
    share = rng.uniform(0.5, 1.0) if again else 1.0
    h, w = round(share * height), round(share * width)
    top, left = int(rng.integers(0, height - h + 1)), int(rng.integers(0, width - w + 1))
    return np.stack([scaled(f[top : top + h, left : left + w]) for f in frames])


def pan(rng: np.random.Generator, index: int, count: int, clips: list[Path]) -> Frames:
    """A photograph under a moving, zooming camera; every sixth one stands still."""
    photo = photographs()[index % len(photographs())]
    height, width = photo.shape[:2]
    size = (640, 360) if width > height else (480, 360)
    near = max(size[0] / width, size[1] / height) * rng.uniform(1.1, 1.7)
    way = rng.uniform(-40, 40, 2) * (index % 6 != 0)
    zoom = rng.uniform(-0.1, 0.1) * (index % 6 != 0)
    centre = np.array([width, height]) * rng.uniform(0.4, 0.6, 2)
    out = []
    for t in np.linspace(0, 1, count):
        k = near * (1 + zoom * t)
        shift = np.array(size) / 2 - k * centre + way * t
        matrix = np.array([[k, 0, shift[0]], [0, k, shift[1]]])
        method = cv2.INTER_AREA if k < 1 else cv2.INTER_CUBIC
        out.append(
            cv2.warpAffine(photo, matrix, size, flags=method, borderMode=cv2.BORDER_REFLECT_101)
        )
    return np.stack(out)


def own(rng: np.random.Generator, index: int, count: int, clips: list[Path]) -> Frames:
    """What vivant itself makes of a photograph."""
    photo = photographs()[index % len(photographs())]
    picture = Picture(scaled(photo))
    shot = Shot(picture, seconds=count / FPS, fps=FPS, seed=index)
    return np.stack(list(frames_of(shot, model().fields.sample(shot))))


@cache
def model() -> MotionModel:
    found = load("builtin")
    assert isinstance(found, MotionModel)
    return found


def procedural(rng: np.random.Generator, index: int, count: int, clips: list[Path]) -> Frames:
    photos = photographs() if index % 2 else []
    frames = make_scene(list(KINDS)[index % len(KINDS)], 1000 + index, photos).frames
    return np.stack([scaled(f) for f in to_and_fro(list(frames), count)])


def sky(rng: np.random.Generator, index: int, count: int, clips: list[Path]) -> Frames:
    """A flat sky: a gradient, with grain in half of the clips, with faint clouds in some."""
    down = np.linspace(0, 1, SHORT)[:, None, None]
    top, bottom = rng.uniform((30, 80, 150), (130, 170, 240)), rng.uniform(150, 245, 3)
    base = (top + (bottom - top) * down) * np.ones((1, 640, 1))
    if index % 3 == 0:
        veil = cv2.resize(rng.random((6, 8)), (640, SHORT), interpolation=cv2.INTER_CUBIC)
        base = base + 12 * veil[..., None]
    grain = rng.uniform(0.5, 1.2) if index % 2 else 0.0
    noise = (rng.normal(0, grain, (SHORT, 640, 1)) for _ in range(count))
    return np.stack([np.clip(np.rint(base + n), 0, 255).astype(np.uint8) for n in noise])


SOURCES: dict[str, tuple[Callable[..., Frames], int, int]] = {
    # kind: maker, share among the marked, share among the unmarked
    "real": (real, 7, 8),
    "pan": (pan, 5, 5),
    "own": (own, 3, 1),
    "procedural": (procedural, 4, 4),
    "flat sky": (sky, 2, 2),
}


def planned(total: int, share: int) -> list[tuple[str, int]]:
    """Which kind, and which of its clips, in an order that mixes them; share 1 or 2 of SOURCES."""
    whole = sum(entry[share] for entry in SOURCES.values())
    rows = []
    for kind, entry in SOURCES.items():
        number = round(total * entry[share] / whole)
        rows += [((k + 0.5) / number, kind, k) for k in range(number)]
    return [(kind, k) for _, kind, k in sorted(rows)]


# --- attacks ----------------------------------------------------------------------------


def encoded(frames: Frames, codec: str, crf: int) -> Frames:
    height, width = (side - side % 2 for side in frames.shape[1:3])
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream: Any = container.add_stream(codec, rate=FPS)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": str(crf), "preset": "medium" if codec == X264 else "9"}
        for index, frame in enumerate(frames):
            planes = to_yuv420(np.ascontiguousarray(frame[:height, :width]))
            picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            picture.pts = index
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    buffer.seek(0)
    with av.open(buffer) as container:
        decoded = container.decode(video=0)
        return np.stack([from_yuv420(f.to_ndarray(), width, height) for f in decoded])


def resized(frames: Frames, share: float) -> Frames:
    size = tuple(2 * round(side * share / 2) for side in frames.shape[2:0:-1])
    return np.stack([cv2.resize(f, size, interpolation=cv2.INTER_AREA) for f in frames])


def cropped(frames: Frames, share: float) -> Frames:
    """A window of ``share`` of both sides, off the centre."""
    height, width = frames.shape[1:3]
    h, w = (2 * round(side * share / 2) for side in (height, width))
    top, left = round(0.3 * (height - h)), round(0.7 * (width - w))
    return frames[:, top : top + h, left : left + w]


def middle(frames: Frames) -> Frames:
    count = min(len(frames), round(CUT_SECONDS * FPS))
    start = (len(frames) - count) // 2
    return frames[start : start + count]


def rotated(frames: Frames, degrees: float) -> Frames:
    height, width = frames.shape[1:3]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.05)
    return np.stack(
        [cv2.warpAffine(f, matrix, (width, height), flags=cv2.INTER_CUBIC) for f in frames]
    )


REQUIRED: dict[str, Callable[[Frames], Frames]] = {
    "as released": lambda f: f,
    "H.264 crf 28": lambda f: encoded(f, X264, 28),
    "half size": lambda f: encoded(resized(f, 0.5), X264, 23),
    "80 % crop": lambda f: encoded(cropped(f, 0.8), X264, 23),
    "AV1 crf 45": lambda f: encoded(f, AV1, 45),
    "horizontal flip": lambda f: encoded(f[:, :, ::-1], X264, 23),
    "3 s from the middle": lambda f: encoded(middle(f), X264, 23),
}
HARDER: dict[str, Callable[[Frames], Frames]] = {
    "80 % crop, crf 28": lambda f: encoded(cropped(f, 0.8), X264, 28),
    "flip, crf 28": lambda f: encoded(f[:, :, ::-1], X264, 28),
    "half size, crf 28": lambda f: encoded(resized(f, 0.5), X264, 28),
    "60 % crop": lambda f: encoded(cropped(f, 0.6), X264, 23),
    "H.264 crf 35": lambda f: encoded(f, X264, 35),
    "rotation by 1 degree": lambda f: encoded(rotated(f, 1.0), X264, 23),
    "one frame, unencoded": lambda f: f[len(f) // 2 :][:1],
}
ATTACKS = REQUIRED | HARDER


# --- measurement ------------------------------------------------------------------------


def marked_row(kind: str, index: int, clips: list[Path]) -> dict[str, Any]:
    rng = np.random.default_rng((1, sorted(SOURCES).index(kind), index))
    frames = SOURCES[kind][0](rng, index, COUNT, clips)
    identifier = int(rng.integers(1 << 20))
    spec = VideoSpec(frames.shape[2], frames.shape[1], FPS, len(frames))
    out = np.stack(list(mark(iter(frames), spec, identifier, carrier="lossy")))
    difference = out.astype(np.float32) - frames
    released = encoded(out, X264, 18)
    found = {}
    for name, attack in (REQUIRED if index % 2 else ATTACKS).items():
        result = detect(attack(released))
        found[name] = {"score": round(result.score, 3)}
        if result.payload is not None:
            right = result.payload.identifier == identifier and result.payload.version == VERSION
            found[name] |= {"right": right, "margin": round(result.payload.margin, 3)}
    return {
        "psnr": 10 * math.log10(255**2 / float((difference**2).mean())),
        "least_frame_psnr": 10 * math.log10(255**2 / float((difference**2).mean((1, 2, 3)).max())),
        "largest_change": int(np.abs(difference).max()),
        "colour_shift": float(np.abs(difference.mean((0, 1, 2))).max()),
        "found": found,
    }


def unmarked_row(kind: str, index: int, number: int, clips: list[Path]) -> dict[str, Any]:
    rng = np.random.default_rng((2, sorted(SOURCES).index(kind), index))
    frames = SOURCES[kind][0](rng, index + 10_000 * (kind != "real"), UNMARKED_COUNT, clips)
    name = list(REQUIRED)[number % len(REQUIRED)]
    result = detect(REQUIRED[name](frames))
    return {"attack": name, "score": round(result.score, 3)}


def wilson(hits: int, total: int) -> tuple[float, float]:
    """95 % confidence interval of a rate (Wilson, 1927)."""
    z, rate = 1.96, hits / max(total, 1)
    centre = (rate + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(rate * (1 - rate) / total + (z / (2 * total)) ** 2)
    return round(max(0.0, centre - half), 5), round(min(1.0, centre + half), 5)


def cpu_times() -> dict[str, Any]:
    """CPU time in one thread: marking a 720p frame, the pattern apart; searching a 360p clip."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    frame = cv2.resize(photographs()[0], (1280, 720))
    spec = VideoSpec(1280, 720, 24.0, 97)
    stream = mark((frame for _ in range(97)), spec, 1)
    clock = time.process_time()
    next(stream)
    next(stream)
    first = time.process_time() - clock
    rounds = []
    for _ in range(5):
        clock = time.process_time()
        for _ in range(19):
            next(stream)
        rounds.append((time.process_time() - clock) / 19)
    clip = pan(np.random.default_rng(0), 0, COUNT, [])
    clock = time.process_time()
    detect(clip)
    found = time.process_time() - clock
    cv2.setNumThreads(threads)
    return {
        "detect_seconds_per_clip": round(found, 3),
        "ms_per_720p_frame": round(1e3 * float(np.median(rounds)), 2),
        "ms_pattern_and_first": round(1e3 * first, 1),
    }


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    marked = [r for r in rows if r["marked"]]
    unmarked = [r for r in rows if not r["marked"]]
    scores = np.array([r["score"] for r in unmarked] or [0.0])
    alarms = int((scores >= THRESHOLD).sum())
    psnr = np.array([r["psnr"] for r in marked])
    return {
        "threshold": THRESHOLD,
        "marked": len(marked),
        "unmarked": len(unmarked),
        "kinds": {
            kind: {
                "marked": sum(r["kind"] == kind for r in marked),
                "unmarked": sum(r["kind"] == kind for r in unmarked),
                "psnr_db": round(
                    float(np.mean([r["psnr"] for r in marked if r["kind"] == kind] or [0])), 2
                ),
                "largest_unmarked_score": max(
                    [r["score"] for r in unmarked if r["kind"] == kind] or [0]
                ),
            }
            for kind in SOURCES
        },
        "psnr_db": {"mean": round(psnr.mean(), 2), "least": round(psnr.min(), 2)},
        "least_frame_psnr_db": round(min(r["least_frame_psnr"] for r in marked), 2),
        "largest_change_levels": max(r["largest_change"] for r in marked),
        "largest_colour_shift_levels": round(max(r["colour_shift"] for r in marked), 3),
        "attacks": {name: _rates(name, marked) for name in ATTACKS},
        "false_alarms": {
            "count": alarms,
            "rate": alarms / max(1, len(unmarked)),
            "interval": wilson(alarms, len(unmarked)),
            "scores": {
                q: round(float(np.quantile(scores, float(q))), 2)
                for q in ("0.5", "0.99", "0.999", "1")
            },
        },
        "cpu": cpu_times(),
    }


def _rates(name: str, marked: list[dict[str, Any]]) -> dict[str, Any]:
    rows = [(r["kind"], r["found"][name]) for r in marked if name in r["found"]]
    hits = sum(f["score"] >= THRESHOLD for _, f in rows)
    missed = [kind for kind, f in rows if f["score"] < THRESHOLD]
    read = [f for _, f in rows if f.get("margin", 0.0) >= READABLE]
    return {
        "clips": len(rows),
        "found": hits,
        "rate": round(hits / len(rows), 4),
        "interval": wilson(hits, len(rows)),
        "identifier_right": sum(f["right"] for f in read),
        "identifier_wrong": sum(not f["right"] for f in read),
        "score_median": round(float(np.median([f["score"] for _, f in rows])), 2),
        "missed": {kind: missed.count(kind) for kind in SOURCES if kind in missed},
    }


def work(args: argparse.Namespace) -> Iterator[tuple[bool, str, int, int]]:
    """What is to be measured: a marked clip after every nine or ten unmarked ones."""
    yes = [(True, kind, k) for kind, k in planned(args.marked, 1)]
    no = [(False, kind, k) for kind, k in planned(args.unmarked, 2)]
    order = [
        ((k + 0.5) / len(part), k, entry) for part in (yes, no) for k, entry in enumerate(part)
    ]
    for _, number, entry in sorted(order, key=lambda o: o[0]):
        yield *entry, number


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("clips", type=Path, help="folder with manifest.jsonl")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--marked", type=int, default=210)
    parser.add_argument("--unmarked", type=int, default=2000)
    parser.add_argument("--part", default="0/1", help="0/2 and 1/2: two processes share the work")
    parser.add_argument("--rows", type=Path, help="where the rows are kept (OUT.rows.jsonl)")
    args = parser.parse_args()
    os.environ.setdefault("SVT_LOG", "1")
    cv2.setNumThreads(1)
    manifest = [
        json.loads(line) for line in (args.clips / "manifest.jsonl").read_text().splitlines()
    ]
    clips = [args.clips / r["path"] for r in manifest if r["split"] in ("train", "val")]
    kept = args.rows or args.out.with_suffix(".rows.jsonl")
    done = {(r["marked"], r["kind"], r["index"]) for r in read_rows(kept)}
    part, parts = map(int, args.part.split("/"))
    with kept.open("a") as stream:
        for is_marked, kind, index, number in itertools.islice(work(args), part, None, parts):
            if (is_marked, kind, index) not in done:
                facts = (
                    marked_row(kind, index, clips)
                    if is_marked
                    else unmarked_row(kind, index, number, clips)
                )
                row = {"marked": is_marked, "kind": kind, "index": index, **facts}
                print(json.dumps(row), file=stream, flush=True)
    args.out.write_text(json.dumps(summary(read_rows(kept)), indent=2) + "\n")


def read_rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


if __name__ == "__main__":
    main()
