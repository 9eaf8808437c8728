"""What must not go wrong: kills, full disks, read-only folders, clocks, races, pickle."""

from __future__ import annotations

import datetime
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import killing
from conftest import EXAMPLES
from films import read_video
from publishing import key, verify
from vivant.errors import UsageError
from vivant.files import check_output, publish, publish_folder, sweep

FLOWER = EXAMPLES / "flower.jpg"
posix = pytest.mark.skipif(os.name != "posix", reason="POSIX only")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("killed")
    os.environ["VIVANT_HOME"] = str(folder / "home")  # the isolated home comes with each test
    killing.prepare(FLOWER, folder)
    return folder


@posix
@pytest.mark.parametrize("number", range(len(killing.NAMED)), ids=list(killing.NAMED))
def test_killed_at_a_named_point(made: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVANT_HOME", str(made / "home"))
    point = list(killing.NAMED)[number]
    scenario = killing.SCENARIOS[number % len(killing.SCENARIOS)]
    found = killing.once(FLOWER, made / str(number), "animate", scenario, point, None)
    expected = "absent" if scenario.startswith("new") else "old"
    assert found == ("new" if point == "renamed" and scenario.endswith("mp4") else expected)


@posix
@pytest.mark.parametrize("task", ["render", "see", "loop", "prepare"])
def test_killed_at_some_moment(made: Path, task: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVANT_HOME", str(made / "home"))
    scenario = killing.TASKS[task].scenarios[-1]
    found = killing.once(FLOWER, made / task, task, scenario, None, 1.0)
    assert found in ("absent", "part", "old", "new")


@posix
def test_litter_of_dead_runs_goes_and_of_running_ones_stays(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from vivant.files import publish\n"
        "with publish(Path(sys.argv[1])) as t:\n"
        "    t.write_bytes(b'half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.mp4")], check=False)
    assert len(list(tmp_path.glob(".a-*"))) == 2  # the file and its lock
    with publish(tmp_path / "b.mp4") as mine:
        mine.write_bytes(b"under way")
        (tmp_path / ".foreign-000000-aaaaaaaaaaaa.tmp").touch()  # another machine's
        check_output(tmp_path / "c.mp4", overwrite=False)
        assert mine.exists()
    names = {p.name for p in tmp_path.iterdir()}
    assert names == {"b.mp4", ".foreign-000000-aaaaaaaaaaaa.tmp"}
    sweep(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == names


@posix
def test_a_folder_is_never_missing_while_it_is_replaced(tmp_path: Path) -> None:
    out = tmp_path / "frames"
    with publish_folder(out, overwrite=False) as first:
        (first / "old.png").touch()
    with publish_folder(out, overwrite=True) as second:
        (second / "new.png").touch()
        assert (out / "old.png").exists()
    assert {p.name for p in out.iterdir()} == {"new.png", ".vivant"}
    assert [p.name for p in tmp_path.iterdir()] == ["frames"]


def run(photo: Path, out: Path, prepare: str = "") -> subprocess.CompletedProcess[str]:
    code = f"{prepare}\nfrom vivant.cli.main import main; main()"
    command = [sys.executable, "-c", code, *killing.words(photo, out)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@posix
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.gif", "a.webp"])
def test_a_file_that_cannot_grow_is_one_sentence(tmp_path: Path, name: str) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))"
    out = tmp_path / name
    out.write_bytes(b"earlier work")
    done = run(FLOWER, out, limit)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("vivant: ")
    assert out.read_bytes() == b"earlier work"
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.skipif(sys.platform != "linux", reason="tmpfs")
def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        done = run(FLOWER, small / "a.mp4")
        assert done.returncode == 1, done.stderr
        assert "Traceback" not in done.stderr
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", str(small)], check=True)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="Linux only")
def test_a_folder_that_takes_no_files_is_said_before_any_work() -> None:
    with pytest.raises(UsageError, match="/proc cannot be written to"):
        check_output(Path("/proc/a.mp4"), overwrite=False)


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_said_before_any_work(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.raises(UsageError, match="cannot be written to"):
        check_output(tmp_path / "a.mp4", overwrite=False)
    tmp_path.chmod(0o755)


def test_a_clock_set_back_is_said_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vivant.provenance import keys

    def later(zone: datetime.tzinfo) -> datetime.datetime:
        return datetime.datetime.now(zone) + datetime.timedelta(days=900)

    future = SimpleNamespace(
        datetime=SimpleNamespace(now=later),
        timedelta=datetime.timedelta,
        timezone=datetime.timezone,
    )
    monkeypatch.setenv("VIVANT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(keys, "datetime", future)
    key()  # made in the future: the clock has gone back since
    done = run(FLOWER, tmp_path / "a.mp4")
    assert done.returncode == 1
    assert "set the clock right" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "a.mp4").exists()


def test_of_two_runs_to_one_output_the_last_whole_one_wins(tmp_path: Path) -> None:
    out = tmp_path / "a.mp4"
    command = [sys.executable, "-m", "vivant", *killing.words(FLOWER, out)]
    pipes = [
        subprocess.Popen([*command, "--seed", str(k)], stdout=subprocess.PIPE) for k in range(3)
    ]
    assert [p.communicate()[0] != b"" and p.returncode for p in pipes] == [0, 0, 0]
    assert verify(out).state == "trusted"
    assert len(read_video(out).frames) == killing.COUNT
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.skipif(sys.platform != "linux", reason="scheduling policies of Linux")
def test_no_thread_stays_under_a_real_time_policy(tmp_path: Path) -> None:
    code = (
        "import os; from pathlib import Path; import numpy as np\n"
        "from vivant.clip import VideoSpec; from vivant.media.formats import FORMATS\n"
        "from vivant.media.write import write_video\n"
        "def policies():\n"
        "    return {os.sched_getscheduler(int(t)) for t in os.listdir('/proc/self/task')}\n"
        "def frames():\n"
        "    for k in range(6):\n"
        "        if k > 1: assert policies() == {os.SCHED_OTHER}, policies()\n"
        "        yield np.full((64, 96, 3), 40 * k, np.uint8)\n"
        f"out = Path({str(tmp_path / 'a.mp4')!r})\n"
        "write_video(frames(), VideoSpec(96, 64, 24.0, 6), out, FORMATS['av1'])\n"
        "assert policies() == {os.SCHED_OTHER}"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


UNSAFE = re.compile(
    r"\b(c?pickle|dill|shelve|marshal|joblib)\b|allow_pickle\s*=\s*True|yaml\.load\b|"
    r"(?<![.\w])(eval|exec)\(|weights_only\s*=\s*False"
)


def test_no_pickle_anywhere() -> None:
    root = EXAMPLES.parent
    found = []
    for folder in ("src", "recipes", "benchmarks"):
        for path in (root / folder).rglob("*.py"):
            for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
                writes = path.name == "tracks.py" and "load" not in line  # a format of others
                if (UNSAFE.search(line) and not writes) or (
                    "torch.load(" in line and "weights_only=True" not in line
                ):
                    found.append(f"{path.relative_to(root)}:{number}: {line.strip()}")
    assert found == []
    shipped = {p.suffix for p in (root / "src").rglob("*") if p.is_file()}
    assert not shipped & {".pkl", ".pickle", ".pt", ".pth", ".ckpt", ".npy"}
