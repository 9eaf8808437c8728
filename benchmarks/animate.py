"""Wall time and memory of the main job, as JSON.

    python benchmarks/animate.py [PHOTO] [--seconds 4] [--sizes 720p 1080p]

Each run is a fresh process. The floor is encoding the same frames alone, measured in the same
run; a photograph smaller than 1920x1080 is enlarged to it first and said so.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

EXAMPLE = Path(__file__).parent.parent / "examples" / "china.jpg"

FLOOR = """
import sys, time
from pathlib import Path
from vivant.clip import VideoSpec
from vivant.media.formats import FORMATS
from vivant.media.video import read_video
from vivant.media.write import write_video
clip = read_video(Path(sys.argv[1]))
spec = VideoSpec(*clip.size, 24.0, len(clip.frames))
clock = time.monotonic()
write_video(iter(clip.frames), spec, Path(sys.argv[2]), FORMATS["mp4"])
print(time.monotonic() - clock)
"""


def photo_1080p(photo: Path, folder: Path) -> tuple[Path, bool]:
    from PIL import Image

    with Image.open(photo) as image:
        if min(image.size) >= 1080:
            return photo, False
        whole = image.convert("RGB").resize((1920, 1080), Image.Resampling.LANCZOS)
    path = folder / "photo.png"
    whole.save(path)
    return path, True


def timed(words: list[str]) -> tuple[float, int, str]:
    """Seconds, peak memory in MiB of the child, and what it printed."""
    clock = time.monotonic()
    child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    out = child.stdout.read() if child.stdout else ""
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        raise SystemExit(f"{' '.join(words[:4])} failed")
    return time.monotonic() - clock, usage.ru_maxrss // 1024, out


def one(photo: Path, size: str, seconds: float, folder: Path) -> dict[str, Any]:
    clip = folder / f"{size}.mp4"
    words = [sys.executable, "-m", "vivant.cli.main", "animate", str(photo), "-o", str(clip)]
    words += ["--size", size, "--seconds", str(seconds), "--json", "--overwrite"]
    wall, peak, out = timed(words)
    report = json.loads(out)
    _, _, floor = timed([sys.executable, "-c", FLOOR, str(clip), str(folder / "floor.mp4")])
    stages = report["outputs"][0]["timings"]
    return {
        "size": f"{report['width']}x{report['height']}",
        "frames": report["frames"],
        "wall_s": round(wall, 2),
        "sample_s": round(stages["sample"], 2),
        "render_encode_s": round(stages["render_encode"], 2),
        "sign_s": round(stages["sign"], 3),
        "peak_mib": peak,
        "encode_alone_s": round(float(floor), 2),
        "ratio_to_encoding": round(wall / float(floor), 2),
        "mp4_kib": clip.stat().st_size // 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photo", nargs="?", type=Path, default=EXAMPLE)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--sizes", nargs="+", default=["720p", "1080p"])
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        photo, enlarged = photo_1080p(args.photo, Path(name))
        rows = [one(photo, size, args.seconds, Path(name)) for size in args.sizes]
    machine = f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores"
    print(
        json.dumps(
            {"photo": args.photo.name, "enlarged": enlarged, "machine": machine, "runs": rows},
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
