"""kill -9 at named and at random points of the commands that write; also a script:

    python tests/killing.py --random 200 --times 3 --out killing.json

After each kill: the output is absent (if it was), the old one, or the new one, whole (a clip: signed,
with all frames; shards: each readable, and the next run completes them); the next start removes what
was left behind. The table `TASKS` holds the commands; another one is one more entry.
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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

NAMED = {
    "picture decoded": ("vivant.media.decoder:Decoder.picture", "after", 1),
    "model loaded": ("vivant.motion.model:builtin_eyes", "after", 1),
    "sampling": ("vivant.motion.model:choose", "before", 1),
    "sampled": ("vivant.motion.model:choose", "after", 1),
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
    return ["animate", str(photo), "-o", str(out), *SMALL, "--json"]


SMALL = ["--size", "160x128", "--seconds", str(COUNT / 24), "--overwrite", "--consent"]


def words_render(photo: Path, out: Path) -> list[str]:
    field = out.parent.parent / "kept.vivant"
    return ["render", str(photo), str(field), "-o", str(out), *SMALL, "--json"]


def words_prepare(photo: Path, out: Path) -> list[str]:
    return ["prepare", str(out.parent.parent / "films"), "--out", str(out)]


def words_see(photo: Path, out: Path) -> list[str]:
    return ["see", str(photo), "-o", str(out), "--overwrite"]


def words_between(photo: Path, out: Path) -> list[str]:
    later = out.parent.parent / "later.png"
    return ["between", str(photo), str(later), "--dissolve", "-o", str(out), *SMALL, "--json"]


def words_film(*command: str) -> Callable[[Path, Path], list[str]]:
    """An edit of the first film."""

    def words(photo: Path, out: Path) -> list[str]:
        film = out.parent.parent / "films" / "0.mp4"
        sized = ["--size", "160x128", "--overwrite", "--consent", "--json"]
        return [command[0], str(film), *command[1:], "-o", str(out), *sized]

    return words


def words_clean(photo: Path, out: Path) -> list[str]:
    return words_film("clean", "--picture", str(out.parent.parent / "later.png"))(photo, out)


def picture_state(out: Path, old: bytes | None) -> str:
    """ "absent", "old", "new" (a whole PNG), or what is wrong."""
    if not out.exists():
        return "absent" if old is None else "LOST"
    if old is not None and out.read_bytes() == old:
        return "old"
    return "new" if out.read_bytes().endswith(b"IEND\xaeB`\x82") else "CUT"


def clip_state(out: Path, old: bytes | None, count: int = COUNT) -> str:
    """ "absent", "old", "new" (whole: signed, ``count`` frames, 0: any), or what is wrong."""
    from films import read_video
    from vivant.provenance.keys import known_anchors
    from vivant.provenance.verify import verify
    from vivant.settings import read_settings

    if not out.exists():
        return "absent" if old is None else "LOST"
    if old is not None and out.read_bytes() == old:
        return "old"
    if verify(out, known_anchors(read_settings())).state != "trusted":
        return "BROKEN"
    found = len(read_video(out).frames)
    return "new" if found == (count or found) else "CUT"


def film_state(out: Path, old: bytes | None) -> str:
    """As `clip_state`, of any number of frames: the signature is over all of them."""
    return clip_state(out, old, 0)


def shards_state(out: Path, old: bytes | None) -> str:
    """ "absent", "part" or "new" (every clip's shard), or what is wrong."""
    from vivant.data.shards import read_sample, shard_paths
    from vivant.errors import VivantError

    if not out.exists():
        return "absent"
    try:
        for path in shard_paths(out):
            read_sample(path)
        for path in (out / "clips").glob("[!.]*.json"):
            json.loads(path.read_text("utf-8"))
    except (VivantError, ValueError):
        return "BROKEN"
    return "new" if len(shard_paths(out)) == FILMS else "part"


@dataclass(frozen=True)
class Task:
    """A command: its ``words`` for a photograph and an output, the outputs it is tried on, what
    the ``state`` of one is after a kill, and whether the next run completes it."""

    words: Callable[[Path, Path], list[str]]
    scenarios: tuple[str, ...]
    state: Callable[[Path, bytes | None], str] = clip_state
    goes_on: bool = False


FILMS = 2
TASKS = {
    "animate": Task(words, SCENARIOS),
    "render": Task(words_render, SCENARIOS),
    "see": Task(words_see, ("new.png",), picture_state),
    "between": Task(words_between, ("new.mp4", "old.mp4"), film_state),
    "clean": Task(words_clean, ("new.mp4", "old.mp4"), film_state),
    "loop": Task(words_film("loop"), ("new.mp4", "old.mp4"), film_state),
    "extend": Task(words_film("extend", "--seconds", "0.5"), ("new.mp4", "old.mp4"), film_state),
    "prepare": Task(words_prepare, ("shards",), shards_state, goes_on=True),
}


def run(command: list[str], point: str | None = None, delay: float | None = None) -> bool:
    """Run `vivant`, killed at a named point or after ``delay`` seconds; True if it was killed."""
    child = subprocess.Popen(
        [sys.executable, __file__, "--child", point or "", *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    if delay is not None:
        time.sleep(delay)
        child.kill()
    return child.wait() == -signal.SIGKILL


def once(
    photo: Path, folder: Path, name: str, scenario: str, point: str | None, delay: float | None
) -> str:
    """One kill of ``TASKS[name]`` in a fresh folder; returns the state, with "+litter" if the next
    start left any, "+stuck" if the next run did not complete it."""
    from vivant.files import sweep

    folder.mkdir()
    task, out, old = TASKS[name], folder / scenario, None
    if scenario.startswith("old"):
        source = folder.parent / f"made{out.suffix}"
        for file in source.parent.glob(f"made{out.suffix}*"):
            (folder / file.name.replace("made", "old")).write_bytes(file.read_bytes())
        old = out.read_bytes()
    command = task.words(photo, out)
    killed = run(command, point, delay)
    if point is not None and not killed:
        return "NOT KILLED"
    found = task.state(out, old)
    if task.goes_on:
        run(command)
        found += "" if task.state(out, None) == "new" else "+stuck"
    for place in (folder, out, out / "clips"):
        if place.is_dir():
            sweep(place)
    left = [p.name for p in folder.rglob(".*")]
    return f"{found}+litter" if left else found


def prepare(photo: Path, folder: Path) -> None:
    """The files that stand for a user's earlier work, and what the commands read."""
    from test_data import sliding_clip
    from vivant.clip import VideoSpec
    from vivant.media.formats import FORMATS
    from vivant.media.write import write_video

    kept = ["--save-field", str(folder / "kept.vivant")]
    for suffix, more in ((".mp4", kept), (".webm", [])):
        if run([*words(photo, folder / f"made{suffix}"), *more]):
            raise RuntimeError("the run that was to succeed did not")
        assert (folder / f"made{suffix}").exists()
    (folder / "films").mkdir()
    for k in range(FILMS):
        spec = VideoSpec(320, 256, 24.0, 48)
        film = folder / "films" / f"{k}.mp4"
        frames = list(sliding_clip(48, 1.0, k))
        write_video(iter(frames), spec, film, FORMATS["mp4"])
        if k == 0:
            cv2.imwrite(str(folder / "later.png"), cv2.cvtColor(frames[0], cv2.COLOR_RGB2BGR))


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
        whole = {task: seconds_of(photo, folder, task) for task in TASKS}
        jobs: list[tuple[str, str | None, float | None]] = []
        jobs += [("animate", p, None) for p in NAMED for _ in range(args.times)]
        chance = random.Random(0)
        for k in range(args.random):
            task = list(TASKS)[k % len(TASKS)]
            jobs.append((task, None, chance.uniform(0, 1.1 * whole[task])))
        for k, (task, point, delay) in enumerate(jobs):
            scenarios = TASKS[task].scenarios
            scenario = scenarios[k // len(TASKS) % len(scenarios)]
            result = once(photo, folder / str(k), task, scenario, point, delay)
            label = point or f"{task}, at random"
            found.setdefault(label, collections.Counter())[result] += 1
            print(k, label, scenario, result, flush=True)
    text = json.dumps({label: dict(counter) for label, counter in found.items()}, indent=1)
    print(text)
    if args.out:
        args.out.write_text(text + "\n", "utf-8")


def seconds_of(photo: Path, folder: Path, task: str) -> float:
    """How long the command takes when it is left alone."""
    place = folder / f"timed-{task}"
    place.mkdir()
    clock = time.monotonic()
    run(TASKS[task].words(photo, place / TASKS[task].scenarios[0]))
    return time.monotonic() - clock


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
