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
from typing import Any

HELD_BYTES = 400 * 2**20
"""Frames kept in memory for the stages that need them ready-made; they are shown there and back
until the clip is full: scaling up a shorter clip would multiply the encoder's start."""

Costs = dict[str, dict[str, float]]


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
    from vivant.media.read import read_picture
    from vivant.media.resize import fit, parse_size
    from vivant.motion.model import MotionModel, rendered
    from vivant.motion.sampler import see
    from vivant.provenance.policy import decide
    from vivant.registry import spec_of
    from vivant.request import Request

    source = timed("read", lambda: read_picture(photo))
    picture = timed("resize", lambda: fit(source, parse_size(size, source.size)))
    timed("policy", lambda: decide(picture, photo, consent=True))
    model = timed("load", lambda: spec_of("builtin").load(0))
    assert isinstance(model, MotionModel)
    request = Request(picture, seconds=seconds)
    timed("encode picture", lambda: see(model.networks, picture.pixels))
    field = timed("sample", lambda: model.sample_field(request))
    # sampling looks at the picture, too
    for clock in ("wall", "cpu"):
        costs["sample"][clock] = max(0.0, costs["sample"][clock] - costs["encode picture"][clock])
    result = rendered(request, field, model.identity, {})
    kept = max(2, min(request.spec.count, HELD_BYTES // picture.pixels.nbytes))
    frames = timed("render", lambda: _drained(result.frames(), kept))
    _finish(frames, photo, request, result, timed)
    width, height = picture.size
    return {
        "width": width,
        "height": height,
        "frames": request.spec.count,
        "frames_held": len(frames),
        "stages": {n: {k: round(v, 4) for k, v in cost.items()} for n, cost in costs.items()},
    }


def _imports() -> None:
    import vivant.motion.model
    import vivant.provenance.release
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


def _finish(frames: list[Any], photo: Path, request: Any, result: Any, timed: Any) -> None:
    """Watermark, encoding and signing, on ready-made frames."""
    from vivant.media.formats import DEFAULT
    from vivant.media.write import write_video
    from vivant.provenance.credentials import COMPOSITE, Statement, sign
    from vivant.provenance.record import recipe_of
    from vivant.provenance.watermark.stamp import marked, stamped

    spec = request.spec
    recipe = stamped(recipe_of(request, result, None), spec)
    clip = [frames[k] for k in there_and_back(len(frames), spec.count)]
    timed("watermark", lambda: sum(1 for _ in marked(clip, spec, recipe)))
    with tempfile.TemporaryDirectory() as name:
        plain, signed = Path(name) / "plain.mp4", Path(name) / "signed.mp4"
        timed("encode", lambda: write_video(iter(clip), spec, plain, DEFAULT))
        statement = Statement(COMPOSITE, recipe, request.picture, photo)
        timed("sign", lambda: sign(plain, signed, statement))


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]))))
