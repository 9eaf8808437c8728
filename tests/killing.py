"""kill -9 at named and at random points of `vivant animate`; also a script:

    python tests/killing.py --random 200 --times 3 --out killing.json

After each kill: the output is absent (if it was), the old file, or the new one, whole and signed;
the next start removes what was left behind.
"""

from __future__ import annotations

import argparse
import collections
import importlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

NAMED = {
    "picture decoded": ("vivant.media.decoder:Decoder.picture", "after", 1),
    "model loaded": ("vivant.motion.model:open_networks", "after", 1),
    "sampling": ("vivant.motion.sampler:_guided", "before", 3),
    "sampled": ("vivant.motion.model:MotionModel.sample_field", "after", 1),
    "before the encoder": ("vivant.provenance.release:write_video", "before", 1),
    "second frame": ("vivant.media.write:_yuv_frame", "before", 2),
    "fifth frame": ("vivant.media.write:_yuv_frame", "before", 5),
    "encoded": ("vivant.provenance.release:write_video", "after", 1),
    "tagged": ("vivant.provenance.release:add_xmp", "after", 1),
    "signed": ("vivant.provenance.release:sign", "after", 1),
    "before the rename": ("pathlib:Path.replace", "before", 1),
    "renamed": ("vivant.files:sync_folder", "before", 1),
}
SCENARIOS = ("new.mp4", "old.mp4", "old.webm")
COUNT = 8


def arm(place: str, when: str, call: int) -> None:
    """Make this process kill itself at the given call of a function."""
    module_name, _, path = place.partition(":")
    owner: Any = importlib.import_module(module_name)
    *outer, name = path.split(".")
    for part in outer:
        owner = getattr(owner, part)
    original, calls = getattr(owner, name), collections.Counter[str]()

    def deadly(*args: Any, **options: Any) -> Any:
        calls["made"] += 1
        now = calls["made"] == call
        if now and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        value = original(*args, **options)
        if now:
            os.kill(os.getpid(), signal.SIGKILL)
        return value

    setattr(owner, name, deadly)


def words(photo: Path, out: Path) -> list[str]:
    small = ["--size", "160x128", "--seconds", str(COUNT / 24), "--overwrite", "--consent"]
    return ["animate", str(photo), "-o", str(out), *small, "--json"]


def run(photo: Path, out: Path, point: str | None, delay: float | None = None) -> bool:
    """Run `animate`, killed at a named point or after ``delay`` seconds; True if it was killed."""
    command = [sys.executable, __file__, "--child", point or "", *words(photo, out)]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if delay is not None:
        time.sleep(delay)
        child.kill()
    return child.wait() == -signal.SIGKILL


def state(out: Path, old: bytes | None) -> str:
    """ "absent", "old", "new" (whole: signed, all frames), or what is wrong."""
    from vivant.media.video import read_video
    from vivant.provenance.keys import known_anchors
    from vivant.provenance.verify import verify
    from vivant.settings import read_settings

    if not out.exists():
        return "absent" if old is None else "LOST"
    if old is not None and out.read_bytes() == old:
        return "old"
    if verify(out, known_anchors(read_settings())).state != "trusted":
        return "BROKEN"
    return "new" if len(read_video(out).frames) == COUNT else "CUT"


def once(photo: Path, folder: Path, scenario: str, point: str | None, delay: float | None) -> str:
    """One kill in a fresh folder; returns the state, with "+litter" if the next start left any."""
    from vivant.files import sweep

    folder.mkdir()
    out, old = folder / scenario, None
    if scenario.startswith("old"):
        source = folder.parent / f"made{out.suffix}"
        for file in source.parent.glob(f"made{out.suffix}*"):
            (folder / file.name.replace("made", "old")).write_bytes(file.read_bytes())
        old = out.read_bytes()
    killed = run(photo, out, point, delay)
    if point is not None and not killed:
        return "NOT KILLED"
    found = state(out, old)
    sweep(folder)
    left = [p.name for p in folder.iterdir() if p.name.startswith(".")]
    return f"{found}+litter" if left else found


def prepare(photo: Path, folder: Path) -> None:
    """The files that stand for a user's earlier work."""
    for suffix in (".mp4", ".webm"):
        if run(photo, folder / f"made{suffix}", None):
            raise RuntimeError("the run that was to succeed did not")
        assert (folder / f"made{suffix}").exists()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--random", type=int, default=200)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    photo = Path(__file__).parent.parent / "examples" / "flower.jpg"
    found: dict[str, collections.Counter[str]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["VIVANT_HOME"] = str(folder / "home")
        prepare(photo, folder)
        clock = time.monotonic()
        run(photo, folder / "timed.mp4", None)
        whole = time.monotonic() - clock
        jobs: list[tuple[str, str | None, float | None]] = []
        jobs += [(p, p, None) for p in NAMED for _ in range(args.times)]
        chance = random.Random(0)
        jobs += [("random", None, chance.uniform(0, 1.1 * whole)) for _ in range(args.random)]
        for k, (label, point, delay) in enumerate(jobs):
            scenario = SCENARIOS[k % len(SCENARIOS)]
            result = once(photo, folder / str(k), scenario, point, delay)
            found.setdefault(label, collections.Counter())[result] += 1
            print(k, label, scenario, result, flush=True)
    text = json.dumps({label: dict(counter) for label, counter in found.items()}, indent=1)
    print(text)
    if args.out:
        args.out.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] == "--child":
        named = sys.argv[2]
        sys.argv = ["vivant", *sys.argv[3:]]
        if named:
            arm(*NAMED[named])
        from vivant.cli.main import main as vivant_main

        vivant_main()
    else:
        main()
