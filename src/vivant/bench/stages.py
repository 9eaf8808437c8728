"""Each stage of the main job alone, in this process: ``python -m vivant.bench.stages``.

Prints one JSON object. The imports of the process are a stage of their own, so this module
loads nothing heavy before its clock runs.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

HELD_BYTES = 400 * 2**20
"""Frames kept in memory for the stages that need them ready-made; they are shown there and back
until the clip is full: scaling up a shorter clip would multiply the encoder's start."""

Costs = dict[str, dict[str, float]]


class _Statement(NamedTuple):
    """What is signed, but for the record."""

    made: Any
    picture: Any
    photo: Path


def measure(photo: Path, size: str, seconds: float) -> dict[str, Any]:
    """Wall and CPU seconds of every stage of one clip, MP4 from a photograph.

    ``size`` as for ``vivant animate --size``. Stages over frames are per clip; ``encode`` and
    ``watermark`` are measured over the clip's whole length, on as many of its own frames as fit
    into 400 MiB, without anything else running: ``encode`` is the floor of the whole job.
    """
    costs: Costs = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        wall, cpu = time.monotonic(), time.process_time()
        out = work()
        costs[name] = {"wall": time.monotonic() - wall, "cpu": time.process_time() - cpu}
        return out

    costs["start"] = {"wall": 0.0, "cpu": time.process_time()}
    timed("import", _imports)
    from vivant.media.assets import FileAssets
    from vivant.media.formats import DEFAULT
    from vivant.media.framing import target_of
    from vivant.provenance.policy import Policy, decide
    from vivant.provenance.record import record_of
    from vivant.registry import load
    from vivant.request import Hooks, Keyframe, Request

    target = target_of(DEFAULT)
    with FileAssets() as assets:
        image = assets.add(photo, "picture")
        picture = timed("read", lambda: assets.picture(image))
        generator = load("builtin")
        request = Request((Keyframe(image),), seconds=seconds, size=size)
        plan = timed("load and plan", lambda: generator.plan(request, assets, target))
        timed("policy", lambda: decide(picture, photo, Policy(consent=True)))
        result = timed("sample", lambda: generator.generate(request, plan, assets, Hooks()))
        video = plan.video
        kept = max(2, min(video.count, HELD_BYTES // (3 * video.width * video.height)))
        with result.open() as stream:
            frames = timed("render", lambda: _drained(stream, kept))
        record = record_of(request, target, result, assets)
        _finish(frames, video, record, _Statement(result.made, picture, photo), timed)
    return {
        "width": video.width,
        "height": video.height,
        "frames": video.count,
        "frames_held": len(frames),
        "stages": {n: {k: round(v, 4) for k, v in cost.items()} for n, cost in costs.items()},
    }


def _imports() -> None:
    import vivant.job
    import vivant.motion.model
    import vivant.registry  # noqa: F401


def _drained(frames: Iterator[Any], keep: int) -> list[Any]:
    """All frames rendered, the first few kept."""
    kept = []
    for index, frame in enumerate(frames):
        if index < keep:
            kept.append(frame)
    return kept


def there_and_back(held: int, count: int) -> list[int]:
    """Indices 0 .. ``held`` - 1, back to 0, and so on: ``count`` in all, no jump between two."""
    turn = max(1, 2 * (held - 1))
    return [min(k % turn, turn - k % turn) if held > 1 else 0 for k in range(count)]


def _finish(frames: list[Any], video: Any, record: Any, signed: _Statement, timed: Any) -> None:
    """Watermark, encoding and signing, on ready-made frames."""
    from vivant.media.formats import DEFAULT
    from vivant.media.write import write_video
    from vivant.provenance.credentials import Statement, sign
    from vivant.provenance.keys import signing_key
    from vivant.provenance.watermark.stamp import marked, stamped
    from vivant.settings import read_settings

    record = stamped(record, video)
    clip = [frames[k] for k in there_and_back(len(frames), video.count)]
    timed("watermark", lambda: sum(1 for _ in marked(clip, video, record)))
    statement = Statement(signed.made, record, signed.picture, signed.photo)
    certificate = signing_key(read_settings())
    with tempfile.TemporaryDirectory() as name:
        plain, out = Path(name) / "plain.mp4", Path(name) / "signed.mp4"
        timed("encode", lambda: write_video(iter(clip), video, plain, DEFAULT))
        timed("sign", lambda: sign(plain, out, statement, certificate))


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]))))
